//! Masks: which pixels of a box are drawn.

use spice_proto::display::SurfaceFormat;
use spice_proto::{Point, Rect};

use super::operand::{index, offset};
use super::plane::Pixel;
use super::surfaces::{PaintError, Surfaces};
use super::{Pixels, each_depth};
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
            Ok(set_pixels(region, (bitmap.width(), bitmap.height()), corner, |y| {
                let row = bitmap.row(y);
                move |x| (index(format, row, x as usize) == 1) != mask.inverted
            }))
        }
        ImageSource::Surface(id) => {
            let canvas = surfaces.canvas(*id).ok_or(PaintError::Surface(*id))?;
            let size = (canvas.width(), canvas.height());
            Ok(match (&canvas.pixels, canvas.format) {
                (Pixels::Bits8(plane), SurfaceFormat::A1) => set_pixels(region, size, corner, |y| {
                    let row = plane.row(y);
                    move |x| (row.get(x as usize).is_some_and(|bit| *bit != 0)) != mask.inverted
                }),
                // The C server takes the memory of any surface for bits, as many in a row as there are pixels.
                (pixels, _) => each_depth!(pixels, plane => set_pixels(region, size, corner, |y| {
                    let row = plane.row(y);
                    move |x| bit_of(row, x) != mask.inverted
                })),
            })
        }
        ImageSource::Quic(_) | ImageSource::Own(_) => Err(PaintError::Unsupported("a mask of colours")),
    }
}

/// A bit of a row of pixels, the lowest one of the first pixel first.
fn bit_of<P: Pixel>(row: &[P], x: u32) -> bool {
    let bits = 8 * size_of::<P>() as u32;
    row.get((x / bits) as usize).is_some_and(|pixel| pixel.bits() >> (x % bits) & 1 == 1)
}

/// The pixels of `region` that are set in a mask of this size with its corner at `corner`: `row` answers, for a row of
/// the mask, which of its columns are.
fn set_pixels<R: Fn(u32) -> bool>(
    region: &Region,
    (width, height): (u32, u32),
    corner: Point,
    row: impl Fn(u32) -> R,
) -> Region {
    let bounds = Rect::new(corner.x, corner.y, width, height).intersect(&region.extents());
    let rows = (bounds.top..bounds.bottom).flat_map(|y| {
        let set = row(y.abs_diff(corner.y));
        let is_set = move |x: i32| set(x.abs_diff(corner.x));
        let mut from = bounds.left;
        std::iter::from_fn(move || {
            let left = (from..bounds.right).find(|x| is_set(*x))?;
            let right = (left..bounds.right).find(|x| !is_set(*x)).unwrap_or(bounds.right);
            from = right;
            Some(Rect::from_edges(left, y, right, y + 1))
        })
    });
    let set = Region::from_rows(rows);
    if region.contains_rect(&bounds) { set } else { set.intersect(region) }
}
