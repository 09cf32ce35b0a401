//! The promise: a viewer that does not read disturbs neither the others nor the guest.

use std::time::Duration;

use libtest_mimic::Trial;

use crate::json;
use crate::needs::trial_alone;
use crate::process::Process;
use crate::server::{Server, cli};

/// The pace of the guest, and how far off a viewer's may be.
const FRAMES: std::ops::RangeInclusive<f64> = 29.0..=31.0;
/// Commands of a frame of the mixed scene: every fifth has one more.
const COMMANDS: f64 = 10.2;
const SECONDS: u64 = 6;
/// One fast viewer, one that is stalled, one that is slow.
const VIEWERS: f64 = 3.0;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial_alone("load", &[], || {
        measure().or_else(|error| {
            // The only rate that depends on nothing else being busy on this machine: it has a second chance.
            eprintln!("load: {error}; measured once more, in case the machine was busy");
            measure()
        })
    })]
}

fn measure() -> Result<(), String> {
    let server = Server::start(&["--guest", "bench:mixed?fps=30"])?;
    let (addr, seconds) = (server.addr().to_string(), SECONDS.to_string());
    let mut command =
        cli(&["load", &addr, "--seconds", &seconds, "--stalled", "1", "--throttled", "1", "--json"]);
    let ended = Process::succeed(&mut command, Duration::from_secs(SECONDS + 20))?;
    let report = ended.stdout.join("\n");
    let reported = |kind: &str, key: &str| {
        let line = ended.stdout.iter().find(|line| line.contains(&format!("\"kind\":\"{kind}\"")));
        let number = line.and_then(|line| json::number(line, key));
        number.ok_or_else(|| format!("no {key} of the {kind} viewer in {report}"))
    };
    for kind in ["fast", "stalled", "throttled"] {
        if reported(kind, "dead")? != 0.0 {
            return Err(format!("the {kind} viewer did not stay: {report}"));
        }
    }
    let frames = reported("fast", "fps_min")?;
    if !FRAMES.contains(&frames) {
        return Err(format!("the fast viewer got {frames} frames a second: {report}"));
    }
    // What the slow one shows is old, and is told.
    let (fast, slow) = (reported("fast", "shown_p50_ms")?, reported("throttled", "shown_p50_ms")?);
    if slow <= fast {
        return Err(format!(
            "the throttled viewer shows what is {slow} ms old, the fast one {fast}: {report}"
        ));
    }
    let stats = server.stats();
    let pace = guest_pace(&stats).ok_or("no line of stats with all viewers")?;
    if !FRAMES.contains(&pace) {
        return Err(format!("the guest drew {pace:.2} frames a second: {}", stats.join("\n")));
    }
    Ok(())
}

/// The guest's frames a second while all viewers were there.
fn guest_pace(stats: &[String]) -> Option<f64> {
    let all: Vec<_> = stats.iter().filter(|line| json::number(line, "viewers") == Some(VIEWERS)).collect();
    let (first, last) = (all.first()?, all.last()?);
    let between = |key: &str| Some(json::number(last, key)? - json::number(first, key)?);
    let seconds = between("t").filter(|seconds| *seconds >= 3.0)?;
    Some(between("commands")? / seconds / COMMANDS)
}
