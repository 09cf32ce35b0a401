//! A picture that changes.

use spice_display::qxl::Image;
use spice_display::region::Region;
use spice_proto::Point;

use super::paint::Canvas;
use super::raster::Raster;

/// Pixels together with what the viewers have not seen of them.
#[derive(Clone, Debug)]
pub(super) struct Pane {
    raster: Raster,
    /// All of `raster` as a bitmap, so that it keeps one name as long as it does not change.
    bitmap: Option<Image>,
    stale: Region,
}

impl Pane {
    pub(super) fn new(raster: Raster) -> Self {
        Self { raster, bitmap: None, stale: Region::default() }
    }

    /// Shows another raster, of the same size; what is the same on both has not changed.
    pub(super) fn replace(&mut self, raster: Raster) {
        let changed = raster.difference(&self.raster);
        if !changed.is_empty() {
            self.stale = self.stale.union(&changed);
            self.bitmap = None;
            self.raster = raster;
        }
    }

    /// Shows another raster, of the same size, and counts all of it as changed, as fits the frames of a film.
    pub(super) fn renew(&mut self, raster: Raster) {
        self.stale = Region::from(raster.area());
        self.bitmap = None;
        self.raster = raster;
    }

    /// What changed and was not taken yet, counted from the pane's corner.
    pub(super) fn stale(&self) -> &Region {
        &self.stale
    }

    pub(super) fn take_stale(&mut self) -> Region {
        core::mem::take(&mut self.stale)
    }

    /// Paints it with its top left corner at `at`.
    pub(super) fn paint(&mut self, canvas: &mut Canvas<'_>, at: Point) {
        let Self { raster, bitmap, .. } = self;
        canvas.raster(at, (raster.width(), raster.height()), bitmap, || &*raster);
    }
}

#[cfg(test)]
impl Pane {
    /// Drops the bitmap that was kept, so that the next painting starts from the pixels.
    pub(super) fn forget_bitmap(&mut self) {
        self.bitmap = None;
    }
}
