//! TEXT: glyphs that are drawn already, as masks for a brush.

use spice_proto::Rect;
#[cfg(test)]
mod tests;

use spice_proto::display::{Glyph, Glyphs, Ropd, SurfaceFormat};

use super::brush::BrushPixels;
use super::composite::{Affine, Filter, Repeat, Sampler};
use super::rop::Rop2;
use super::surfaces::{PaintError, Surfaces};
use super::{Canvas, Pixels};
use crate::qxl::{Brush, DrawText};
use crate::region::Region;

/// The size from which on masks and tiles cannot be used, as in pixman.
const MAX_SIZE: u32 = 0x7fff;

impl Canvas {
    /// Fills the back area, then puts the brush over the pixels of `region` by the glyphs' alpha.
    ///
    /// Glyphs have their lowest row first, whatever their flags say: nobody looks at that one. A tile's copies are
    /// counted from the corner of the smallest rectangle around all glyphs; where that, or the tile, has 32767 columns
    /// or rows or more, no glyph is drawn.
    ///
    /// On [`SurfaceFormat::RGB32`] the byte that means nothing becomes what an alpha would, unless that of the string's
    /// first pixel is full then: all of them are cleared.
    pub(super) fn paint_text(
        &mut self,
        region: &Region,
        text: &DrawText,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        let tile = match &text.fore_brush {
            Brush::Pattern(pattern) => Some(self.operand(&pattern.image, surfaces)?),
            Brush::None | Brush::Solid(_) => None,
        };
        if !text.back_area.is_empty() {
            if text.fore_mode != Ropd::OP_PUT {
                return Ok(());
            }
            let back = self.brush(&text.back_brush, surfaces)?;
            self.apply_brush(&region.intersect_rect(&text.back_area), &back, Rop2::PUT);
        }
        let Some(mask) = Mask::new(&text.glyphs, region.extents()) else { return Ok(()) };
        let region = region.intersect_rect(&mask.area);
        let covered = |x, y| mask.alpha(x, y);
        match (&text.fore_brush, &tile) {
            (Brush::Solid(colour), _) => {
                let colour = self.opaque(*colour);
                self.cover(&region, |_, _| colour, covered);
            }
            (Brush::Pattern(pattern), Some(tile)) if tile.width().max(tile.height()) < MAX_SIZE => {
                let begin = mask.all.origin();
                let sampler = Sampler {
                    image: tile,
                    format: tile.format,
                    affine: Affine::identity(),
                    filter: Filter::Nearest,
                    repeat: Repeat::Normal,
                };
                let place = |at: i32, begin: i32, pos: i32| at.wrapping_sub(begin).wrapping_sub(pos);
                self.cover(
                    &region,
                    |x, y| sampler.pixel(place(x, begin.x, pattern.pos.x), place(y, begin.y, pattern.pos.y)),
                    covered,
                );
            }
            _ => return Ok(()),
        }
        let first = mask.all.intersect(&self.bounds()).origin();
        if self.format == SurfaceFormat::RGB32 && self.pixel(first).is_some_and(|bits| bits >> 24 == 0xff) {
            self.apply_brush(&region, &BrushPixels::Solid(0x00ff_ffff), Rop2::AND);
        }
        Ok(())
    }

    /// A brush's colour with full alpha. On surfaces of 16 bits it is one of 555, 565 among them.
    fn opaque(&self, colour: u32) -> u32 {
        let Pixels::Bits16(_) = self.pixels else { return colour | 0xff00_0000 };
        let widened = |shift: u32| ((colour >> shift & 0x1f) * 0xffff / 0x1f) >> 8;
        0xff00_0000 | widened(10) << 16 | widened(5) << 8 | widened(0)
    }
}

/// The smallest rectangle around two, of which either may have no pixels but still is where it is.
fn around(one: Rect, other: Rect) -> Rect {
    Rect::from_edges(
        one.left.min(other.left),
        one.top.min(other.top),
        one.right.max(other.right),
        one.bottom.max(other.bottom),
    )
}

/// The alpha of all glyphs together, as far as it is seen.
struct Mask {
    /// The pixels that it has.
    area: Rect,
    /// The smallest rectangle around all glyphs, those without pixels among them.
    all: Rect,
    alphas: Vec<u8>,
}

impl Mask {
    /// The glyphs' mask within `seen`, or `None` where there is nothing of them.
    fn new(glyphs: &Glyphs, seen: Rect) -> Option<Self> {
        let depth = glyphs.flags.depth()?;
        let place = |glyph: &Glyph| {
            let left = glyph.render_pos.x.saturating_add(glyph.origin.x);
            let top = glyph.render_pos.y.saturating_add(glyph.origin.y);
            Rect::new(left, top, glyph.width.into(), glyph.height.into())
        };
        let all = glyphs.glyphs.iter().map(place).reduce(around)?;
        let area = all.intersect(&seen);
        if area.is_empty() || all.width().max(all.height()) >= MAX_SIZE {
            return None;
        }
        let alphas = vec![0; area.width() as usize * area.height() as usize];
        let mut mask = Self { area, all, alphas };
        for glyph in &glyphs.glyphs {
            mask.add(glyph, place(glyph), depth);
        }
        Some(mask)
    }

    fn add(&mut self, glyph: &Glyph, place: Rect, depth: u32) {
        let stride = (usize::from(glyph.width) * depth as usize).div_ceil(8);
        let seen = place.intersect(&self.area);
        for y in seen.top..seen.bottom {
            let row = usize::from(glyph.height) - 1 - (y.abs_diff(place.top) as usize);
            let row = glyph.data.get(row * stride..).unwrap_or_default();
            let start = self.index(seen.left, y);
            let to = self.alphas.get_mut(start..start + seen.width() as usize).unwrap_or_default();
            for (x, alpha) in (seen.left.abs_diff(place.left) as usize..).zip(to) {
                let byte = |at: usize| row.get(at).copied().unwrap_or(0);
                match depth {
                    1 => *alpha |= 0_u8.wrapping_sub(byte(x / 8) >> (7 - x % 8) & 1),
                    4 if x % 2 == 0 => *alpha = (byte(x / 2) & 0xf0).max(*alpha),
                    // Viewers compare with both pixels of the byte: what lies below may come out lighter than it was.
                    4 if u32::from(*alpha) < u32::from(byte(x / 2)) << 4 => *alpha = byte(x / 2) << 4,
                    4 => {}
                    _ => *alpha = byte(x).max(*alpha),
                }
            }
        }
    }

    fn alpha(&self, x: i32, y: i32) -> u32 {
        self.alphas.get(self.index(x, y)).copied().unwrap_or(0).into()
    }

    fn index(&self, x: i32, y: i32) -> usize {
        y.abs_diff(self.area.top) as usize * self.area.width() as usize + x.abs_diff(self.area.left) as usize
    }
}
