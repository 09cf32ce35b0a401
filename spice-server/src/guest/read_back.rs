//! What a guest reads of its own display.

use spice_display::DisplayChannel;
use spice_display::canvas::Canvas;
use spice_display::region::Region;
use spice_proto::{Rect, SurfaceId};

/// A display in the hands of its guest, to be read.
#[derive(Debug)]
pub struct ReadBack<'a> {
    display: &'a mut DisplayChannel,
}

impl<'a> ReadBack<'a> {
    pub(crate) fn new(display: &'a mut DisplayChannel) -> Self {
        Self { display }
    }

    /// The pixels of a surface, those of `area` as they are now; none without such a surface.
    pub fn canvas(&mut self, surface: SurfaceId, area: Rect) -> Option<&Canvas> {
        self.display.canvas(surface, area)
    }

    /// What was drawn on a surface within `area` since it was last taken with `clear`, as at most `most` rectangles; none
    /// without such a surface ([`DisplayChannel::take_dirty`]).
    pub fn take_dirty(
        &mut self,
        surface: SurfaceId,
        area: &Rect,
        clear: bool,
        most: usize,
    ) -> Option<Region> {
        self.display.take_dirty(surface, area, clear, most)
    }
}
