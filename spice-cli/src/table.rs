//! A report as a table.

use std::fmt::Write;

use crate::report::{Report, ViewerLine};
use crate::stats::Totals;

const COLUMNS: usize = 11;

const HEADINGS: [&str; COLUMNS] = [
    "viewer",
    "peer",
    "up",
    "fps",
    "kB/s",
    "round trip",
    "link kB/s",
    "in flight",
    "pipe",
    "squashes",
    "state",
];

/// The columns of words; those of numbers stand at their right edge.
const WORDS: [&str; 2] = ["peer", "state"];

/// What is not known.
const UNKNOWN: &str = "-";

/// The server in a line, and a row for each viewer. It ends with a line end.
pub(crate) fn table(report: &Report) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(report.viewers.iter().map(row));
    let mut widths = [0; COLUMNS];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    let mut table = summary(&report.server);
    for row in &rows {
        let mut line = String::new();
        for ((cell, width), heading) in row.iter().zip(widths).zip(HEADINGS) {
            let _ = if WORDS.contains(&heading) {
                write!(line, "{cell:<width$}  ")
            } else {
                write!(line, "{cell:>width$}  ")
            };
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

fn summary(server: &Totals) -> String {
    let Totals { t, viewers, commands, refused, bytes, queued, squashes, cpu } = server;
    format!(
        "{viewers} viewers, up {}, {commands} commands ({refused} refused), {:.1} MB sent, {queued} waiting, \
         {squashes} squashes, cpu {cpu:.2} s\n\n",
        duration(*t),
        *bytes as f64 / 1e6,
    )
}

fn row(viewer: &ViewerLine) -> [String; COLUMNS] {
    let unknown = || UNKNOWN.to_owned();
    // Without a display there is nothing to say.
    let seen = |text: String| if viewer.display.is_some() { text } else { unknown() };
    let display = viewer.display.filter(|display| *display != 0);
    [
        display.map_or_else(|| viewer.id.to_string(), |display| format!("{}.{display}", viewer.id)),
        viewer.peer.to_string(),
        duration(viewer.connected as u64),
        seen(format!("{:.1}", viewer.updates_per_s)),
        seen(kilobytes(viewer.bytes_per_s)),
        viewer.round_trip_ms.map_or_else(unknown, |millis| format!("{millis:.1} ms")),
        viewer.throughput.map_or_else(unknown, |rate| kilobytes(rate as f64)),
        seen(format!("{} kB", kilobytes(viewer.in_flight as f64))),
        seen(viewer.pipe_items.to_string()),
        seen(viewer.squashes.to_string()),
        state(viewer),
    ]
}

/// In one word, and what waits for it otherwise than in its pipe.
fn state(viewer: &ViewerLine) -> String {
    let mut words = viewer.state.name().to_owned();
    if viewer.damaged_pixels > 0 {
        let _ = write!(words, ", {} px", viewer.damaged_pixels);
    }
    if viewer.slow_link {
        words.push_str(", slow link");
    }
    words
}

fn kilobytes(bytes: f64) -> String {
    let kilobytes = bytes / 1000.0;
    if kilobytes < 100.0 { format!("{kilobytes:.1}") } else { format!("{kilobytes:.0}") }
}

/// As `1:02:03`, or `2:03` below an hour.
fn duration(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::tests::viewer;
    use crate::report::{Rates, State};

    fn report() -> Report {
        let mut idle = viewer(12, 0, 0);
        idle.displays.clear();
        let viewers = [viewer(3, 1_250_000, 30), viewer(4, 900, 0), idle];
        let mut lines = Rates::default().lines(&viewers, Duration::from_secs(1));
        let stalled = &mut lines[1];
        stalled.state = State::Behind;
        (stalled.damaged_pixels, stalled.slow_link, stalled.throughput) = (921_600, true, Some(48_000));
        (stalled.in_flight, stalled.squashes, stalled.round_trip_ms) = (262_144, 17, None);
        let server = Totals {
            t: 3725,
            viewers: 3,
            commands: 1000,
            refused: 2,
            bytes: 1_250_900,
            queued: 6,
            squashes: 18,
            cpu: 1.5,
        };
        Report { time: 1.7e9, server, viewers: lines }
    }

    #[test]
    fn a_table_has_a_row_for_each_viewer() {
        let expected = "\
3 viewers, up 1:02:05, 1000 commands (2 refused), 1.3 MB sent, 6 waiting, 18 squashes, cpu 1.50 s

viewer  peer              up   fps  kB/s  round trip  link kB/s  in flight  pipe  squashes  state
     3  127.0.0.1:4000  1:01  30.0  1250      1.2 ms          -     0.0 kB     3         1  following
     4  127.0.0.1:4000  1:01   0.0   0.9           -       48.0     262 kB     3        17  behind, 921600 px, slow link
    12  127.0.0.1:4000  1:01     -     -           -          -          -     -         -  no display
";
        assert_eq!(table(&report()), expected);
    }

    #[test]
    fn nobody_is_a_table_too() {
        let table = table(&Report { viewers: Vec::new(), ..report() });
        assert_eq!(table.lines().count(), 3);
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        assert_eq!(
            [0, 59, 60, 3599, 3600, 90_061].map(duration).join(" "),
            "0:00 0:59 1:00 59:59 1:00:00 25:01:01"
        );
    }
}
