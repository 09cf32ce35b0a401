//! Whether a viewer still takes what it is sent.

use core::time::Duration;

use crate::{ChannelError, Time};

/// Has a viewer pinged now and then, and notices one that takes nothing any more.
#[derive(Debug)]
pub(crate) struct Liveness {
    interval: Duration,
    limit: Duration,
    next_ping: Time,
    /// Since when the viewer owes something; it starts anew at each sign of life.
    owes_since: Option<Time>,
}

impl Liveness {
    pub(crate) fn new(interval: Duration, limit: Duration, now: Time) -> Self {
        Self { interval, limit, next_ping: now + interval, owes_since: None }
    }

    /// The viewer took or answered something. `owes` says whether it still has to take or answer something else.
    pub(crate) fn handle_progress(&mut self, owes: bool, now: Time) {
        self.owes_since = owes.then_some(now);
    }

    /// Something waits for the viewer from now on, unless something did already.
    pub(crate) fn handle_waiting(&mut self, now: Time) {
        self.owes_since.get_or_insert(now);
    }

    /// Whether a ping is due.
    pub(crate) fn poll_ping(&mut self, now: Time) -> bool {
        let due = now >= self.next_ping;
        if due {
            self.next_ping = now + self.interval;
        }
        due
    }

    pub(crate) fn check(&self, now: Time) -> Result<(), ChannelError> {
        match self.owes_since.map(|since| now.since(since)) {
            Some(waited) if waited >= self.limit => Err(ChannelError::Stalled(waited)),
            _ => Ok(()),
        }
    }

    /// When [`Self::poll_ping`] or [`Self::check`] will have another answer, if nothing else happens. A viewer that owes
    /// an answer (`pinged`) is not asked again.
    pub(crate) fn poll_timeout(&self, pinged: bool) -> Time {
        let stalled = self.owes_since.map(|since| since + self.limit);
        let ping = (!pinged).then_some(self.next_ping);
        stalled.into_iter().chain(ping).min().unwrap_or(self.next_ping)
    }
}
