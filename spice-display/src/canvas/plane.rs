//! Pixels of one depth, in rows.

use std::ops::{BitAnd, BitOr, BitXor, Not, Range};

use spice_proto::{Point, Rect};

use super::{Canvas, Pixels};
use crate::region::Region;

/// A pixel as it is kept: 8, 16 or 32 bits.
pub(super) trait Pixel:
    Copy
    + Eq
    + Default
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + BitXor<Output = Self>
    + Not<Output = Self>
{
    /// Its bits. What does not fit is cut off.
    fn from_bits(bits: u32) -> Self;
    /// Its bits.
    fn bits(self) -> u32;
    /// The pixels of a canvas, if they are of this depth.
    fn plane(canvas: &Canvas) -> Option<&Plane<Self>>;
}

impl Pixel for u8 {
    fn from_bits(bits: u32) -> Self {
        bits.to_le_bytes()[0]
    }

    fn bits(self) -> u32 {
        self.into()
    }

    fn plane(canvas: &Canvas) -> Option<&Plane<Self>> {
        if let Pixels::Bits8(plane) = &canvas.pixels { Some(plane) } else { None }
    }
}

impl Pixel for u16 {
    fn from_bits(bits: u32) -> Self {
        let [low, high, ..] = bits.to_le_bytes();
        Self::from_le_bytes([low, high])
    }

    fn bits(self) -> u32 {
        self.into()
    }

    fn plane(canvas: &Canvas) -> Option<&Plane<Self>> {
        if let Pixels::Bits16(plane) = &canvas.pixels { Some(plane) } else { None }
    }
}

impl Pixel for u32 {
    fn from_bits(bits: u32) -> Self {
        bits
    }

    fn bits(self) -> u32 {
        self
    }

    fn plane(canvas: &Canvas) -> Option<&Plane<Self>> {
        if let Pixels::Bits32(plane) = &canvas.pixels { Some(plane) } else { None }
    }
}

/// Rows of pixels.
///
/// Whatever is painted stays within it: regions and offsets may reach beyond it and lie anywhere.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Plane<P> {
    width: u32,
    height: u32,
    /// Row after row from the top, `width * height` of them.
    pixels: Vec<P>,
}

impl<P: Pixel> Plane<P> {
    /// Pixels that are all zero.
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![P::default(); width as usize * height as usize] }
    }

    pub(super) const fn width(&self) -> u32 {
        self.width
    }

    pub(super) const fn height(&self) -> u32 {
        self.height
    }

    pub(super) const fn bounds(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    /// The pixels of row `y`, counted from the top; empty when there is no such row.
    pub(super) fn row(&self, y: u32) -> &[P] {
        if y >= self.height {
            return &[];
        }
        let start = self.index(0, y);
        &self.pixels[start..start + self.width as usize]
    }

    /// The pixel there, unless that is outside.
    pub(super) fn pixel(&self, at: Point) -> Option<P> {
        let (x, y) = (usize::try_from(at.x).ok()?, u32::try_from(at.y).ok()?);
        self.row(y).get(x).copied()
    }

    /// Calls `paint` for each run of neighbouring pixels of `region`, with the place of the first of them.
    pub(super) fn runs(&mut self, region: &Region, mut paint: impl FnMut(&mut [P], Point)) {
        let bounds = self.bounds();
        for rect in region.rects().map(|rect| rect.intersect(&bounds)) {
            for y in rect.top..rect.bottom {
                let run = self.run(y, &rect);
                paint(&mut self.pixels[run], Point::new(rect.left, y));
            }
        }
    }

    /// Gives every pixel of `region` this value.
    pub(super) fn fill(&mut self, region: &Region, value: P) {
        self.runs(region, |run, _| run.fill(value));
    }

    /// Calls `copy` for each run of neighbouring pixels of `region` that have one to copy in a source of this size,
    /// with the column and the row that the first of them has there.
    pub(super) fn copy_runs(
        &mut self,
        region: &Region,
        source_size: (u32, u32),
        offset: Point,
        mut copy: impl FnMut(&mut [P], u32, u32),
    ) {
        let reach = self.reach(source_size, offset);
        for rect in region.rects().map(|rect| rect.intersect(&reach)) {
            let x = rect.left.abs_diff(offset.x);
            for y in rect.top..rect.bottom {
                let run = self.run(y, &rect);
                copy(&mut self.pixels[run], x, y.abs_diff(offset.y));
            }
        }
    }

    /// Copies from the plane itself to the pixels of `region`, as if from a copy made before the first of them
    /// changes.
    pub(super) fn copy_bits(&mut self, region: &Region, offset: Point) {
        if offset == Point::default() {
            return;
        }
        let region = region.intersect_rect(&self.reach((self.width, self.height), offset));
        // A row must not be written while others still have to be read from it: when pixels move down, the lowest
        // row goes first. Spans are each other's source only along a row: when they move right, the rightmost does.
        for band in ordered(region.bands(), offset.y > 0) {
            let Some(&Rect { top, bottom, .. }) = band.first() else { continue };
            for y in ordered(top..bottom, offset.y > 0) {
                for span in ordered(band.iter(), offset.x > 0) {
                    let to = self.run(y, span);
                    let from = self.index(span.left.abs_diff(offset.x), y.abs_diff(offset.y));
                    self.pixels.copy_within(from..from + to.len(), to.start);
                }
            }
        }
    }

    /// The pixels that have one to copy in a source of this size.
    fn reach(&self, (width, height): (u32, u32), offset: Point) -> Rect {
        Rect::new(offset.x, offset.y, width, height).intersect(&self.bounds())
    }

    /// Where in `pixels` those of row `y` lie that are between the left and right edges of `within`. It is for the
    /// caller to have clipped both.
    pub(super) const fn run(&self, y: i32, within: &Rect) -> Range<usize> {
        let start = self.index(within.left as u32, y as u32);
        start..start + within.width() as usize
    }

    /// Where in `pixels` this one lies.
    const fn index(&self, x: u32, y: u32) -> usize {
        y as usize * self.width as usize + x as usize
    }
}

fn ordered<T>(mut items: impl DoubleEndedIterator<Item = T>, last_first: bool) -> impl Iterator<Item = T> {
    std::iter::from_fn(move || if last_first { items.next_back() } else { items.next() })
}
