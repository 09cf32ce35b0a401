//! The thread that does what checking a ticket or a password costs: a decryption, or thousands of hashes.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use rustix::process::setpriority_process;
use tokio::sync::{Semaphore, oneshot};

/// How nice the thread is: who is in comes before who wants in, and on a machine with nothing to spare a check still has
/// a tenth of a processor.
const LOW: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// Checks, one after the other. The thread ends when this is gone.
#[derive(Debug)]
pub(crate) struct Checks {
    /// Whose turn it is: so many checks are with the thread, and the others wait with their links, which may end.
    turns: Arc<Semaphore>,
    jobs: Sender<Job>,
}

impl Checks {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (jobs, work) = channel::<Job>();
        thread::Builder::new().name("ticket-checks".into()).spawn(move || {
            // Linux has a priority for each thread; without one the checks only take from who is in.
            let _ = setpriority_process(None, LOW);
            for job in work {
                if catch_unwind(AssertUnwindSafe(job)).is_err() {
                    tracing::error!("a ticket or password could not be checked: its link ends");
                }
            }
        })?;
        Ok(Self { turns: Arc::new(Semaphore::new(1)), jobs })
    }

    /// Has something worked out when its turn comes.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(io::Error::other)?;
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move || {
            let _ = reply.send(work());
            drop(turn);
        });
        self.jobs.send(job).map_err(|_| io::Error::other("the checks have ended"))?;
        answer.await.map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_check_that_panics_ends_its_own_link_only() {
        let checks = Checks::start().unwrap();
        assert!(checks.run(|| panic!("of this test")).await.is_err());
        assert_eq!(checks.run(|| 2).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_check_that_nobody_waits_for_any_more_is_no_obstacle() {
        let checks = Arc::new(Checks::start().unwrap());
        let (hold, held) = channel::<()>();
        let slow = tokio::spawn({
            let checks = Arc::clone(&checks);
            async move { checks.run(move || held.recv().is_ok()).await }
        });
        while checks.turns.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let waiting = tokio::spawn({
            let checks = Arc::clone(&checks);
            async move { checks.run(|| 1).await }
        });
        waiting.abort();
        assert!(waiting.await.is_err());
        slow.abort();
        hold.send(()).unwrap();
        assert_eq!(checks.run(|| 2).await.unwrap(), 2);
    }
}
