//! Every drawing operation with every kind of operand: the picture is that of the C server, cell by cell.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use libtest_mimic::Trial;
use spice_display::qxl::GuestEvent;
use spice_display::qxl::recording::RecordingWriter;
use testkit::torture::{self, Part};

use crate::c::{self, Programs};
use crate::needs::{Need, trial};
use crate::recordings::{Moment, c_server, our_server};
use crate::scratch::Scratch;

/// Cells that a failure names.
const NAMED: usize = 20;

pub(crate) fn trials(programs: &Arc<Programs>) -> Vec<Trial> {
    let needs = [&[Need::Program("spicy-screenshot")][..], &c::REPLAY_NEEDS].concat();
    let trials = Part::ALL.into_iter().map(|part| {
        let programs = Arc::clone(programs);
        trial(&format!("torture_{}", part.name()), &needs, move || compare(part, &programs))
    });
    trials.collect()
}

fn compare(part: Part, programs: &Programs) -> Result<(), String> {
    let scratch = Scratch::new()?;
    let path = scratch.file("torture.rec");
    let moment = record(part, &path)?;
    let (theirs, ours) = thread::scope(|scope| {
        let theirs = scope.spawn(|| c_server(programs, &path, moment.commands, &scratch));
        let ours = our_server(&path, moment, &scratch);
        (theirs.join().unwrap_or_else(|_| Err("panicked".into())), ours)
    });
    let (theirs, ours) = (theirs.map_err(|error| format!("the C server: {error}"))?, ours?);
    let cases = torture::cases(part);
    let wrong: Vec<&str> = cases
        .iter()
        .filter(|case| ours.part(case.cell) != theirs.part(case.cell))
        .map(|case| case.name.as_str())
        .collect();
    if wrong.is_empty() && ours.size() == theirs.size() {
        return Ok(());
    }
    let named = wrong.iter().take(NAMED).copied().collect::<Vec<_>>().join("\n  ");
    Err(format!("{} of {} cells differ:\n  {named}", wrong.len(), cases.len()))
}

/// Writes a part as a recording, and answers its end.
fn record(part: Part, path: &Path) -> Result<Moment, String> {
    let file = File::create(path).map_err(|error| error.to_string())?;
    let mut writer = RecordingWriter::new(BufWriter::new(file)).map_err(|error| error.to_string())?;
    let (mut commands, mut taken) = (0, 0);
    for event in torture::events(part) {
        commands += u64::from(matches!(event, GuestEvent::Command(_)));
        taken += 1;
        writer.event(&event, Duration::from_millis(taken)).map_err(|error| error.to_string())?;
    }
    writer.finish().map_err(|error| error.to_string())?;
    Ok(Moment { commands, taken, at: Duration::from_millis(taken) })
}
