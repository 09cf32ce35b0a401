//! The pixels of a surface, and what can be painted on them.

mod clip;
mod copy;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use spice_proto::{Point, Rect};

use crate::region::Region;

pub use clip::clip_region;

/// Pixels of 32 bits: `0xAARRGGBB`, or `0x??RRGGBB` on a surface without alpha, whose top byte is kept all the same.
///
/// Whatever is painted stays within the canvas: regions and offsets may reach beyond it and lie anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Canvas {
    width: u32,
    height: u32,
    /// Row after row from the top, `width * height` of them.
    pixels: Vec<u32>,
}

impl Canvas {
    /// A canvas of pixels that are all zero. It takes `width * height * 4` bytes at once, so it is for the caller
    /// to bound them.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![0; width as usize * height as usize] }
    }

    /// Columns.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// All of it: its top left corner is at 0, 0.
    #[must_use]
    pub const fn bounds(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    /// The pixels of row `y`, counted from the top; empty when there is no such row.
    #[must_use]
    pub fn row(&self, y: u32) -> &[u32] {
        if y >= self.height {
            return &[];
        }
        let start = self.index(0, y);
        &self.pixels[start..start + self.width as usize]
    }

    /// The pixel there, unless that is outside.
    #[must_use]
    pub fn pixel(&self, at: Point) -> Option<u32> {
        let (x, y) = (usize::try_from(at.x).ok()?, u32::try_from(at.y).ok()?);
        self.row(y).get(x).copied()
    }

    /// The pixels of `area` that are on the canvas, as the wire has them: rows from the top without gaps, each
    /// pixel in little endian. Without any the result is empty.
    #[must_use]
    pub fn read(&self, area: Rect) -> Bytes {
        let area = area.intersect(&self.bounds());
        let mut pixels: Vec<[u8; 4]> = Vec::with_capacity(area.width() as usize * area.height() as usize);
        for y in area.top..area.bottom {
            pixels.extend(self.pixels[self.run(y, &area)].iter().map(|pixel| pixel.to_le_bytes()));
        }
        Bytes::from(pixels.into_flattened())
    }

    /// Gives every pixel of `region` this colour.
    pub fn fill(&mut self, region: &Region, colour: u32) {
        let bounds = self.bounds();
        for rect in region.rects().map(|rect| rect.intersect(&bounds)) {
            for y in rect.top..rect.bottom {
                let run = self.run(y, &rect);
                self.pixels[run].fill(colour);
            }
        }
    }

    /// Where in `pixels` those of row `y` lie that are between the left and right edges of `within`. It is for the
    /// caller to have clipped both.
    const fn run(&self, y: i32, within: &Rect) -> Range<usize> {
        let start = self.index(within.left as u32, y as u32);
        start..start + within.width() as usize
    }

    /// Where in `pixels` this one lies.
    const fn index(&self, x: u32, y: u32) -> usize {
        y as usize * self.width as usize + x as usize
    }
}

impl fmt::Debug for Canvas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canvas")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}
