//! Every way to pack images: a viewer that is sent every command of a recording has the C server's picture at its end, in
//! every pixel, whichever way is forced.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use libtest_mimic::Trial;
use spice_proto::Point;
use spice_proto::display::{ImageData, ServerMessage};

use crate::c::{self, Programs};
use crate::desktop::{Desktop, VIEWER_NEEDS};
use crate::needs::{Need, trial};
use crate::recordings::{self, Moment};
use crate::scratch::Scratch;
use crate::server::Server;
use crate::shot::Shot;
use crate::viewer::Viewer;

/// The ways, and the packings of which at least one has to be seen with each.
const METHODS: [(&str, &[&str]); 7] = [
    ("off", &["raw"]),
    ("auto_glz", &["glz"]),
    ("auto_lz", &["lz"]),
    ("quic", &["quic"]),
    ("glz", &["glz"]),
    ("lz", &["lz"]),
    ("lz4", &["lz4"]),
];
/// How long a recording may take to be played and painted.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);
/// What a real viewer follows: images of all sizes that a guest wants kept, surfaces, scrolling.
pub(crate) const REAL: &str = "xspice-term";

pub(crate) fn trials(programs: &Arc<Programs>) -> Vec<Trial> {
    // What is missing is told by the other tests with recordings.
    let paths = recordings::recordings(&recordings::folder()).unwrap_or_default();
    let needs = [&[Need::Program("spicy-screenshot")][..], &c::REPLAY_NEEDS].concat();
    let viewer_needs = [&needs[..], &VIEWER_NEEDS].concat();
    let mut trials = Vec::new();
    if let Some(path) = paths.iter().find(|path| recordings::name(path) == REAL) {
        for (method, _) in METHODS {
            let (path, programs) = (path.clone(), Arc::clone(programs));
            let name = format!("method_{method}_remote_viewer");
            trials.push(trial(&name, &viewer_needs, move || real_viewers(&path, method, &programs)));
        }
    }
    trials.extend(paths.into_iter().map(|path| {
        let programs = Arc::clone(programs);
        let name = format!("methods_{}", recordings::name(&path));
        trial(&name, &needs, move || every_method(&path, &programs))
    }));
    trials
}

fn every_method(path: &Path, programs: &Programs) -> Result<(), String> {
    let moment = recordings::last_moment(path)?;
    let scratch = Scratch::new()?;
    let theirs = recordings::c_server(programs, path, moment.commands, &scratch)
        .map_err(|error| format!("the C server: {error}"))?;
    let mut failures = Vec::new();
    for (method, packings) in METHODS {
        let (ours, seen) = follow(path, moment, method).map_err(|error| format!("{method}: {error}"))?;
        if let Some(difference) = ours.difference(&theirs) {
            let kept = recordings::keep(recordings::name(path), moment.commands, method, &ours, &theirs)?;
            failures.push(format!("{method}: {difference}; see {kept}"));
        }
        if !packings.iter().any(|packing| seen.contains(packing)) {
            failures.push(format!("{method}: images came as {seen:?}"));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// A replay that is no faster than its viewers, up to a moment.
pub(crate) fn in_step(path: &Path, moment: Moment, method: &str, more: &[&str]) -> Result<Server, String> {
    let (guest, stop) = (format!("replay:{}", path.display()), moment.commands.to_string());
    let play = ["--guest", &guest, "--stop-after", &stop, "--speed", "1e9", "--wait", "--in-step"];
    Server::start(&[&play[..], &["--image-compression", method], more].concat())
}

/// What a viewer has at the end which was sent every command, and how its images were packed.
fn follow(path: &Path, moment: Moment, method: &str) -> Result<(Shot, BTreeSet<&'static str>), String> {
    let server = in_step(path, moment, method, &[])?;
    let viewer = Viewer::connect(server.addr(), "")?;
    let mut display = viewer.able_display()?;
    let mut seen = BTreeSet::new();
    display.paint_each_to_end(PATIENCE, |id, body| {
        if let Ok(ServerMessage::DrawCopy(copy)) = ServerMessage::decode(id, body) {
            seen.extend(copy.source.map(|image| packing(&image.data)));
        }
    })?;
    let ended = server.wait(PATIENCE)?;
    if !ended.status.success() {
        return Err(format!("the server ended with {}: {}", ended.status, ended.stderr.join("\n")));
    }
    Ok((display.shot()?, seen))
}

pub(crate) fn packing(data: &ImageData) -> &'static str {
    match data {
        ImageData::Bitmap(_) => "raw",
        ImageData::Quic(_) => "quic",
        ImageData::LzRgb(_) | ImageData::LzPalette(_) => "lz",
        ImageData::GlzRgb(_) => "glz",
        ImageData::Lz4(_) => "lz4",
        ImageData::FromCache => "cached",
        _ => "other",
    }
}

/// remote-viewer follows from the start; spicy-screenshot comes when all is drawn.
fn real_viewers(path: &Path, method: &str, programs: &Programs) -> Result<(), String> {
    let moment = recordings::last_moment(path)?;
    let scratch = Scratch::new()?;
    let (theirs, server, mut desktop) = thread::scope(|scope| {
        let theirs = scope.spawn(|| recordings::c_server(programs, path, moment.commands, &scratch));
        let server = in_step(path, moment, method, &["--hold"])?;
        let desktop = Desktop::start(server.addr())?;
        let theirs = theirs.join().unwrap_or_else(|_| Err("panicked".into()))?;
        Ok::<_, String>((theirs, server, desktop))
    })?;
    server.wait_for_commands(moment.taken, PATIENCE)?;
    let late = Shot::take(server.addr(), &scratch.file("late.ppm"))?;
    if let Some(difference) = late.difference(&theirs) {
        return Err(format!("spicy-screenshot: {difference}"));
    }
    desktop.find("the C server's picture", &theirs, Point::default()).map(drop)
}
