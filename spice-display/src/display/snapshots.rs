//! Parts of surfaces as they were, for all viewers that are sent them.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use spice_proto::{Rect, SurfaceId};

use crate::image::Picture;
use crate::surface::{Generation, Sequence, SurfaceTable};

/// How many are remembered: the tiles of a large screen.
const MOST: usize = 256;

/// Bytes of those that are kept although nobody waits for them at the moment.
const KEPT: usize = 8 << 20;

/// One that is larger is kept by those who wait for it, and by nobody else.
const LARGE: usize = KEPT / 4;

/// The snapshots of late, the newest first: those of the same pixels are one, and so are their encodings. What is still
/// as it was is found by one laggard after the other.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    known: VecDeque<(Key, Snapshot)>,
    /// Bytes of those that are kept.
    kept: usize,
}

/// Which pixels, and when.
type Key = (SurfaceId, Generation, Sequence, Rect);

#[derive(Debug)]
enum Snapshot {
    Kept(Arc<Picture>),
    Waited(Weak<Picture>),
}

impl Snapshot {
    fn picture(&self) -> Option<Arc<Picture>> {
        match self {
            Self::Kept(picture) => Some(Arc::clone(picture)),
            Self::Waited(picture) => picture.upgrade(),
        }
    }

    /// What is kept for its sake.
    fn len(&self) -> usize {
        match self {
            Self::Kept(picture) => picture.len(),
            Self::Waited(_) => 0,
        }
    }
}

impl Snapshots {
    /// The pixels of a surface as they are now.
    pub(super) fn take(
        &mut self,
        id: SurfaceId,
        area: Rect,
        surfaces: &mut SurfaceTable,
    ) -> Option<Arc<Picture>> {
        let surface = surfaces.surface(id)?;
        let key = (id, surface.generation(), surface.newest(&area), area);
        let known = self.known.iter().find(|(known, _)| *known == key);
        if let Some(picture) = known.and_then(|(_, snapshot)| snapshot.picture()) {
            return Some(picture);
        }
        let pixels = surfaces.canvas(id, area)?.bitmap(area)?;
        let picture = Arc::new(Picture::new(Arc::new(pixels), false));
        self.remember(key, &picture);
        Some(picture)
    }

    fn remember(&mut self, key: Key, picture: &Arc<Picture>) {
        let snapshot = if picture.len() > LARGE {
            Snapshot::Waited(Arc::downgrade(picture))
        } else {
            Snapshot::Kept(Arc::clone(picture))
        };
        self.kept += snapshot.len();
        self.known.push_front((key, snapshot));
        while self.kept > KEPT || self.known.len() > MOST {
            let Some((_, oldest)) = self.known.pop_back() else { break };
            self.kept -= oldest.len();
        }
    }

    /// Nobody is to be sent anything any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
