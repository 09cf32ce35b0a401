//! The promise: a viewer that does not read disturbs neither the others nor the guest.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::c::{self, Programs};
use crate::json;
use crate::needs::trial_alone;
use crate::process::Process;
use crate::server::Server;

/// The pace of the guest, and how far off a viewer's may be.
const FRAMES: std::ops::RangeInclusive<f64> = 29.0..=31.0;
/// Commands of a frame of the mixed scene: every fifth has one more.
const COMMANDS: f64 = 10.2;
const SECONDS: u64 = 6;

pub(crate) fn trials(programs: &Arc<Programs>) -> Vec<Trial> {
    let programs = Arc::clone(programs);
    vec![trial_alone("load", &c::LOAD_NEEDS, move || {
        let program = programs.load()?;
        measure(program).or_else(|error| {
            // The only rate that depends on nothing else being busy on this machine: it has a second chance.
            eprintln!("load: {error}; measured once more, in case the machine was busy");
            measure(program)
        })
    })]
}

fn measure(program: &Path) -> Result<(), String> {
    let server = Server::start(&["--guest", "bench:mixed?fps=30"])?;
    let (port, seconds) = (server.addr().port().to_string(), SECONDS.to_string());
    let mut command = Command::new(program);
    command.args(["--port", &port, "--fast", "1", "--stalled", "1", "--seconds", &seconds]);
    let ended = Process::succeed(&mut command, Duration::from_secs(SECONDS + 20))?;
    let report = ended.stdout.join("\n");
    let reported = |kind: &str, key: &str| {
        let line = ended.stdout.iter().find(|line| line.contains(&format!("\"kind\":\"{kind}\"")));
        let number = line.and_then(|line| json::number(line, key));
        number.ok_or_else(|| format!("no {key} of the {kind} viewer in {report}"))
    };
    if reported("stalled", "dead")? != 0.0 {
        return Err(format!("the stalled viewer did not stay: {report}"));
    }
    let frames = reported("fast", "fps_min")?;
    if !FRAMES.contains(&frames) {
        return Err(format!("the fast viewer got {frames} frames a second: {report}"));
    }
    let stats = server.stats();
    let pace = guest_pace(&stats).ok_or("no line of stats with both viewers")?;
    if !FRAMES.contains(&pace) {
        return Err(format!("the guest drew {pace:.2} frames a second: {}", stats.join("\n")));
    }
    Ok(())
}

/// The guest's frames a second while both viewers were there.
fn guest_pace(stats: &[String]) -> Option<f64> {
    let both: Vec<_> = stats.iter().filter(|line| json::number(line, "viewers") == Some(2.0)).collect();
    let (first, last) = (both.first()?, both.last()?);
    let between = |key: &str| Some(json::number(last, key)? - json::number(first, key)?);
    let seconds = between("t").filter(|seconds| *seconds >= 3.0)?;
    Some(between("commands")? / seconds / COMMANDS)
}
