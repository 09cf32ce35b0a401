//! Runs of pixels, mixed with a brush.

use std::ops::Range;

use spice_proto::{Point, Rect};

use crate::canvas::Canvas;
use crate::canvas::brush::BrushPixels;
use crate::canvas::rop::Rop2;
use crate::region::Region;

/// Neighbouring pixels of a row, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run {
    y: i32,
    left: i32,
    right: i32,
}

impl Run {
    /// The pixels of a row between these columns, both counted from `origin`; none when there is none, or a number is
    /// beyond the range of `i32`.
    pub(super) fn new(origin: Point, row: i64, columns: Range<i64>) -> Option<Self> {
        let place = |from: i32, way: i64| i32::try_from(way.checked_add(from.into())?).ok();
        let (left, right) = (place(origin.x, columns.start)?, place(origin.x, columns.end)?);
        (left < right).then_some(Self { y: place(origin.y, row)?, left, right })
    }

    /// A pixel, which is not the last that there can be.
    pub(super) const fn pixel(at: Point) -> Self {
        Self { y: at.y, left: at.x, right: at.x.saturating_add(1) }
    }

    /// Takes another run to this one, when together they are one, and says whether they are.
    pub(super) fn join(&mut self, other: Self) -> bool {
        let joined = self.y == other.y && self.left <= other.right && other.left <= self.right;
        if joined {
            self.left = self.left.min(other.left);
            self.right = self.right.max(other.right);
        }
        joined
    }

    /// The part of it in a rectangle.
    pub(super) fn within(self, rect: Rect) -> Option<Self> {
        let part = self.rect().intersect(&rect);
        (!part.is_empty()).then_some(Self { left: part.left, right: part.right, ..self })
    }

    const fn rect(self) -> Rect {
        Rect::from_edges(self.left, self.y, self.right, self.y.saturating_add(1))
    }
}

/// A brush on its way over a canvas.
pub(super) struct Pen<'a> {
    canvas: &'a mut Canvas,
    brush: BrushPixels<'a>,
    rop: Rop2,
    /// The rectangles that are painted on, those of each band together.
    bands: Vec<&'a [Rect]>,
}

impl<'a> Pen<'a> {
    /// A pen that paints within `region`, which must be within the canvas.
    pub(super) fn new(canvas: &'a mut Canvas, region: &'a Region, brush: BrushPixels<'a>, rop: Rop2) -> Self {
        Self { canvas, brush, rop, bands: region.bands().collect() }
    }

    /// Paints runs, as far as they are within the region, and leaves those that are painted. Each must be of another
    /// row, or else they must be in order.
    ///
    /// As in C, the list is cut in place: where a run is cut into several, those that come next in the list are
    /// overwritten, unless enough before them were outside. What overwrites them is painted twice.
    pub(super) fn runs(&mut self, runs: &mut Vec<Run>) {
        runs.sort_unstable();
        self.cut(runs);
        for run in runs {
            self.canvas.apply_brush(&run.rect().into(), &self.brush, self.rop);
        }
    }

    fn cut(&self, runs: &mut Vec<Run>) {
        let count = runs.len();
        let (mut read, mut written) = (0, 0);
        let mut bands = self.bands.as_slice();
        while read < count {
            let run = runs[read];
            bands =
                &bands[bands.partition_point(|band| band.first().is_some_and(|rect| rect.bottom <= run.y))..];
            let Some(band) = bands.first() else { break };
            read += 1;
            let before = band.partition_point(|rect| rect.right <= run.left);
            for piece in band[before..].iter().map_while(|rect| run.within(*rect)) {
                match runs.get_mut(written) {
                    Some(run) => *run = piece,
                    None => runs.push(piece),
                }
                written += 1;
            }
        }
        runs.truncate(written);
    }
}
