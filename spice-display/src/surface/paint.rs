//! Drawing commands onto surfaces.

use std::mem;

use spice_proto::display::Ropd;
use spice_proto::{Point, Rect, SurfaceId};

use super::SurfaceTable;
use crate::canvas::{Canvas, clip_region};
use crate::qxl::{Brush, DrawOp, Drawable, ImageSource};
use crate::region::Region;

/// Why a drawing command is refused. It is not painted, and no viewer hears of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError {
    /// The box reaches beyond the surface.
    #[error("the box {bbox:?} reaches beyond surface {surface} of {width}x{height} pixels")]
    Outside {
        /// The surface.
        surface: SurfaceId,
        /// The box.
        bbox: Rect,
        /// Columns of the surface.
        width: u32,
        /// Rows of the surface.
        height: u32,
    },
    /// A raster operation that is not painted here.
    #[error("raster operation {0:#x} is not supported")]
    Rop(u16),
    /// An image that would have to be scaled.
    #[error("scaling an image is not supported")]
    Scaled,
    /// A surface that does not exist.
    #[error("surface {0} does not exist")]
    Surface(SurfaceId),
}

/// Paints a command and answers the pixels that it touches, if there are any.
pub(crate) fn paint(surfaces: &mut SurfaceTable, drawable: &Drawable) -> Result<Region, DrawError> {
    let id = drawable.surface;
    let target = surfaces.surface_mut(id).ok_or(DrawError::Surface(id))?;
    let bounds = target.canvas.bounds();
    if drawable.bbox.is_empty() {
        return Ok(Region::new());
    }
    if !bounds.contains(&drawable.bbox) {
        let (width, height) = (target.canvas.width(), target.canvas.height());
        return Err(DrawError::Outside { surface: id, bbox: drawable.bbox, width, height });
    }
    let region = clip_region(drawable.bbox, &drawable.clip, bounds);
    match &drawable.op {
        DrawOp::Fill(fill) => {
            only_put(fill.rop)?;
            let Brush::Solid(colour) = fill.brush;
            target.canvas.fill(&region, colour);
        }
        DrawOp::CopyBits(copy) => {
            target.canvas.copy_bits(&region, offset(drawable.bbox, copy.source));
        }
        DrawOp::Copy(copy) => {
            only_put(copy.rop)?;
            let (bbox, area) = (&drawable.bbox, &copy.source_area);
            if (bbox.width(), bbox.height()) != (area.width(), area.height()) {
                return Err(DrawError::Scaled);
            }
            let offset = offset(*bbox, area.origin());
            match &copy.source {
                ImageSource::Bitmap(bitmap) => target.canvas.copy_bitmap(&region, bitmap, offset),
                ImageSource::Surface(source) if *source == id => target.canvas.copy_bits(&region, offset),
                ImageSource::Surface(source) => copy_surface(surfaces, id, *source, &region, offset)?,
            }
        }
    }
    Ok(region)
}

/// Where a source's corner comes to lie, counted from the target's.
fn offset(bbox: Rect, source: Point) -> Point {
    Point::new(bbox.left.saturating_sub(source.x), bbox.top.saturating_sub(source.y))
}

fn only_put(rop: Ropd) -> Result<(), DrawError> {
    if rop == Ropd::OP_PUT { Ok(()) } else { Err(DrawError::Rop(rop.bits())) }
}

fn copy_surface(
    surfaces: &mut SurfaceTable,
    target: SurfaceId,
    source: SurfaceId,
    region: &Region,
    offset: Point,
) -> Result<(), DrawError> {
    if surfaces.surface(source).is_none() {
        return Err(DrawError::Surface(source));
    }
    let Some(canvas) = surfaces.surface_mut(target).map(|surface| &mut surface.canvas) else {
        return Err(DrawError::Surface(target));
    };
    let mut painted = mem::replace(canvas, Canvas::new(0, 0));
    if let Some(source) = surfaces.surface(source) {
        painted.copy_canvas(region, &source.canvas, offset);
    }
    if let Some(surface) = surfaces.surface_mut(target) {
        surface.canvas = painted;
    }
    Ok(())
}
