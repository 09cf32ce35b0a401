//! Masks: which pixels of a box are drawn.

use spice_proto::display::SurfaceFormat;
use spice_proto::{Point, Rect};

use super::Pixels;
use super::operand::{index, offset};
use super::paint::{PaintError, Surfaces};
use crate::qxl::{BitmapFormat, ImageSource, Mask};
use crate::region::Region;

/// The pixels of `region` that a mask lets through: those over a set bit of it, or over one that is not set where it
/// is inverted. What lies beside the mask is not drawn either way.
pub(super) fn masked(
    region: &Region,
    bbox: Rect,
    mask: Option<&Mask>,
    surfaces: &dyn Surfaces,
) -> Result<Region, PaintError> {
    let Some(mask) = mask else { return Ok(region.clone()) };
    let corner = offset(bbox, mask.pos);
    match &mask.image.source {
        ImageSource::Bitmap(bitmap) => {
            let format = bitmap.format();
            if !matches!(format, BitmapFormat::BIT1_LE | BitmapFormat::BIT1_BE) {
                return Err(PaintError::Format(format));
            }
            Ok(set_pixels(region, (bitmap.width(), bitmap.height()), corner, |x, y| {
                (index(format, bitmap.row(y), x as usize) == 1) != mask.inverted
            }))
        }
        ImageSource::Surface(id) => {
            let canvas = surfaces.canvas(*id).ok_or(PaintError::Surface(*id))?;
            let (Pixels::Bits8(plane), SurfaceFormat::A1) = (&canvas.pixels, canvas.format) else {
                return Err(PaintError::Unsupported("a mask of a surface with more than one bit"));
            };
            Ok(set_pixels(region, (canvas.width(), canvas.height()), corner, |x, y| {
                plane.row(y).get(x as usize).is_some_and(|bit| (*bit != 0) != mask.inverted)
            }))
        }
        ImageSource::Quic(_) | ImageSource::Own(_) => Err(PaintError::Unsupported("a mask of colours")),
    }
}

/// The pixels of `region` for which `set` holds at their place in a mask of this size with its corner at `corner`.
fn set_pixels(
    region: &Region,
    (width, height): (u32, u32),
    corner: Point,
    set: impl Fn(u32, u32) -> bool,
) -> Region {
    let bounds = Rect::new(corner.x, corner.y, width, height).intersect(&region.extents());
    let rows = (bounds.top..bounds.bottom).flat_map(|y| {
        let (row, set) = (y.abs_diff(corner.y), &set);
        let is_set = move |x: i32| set(x.abs_diff(corner.x), row);
        let mut from = bounds.left;
        std::iter::from_fn(move || {
            let left = (from..bounds.right).find(|x| is_set(*x))?;
            let right = (left..bounds.right).find(|x| !is_set(*x)).unwrap_or(bounds.right);
            from = right;
            Some(Rect::from_edges(left, y, right, y + 1))
        })
    });
    Region::from_rows(rows).intersect(region)
}
