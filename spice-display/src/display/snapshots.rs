//! Parts of surfaces as they were, for all viewers that are sent them at the same time.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use spice_proto::{Rect, SurfaceId};

use crate::image::Picture;
use crate::surface::{Generation, Sequence, SurfaceTable};

/// How many are remembered.
const MOST: usize = 16;

/// The snapshots that somebody still waits for: those of the same pixels are one.
#[derive(Debug, Default)]
pub(super) struct Snapshots(VecDeque<(Key, Weak<Picture>)>);

/// Which pixels, and when.
type Key = (SurfaceId, Generation, Option<Sequence>, Rect);

impl Snapshots {
    /// The pixels of a surface as they are now.
    pub(super) fn take(
        &mut self,
        id: SurfaceId,
        area: Rect,
        surfaces: &mut SurfaceTable,
    ) -> Option<Arc<Picture>> {
        let surface = surfaces.surface(id)?;
        let key = (id, surface.generation(), surface.newest(), area);
        let known = self.0.iter().find(|(known, _)| *known == key);
        if let Some(picture) = known.and_then(|(_, picture)| picture.upgrade()) {
            return Some(picture);
        }
        let pixels = surfaces.canvas(id, area)?.bitmap(area)?;
        let picture = Arc::new(Picture::new(Arc::new(pixels), false));
        self.0.retain(|(_, picture)| picture.strong_count() > 0);
        self.0.truncate(MOST - 1);
        self.0.push_front((key, Arc::downgrade(&picture)));
        Some(picture)
    }
}
