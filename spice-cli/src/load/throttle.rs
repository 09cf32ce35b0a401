//! How fast a slow viewer reads.

use std::time::Duration;

/// How often there is more to be read.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Bytes that a viewer may read: every 10 ms as many more as its rate has for the time that has passed, and never more
/// at once than for a tenth of a second.
#[derive(Clone, Debug)]
pub(super) struct Throttle {
    rate: f64,
    budget: f64,
    filled: Duration,
}

impl Throttle {
    /// A viewer that has read nothing yet, and begins at this time to read so many bytes a second.
    pub(super) fn new(rate: u32, now: Duration) -> Self {
        Self { rate: rate.into(), budget: 0.0, filled: now }
    }

    /// How many bytes may be read now; when there is none, some may be after a [`TICK`].
    pub(super) fn allowance(&mut self, now: Duration) -> usize {
        let passed = now.saturating_sub(self.filled);
        if passed >= TICK {
            self.filled = now;
            // Below twenty bytes a second, too, whole bytes come together and parts of one are left over.
            let most = (self.rate / 10.0).max(2.0);
            self.budget = (self.budget + self.rate * passed.as_secs_f64()).min(most);
        }
        self.budget as usize
    }

    /// Bytes have been read.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.budget -= bytes as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn what_is_read_is_the_rate_however_often_somebody_asks() {
        for (step, rate) in [(1, 200_000), (10, 200_000), (17, 1000), (95, 1_000_000), (10, 7)] {
            let mut throttle = Throttle::new(rate, millis(500));
            let mut read = 0;
            for at in (0..100_000).step_by(step) {
                let bytes = throttle.allowance(millis(500 + at));
                throttle.spend(bytes);
                read += bytes;
            }
            let expected = rate as usize * 100;
            assert!(read <= expected && read * 50 >= expected * 49, "{step} ms: {read} of {expected}");
        }
    }

    #[test]
    fn a_pause_saves_up_a_tenth_of_a_second_and_no_more() {
        let mut throttle = Throttle::new(10_000, millis(0));
        assert_eq!(throttle.allowance(millis(9)), 0);
        assert_eq!(throttle.allowance(millis(10)), 100);
        assert_eq!(throttle.allowance(millis(5000)), 1000);
        throttle.spend(1000);
        assert_eq!(throttle.allowance(millis(5009)), 0);
        assert_eq!(throttle.allowance(millis(5010)), 100);
    }
}
