//! The demo desktop, seen and used by real viewers.

use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use spice_proto::{Point, Rect};

use crate::desktop::{Desktop, VIEWER_NEEDS};
use crate::needs::{Need, trial};
use crate::scratch::Scratch;
use crate::server::Server;
use crate::shot::Shot;
use crate::viewer::{Display, PATIENCE, Viewer};
use crate::wait;

const SIZE: (usize, usize) = (1024, 768);
/// What moves by itself: who watches and when, the clock's dial, the moving picture.
const ALIVE: [Rect; 3] =
    [Rect::new(700, 0, 324, 29), Rect::new(733, 126, 200, 232), Rect::new(749, 506, 224, 168)];
/// The terminal with its frame, and the part of its title that no rounded corner is in.
const TERMINAL: Rect = Rect::new(57, 149, 612, 455);
const TITLE: Rect = Rect::new(67, 151, 592, 26);
/// Where the terminal's text begins, and the size of a character.
const TEXT: Point = Point::new(66, 187);
const CELL: (u32, u32) = (9, 17);
/// `demo$ ` and the row that it is first in.
const PROMPT: u32 = 6;
pub(crate) const PROMPT_ROW: u32 = 6;

/// What is typed. Its answer is one row, so the next prompt is two rows further down.
pub(crate) const TYPED: &str = "echo the quick brown fox jumps over the lazy dog";
/// A drag of the terminal by its title, clear of the other windows.
const GRAB: (u32, u32) = (300, 165);
const MOVE: (u32, u32) = (40, 100);

pub(crate) fn trials() -> Vec<Trial> {
    let screenshot = [Need::Program("spicy-screenshot")];
    let viewer = [&screenshot[..], &VIEWER_NEEDS].concat();
    vec![
        trial("demo_screenshot", &screenshot, demo_screenshot),
        trial("demo_remote_viewer", &viewer, demo_remote_viewer),
    ]
}

/// So many characters of a row of the terminal.
pub(crate) fn cells(row: u32, columns: std::ops::Range<u32>) -> Rect {
    let (x, y) = (columns.start * CELL.0, row * CELL.1);
    Rect::new(0, 0, (columns.end - columns.start) * CELL.0, CELL.1)
        .translate(TEXT.x + x.cast_signed(), TEXT.y + y.cast_signed())
}

/// What stands still of a desktop whose cursor waits behind the prompt of this row.
pub(crate) fn still(shot: &Shot, prompt_row: u32, moved: (u32, u32)) -> Shot {
    let cursor =
        cells(prompt_row, PROMPT..PROMPT + 1).translate(moved.0.cast_signed(), moved.1.cast_signed());
    shot.without(&[&ALIVE[..], &[cursor]].concat())
}

/// Three screenshots at the same time show what a viewer of ours sees meanwhile, on all that stands still.
fn demo_screenshot() -> Result<(), String> {
    let server = Server::start(&[])?;
    let viewer = Viewer::connect(server.addr(), "")?;
    let mut display = viewer.display()?;
    display.paint_first()?;
    let scratch = Scratch::new()?;
    let (addr, folder) = (server.addr(), scratch.path());
    let shots = thread::scope(|scope| {
        let takers: Vec<_> = (0..3)
            .map(|number| scope.spawn(move || Shot::take(addr, &folder.join(format!("{number}.ppm")))))
            .collect();
        let taken =
            takers.into_iter().map(|taker| taker.join().map_err(|_| "a screenshot panicked".to_owned())?);
        taken.collect::<Result<Vec<_>, String>>()
    })?;
    display.paint_pending()?;
    let ours = still(&display.shot()?, PROMPT_ROW, (0, 0));
    if ours.colours() < 500 {
        return Err(format!("a desktop of {} colours", ours.colours()));
    }
    for shot in shots {
        if shot.size() != SIZE {
            return Err(format!("a screenshot of {:?}", shot.size()));
        }
        if let Some(difference) = still(&shot, PROMPT_ROW, (0, 0)).difference(&ours) {
            return Err(format!("the screenshot is not what the viewer sees: {difference}"));
        }
    }
    Ok(())
}

/// remote-viewer shows the desktop; what its user types and drags arrives, and another viewer sees it. All of it is
/// compared with a second server, which a viewer of ours uses in the same way.
fn demo_remote_viewer() -> Result<(), String> {
    let (_model_server, model_viewer, mut model) = untouched()?;
    let inputs = model_viewer.inputs()?;
    let before = model.shot()?;

    let server = Server::start(&[])?;
    let mut desktop = Desktop::start(server.addr())?;
    let origin = desktop.find("the terminal's title", &before.part(TITLE), TITLE.origin())?;
    let scratch = Scratch::new()?;
    let path = scratch.file("shot.ppm");

    inputs.type_text(&format!("{TYPED}\n"))?;
    desktop.type_line((origin.0 + GRAB.0, origin.1 + GRAB.1 + 100), TYPED)?;
    let prompt = before.part(cells(PROMPT_ROW, 0..PROMPT));
    let row = PROMPT_ROW + 2;
    let answered = |shot: &Shot| shot.part(cells(row, 0..PROMPT)) == prompt;
    paint_until(&mut model, "an answer at the model", |shot| answered(shot))?;
    let typed = wait::until("an answer in a screenshot", PATIENCE, || {
        let shot = Shot::take(server.addr(), &path)?;
        Ok(answered(&shot).then_some(shot))
    })?;
    let lines =
        Rect { right: TERMINAL.right - 1, ..cells(PROMPT_ROW, 0..1).union(&cells(PROMPT_ROW + 1, 0..1)) };
    let expected = model.shot()?.part(lines);
    if expected == before.part(lines) {
        return Err("the model's terminal has not changed".into());
    }
    if let Some(difference) = typed.part(lines).difference(&expected) {
        return Err(format!("what was typed looks otherwise than at the model: {difference}"));
    }

    let to = (GRAB.0 + MOVE.0, GRAB.1 + MOVE.1);
    inputs.drag(GRAB, to)?;
    let on_screen = |(x, y): (u32, u32)| (origin.0 + x, origin.1 + y);
    desktop.drag(on_screen(GRAB), on_screen(to))?;
    let title = TITLE.translate(MOVE.0.cast_signed(), MOVE.1.cast_signed());
    paint_until(&mut model, "the terminal at its new place at the model", |shot| {
        shot.part(title) == before.part(TITLE)
    })?;
    same(&mut model, "a screenshot", row, || Shot::take(server.addr(), &path))?;
    same(&mut model, "the screen of remote-viewer", row, || {
        let area = Rect::new(origin.0.cast_signed(), origin.1.cast_signed(), 1024, 768);
        Ok(desktop.shot()?.part(area))
    })
}

/// A server with the desktop as it begins, and a viewer that sees it.
pub(crate) fn untouched() -> Result<(Server, Viewer, Display), String> {
    let server = Server::start(&[])?;
    let viewer = Viewer::connect(server.addr(), "")?;
    let mut display = viewer.display()?;
    display.paint_first()?;
    Ok((server, viewer, display))
}

/// Paints until the screen is as it should be.
fn paint_until(display: &mut Display, what: &str, done: impl Fn(&Shot) -> bool) -> Result<(), String> {
    wait::until(what, PATIENCE, || {
        display.paint_pending()?;
        Ok(done(&display.shot()?).then_some(()))
    })
}

/// Waits until a picture of the moved terminal is the model's, on all that stands still.
fn same(
    model: &mut Display,
    what: &str,
    prompt_row: u32,
    mut take: impl FnMut() -> Result<Shot, String>,
) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        model.paint_pending()?;
        let (ours, theirs) = (still(&take()?, prompt_row, MOVE), still(&model.shot()?, prompt_row, MOVE));
        match ours.difference(&theirs) {
            None => return Ok(()),
            Some(difference) if Instant::now() > end => {
                return Err(format!("{what} does not become what the model shows: {difference}"));
            }
            Some(_) => {}
        }
    }
}
