//! Who guesses too often has to wait.

use core::fmt;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use spice_channel::Time;

/// Where a connection comes from, as far as attempts are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Origin {
    /// An address; one of IPv6 stands for its /64, which one host can use as it likes. Made by [`Origin::of_ip`].
    Ip(IpAddr),
    /// The user at the other end of a Unix socket, where the system tells.
    Local(Option<u32>),
}

impl Origin {
    /// The origin that this address belongs to. An IPv4 address written as one of IPv6 (RFC 4291, 2.5.5.2) is that
    /// IPv4 address.
    #[must_use]
    pub(crate) fn of_ip(ip: IpAddr) -> Self {
        Self::Ip(match ip.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

impl Origin {
    /// Whether it is on this machine.
    #[must_use]
    pub(crate) fn is_local(self) -> bool {
        match self {
            Self::Ip(IpAddr::V4(v4)) => v4.is_loopback(),
            // What stands for a /64 has no last bits any more.
            Self::Ip(IpAddr::V6(v6)) => v6.is_unspecified(),
            Self::Local(_) => true,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(net)) => write!(f, "{net}/64"),
            Self::Ip(v4) => v4.fmt(f),
            Self::Local(Some(uid)) => write!(f, "local user {uid}"),
            Self::Local(None) => f.write_str("a local user"),
        }
    }
}

/// Failures until the first lock-out, and from each to the next, longer one.
const FAILURES: u32 = 5;
/// The first lock-out; each one after it takes twice as long, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(3600);
/// Failures are remembered so long after the last one, and at least twice the last lock-out.
const MEMORY: Duration = Duration::from_secs(600);
/// Origins with failures that are remembered.
const ORIGINS: usize = 4096;

/// This origin has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("locked out after too many failed attempts")]
pub(crate) struct LockedOut {
    /// When it may try again.
    pub until: Time,
}

/// The failed attempts of each origin.
///
/// Success forgets nothing: who has one password must not guess another between its uses. Beyond the bound of
/// remembered origins the one that has failed least recently is forgotten, as long as there is one that is not
/// locked out; otherwise the one whose wait ends first.
#[derive(Debug)]
pub(crate) struct Lockout {
    capacity: usize,
    now: Time,
    origins: BTreeMap<Origin, Failures>,
    /// By the last failure. Every origin is here or in `locked`.
    waiting: BTreeSet<(Time, Origin)>,
    /// By the end of the lock-out.
    locked: BTreeSet<(Time, Origin)>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Time,
    until: Option<Time>,
}

/// How long the lock-out takes that begins with this failure, or began with the last before it that did.
fn span(count: u32) -> Duration {
    match count / FAILURES {
        0 => Duration::ZERO,
        nth => FIRST.saturating_mul(1 << (nth - 1).min(16)).min(LONGEST),
    }
}

impl Failures {
    fn forgotten_at(self) -> Time {
        self.last + MEMORY.max(2 * span(self.count))
    }
}

impl Default for Lockout {
    fn default() -> Self {
        Self::with_capacity(ORIGINS)
    }
}

impl Lockout {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            capacity,
            now: Time::ZERO,
            origins: BTreeMap::new(),
            waiting: BTreeSet::new(),
            locked: BTreeSet::new(),
        }
    }

    /// Origins that are remembered.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.origins.len()
    }

    /// Whether the origin may try.
    ///
    /// # Errors
    /// It has failed too often. To be refused counts as nothing and prolongs nothing.
    pub(crate) fn check(&mut self, origin: Origin, now: Time) -> Result<(), LockedOut> {
        self.settle(now);
        match self.origins.get(&origin).and_then(|failures| failures.until) {
            Some(until) => Err(LockedOut { until }),
            None => Ok(()),
        }
    }

    /// Counts a failure; `Some` when a lock-out begins with it. Whoever calls has seen [`Self::check`] before, or has
    /// a reason to count one who is locked out.
    pub(crate) fn fail(&mut self, origin: Origin, now: Time) -> Option<LockedOut> {
        self.settle(now);
        let now = self.now;
        let before = self.remove(origin).filter(|failures| now < failures.forgotten_at());
        if self.origins.len() >= self.capacity {
            self.make_room();
        }
        let count = before.map_or(0, |failures| failures.count).saturating_add(1);
        let mut until = before.and_then(|failures| failures.until);
        let begins = count.is_multiple_of(FAILURES);
        if begins {
            until = until.max(Some(now + span(count)));
        }
        self.origins.insert(origin, Failures { count, last: now, until });
        match until {
            Some(until) => self.locked.insert((until, origin)),
            None => self.waiting.insert((now, origin)),
        };
        until.filter(|_| begins).map(|until| LockedOut { until })
    }

    /// Those whose lock-out has ended may try again.
    fn settle(&mut self, now: Time) {
        self.now = self.now.max(now);
        while let Some((until, origin)) = self.locked.first().copied()
            && until <= self.now
        {
            self.locked.remove(&(until, origin));
            if let Some(failures) = self.origins.get_mut(&origin) {
                failures.until = None;
                self.waiting.insert((failures.last, origin));
            }
        }
    }

    fn remove(&mut self, origin: Origin) -> Option<Failures> {
        let failures = self.origins.remove(&origin)?;
        match failures.until {
            Some(until) => self.locked.remove(&(until, origin)),
            None => self.waiting.remove(&(failures.last, origin)),
        };
        Some(failures)
    }

    fn make_room(&mut self) {
        if let Some((_, origin)) = self.waiting.pop_first().or_else(|| self.locked.pop_first()) {
            self.origins.remove(&origin);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOST: Origin = Origin::Local(Some(1000));

    fn at(secs: u64) -> Time {
        Time::from_millis(secs * 1000)
    }

    fn origin(text: &str) -> Origin {
        Origin::of_ip(text.parse().unwrap())
    }

    fn fail_5_times(lockout: &mut Lockout, origin: Origin, now: Time) {
        for nth in 1..=5 {
            assert_eq!(lockout.fail(origin, now).is_some(), nth == 5);
        }
    }

    #[test]
    fn an_origin_is_an_ipv4_address_or_an_ipv6_net_of_64_bits() {
        assert_eq!(origin("192.0.2.1"), origin("::ffff:192.0.2.1"));
        assert_ne!(origin("192.0.2.1"), origin("192.0.2.2"));
        assert_eq!(origin("2001:db8:1:2:3:4:5:6"), origin("2001:db8:1:2::1"));
        assert_ne!(origin("2001:db8:1:2::1"), origin("2001:db8:1:3::1"));
        assert_eq!(origin("2001:db8:1:2:3:4:5:6").to_string(), "2001:db8:1:2::/64");
        assert_eq!(origin("::ffff:192.0.2.1").to_string(), "192.0.2.1");
    }

    #[test]
    fn every_fifth_failure_locks_out_for_twice_as_long_up_to_an_hour() {
        let mut lockout = Lockout::default();
        let mut now = at(1);
        for expected in [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600] {
            for _ in 0..4 {
                assert_eq!(lockout.fail(HOST, now), None);
                assert_eq!(lockout.check(HOST, now), Ok(()));
            }
            let until = now + Duration::from_secs(expected);
            assert_eq!(lockout.fail(HOST, now), Some(LockedOut { until }));
            assert_eq!(
                lockout.check(HOST, Time::from_micros(until.as_micros() - 1)),
                Err(LockedOut { until })
            );
            assert_eq!(lockout.check(HOST, until), Ok(()));
            now = until;
        }
        assert_eq!(lockout.check(Origin::Local(None), now), Ok(()));
    }

    #[test]
    fn failures_are_forgotten_after_ten_quiet_minutes() {
        let mut lockout = Lockout::default();
        (0..4).for_each(|_| assert_eq!(lockout.fail(HOST, at(0)), None));
        assert_eq!(lockout.fail(HOST, at(600)), None);
        (0..3).for_each(|_| assert_eq!(lockout.fail(HOST, at(1199)), None));
        assert!(lockout.fail(HOST, at(1199)).is_some());
    }

    #[test]
    fn after_a_long_lock_out_failures_are_remembered_for_twice_as_long() {
        let mut lockout = Lockout::default();
        let mut now = at(0);
        let mut until = now;
        for _ in 0..7 {
            now = until;
            (0..4).for_each(|_| assert_eq!(lockout.fail(HOST, now), None));
            until = lockout.fail(HOST, now).unwrap().until;
        }
        let remembered = now + Duration::from_secs(2 * 640 - 1);
        (0..4).for_each(|_| assert_eq!(lockout.fail(HOST, remembered), None));
        let longer = lockout.fail(HOST, remembered).unwrap();
        assert_eq!(longer.until.since(remembered), Duration::from_secs(1280));
        let forgotten = remembered + Duration::from_secs(2 * 1280);
        (0..4).for_each(|_| assert_eq!(lockout.fail(HOST, forgotten), None));
        let first = lockout.fail(HOST, forgotten).unwrap();
        assert_eq!(first.until.since(forgotten), FIRST);
    }

    #[test]
    fn a_clock_that_goes_back_shortens_no_wait() {
        let mut lockout = Lockout::default();
        fail_5_times(&mut lockout, HOST, at(100));
        assert!(lockout.check(HOST, at(0)).is_err());
        assert!(lockout.fail(Origin::Local(None), at(0)).is_none());
        assert!(lockout.check(HOST, at(109)).is_err());
        assert!(lockout.check(HOST, at(110)).is_ok());
    }

    #[test]
    fn origins_are_bounded_and_those_that_are_locked_out_go_last() {
        let mut lockout = Lockout::default();
        fail_5_times(&mut lockout, HOST, at(0));
        for uid in 10_000..20_000 {
            lockout.fail(Origin::Local(Some(uid)), at(1));
        }
        assert_eq!(lockout.len(), ORIGINS);
        assert!(lockout.check(HOST, at(9)).is_err());
    }

    #[test]
    fn when_all_are_locked_out_the_one_goes_whose_wait_ends_first() {
        let mut lockout = Lockout::with_capacity(2);
        for (uid, secs) in [(1, 0), (2, 1), (3, 2)] {
            fail_5_times(&mut lockout, Origin::Local(Some(uid)), at(secs));
        }
        assert!(lockout.check(Origin::Local(Some(1)), at(2)).is_ok());
        assert!(lockout.check(Origin::Local(Some(2)), at(2)).is_err());
        assert!(lockout.check(Origin::Local(Some(3)), at(2)).is_err());
    }

    proptest! {
        /// Four origins of eight places: none is ever forgotten for want of room.
        #[test]
        fn who_is_locked_out_is_not_let_through_before_its_time(
            steps in prop::collection::vec((0..4_u32, 0..30_u64), 1..400),
        ) {
            let mut lockout = Lockout::with_capacity(8);
            let mut until: BTreeMap<Origin, Time> = BTreeMap::new();
            let mut now = at(0);
            for (uid, pause) in steps {
                now += Duration::from_secs(pause / 4);
                let origin = Origin::Local(Some(uid));
                let locked = until.get(&origin).is_some_and(|until| now < *until);
                prop_assert_eq!(lockout.check(origin, now).is_err(), locked);
                if !locked && let Some(lock) = lockout.fail(origin, now) {
                    prop_assert!(lock.until >= now + FIRST && lock.until <= now + LONGEST);
                    until.insert(origin, lock.until);
                }
            }
        }

        #[test]
        fn no_more_origins_are_remembered_than_there_is_room_for(
            capacity in 1..6_usize,
            steps in prop::collection::vec((0..12_u32, 0..20_u64), 1..400),
        ) {
            let mut lockout = Lockout::with_capacity(capacity);
            let mut now = at(0);
            for (uid, pause) in steps {
                now += Duration::from_secs(pause / 8);
                lockout.fail(Origin::Local(Some(uid)), now);
                prop_assert!(lockout.len() <= capacity);
                prop_assert_eq!(lockout.len(), lockout.waiting.len() + lockout.locked.len());
                prop_assert!(lockout.origins.contains_key(&Origin::Local(Some(uid))));
            }
        }
    }
}
