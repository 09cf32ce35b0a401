//! Where the surfaces lie in the guest's memory.

use std::collections::BTreeMap;

use spice_display::qxl::SurfacePlace;
use spice_display::qxl::parse::ReleaseInfo;
use spice_proto::{Rect, SurfaceId};

/// The surfaces that there are, each with the command that created it, which the guest gets back when it ends.
#[derive(Debug, Default)]
pub(super) struct Surfaces(BTreeMap<SurfaceId, (SurfacePlace, Option<ReleaseInfo>)>);

impl Surfaces {
    pub(super) fn insert(&mut self, id: SurfaceId, place: SurfacePlace, created_by: Option<ReleaseInfo>) {
        self.0.insert(id, (place, created_by));
    }

    /// A surface ends; its command is the answer.
    pub(super) fn remove(&mut self, id: SurfaceId) -> Option<ReleaseInfo> {
        self.0.remove(&id).and_then(|(_, created_by)| created_by)
    }

    pub(super) fn ids(&self) -> Vec<SurfaceId> {
        self.0.keys().copied().collect()
    }

    pub(super) fn place(&self, id: SurfaceId) -> Option<SurfacePlace> {
        self.0.get(&id).map(|(place, _)| *place)
    }

    /// All of a surface.
    pub(super) fn area(&self, id: SurfaceId) -> Option<Rect> {
        self.place(id).map(|place| Rect::new(0, 0, place.width, place.height))
    }
}
