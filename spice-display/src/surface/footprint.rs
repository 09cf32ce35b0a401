//! What a drawing command touches, needs and hides.

use spice_proto::display::Ropd;
use spice_proto::{Point, Rect, SurfaceId};

use super::SurfaceShape;
use crate::canvas::clip_region;
use crate::qxl::{Brush, DrawCopy, DrawOp, Drawable, Image, ImageSource, Mask};
use crate::region::Region;

/// What a command means for the pixels of its surface and of others.
///
/// It follows from the operation and its operands alone. The guest's own word for it ([`crate::qxl::Effect`]) may be
/// wrong, and a picture must not depend on it.
#[derive(Clone, Debug)]
pub(super) struct Footprint {
    /// The pixels that it touches.
    pub(super) region: Region,
    /// Every one of them gets a value that does not depend on the old one.
    pub(super) overwrites: bool,
    /// It is painted whole or not at all: how the runs of a line are clipped changes what they draw.
    pub(super) whole: bool,
    /// The pixels of its own surface that it reads besides those that it touches.
    pub(super) reads_own: Region,
    /// The parts of other surfaces that it reads.
    pub(super) reads: Vec<(SurfaceId, Rect)>,
}

impl Footprint {
    /// The footprint of a command on a surface with these bounds, where `shape` knows the surfaces.
    ///
    /// # Errors
    /// A surface that it reads and that does not exist.
    pub(super) fn new(
        drawable: &Drawable,
        bounds: Rect,
        shape: impl Fn(SurfaceId) -> Option<SurfaceShape>,
    ) -> Result<Self, SurfaceId> {
        let region = clip_region(drawable.bbox, &drawable.clip, bounds);
        let whole = matches!(drawable.op, DrawOp::Stroke(_));
        let (reads_own, reads) = (Region::new(), Vec::new());
        let mut footprint = Self { region, overwrites: false, whole, reads_own, reads };
        for image in drawable.op.images() {
            match image.source {
                ImageSource::Surface(id) if id == drawable.surface => {
                    footprint.reads_own = Region::from(bounds);
                }
                ImageSource::Surface(id) => {
                    let size = shape(id).ok_or(id)?;
                    footprint.reads.push((id, Rect::new(0, 0, size.width, size.height)));
                }
                ImageSource::Own(area) => {
                    footprint.reads_own = footprint.reads_own.union_rect(&area.intersect(&bounds));
                }
                ImageSource::Bitmap(_) | ImageSource::Quic(_) => {}
            }
        }
        let bbox = drawable.bbox;
        footprint.overwrites = match &drawable.op {
            DrawOp::Blackness(mask) | DrawOp::Whiteness(mask) => mask.is_none(),
            DrawOp::Fill(fill) => {
                fill.rop == Ropd::OP_PUT && fill.mask.is_none() && matches!(fill.brush, Brush::Solid(_))
            }
            DrawOp::CopyBits(copy) => footprint.read_bits(bbox, copy.source, bounds),
            DrawOp::Copy(copy) | DrawOp::Blend(copy) => {
                footprint.read_copy(bbox, copy, drawable.surface, bounds, &shape)
            }
            DrawOp::Opaque(opaque) => {
                opaque.mask.is_none() && covers(&opaque.source, opaque.source_area, bbox, &shape)
            }
            _ => false,
        };
        Ok(footprint)
    }

    /// Narrows what a copy reads to what it needs; whether it overwrites.
    fn read_copy(
        &mut self,
        bbox: Rect,
        copy: &DrawCopy,
        own: SurfaceId,
        bounds: Rect,
        shape: impl Fn(SurfaceId) -> Option<SurfaceShape>,
    ) -> bool {
        let unscaled = same_size(bbox, copy.source_area);
        let whole = no_mask(copy.mask.as_ref()) && copy.rop == Ropd::OP_PUT;
        if unscaled && no_surface_mask(copy.mask.as_ref()) {
            match copy.source.source {
                ImageSource::Surface(id) if id == own => {
                    return self.read_bits(bbox, copy.source_area.origin(), bounds) && whole;
                }
                ImageSource::Surface(_) => {
                    for (_, area) in &mut self.reads {
                        *area = area.intersect(&copy.source_area);
                    }
                }
                _ => {}
            }
        }
        whole && covers(&copy.source, copy.source_area, bbox, shape)
    }

    /// Reads, for each pixel of the box, the one of the same surface that lies as far from `source` as it does from the
    /// box's corner; whether there is one for each.
    fn read_bits(&mut self, bbox: Rect, source: Point, bounds: Rect) -> bool {
        let (dx, dy) = (source.x.wrapping_sub(bbox.left), source.y.wrapping_sub(bbox.top));
        let moved = self.region.translate(dx, dy);
        self.reads_own = moved.intersect_rect(&bounds);
        self.reads_own.area() == self.region.area()
    }
}

/// Whether the image has a pixel for each of the box.
fn covers(image: &Image, area: Rect, bbox: Rect, shape: impl Fn(SurfaceId) -> Option<SurfaceShape>) -> bool {
    let (width, height) = match &image.source {
        ImageSource::Bitmap(bitmap) => (bitmap.width(), bitmap.height()),
        ImageSource::Surface(id) => match shape(*id) {
            Some(size) => (size.width, size.height),
            None => return false,
        },
        // What a packed image holds is known when it is unpacked.
        ImageSource::Quic(_) | ImageSource::Own(_) => return false,
    };
    same_size(bbox, area) && Rect::new(0, 0, width, height).contains(&area)
}

fn same_size(one: Rect, other: Rect) -> bool {
    (one.width(), one.height()) == (other.width(), other.height())
}

fn no_mask(mask: Option<&Mask>) -> bool {
    mask.is_none()
}

fn no_surface_mask(mask: Option<&Mask>) -> bool {
    mask.is_none_or(|mask| !matches!(mask.image.source, ImageSource::Surface(_) | ImageSource::Own(_)))
}
