//! What a server counts.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use spice_display::DisplayStats;

/// Counters since the start, and what is there now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Viewers that have a main channel.
    pub viewers: u64,
    /// Commands and device events taken from the guest.
    pub commands: u64,
    /// Of these, commands that were refused.
    pub refused: u64,
    /// Connections that were not let in, or not to a channel; each, also those that no log was told of.
    pub links_refused: u64,
    /// Bytes that sockets have taken, after the link.
    pub bytes: u64,
    /// Items in the display pipes of all viewers.
    pub queued: u64,
    /// How often a viewer was squashed.
    pub squashes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) viewers: AtomicU64,
    pub(crate) commands: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) links_refused: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) queued: AtomicU64,
    pub(crate) squashes: AtomicU64,
    /// Whether viewers say positions rather than motion.
    pub(crate) positions: AtomicBool,
}

impl Counters {
    /// A display has other numbers than it had. Sums wrap, so that displays can come and go in any order.
    pub(crate) fn change(&self, from: DisplayStats, to: DisplayStats) {
        let change = |counter: &AtomicU64, from: u64, to: u64| {
            counter.fetch_add(to.wrapping_sub(from), Ordering::Relaxed);
        };
        change(&self.queued, from.queued as u64, to.queued as u64);
        change(&self.squashes, from.squashes, to.squashes);
    }

    pub(crate) fn snapshot(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            viewers: read(&self.viewers),
            commands: read(&self.commands),
            refused: read(&self.refused),
            links_refused: read(&self.links_refused),
            bytes: read(&self.bytes),
            queued: read(&self.queued),
            squashes: read(&self.squashes),
        }
    }
}
