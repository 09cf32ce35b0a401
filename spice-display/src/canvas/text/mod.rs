//! Glyphs.

mod mask;
mod over;
#[cfg(test)]
mod tests;

use spice_proto::display::{Ropd, SurfaceFormat};
use spice_proto::{Point, Rect};

use super::brush::BrushPixels;
use super::paint::{PaintError, Surfaces};
use super::plane::{Pixel, Plane};
use super::stroke::{Pen, Rop, repeated};
use super::{Canvas, Pixels};
use crate::qxl::{Brush, DrawText};
use crate::region::Region;

use mask::Mask;

/// The size from which on tiles are not drawn.
const MAX_TILE: u32 = 0x7fff;

impl Canvas {
    /// Fills the back area, then lays the brush over that where the glyphs are, both as far as they are in `region`.
    ///
    /// Both are put, whatever the raster operations: where there is a back area and `fore_mode` is not to put, nothing
    /// is drawn, and no glyph is in a string that is 32767 pixels long or high. A tile is not repeated from a place on
    /// the surface but from the corner of the box around all glyphs.
    ///
    /// # Errors
    /// A brush that cannot be painted with; no pixel has changed then.
    pub(super) fn text(
        &mut self,
        region: &Region,
        text: &DrawText,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        let fore = match &text.fore_brush {
            Brush::None => None,
            brush => Some(self.brush(brush, surfaces)?),
        };
        if !text.back_area.is_empty() {
            if text.fore_mode != Ropd::OP_PUT {
                return Ok(());
            }
            let brush = self.brush(&text.back_brush, surfaces)?;
            Pen::new(self, &region.intersect_rect(&text.back_area), brush, Rop::PUT)?.everything();
        }
        let within = region.extents().intersect(&self.bounds());
        if let (Some(fore), Some(mask)) = (fore, Mask::new(&text.glyphs, within)) {
            self.lay_over(&region.intersect_rect(&mask.area()), &mask, &fore);
        }
        Ok(())
    }

    fn lay_over(&mut self, region: &Region, mask: &Mask, brush: &BrushPixels<'_>) {
        match brush {
            BrushPixels::Solid(bits) => {
                let colour = over::solid(self.format, *bits);
                self.lay(region, mask, |_| colour);
            }
            BrushPixels::Tile { tile, origin } => {
                let (width, height) = (tile.width(), tile.height());
                if width.max(height) >= MAX_TILE {
                    return;
                }
                let corner = mask.bounds().origin();
                self.lay(region, mask, |at| {
                    let column = repeated(at.x - corner.x, origin.x, width);
                    let row = repeated(at.y - corner.y, origin.y, height);
                    let bits = tile.pixel(Point::new(column as i32, row as i32)).unwrap_or(0);
                    over::colour(tile.format(), bits)
                });
            }
        }
        self.clear_top(region, mask.bounds().intersect(&self.bounds()));
    }

    /// Lays a colour over each pixel of a region, as far as the mask says.
    fn lay(&mut self, region: &Region, mask: &Mask, colour: impl Fn(Point) -> u32) {
        match &mut self.pixels {
            Pixels::Bits8(plane) => lay(plane, self.format, region, mask, colour),
            Pixels::Bits16(plane) => lay(plane, self.format, region, mask, colour),
            Pixels::Bits32(plane) => lay(plane, self.format, region, mask, colour),
        }
    }

    /// Clears the top bytes, where they mean nothing, in the box of a string when that of its first pixel is full;
    /// else they stay.
    fn clear_top(&mut self, region: &Region, string: Rect) {
        let first = self.pixel(string.origin()).unwrap_or(0);
        if let Pixels::Bits32(plane) = &mut self.pixels
            && self.format == SurfaceFormat::RGB32
            && first >> 24 == 0xff
        {
            plane.runs(region, |run, _| run.iter_mut().for_each(|pixel| *pixel &= 0x00ff_ffff));
        }
    }
}

fn lay<P: Pixel>(
    plane: &mut Plane<P>,
    format: SurfaceFormat,
    region: &Region,
    mask: &Mask,
    colour: impl Fn(Point) -> u32,
) {
    plane.runs(region, |run, at| {
        for ((pixel, cover), x) in run.iter_mut().zip(mask.from(at)).zip(at.x..) {
            let colour = colour(Point::new(x, at.y));
            *pixel = P::from_bits(over::over(format, colour, *cover, pixel.bits()));
        }
    });
}
