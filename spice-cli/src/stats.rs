//! A line of JSON every second.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use spice_server::Stats;

/// Prints a line a second until it is dropped: what the server counts, and the seconds of processor time that this
/// process has used.
pub(crate) async fn print(stats: impl Fn() -> Stats) {
    let start = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.tick().await;
    loop {
        ticks.tick().await;
        println!("{}", line(start.elapsed(), &stats(), cpu()));
    }
}

fn line(elapsed: Duration, stats: &Stats, cpu: f64) -> String {
    let Stats { viewers, commands, refused, bytes, queued, squashes } = stats;
    format!(
        "{{\"t\":{},\"viewers\":{viewers},\"commands\":{commands},\"refused\":{refused},\"bytes\":{bytes},\
         \"queued\":{queued},\"squashes\":{squashes},\"cpu\":{cpu:.2}}}",
        elapsed.as_secs()
    )
}

/// Seconds of processor time of this process, user and system.
pub(crate) fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
