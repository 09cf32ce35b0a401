//! Painting pixels that are somewhere already.

use spice_proto::{Point, Rect};

use super::Canvas;
use crate::qxl::Bitmap;
use crate::region::Region;

/// In every copy, the pixel at `x`, `y` gets the one that the source has at `x - offset.x`, `y - offset.y`, all four
/// bytes of it. It keeps its value when the source has no such pixel.
impl Canvas {
    /// Copies from a bitmap to the pixels of `region`.
    pub fn copy_bitmap(&mut self, region: &Region, source: &Bitmap, offset: Point) {
        self.copy_runs(region, (source.width(), source.height()), offset, |run, x, y| {
            let bytes = source.row(y).get(x as usize * size_of::<u32>()..).unwrap_or_default();
            let (pixels, _) = bytes.as_chunks();
            for (to, from) in run.iter_mut().zip(pixels) {
                *to = u32::from_le_bytes(*from);
            }
        });
    }

    /// Copies from another canvas to the pixels of `region`.
    pub fn copy_canvas(&mut self, region: &Region, source: &Self, offset: Point) {
        self.copy_runs(region, (source.width, source.height), offset, |run, x, y| {
            let start = source.index(x, y);
            run.copy_from_slice(&source.pixels[start..start + run.len()]);
        });
    }

    /// Copies from the canvas itself to the pixels of `region`, as if from a copy made before the first of them
    /// changes.
    pub fn copy_bits(&mut self, region: &Region, offset: Point) {
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

    /// Calls `copy` for each run of neighbouring pixels of `region` that have one to copy in a source of this size,
    /// with the column and the row that the first of them has there.
    fn copy_runs(
        &mut self,
        region: &Region,
        source_size: (u32, u32),
        offset: Point,
        mut copy: impl FnMut(&mut [u32], u32, u32),
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
}

fn ordered<T>(mut items: impl DoubleEndedIterator<Item = T>, last_first: bool) -> impl Iterator<Item = T> {
    std::iter::from_fn(move || if last_first { items.next_back() } else { items.next() })
}
