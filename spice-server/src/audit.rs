//! What an operator may have to account for: who came, who did not get in, who may do what, who left.

use core::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use spice_channel::{ClientId, Time};

use crate::access::{Credential, Role, TicketId};
use crate::clock;
use crate::stats::Counters;
use crate::transport::{Peer, Transport};

/// Something that has happened. No secret is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditEvent {
    /// A viewer is in.
    Connected {
        /// The server's name for it.
        viewer: ClientId,
        /// Where it comes from.
        peer: Peer,
        /// How.
        transport: Transport,
        /// By what it was let in.
        credential: Credential,
        /// What it may do.
        role: Role,
    },
    /// A connection was not let in.
    Refused {
        /// Where it comes from.
        peer: Peer,
        /// Why, in a sentence.
        reason: String,
        /// Refusals that were not told since the last that was: at most [`REFUSALS_PER_SECOND`] are.
        suppressed: u64,
    },
    /// A viewer may do something else now.
    RoleChanged {
        /// Which viewer.
        viewer: ClientId,
        /// What it could do.
        from: Role,
        /// What it can do.
        to: Role,
    },
    /// A viewer is gone.
    Ended {
        /// Which viewer.
        viewer: ClientId,
        /// Where it came from.
        peer: Peer,
        /// Why, in a sentence.
        reason: String,
        /// How long it was here.
        connected: Duration,
    },
    /// There is another ticket.
    TicketAdded {
        /// The server's name for it.
        ticket: TicketId,
        /// The operator's.
        name: Option<String>,
    },
    /// A ticket is no more.
    TicketRevoked {
        /// Which.
        ticket: TicketId,
        /// Viewers that ended with it.
        viewers: usize,
    },
}

/// Refusals that are told in a second; a burst may have five times as many.
pub const REFUSALS_PER_SECOND: u64 = 20;

/// Where events go: called from any task, so it must not wait.
#[derive(Clone)]
pub struct AuditSink(Arc<dyn Fn(AuditEvent) + Send + Sync>);

impl AuditSink {
    /// A sink that hands events to `tell`.
    pub fn new(tell: impl Fn(AuditEvent) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for AuditSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditSink")
    }
}

/// The sink, if there is one, and how much of it refusals may take.
#[derive(Debug)]
pub(crate) struct Audit {
    sink: Option<AuditSink>,
    refusals: Mutex<Refusals>,
    counters: Arc<Counters>,
}

impl Audit {
    pub(crate) fn new(sink: Option<AuditSink>, counters: Arc<Counters>) -> Self {
        Self { sink, refusals: Mutex::new(Refusals::new(clock::now())), counters }
    }

    pub(crate) fn tell(&self, event: AuditEvent) {
        if let Some(AuditSink(tell)) = &self.sink {
            tell(event);
        }
    }

    /// Counts a refusal, and tells of it, here and in the log, unless too many were told of late.
    pub(crate) fn refused(&self, peer: Peer, reason: &dyn fmt::Display) {
        self.counters.links_refused.fetch_add(1, Ordering::Relaxed);
        let told = self.refusals.lock().unwrap_or_else(PoisonError::into_inner).take(clock::now());
        if let Some(suppressed) = told {
            tracing::info!(%peer, suppressed, "link refused: {reason}");
            self.tell(AuditEvent::Refused { peer, reason: reason.to_string(), suppressed });
        }
    }
}

/// Whoever is refused as fast as it can must not fill a disk.
#[derive(Debug)]
struct Refusals {
    /// In thousandths of a refusal.
    left: u64,
    since: Time,
    suppressed: u64,
}

impl Refusals {
    const MOST: u64 = 5 * REFUSALS_PER_SECOND * 1000;

    fn new(now: Time) -> Self {
        Self { left: Self::MOST, since: now, suppressed: 0 }
    }

    /// Whether one more may be told, and how many were not before it.
    fn take(&mut self, now: Time) -> Option<u64> {
        let passed = u64::try_from(now.since(self.since).as_millis()).unwrap_or(u64::MAX);
        if passed > 0 {
            self.left = self.left.saturating_add(passed.saturating_mul(REFUSALS_PER_SECOND)).min(Self::MOST);
            self.since = now;
        }
        match self.left.checked_sub(1000) {
            Some(left) => {
                self.left = left;
                Some(std::mem::take(&mut self.suppressed))
            }
            None => {
                self.suppressed += 1;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_at_a_bounded_rate_and_none_is_lost_from_the_count() {
        let mut refusals = Refusals::new(Time::ZERO);
        let (mut told, mut counted) = (0, 0);
        for millis in 0..10_000 {
            if let Some(suppressed) = refusals.take(Time::from_millis(millis)) {
                told += 1;
                counted += 1 + suppressed;
            }
        }
        assert!((290..=300).contains(&told), "{told}");
        assert_eq!(counted + refusals.suppressed, 10_000);
    }
}
