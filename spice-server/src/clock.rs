//! The one clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use spice_channel::Time;

/// The system's monotonic clock, from its own zero: what other programs on this machine read as `CLOCK_MONOTONIC`.
pub(crate) fn now() -> Time {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let micros = u64::try_from(time.tv_nsec).unwrap_or(0) / 1000;
    Time::from_micros(seconds.saturating_mul(1_000_000).saturating_add(micros))
}

/// A time on the multimedia clock, by which viewers play: its milliseconds, which begin again after 49 days.
#[expect(clippy::cast_possible_truncation, reason = "the clock has 32 bits")]
pub(crate) const fn multimedia(time: Time) -> u32 {
    time.as_millis() as u32
}

/// What to add to the server's [`Time`] for the time since 1970, UTC, as the system has it now.
#[must_use]
pub fn wall_clock_offset() -> Duration {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    wall.saturating_sub(now().since(Time::ZERO))
}
