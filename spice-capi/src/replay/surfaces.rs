//! Which id a recorded surface has on the host's device.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use spice_proto::SurfaceId;

/// What a surface is called that the recording never created: no surface is.
pub(super) const UNKNOWN: SurfaceId = SurfaceId(u32::MAX);

/// The surfaces of a recording.
///
/// Guests use an id again when they are told that its surface has ended. A host may be behind the recording, so an id
/// is used again only when the host has given the command back that ended its surface. The recorded device may also
/// have had more ids than the host's.
#[derive(Debug)]
pub(super) struct Surfaces {
    ids: Mutex<Ids>,
    freed: Condvar,
}

#[derive(Debug)]
struct Ids {
    /// The ids of surfaces that live, by those that were recorded.
    live: BTreeMap<u32, u32>,
    /// Ids that were used before and are free.
    free: BTreeSet<u32>,
    /// The lowest id that was never used.
    next: u32,
    /// Ids are below this.
    most: u32,
    /// Commands that end a surface and were not given back yet.
    ending: u32,
}

impl Surfaces {
    /// Ids below `most`; 0 is the primary surface's.
    pub(super) fn new(most: u32) -> Self {
        let (live, free) = (BTreeMap::new(), BTreeSet::new());
        Self { ids: Mutex::new(Ids { live, free, next: 1, most, ending: 0 }), freed: Condvar::new() }
    }

    fn ids(&self) -> MutexGuard<'_, Ids> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of a surface.
    pub(super) fn shown(&self, recorded: SurfaceId) -> SurfaceId {
        if recorded == SurfaceId::PRIMARY {
            return recorded;
        }
        self.ids().live.get(&recorded.0).copied().map_or(UNKNOWN, SurfaceId)
    }

    /// A surface begins. It waits while the host has commands that will free an id; where none will, the answer is none.
    pub(super) fn begin(&self, recorded: SurfaceId) -> Option<SurfaceId> {
        let mut ids = self.ids();
        if let Some(id) = ids.live.get(&recorded.0) {
            return Some(SurfaceId(*id));
        }
        loop {
            if let Some(id) = ids.take() {
                ids.live.insert(recorded.0, id);
                return Some(SurfaceId(id));
            }
            if ids.ending == 0 {
                return None;
            }
            ids = self.freed.wait(ids).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A surface ends: its id is to be freed when the command that says so comes back.
    pub(super) fn end(&self, recorded: SurfaceId) -> Option<SurfaceId> {
        let mut ids = self.ids();
        let id = ids.live.remove(&recorded.0)?;
        ids.ending += 1;
        Some(SurfaceId(id))
    }

    /// The command that ended the surface of this id has come back.
    pub(super) fn free(&self, id: SurfaceId) {
        let mut ids = self.ids();
        ids.ending = ids.ending.saturating_sub(1);
        ids.free.insert(id.0);
        self.freed.notify_all();
    }

    /// All surfaces have ended.
    pub(super) fn clear(&self) {
        let mut ids = self.ids();
        let live = std::mem::take(&mut ids.live);
        ids.free.extend(live.into_values());
    }
}

impl Ids {
    fn take(&mut self) -> Option<u32> {
        if let Some(id) = self.free.pop_first() {
            return Some(id);
        }
        let id = self.next;
        if id >= self.most {
            return None;
        }
        self.next += 1;
        Some(id)
    }
}
