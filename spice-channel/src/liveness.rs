//! Round trips, and whether a viewer still takes what it is sent.

use core::time::Duration;

use spice_proto::base::{Ping, Pong};

use crate::{ChannelError, Time};

/// Sends a ping now and then, keeps the least round trip, and notices a viewer that takes nothing any more.
#[derive(Debug)]
pub(crate) struct Liveness {
    interval: Duration,
    limit: Duration,
    next_ping: Time,
    next_id: u32,
    /// The ping that is not answered yet.
    outstanding: Option<(u32, Time)>,
    /// Since when the viewer owes something; it starts anew at each sign of life.
    owes_since: Option<Time>,
    round_trip: Option<Duration>,
}

impl Liveness {
    pub(crate) fn new(interval: Duration, limit: Duration, now: Time) -> Self {
        Self {
            interval,
            limit,
            next_ping: now + interval,
            next_id: 1,
            outstanding: None,
            owes_since: None,
            round_trip: None,
        }
    }

    /// The least round trip so far.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// The viewer took or sent something. `owes` says whether it still has to take something else.
    pub(crate) fn handle_progress(&mut self, owes: bool, now: Time) {
        self.owes_since = (owes || self.outstanding.is_some()).then_some(now);
    }

    /// Something waits for the viewer from now on, unless something did already.
    pub(crate) fn handle_waiting(&mut self, now: Time) {
        self.owes_since.get_or_insert(now);
    }

    /// The viewer answers a ping. An answer to another one counts for nothing.
    pub(crate) fn handle_pong(&mut self, pong: Pong, now: Time) {
        if let Some((_, sent)) = self.outstanding.take_if(|(id, _)| *id == pong.id) {
            let round_trip = now.since(sent);
            self.round_trip = Some(self.round_trip.map_or(round_trip, |least| least.min(round_trip)));
        }
    }

    /// The ping that is due, if one is; one at a time.
    pub(crate) fn poll_ping(&mut self, now: Time) -> Option<Ping> {
        if now < self.next_ping || self.outstanding.is_some() {
            return None;
        }
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        self.outstanding = Some((id, now));
        self.next_ping = now + self.interval;
        self.handle_waiting(now);
        Some(Ping { id, timestamp: now.as_micros(), data: bytes::Bytes::new() })
    }

    pub(crate) fn check(&self, now: Time) -> Result<(), ChannelError> {
        match self.owes_since.map(|since| now.since(since)) {
            Some(waited) if waited >= self.limit => Err(ChannelError::Stalled(waited)),
            _ => Ok(()),
        }
    }

    /// When [`Self::poll_ping`] or [`Self::check`] will have another answer, if nothing else happens.
    pub(crate) fn poll_timeout(&self) -> Time {
        let stalled = self.owes_since.map(|since| since + self.limit);
        let ping = self.outstanding.is_none().then_some(self.next_ping);
        stalled.into_iter().chain(ping).min().unwrap_or(self.next_ping)
    }
}
