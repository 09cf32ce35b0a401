//! `--stats-socket`: how the viewers fare, for whoever may read a file of this user.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use spice_server::{OwnSocket, Server, Stats, Viewers};
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::report::{Rates, Report, wall_clock};
use crate::stats::{Totals, cpu, json};

/// Readers at a time. Others are closed at once.
const MOST_READERS: usize = 16;

/// How long a reader may take for a line. It misses those of that time, and then it is closed.
const READER_PATIENCE: Duration = Duration::from_secs(30);

/// From one line to the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long nobody is let in after nobody could be: there are no descriptors left, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that listens. Its file is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct StatsSocket(OwnSocket);

impl StatsSocket {
    /// Makes the socket, for this user alone, in the place of one that nobody listens on any more.
    pub(crate) fn bind(path: &Path) -> Result<Self, String> {
        let socket = OwnSocket::bind(path, MOST_READERS);
        let failed = |error| format!("cannot make stats socket {}: {error}", path.display());
        socket.map(Self).map_err(failed)
    }

    /// What tells each reader a line a second, until it is dropped. Must be called on the runtime.
    pub(crate) fn publish(
        &self,
        server: &Server,
    ) -> Result<impl Future<Output = ()> + Send + 'static, String> {
        let listener = self.0.try_clone().and_then(UnixListener::from_std);
        let listener =
            listener.map_err(|error| format!("stats socket {}: {error}", self.0.path().display()))?;
        Ok(publish(listener, server.stats(), server.viewers()))
    }
}

/// Lets readers in, and asks the server while there are any.
async fn publish(listener: UnixListener, stats: impl Fn() -> Stats, viewers: Viewers) {
    let start = Instant::now();
    let (lines, _) = watch::channel(Arc::from(""));
    let mut readers = JoinSet::new();
    let mut rates = Rates::default();
    let mut looked = start;
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((reader, _)) if readers.len() < MOST_READERS => {
                    if readers.is_empty() {
                        // Rates have a beginning: the first line comes a second from now.
                        let Some(viewers) = viewers.list().await else { return };
                        (rates, looked) = (Rates::since(&viewers), Instant::now());
                        ticks.reset();
                    }
                    readers.spawn(feed(reader, lines.subscribe()));
                }
                Ok(_) => tracing::warn!("stats socket: {MOST_READERS} readers are there; another is closed"),
                Err(error) => {
                    tracing::warn!("stats socket: cannot accept: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = readers.join_next() => {}
            _ = ticks.tick(), if !readers.is_empty() => {
                let Some(viewers) = viewers.list().await else { return };
                let now = Instant::now();
                let report = Report {
                    time: wall_clock(),
                    server: Totals::new(start.elapsed(), &stats(), cpu()),
                    viewers: rates.lines(&viewers, now - looked),
                };
                looked = now;
                lines.send_replace(Arc::from(json(&report) + "\n"));
            }
        }
    }
}

/// Writes each line to a reader. One that is slow gets the newest when it has taken the one before it, and keeps nobody
/// waiting.
async fn feed(mut reader: UnixStream, mut lines: watch::Receiver<Arc<str>>) {
    while lines.changed().await.is_ok() {
        let line = Arc::clone(&lines.borrow_and_update());
        match timeout(READER_PATIENCE, reader.write_all(line.as_bytes())).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                tracing::warn!("stats socket: a reader takes nothing; closed");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, BufReader};

    use super::*;

    /// Long lines, so that no socket takes one whole.
    fn line(number: u32) -> Arc<str> {
        Arc::from(format!("{number}{}\n", "x".repeat(4 << 20)))
    }

    #[tokio::test]
    async fn a_reader_that_sleeps_keeps_nobody_and_then_gets_the_newest_line_whole() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (lines, receiver) = watch::channel(Arc::from(""));
        let feeding = tokio::spawn(feed(ours, receiver));
        for number in 1..=5 {
            lines.send_replace(line(number));
            // Time enough to begin with the first.
            sleep(Duration::from_millis(20)).await;
        }
        let mut read = BufReader::new(theirs);
        for expected in [1, 5] {
            let mut got = String::new();
            read.read_line(&mut got).await.unwrap();
            assert_eq!((got.len(), got.get(..1)), (line(expected).len(), line(expected).get(..1)));
        }
        drop(read);
        lines.send_replace(line(6));
        assert!(timeout(READER_PATIENCE, feeding).await.is_ok(), "a reader that is gone is fed on");
    }
}
