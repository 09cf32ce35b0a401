//! Which pixels a drawing command touches.

use spice_proto::Rect;

use crate::qxl::Clip;
use crate::region::Region;

/// The pixels of `bbox` that `clip` lets through and that lie within `bounds`, those of the surface.
///
/// A clip list without rectangles lets nothing through. The region has at most one rectangle for every two pixels
/// of `bounds`, however many the clip list has.
#[must_use]
pub fn clip_region(bbox: Rect, clip: &Clip, bounds: Rect) -> Region {
    let visible = bbox.intersect(&bounds);
    match clip {
        Clip::None => Region::from(visible),
        Clip::Rects(rects) => rects.iter().map(|rect| rect.intersect(&visible)).collect(),
    }
}
