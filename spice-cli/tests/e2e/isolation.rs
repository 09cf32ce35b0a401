//! No viewer harms another: what one sees and what the server holds do not depend on who else is there.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use libtest_mimic::Trial;
use spice_proto::Point;

use crate::c::{self, Programs};
use crate::desktop::{Desktop, VIEWER_NEEDS};
use crate::json;
use crate::link::{LINK_NEEDS, Link, SERVER, Shape};
use crate::methods::REAL;
use crate::needs::{Need, if_permitted, trial, trial_alone};
use crate::process::{Ended, Process};
use crate::recordings;
use crate::scratch::Scratch;
use crate::server::{Server, cli};
use crate::shot::Shot;
use crate::top;
use crate::viewer::{Display, Viewer};
use crate::wait;

/// How long a replay takes. Every recording draws more in a second of it than a slow viewer reads.
const LASTS: Duration = Duration::from_secs(2);
/// Bytes that a slow viewer reads in a second.
const RATE: usize = 100_000;
/// How long it may take until each has the last picture: one that reads so little has some megabytes to read.
const PATIENCE: Duration = Duration::from_secs(60);
/// What memory may have grown by when all have left and one has come again, besides twice its screen (a copy of the
/// canvas, and what that is packed to): what an allocator keeps for each of a few threads.
const GROWTH: u64 = 4 << 20;

/// 5 Mbit/s, with a queue of 50 ms or one of a megabyte, which is 1.6 s.
const SHORT_QUEUE: Shape = &["tbf", "rate", "5mbit", "burst", "16kb", "latency", "50ms"];
const LONG_QUEUE: Shape = &["tbf", "rate", "5mbit", "burst", "16kb", "limit", "1000000"];
const SECONDS: u64 = 4;

pub(crate) fn trials(programs: &Arc<Programs>) -> Vec<Trial> {
    // What is missing is told by the other tests with recordings.
    let paths = recordings::recordings(&recordings::folder()).unwrap_or_default();
    let permitted = || Link::new(SHORT_QUEUE).map(drop);
    let mut trials = vec![if_permitted("isolation_link", &LINK_NEEDS, permitted, |name, needs| {
        trial_alone(name, needs, links)
    })];
    let needs = [&[Need::Program("spicy-screenshot")][..], &c::REPLAY_NEEDS].concat();
    if let Some(path) = paths.iter().find(|path| recordings::name(path) == REAL) {
        let needs = [&needs[..], &VIEWER_NEEDS, &LINK_NEEDS].concat();
        let (path, programs) = (path.clone(), Arc::clone(programs));
        trials.push(if_permitted("isolation_link_remote_viewer", &needs, permitted, |name, needs| {
            trial(name, needs, move || remote_viewer(&path, &programs))
        }));
    }
    trials.extend(paths.into_iter().map(|path| {
        let programs = Arc::clone(programs);
        let name = format!("isolation_{}", recordings::name(&path));
        trial(&name, &needs, move || together(&path, &programs))
    }));
    trials
}

/// One that is fast, one that is slow, one that never reads and one that comes and goes: the first two end with the C
/// server's picture. What the server held for them is gone with them.
fn together(path: &Path, programs: &Programs) -> Result<(), String> {
    let moment = recordings::last_moment(path)?;
    let scratch = Scratch::new()?;
    let theirs = recordings::c_server(programs, path, moment.commands, &scratch)
        .map_err(|error| format!("the C server: {error}"))?;
    let socket = scratch.file("stats");
    let mut command = recordings::live(&["--listen", "127.0.0.1:0", "--hold"], path, moment, LASTS);
    let server = Server::start_command({
        command.arg("--stats-socket").arg(&socket);
        command
    })?;
    let addr = server.addr().to_string();
    let fast = Viewer::connect(server.addr(), "")?;
    let slow = Viewer::connect(server.addr(), "")?;
    let mut fast_display = fast.able_display()?;
    let mut slow_display = slow.throttled_display(RATE)?;
    let seconds = LASTS.as_secs().to_string();
    let others = ["--viewers", "0", "--throttled", "1", "--stalled", "1", "--flapping", "1"];
    let mut command = cli(&["load", &addr, "--warm", "0", "--seconds", &seconds, "--json"]);
    let others = Process::start(command.args(others))?;

    server.wait_for_commands(moment.taken, PATIENCE)?;
    let name = recordings::name(path);
    let shows = |display: &mut Display, who: &str| {
        shows(display, &theirs).or_else(|error| {
            let kept = recordings::keep(name, moment.commands, who, &display.shot()?, &theirs)?;
            Err(format!("the {who} viewer: {error}; see {kept}"))
        })
    };
    shows(&mut fast_display, "fast")?;
    shows(&mut slow_display, "slow")?;
    stayed(&others.wait(PATIENCE)?)?;
    // What they have at rest stays.
    shows(&mut fast_display, "fast")?;
    shows(&mut slow_display, "slow")?;

    let report = top::once(&socket)?;
    if report["server"]["squashes"].as_u64() < Some(1) {
        return Err(format!("nobody was behind, which shows nothing: {report}"));
    }
    let before = server.memory()?;
    drop((fast_display, fast, slow_display, slow));
    wait::until("a server without viewers", PATIENCE, || {
        let report = top::once(&socket)?;
        let nobody = report["viewers"].as_array().is_some_and(Vec::is_empty);
        Ok((nobody && report["server"]["viewers"] == 0 && report["server"]["queued"] == 0).then_some(()))
    })?;
    let again = Viewer::connect(server.addr(), "")?;
    shows(&mut again.able_display()?, "late")?;
    let after = server.memory()?;
    let (width, height) = theirs.size();
    if after > before + 2 * 4 * (width * height) as u64 + GROWTH {
        return Err(format!("{before} bytes with all viewers, {after} with one that came again"));
    }
    Ok(())
}

/// Paints until there is this picture.
fn shows(display: &mut Display, picture: &Shot) -> Result<(), String> {
    let mut last = None;
    let shown = wait::until("the C server's picture", PATIENCE, || {
        display.paint_pending()?;
        last = display.shot().map_or_else(Some, |shot| shot.difference(picture));
        Ok(last.is_none().then_some(()))
    });
    shown.map_err(|error| format!("{error}: {}", last.unwrap_or_default()))
}

/// No viewer of a load was ended by the server.
fn stayed(load: &Ended) -> Result<(), String> {
    let dead = |line: &&String| json::number(line, "dead") != Some(0.0);
    if !load.status.success() || load.stdout.is_empty() {
        return Err(format!("the load ended with {}: {}", load.status, load.stderr.join("\n")));
    }
    match load.stdout.iter().find(dead) {
        Some(line) => Err(format!("one was ended: {line}; {}", load.stderr.join("\n"))),
        None => Ok(()),
    }
}

/// Behind a link that carries half of what the guest draws, what is shown is a few frames old, whatever the link's queue
/// would hold, and who is near sees every frame.
fn links() -> Result<(), String> {
    // (what is at most as old as this: half of the time, and nearly always; in ms)
    let cases = [("short queue", SHORT_QUEUE, 250.0, 600.0), ("long queue", LONG_QUEUE, 400.0, 1000.0)];
    thread::scope(|scope| {
        let running = cases.map(|(name, shape, p50, p99)| {
            scope.spawn(move || link(shape, p50, p99).map_err(|error| format!("{name}: {error}")))
        });
        running.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| Err("panicked".into())))
    })
}

fn link(shape: Shape, p50: f64, p99: f64) -> Result<(), String> {
    let link = Link::new(shape)?;
    let listen = format!("{SERVER}:0");
    let guest =
        ["--guest", "bench:mixed?fps=30&size=1280x720", "--no-ticket", "--insecure", "--listen", &listen];
    let server = Server::start_command(link.server_side(&Server::command(&guest)))?;
    let (addr, seconds) = (server.addr().to_string(), SECONDS.to_string());
    let mut command = cli(&["load", &addr, "--seconds", &seconds, "--json"]);
    let near = Process::start(&mut link.server_side(&command))?;
    command.args(["--paint", "--stalled", "1"]);
    let far = Process::start(&mut link.viewer_side(&command))?;
    let limit = Duration::from_secs(SECONDS) + PATIENCE;
    let far = far.wait(limit)?;
    stayed(&far)?;
    let near = near.wait(limit)?;
    stayed(&near)?;
    let figure = |ended: &Ended, key: &str| {
        let line = ended.stdout.iter().find(|line| line.contains("\"kind\":\"fast\""));
        line.and_then(|line| json::number(line, key)).ok_or_else(|| format!("no {key}: {:?}", ended.stdout))
    };
    let (half, most) = (figure(&far, "shown_p50_ms")?, figure(&far, "shown_p99_ms")?);
    let frames = figure(&near, "fps_min")?;
    eprintln!(
        "{shape:?}: shown p50 {half} ms, p99 {most} ms, {} frames/s, {} kB/s; near: {frames} frames/s",
        figure(&far, "fps_min")?,
        figure(&far, "kB_per_s_each")?
    );
    if half > p50 || most > p99 {
        return Err(format!("shown p50 {half} ms, p99 {most} ms: {:?}", far.stdout));
    }
    if frames < 29.0 {
        return Err(format!("one that is near gets {frames} frames/s: {:?}", near.stdout));
    }
    Ok(())
}

/// remote-viewer follows a replay from behind a link with a long queue, and ends with the C server's picture.
fn remote_viewer(path: &Path, programs: &Programs) -> Result<(), String> {
    let moment = recordings::last_moment(path)?;
    let scratch = Scratch::new()?;
    let theirs = recordings::c_server(programs, path, moment.commands, &scratch)?;
    let link = Link::new(LONG_QUEUE)?;
    let listen = format!("{SERVER}:0");
    let command =
        recordings::live(&["--hold", "--no-ticket", "--insecure", "--listen", &listen], path, moment, LASTS);
    let server = Server::start_command(link.server_side(&command))?;
    let mut desktop = Desktop::start_where(server.addr(), |command| link.viewer_side(&command))?;
    server.wait_for_commands(moment.taken, PATIENCE)?;
    desktop.find("the C server's picture", &theirs, Point::default()).map(drop)
}
