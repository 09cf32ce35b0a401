//! A line of JSON every second.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use spice_server::Stats;

/// What a server has done so far, as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// Seconds since its start.
    pub(crate) t: u64,
    pub(crate) viewers: u64,
    pub(crate) commands: u64,
    pub(crate) refused: u64,
    pub(crate) bytes: u64,
    pub(crate) queued: u64,
    pub(crate) squashes: u64,
    /// Seconds of processor time of the process, user and system.
    pub(crate) cpu: f64,
}

impl Totals {
    pub(crate) fn new(elapsed: Duration, stats: &Stats, cpu: f64) -> Self {
        let Stats { viewers, commands, refused, bytes, queued, squashes, .. } = *stats;
        let cpu = (cpu * 100.0).round() / 100.0;
        Self { t: elapsed.as_secs(), viewers, commands, refused, bytes, queued, squashes, cpu }
    }
}

/// Prints a line a second until it is dropped: what the server counts, and the seconds of processor time that this
/// process has used.
pub(crate) async fn print(stats: impl Fn() -> Stats) {
    let start = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.tick().await;
    loop {
        ticks.tick().await;
        println!("{}", json(&Totals::new(start.elapsed(), &stats(), cpu())));
    }
}

/// One line of JSON, without its end.
pub(crate) fn json(value: &impl Serialize) -> String {
    // Nothing that is printed here has a map with keys other than strings, which is all that can fail.
    serde_json::to_string(value).unwrap_or_default()
}

/// Seconds of processor time of this process, user and system.
pub(crate) fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_as_it_was() {
        let stats = Stats {
            viewers: 2,
            commands: 30,
            refused: 1,
            bytes: 4000,
            queued: 5,
            squashes: 6,
            links_refused: 7,
        };
        let line = json(&Totals::new(Duration::from_millis(7900), &stats, 1.239));
        let expected = "{\"t\":7,\"viewers\":2,\"commands\":30,\"refused\":1,\"bytes\":4000,\"queued\":5,\
                        \"squashes\":6,\"cpu\":1.24}";
        assert_eq!(line, expected);
    }
}
