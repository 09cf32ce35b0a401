//! Waiting, always with an end.

use std::thread;
use std::time::{Duration, Instant};

/// What is looked at while waiting for something to become true.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks again and again until there is an answer.
///
/// # Errors
/// What was waited for, when `limit` is over; the first error of `ask`.
pub(crate) fn until<T>(
    what: &str,
    limit: Duration,
    mut ask: impl FnMut() -> Result<Option<T>, String>,
) -> Result<T, String> {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if Instant::now() >= end {
            return Err(format!("{what}: not within {limit:?}"));
        }
        thread::sleep(PAUSE);
    }
}
