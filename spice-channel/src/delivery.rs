//! How much a viewer has read, how fast it reads, and how much may be on its way to it.
//!
//! A socket that has taken bytes says little: buffers on the way hold seconds of a narrow link. A viewer answers a ping
//! when it has come to it, so pings among the messages tell what it has read. What may be on its way is what it reads in
//! a round trip of an empty link and one frame: enough to keep it busy, and never older than that.

use std::collections::VecDeque;

use core::time::Duration;

use spice_proto::base::{Ping, Pong};

use crate::Time;

/// How much may be on its way to a viewer, in bytes that it has not read yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomLimits {
    /// At least so much, however slow the viewer is. A single message may go beyond it.
    pub least: usize,
    /// So much at first.
    pub first: usize,
    /// At most so much, however fast and far away the viewer is.
    pub most: usize,
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self { least: 16 << 10, first: 256 << 10, most: 4 << 20 }
    }
}

impl RoomLimits {
    /// The same for every viewer.
    #[must_use]
    pub const fn fixed(bytes: usize) -> Self {
        Self { least: bytes, first: bytes, most: bytes }
    }
}

/// What may wait on the way for longer than the way takes: a frame at 30 a second.
const FRAME: Duration = Duration::from_millis(33);

/// After so long without a measurement nothing is known any more.
const STALE: Duration = Duration::from_secs(60);

/// Pings among as many bytes as there is room for.
const PINGS: usize = 4;

/// Bytes between two pings, at least: more than a ping has, so that no ping is the reason for the next.
const LEAST: usize = 64;

/// Bytes that may be before a ping without making its answer late.
const ALONE: u64 = 4 << 10;

#[derive(Debug)]
pub(crate) struct Delivery {
    limits: RoomLimits,
    room: usize,
    sent: u64,
    /// Of these, what the viewer has read, as far as its answers say.
    read: u64,
    /// The pings that are not answered yet, the oldest first.
    pings: VecDeque<Mark>,
    /// What had been sent at the last ping.
    marked: u64,
    next_id: u32,
    round_trip: Option<Duration>,
    /// Bytes a second of a viewer that had always something to read, and when that was measured.
    rate: Option<(u64, Time)>,
}

/// A ping on its way.
#[derive(Debug)]
struct Mark {
    id: u32,
    /// When it was given out; none before that.
    at: Option<Time>,
    /// What had been sent with it, and what had been read by then.
    sent: u64,
    read: u64,
    /// There was so much on the way that what was sent depended on the viewer, and not on the guest.
    full: bool,
    /// There was next to nothing on the way.
    alone: bool,
}

impl Delivery {
    pub(crate) fn new(limits: RoomLimits) -> Self {
        Self {
            limits,
            room: limits.first,
            sent: 0,
            read: 0,
            pings: VecDeque::new(),
            marked: 0,
            next_id: 1,
            round_trip: None,
            rate: None,
        }
    }

    /// Whether more may be on its way.
    pub(crate) fn has_room(&self) -> bool {
        self.unread() < self.room as u64
    }

    /// Bytes that may be on their way.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// Bytes that the viewer is not known to have read.
    pub(crate) fn unread(&self) -> u64 {
        self.sent - self.read
    }

    /// Whether the viewer owes an answer.
    pub(crate) fn is_owed(&self) -> bool {
        !self.pings.is_empty()
    }

    /// The round trip on a link with nothing else on it.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Bytes a second that the viewer reads when there is always something to read, where that is known.
    pub(crate) fn rate(&self, now: Time) -> Option<u64> {
        self.rate.filter(|(_, measured)| now.since(*measured) < STALE).map(|(rate, _)| rate)
    }

    pub(crate) fn handle_sent(&mut self, len: usize) {
        self.sent += len as u64;
    }

    /// Whether enough has been sent since the last ping for another one. It may become so with an answer, too.
    pub(crate) fn wants_ping(&self) -> bool {
        self.sent - self.marked >= (self.room / PINGS).max(LEAST) as u64
    }

    /// A ping, which is to be sent next. Its id is all that tells it from another.
    pub(crate) fn ping(&mut self) -> Ping {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        let unread = self.unread();
        self.pings.push_back(Mark {
            id,
            at: None,
            sent: self.sent,
            read: self.read,
            full: unread >= self.room as u64 / 2,
            alone: unread <= ALONE,
        });
        self.marked = self.sent;
        Ping { id, timestamp: 0, data: bytes::Bytes::new() }
    }

    /// What has been sent is given out.
    pub(crate) fn handle_given_out(&mut self, now: Time) {
        for ping in self.pings.iter_mut().rev().take_while(|ping| ping.at.is_none()) {
            ping.at = Some(now);
        }
    }

    /// The viewer says that it has read everything before this ping. An answer to no ping counts for nothing, and is
    /// answered with false.
    pub(crate) fn handle_pong(&mut self, pong: Pong, now: Time) -> bool {
        let Some(place) = self.pings.iter().position(|ping| ping.id == pong.id) else { return false };
        let Some(ping) = self.pings.drain(..=place).next_back() else { return false };
        let Some(at) = ping.at else { return false };
        self.handle_read(&ping, now.since(at), now);
        true
    }

    /// The viewer has read everything before this ping, which was under way for so long.
    fn handle_read(&mut self, ping: &Mark, took: Duration, now: Time) {
        let newly = ping.sent.saturating_sub(self.read);
        self.read = self.read.max(ping.sent);
        let round_trip = match self.round_trip {
            // Next to nothing of ours made it late, so the way may have become longer. It is believed bit by bit.
            Some(known) if took > known && ping.alone => known + (took - known) / 8,
            Some(known) if took > known => known,
            _ => took,
        };
        self.round_trip = Some(round_trip);
        if !ping.full {
            return;
        }
        let waited = took.saturating_sub(round_trip);
        if waited > FRAME / 2 {
            let rate = per_second(self.read - ping.read, took);
            let rate = match self.rate(now) {
                // Often the link had nothing to carry for some of a short time: less is believed bit by bit.
                Some(known) if took < 4 * (round_trip + FRAME) => {
                    rate.max(known - known.saturating_sub(rate) / 8)
                }
                _ => rate,
            };
            self.rate = Some((rate, now));
        }
        self.room = if waited <= FRAME {
            self.room.saturating_add(usize::try_from(newly).unwrap_or(usize::MAX)).min(self.limits.most)
        } else {
            let enough = self.rate(now).map_or(0, |rate| carried(rate, round_trip + FRAME));
            enough.min(self.room).max(self.limits.least)
        };
    }
}

fn per_second(bytes: u64, span: Duration) -> u64 {
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX).max(1);
    bytes.saturating_mul(1_000_000) / micros
}

/// Bytes in `span` at a rate.
fn carried(rate: u64, span: Duration) -> usize {
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    usize::try_from(rate.saturating_mul(micros) / 1_000_000).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A link of so many bytes a second, and a viewer that reads what comes at once. Buffers on the way take everything.
    struct Link {
        rate: u64,
        delay: Duration,
        free_at: Time,
        pongs: VecDeque<(Time, u32)>,
    }

    impl Link {
        fn new(rate: u64, delay: Duration) -> Self {
            Self { rate, delay, free_at: Time::ZERO, pongs: VecDeque::new() }
        }

        fn ping(&mut self, delivery: &mut Delivery) {
            if delivery.wants_ping() {
                self.pongs.push_back((self.free_at + self.delay, delivery.ping().id));
            }
        }

        /// Messages of so many bytes for a while, as many as there is room for, or `guest` bytes a second.
        fn run(&mut self, delivery: &mut Delivery, from: Time, millis: u64, guest: Option<u64>) {
            let mut allowed = 0;
            for now in (0..millis).map(|millis| from + Duration::from_millis(millis)) {
                while let Some((_, id)) = self.pongs.pop_front_if(|(at, _)| *at <= now) {
                    delivery.handle_pong(Pong { id, timestamp: 0 }, now);
                }
                allowed += guest.unwrap_or(u64::MAX / 1_000_000) / 1000;
                while delivery.has_room() && allowed >= MESSAGE {
                    allowed -= MESSAGE;
                    delivery.handle_sent(MESSAGE as usize);
                    let busy = Duration::from_micros(MESSAGE * 1_000_000 / self.rate);
                    self.free_at = self.free_at.max(now) + busy;
                    self.ping(delivery);
                }
                self.ping(delivery);
                delivery.handle_given_out(now);
            }
        }
    }

    const MESSAGE: u64 = 1000;

    fn started(link: &mut Link) -> Delivery {
        let mut delivery = Delivery::new(RoomLimits::default());
        let id = delivery.ping().id;
        delivery.handle_given_out(Time::ZERO);
        delivery.handle_pong(Pong { id, timestamp: 0 }, Time::ZERO + link.delay);
        delivery
    }

    #[test]
    fn a_narrow_link_is_measured_and_holds_little() {
        for (rate, delay) in [(200_000, 1), (200_000, 80), (1_000_000, 20), (6_000_000, 5)] {
            let delay = Duration::from_millis(delay);
            let mut link = Link::new(rate, delay);
            let mut delivery = started(&mut link);
            link.run(&mut delivery, Time::from_millis(500), 9500, None);
            let now = Time::from_millis(10_000);
            let measured = delivery.rate(now).unwrap();
            assert!((rate * 9 / 10..=rate * 11 / 10).contains(&measured), "{measured} of {rate}");
            let waits = Duration::from_micros(delivery.unread() * 1_000_000 / rate);
            let (least, most) = (delay, (delay + 2 * FRAME).max(Duration::from_millis(90)));
            assert!((least..=most).contains(&waits), "{rate} {delay:?}: {waits:?}");
        }
    }

    #[test]
    fn a_wide_link_far_away_is_filled() {
        let mut link = Link::new(20_000_000, Duration::from_millis(80));
        let mut delivery = started(&mut link);
        link.run(&mut delivery, Time::from_millis(500), 2000, None);
        let before = delivery.read;
        link.run(&mut delivery, Time::from_millis(2500), 1000, None);
        let carried = delivery.read - before;
        assert!(carried > 18_000_000, "{carried}");
    }

    #[test]
    fn a_link_that_becomes_narrow_and_wide_again_is_followed() {
        let mut link = Link::new(10_000_000, Duration::from_millis(20));
        let mut delivery = started(&mut link);
        link.run(&mut delivery, Time::from_millis(500), 2500, None);
        assert!(delivery.room() > 256 << 10);
        link.rate = 200_000;
        link.run(&mut delivery, Time::from_millis(3000), 7000, None);
        assert!(delivery.room() <= 20 << 10, "{}", delivery.room());
        link.rate = 10_000_000;
        link.run(&mut delivery, Time::from_millis(10_000), 5000, None);
        assert!(delivery.room() > 256 << 10, "{}", delivery.room());
    }

    #[test]
    fn a_viewer_that_reads_everything_at_once_is_not_measured_and_keeps_its_room() {
        let mut link = Link::new(1_000_000_000, Duration::from_millis(1));
        let mut delivery = started(&mut link);
        link.run(&mut delivery, Time::from_millis(500), 5000, Some(1_500_000));
        assert_eq!(delivery.rate(Time::from_millis(5500)), None);
        assert_eq!(delivery.room(), RoomLimits::default().first);
    }

    #[test]
    fn what_was_measured_is_forgotten_after_a_minute() {
        let mut link = Link::new(200_000, Duration::from_millis(1));
        let mut delivery = started(&mut link);
        link.run(&mut delivery, Time::from_millis(500), 2000, None);
        assert!(delivery.rate(Time::from_millis(2500)).is_some());
        assert_eq!(delivery.rate(Time::from_millis(63_000)), None);
    }

    #[test]
    fn answers_to_no_ping_count_for_nothing() {
        let mut delivery = Delivery::new(RoomLimits::fixed(1000));
        delivery.handle_sent(1000);
        delivery.handle_pong(Pong { id: 1, timestamp: 0 }, Time::ZERO);
        assert!(!delivery.has_room());
        let id = delivery.ping().id;
        delivery.handle_given_out(Time::ZERO);
        delivery.handle_pong(Pong { id: id + 1, timestamp: 0 }, Time::ZERO);
        assert!(!delivery.has_room() && delivery.is_owed());
        delivery.handle_pong(Pong { id, timestamp: 0 }, Time::ZERO);
        delivery.handle_pong(Pong { id, timestamp: 0 }, Time::ZERO);
        assert!(delivery.has_room() && !delivery.is_owed() && delivery.unread() == 0);
    }
}
