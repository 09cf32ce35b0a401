//! The promise itself: beside a viewer that has stopped reading, a fast one gets every frame, and the guest never waits.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::c::{LOAD_NEEDS, Programs};
use crate::json;
use crate::needs::trial;
use crate::process::Process;
use crate::server::Server;

/// The guest's frames a second.
const PACE: f64 = 30.0;

pub(crate) fn trials(programs: &Arc<Programs>) -> Vec<Trial> {
    let programs = Arc::clone(programs);
    vec![trial("load_fast_beside_stalled", &LOAD_NEEDS, move || {
        // A machine that is busy with something else may cost frames; twice in a row it is the server.
        beside_stalled(&programs).or_else(|first| {
            eprintln!("load_fast_beside_stalled: {first}; once more");
            beside_stalled(&programs)
        })
    })]
}

fn beside_stalled(programs: &Programs) -> Result<(), String> {
    let server = Server::start(&["--guest", "bench:mixed"])?;
    let port = server.addr().port().to_string();
    let mut command = Command::new(programs.load()?);
    command.args(["--port", &port, "--fast", "1", "--stalled", "1", "--seconds", "6"]);
    let load = Process::succeed(&mut command, Duration::from_secs(30))?;
    let line = |kind: &str| {
        let key = format!("\"kind\":\"{kind}\"");
        load.stdout
            .iter()
            .find(|line| line.contains(&key))
            .ok_or(format!("load says nothing of a {kind} viewer"))
    };
    let (fast, stalled) = (line("fast")?, line("stalled")?);
    let frames = json::number(fast, "fps_min").unwrap_or_default();
    if !(PACE - 1.0..=PACE + 1.0).contains(&frames) {
        return Err(format!("the fast viewer got {frames} frames a second of {PACE}: {fast}"));
    }
    if json::number(stalled, "dead") != Some(0.0) {
        return Err(format!("the stalled viewer did not stay: {stalled}"));
    }
    // Ten or eleven commands a frame, whoever watches.
    let commands: Vec<f64> =
        server.stats().iter().filter_map(|line| json::number(line, "commands")).collect();
    let slowest = commands.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    if slowest < (PACE - 2.0) * 9.0 {
        return Err(format!("the guest was held up: {commands:?} commands"));
    }
    Ok(())
}
