//! A drawing command, painted.

use spice_proto::display::{BitmapFormat, Ropd};
use spice_proto::{Point, Rect, SurfaceId};

use super::brush::BrushPixels;
use super::operand::offset;
use super::{Canvas, Pixels};
use crate::qxl::{Bitmap, DrawCopy, DrawFill, DrawOp, Drawable, ImageSource};
use crate::region::Region;

/// Where a command finds the surfaces that it reads.
pub trait Surfaces {
    /// The pixels of a surface, as they are when the command is painted; its own, too.
    fn canvas(&self, id: SurfaceId) -> Option<&Canvas>;
}

/// Why a command is not painted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaintError {
    /// An operation, or an operand of it, that is not painted here.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// A surface that is read and does not exist.
    #[error("surface {0} does not exist")]
    Surface(SurfaceId),
    /// A bitmap of a format that its use does not allow.
    #[error("a bitmap of format {0} cannot be used there")]
    Format(BitmapFormat),
    /// A source area that reaches beyond its image, or lies before it.
    #[error("the source area {area:?} reaches beyond an image of {width}x{height} pixels")]
    OutsideImage {
        /// The area.
        area: Rect,
        /// Columns of the image.
        width: u32,
        /// Rows of the image.
        height: u32,
    },
}

impl Canvas {
    /// Paints a command on the pixels of `region`, which is its box within its clip and the canvas.
    ///
    /// # Errors
    /// What cannot be painted; no pixel has changed then.
    pub fn paint(
        &mut self,
        drawable: &Drawable,
        region: &Region,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        let bbox = drawable.bbox;
        match &drawable.op {
            DrawOp::Nop => Ok(()),
            DrawOp::CopyBits(copy) => {
                self.copy_bits(region, offset(bbox, copy.source));
                Ok(())
            }
            DrawOp::Fill(fill) => self.paint_fill(region, fill, surfaces),
            DrawOp::Copy(copy) | DrawOp::Blend(copy) => self.paint_copy(region, bbox, copy, surfaces),
            DrawOp::Stroke(stroke) => self.stroke(region, stroke, surfaces),
            DrawOp::Text(text) => self.text(region, text, surfaces),
            _ => Err(PaintError::Unsupported("this drawing operation")),
        }
    }

    fn paint_fill(
        &mut self,
        region: &Region,
        fill: &DrawFill,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        if fill.rop != Ropd::OP_PUT || fill.mask.is_some() {
            return Err(PaintError::Unsupported("a fill with a mask or a raster operation"));
        }
        match self.brush(&fill.brush, surfaces)? {
            BrushPixels::Solid(bits) => self.fill(region, bits),
            BrushPixels::Tile { .. } => return Err(PaintError::Unsupported("a pattern")),
        }
        Ok(())
    }

    fn paint_copy(
        &mut self,
        region: &Region,
        bbox: Rect,
        copy: &DrawCopy,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        let area = copy.source_area;
        if copy.rop != Ropd::OP_PUT || copy.mask.is_some() {
            return Err(PaintError::Unsupported("a copy with a mask or a raster operation"));
        }
        if (bbox.width(), bbox.height()) != (area.width(), area.height()) {
            return Err(PaintError::Unsupported("scaling an image"));
        }
        let offset = offset(bbox, area.origin());
        if let (ImageSource::Bitmap(bitmap), Pixels::Bits32(_)) = (&copy.source.source, &self.pixels)
            && bitmap.depth() == 32
        {
            self.put_bitmap(region, bitmap, offset);
            return Ok(());
        }
        let source = self.operand(&copy.source, surfaces)?;
        self.put(region, &source, offset)
    }

    /// Copies from a bitmap of 32 bits to the pixels of `region`, on a canvas of 32 bits, all four bytes of each.
    pub(super) fn put_bitmap(&mut self, region: &Region, bitmap: &Bitmap, offset: Point) {
        let Pixels::Bits32(plane) = &mut self.pixels else { return };
        plane.copy_runs(region, (bitmap.width(), bitmap.height()), offset, |run, x, y| {
            let bytes = bitmap.row(y).get(x as usize * size_of::<u32>()..).unwrap_or_default();
            let (pixels, _) = bytes.as_chunks();
            for (to, from) in run.iter_mut().zip(pixels) {
                *to = u32::from_le_bytes(*from);
            }
        });
    }

    /// Copies from another canvas to the pixels of `region`.
    pub(super) fn put(&mut self, region: &Region, source: &Self, offset: Point) -> Result<(), PaintError> {
        match (&mut self.pixels, &source.pixels) {
            (Pixels::Bits8(plane), Pixels::Bits8(source)) => plane.copy(region, source, offset),
            (Pixels::Bits16(plane), Pixels::Bits16(source)) => plane.copy(region, source, offset),
            (Pixels::Bits32(plane), Pixels::Bits32(source)) => plane.copy(region, source, offset),
            _ => return Err(PaintError::Unsupported("a copy between depths")),
        }
        Ok(())
    }
}
