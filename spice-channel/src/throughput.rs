//! How much a connection carries.

use core::time::Duration;

use crate::Time;

/// Bytes that may vanish in buffers on the way before the pace of what is written is that of the link.
const BUFFERS: u64 = 512 << 10;

/// From one measurement to the next, at least.
const SAMPLE: Duration = Duration::from_millis(100);

/// After so long without a measurement nothing is known any more.
const STALE: Duration = Duration::from_secs(60);

/// Measures the pace of the bytes while more of them wait than the buffers take; a connection that is never kept busy
/// for so long is never measured.
#[derive(Debug, Default)]
pub(crate) struct Throughput {
    /// Bytes since something last began to wait.
    carried: u64,
    /// When the measurement that is under way began, and how much had been carried by then.
    begun: Option<(Time, u64)>,
    /// Bytes a second, and when that was measured.
    measured: Option<(u64, Time)>,
}

impl Throughput {
    /// The socket has taken so many bytes; `busy` says whether more wait for it.
    pub(crate) fn handle_written(&mut self, len: usize, busy: bool, now: Time) {
        self.carried += len as u64;
        match self.begun {
            _ if !busy => {
                self.carried = 0;
                self.begun = None;
            }
            None if self.carried >= BUFFERS => self.begun = Some((now, self.carried)),
            Some((begun, before)) if now.since(begun) >= SAMPLE => {
                let micros = u64::try_from(now.since(begun).as_micros()).unwrap_or(u64::MAX).max(1);
                let rate = (self.carried - before).saturating_mul(1_000_000) / micros;
                // A quarter of the new one: links are uneven.
                let rate = self.rate(now).map_or(rate, |known| known - known / 4 + rate / 4);
                self.measured = Some((rate, now));
                self.begun = Some((now, self.carried));
            }
            _ => {}
        }
    }

    /// Bytes a second, where that is known.
    pub(crate) fn rate(&self, now: Time) -> Option<u64> {
        self.measured.filter(|(_, measured)| now.since(*measured) < STALE).map(|(rate, _)| rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn a_link_that_is_kept_busy_is_measured_without_what_its_buffers_take() {
        let mut throughput = Throughput::default();
        throughput.handle_written(512 << 10, true, at(1000));
        assert_eq!(throughput.rate(at(1000)), None);
        for millis in (1010..=2000).step_by(10) {
            throughput.handle_written(2000, true, at(millis));
        }
        assert_eq!(throughput.rate(at(2000)), Some(200_000));
        for millis in (2010..=6000).step_by(10) {
            throughput.handle_written(20_000, true, at(millis));
        }
        let rate = throughput.rate(at(6000)).unwrap();
        assert!((1_900_000..=2_000_000).contains(&rate), "{rate}");
        assert_eq!(throughput.rate(at(70_000)), None);
    }

    #[test]
    fn a_link_that_takes_everything_is_not_measured() {
        let mut throughput = Throughput::default();
        for millis in 0..10_000 {
            throughput.handle_written(300 << 10, true, at(millis));
            throughput.handle_written(10 << 10, false, at(millis));
        }
        assert_eq!(throughput.rate(at(10_000)), None);
    }
}
