//! How much a viewer may say: a second line behind the read-ahead, so that nobody keeps the server busy for good.
//!
//! A viewer that never stops talking takes its turn with everybody else, and its turn costs the server's time. Nothing
//! that a real viewer does comes near these numbers for long, so one that does is ended rather than slowed down.
//!
//! What real viewers send at most, each second:
//!
//! - a mouse of 1000 Hz: 1000 messages of about 20 bytes; the fastest on sale, 8000. A viewer waits for acknowledgements
//!   of every fourth, so that it is mostly less;
//! - keys: a few hundred bytes; acknowledgements: one for each window of messages; answers to pings are not counted, as
//!   each was asked for;
//! - pieces for the agent, of 2 KiB: as many as it has tokens for, which are counted as invited
//!   ([`RedChannelClient::invite`](crate::RedChannelClient::invite)). A paste of 100 MB is 50,000 pieces, and ends nobody,
//!   however fast the guest takes them.
//!
//! The burst is what may pile up in buffers while the server, or the way to it, stands still: five seconds of messages at
//! the full rate.

use crate::{ChannelError, Time};

/// So many a second, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What comes back each second.
    pub per_second: u32,
    /// What there is after a while of silence.
    pub burst: u32,
}

/// What a viewer may send on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetLimits {
    /// Messages, those that any channel has among them.
    pub messages: Rate,
    /// Bytes, headers among them.
    pub bytes: Rate,
}

impl Default for BudgetLimits {
    /// 4,000 messages a second and 20,000 at once; 4 MiB a second and 16 MiB at once.
    fn default() -> Self {
        Self {
            messages: Rate { per_second: 4000, burst: 20_000 },
            bytes: Rate { per_second: 4 << 20, burst: 16 << 20 },
        }
    }
}

/// Parts of a token: so many come back in a microsecond as tokens in a second, without a remainder.
const PARTS: u64 = 1_000_000;

/// A token bucket in whole numbers: nothing is rounded, so nothing drifts.
#[derive(Debug)]
struct Bucket {
    rate: Rate,
    /// Parts of tokens that are left.
    level: u64,
    /// Up to when tokens have come back.
    at: Time,
}

impl Bucket {
    fn new(rate: Rate, now: Time) -> Self {
        Self { rate, level: u64::from(rate.burst) * PARTS, at: now }
    }

    /// Takes `count` tokens; answers whether they were there. Where they were not, none is taken.
    fn take(&mut self, count: u64, now: Time) -> bool {
        let micros = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        self.at = self.at.max(now);
        let back = micros.saturating_mul(self.rate.per_second.into());
        // What was invited may lie above the burst: it stays, and nothing comes back meanwhile.
        let full = (u64::from(self.rate.burst) * PARTS).max(self.level);
        let level = self.level.saturating_add(back).min(full);
        let left = count.checked_mul(PARTS).and_then(|cost| level.checked_sub(cost));
        self.level = left.unwrap_or(level);
        left.is_some()
    }

    /// Adds tokens, above the burst where there are so many already.
    fn add(&mut self, count: u64) {
        self.level = self.level.saturating_add(count.saturating_mul(PARTS));
    }
}

/// What one connection may still send.
#[derive(Debug)]
pub(crate) struct Budget {
    messages: Bucket,
    bytes: Bucket,
    /// What went beyond it.
    over: Option<(&'static str, Rate)>,
}

impl Budget {
    pub(crate) fn new(limits: BudgetLimits, now: Time) -> Self {
        let (messages, bytes) = (Bucket::new(limits.messages, now), Bucket::new(limits.bytes, now));
        Self { messages, bytes, over: None }
    }

    /// The viewer has sent so many bytes; answers whether it may. The next [`Self::check`] says so, too.
    pub(crate) fn take_bytes(&mut self, len: usize, now: Time) -> bool {
        if self.over.is_none() && !self.bytes.take(len as u64, now) {
            self.over = Some(("bytes", self.bytes.rate));
        }
        self.over.is_none()
    }

    /// The viewer has sent a message.
    pub(crate) fn take_message(&mut self, now: Time) -> Result<(), ChannelError> {
        if self.over.is_none() && !self.messages.take(1, now) {
            self.over = Some(("messages", self.messages.rate));
        }
        self.check()
    }

    /// # Errors
    /// [`ChannelError::OverBudget`], ever after the budget was exceeded.
    pub(crate) fn check(&self) -> Result<(), ChannelError> {
        match self.over {
            Some((what, Rate { per_second, burst })) => {
                Err(ChannelError::OverBudget { what, per_second, burst })
            }
            None => Ok(()),
        }
    }

    /// Allows so many messages and bytes beyond what there is.
    pub(crate) fn invite(&mut self, messages: u64, bytes: u64) {
        self.messages.add(messages);
        self.bytes.add(bytes);
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const START: Time = Time::from_millis(77);

    fn bucket(per_second: u32, burst: u32) -> Bucket {
        Bucket::new(Rate { per_second, burst }, START)
    }

    #[test]
    fn the_burst_is_there_at_once_and_then_so_many_a_second() {
        let mut bucket = bucket(4000, 20_000);
        assert!((0..20_000).all(|_| bucket.take(1, START)));
        assert!(!bucket.take(1, START));
        // A token is a quarter of a millisecond.
        assert!(!bucket.take(1, START + Duration::from_micros(249)));
        assert!(bucket.take(1, START + Duration::from_micros(250)));
        assert!(!bucket.take(1, START + Duration::from_micros(499)));
        let later = START + Duration::from_secs(3600);
        assert!(bucket.take(20_000, later));
        assert!(!bucket.take(1, later));
    }

    #[test]
    fn nothing_is_lost_between_however_often_it_is_asked() {
        // A token never comes back in a whole number of these steps of 7 microseconds.
        let end = 10_000_000;
        for per_second in [1, 3, 11, 999, 4000, 99_991] {
            let mut bucket = bucket(per_second, 2);
            assert!(bucket.take(2, START));
            let mut taken = 0_u64;
            for micros in (7..=end).step_by(7) {
                let now = START + Duration::from_micros(micros);
                while bucket.take(1, now) {
                    taken += 1;
                }
                assert_eq!(taken, u64::from(per_second) * micros / PARTS, "at {per_second} a second");
            }
        }
    }

    #[test]
    fn no_time_and_no_number_is_too_large() {
        let end = Time::from_micros(u64::MAX);
        for rate in [0, 1, 4000, u32::MAX] {
            for burst in [0, 1, u32::MAX] {
                let mut bucket = Bucket::new(Rate { per_second: rate, burst }, Time::ZERO);
                assert!(!bucket.take(u64::MAX, Time::ZERO));
                assert!(!bucket.take(u64::MAX, end));
                assert!(bucket.take(burst.into(), end));
                assert!(!bucket.take(1, end));
                // A clock that goes back gives nothing, now and later.
                assert!(!bucket.take(1, Time::ZERO));
                assert!(!bucket.take(1, end));
                bucket.add(u64::MAX);
                bucket.add(u64::MAX);
                assert!(bucket.take(u64::MAX / PARTS, end));
                assert!(!bucket.take(1, end));
            }
        }
    }

    #[test]
    fn what_is_refused_takes_nothing() {
        let mut bucket = bucket(1, 10);
        assert!(!bucket.take(11, START));
        assert!(bucket.take(10, START));
    }

    #[test]
    fn what_is_invited_is_kept_above_the_burst_and_nothing_comes_back_meanwhile() {
        let mut bucket = bucket(1000, 10);
        bucket.add(90);
        let later = START + Duration::from_secs(60);
        assert!(bucket.take(100, later));
        assert!(!bucket.take(1, later));
        assert!(bucket.take(10, later + Duration::from_secs(60)));
        assert!(!bucket.take(1, later + Duration::from_secs(60)));
    }

    #[test]
    fn who_is_over_stays_over() {
        let mut budget = Budget::new(BudgetLimits::default(), START);
        assert!(budget.take_bytes(16 << 20, START));
        assert_eq!(budget.check(), Ok(()));
        assert!(!budget.take_bytes(1, START));
        let later = START + Duration::from_secs(3600);
        assert!(!budget.take_bytes(1, later));
        let error = budget.take_message(later).unwrap_err();
        assert_eq!(error.to_string(), "more than 4194304 bytes a second and 16777216 at once");
    }
}
