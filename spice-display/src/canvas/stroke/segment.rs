//! A straight line one pixel wide, and its parts.

use std::ops::Range;

use spice_proto::{Point, Rect};

use super::polygon::{Polygon, Side, Vector};

/// How far from the middle of a line its pixels may lie, and more.
const MARGIN: f64 = 4.0;

/// A straight line one pixel wide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) from: Point,
    pub(super) to: Point,
    /// Columns from one end to the other.
    pub(super) dx: i64,
    /// Rows from one end to the other.
    pub(super) dy: i64,
    /// More than zero.
    pub(super) length: f64,
    /// The way of half a pixel along it.
    half: Vector,
}

impl Segment {
    /// The line between these places, unless they are the same.
    pub(super) fn new(from: Point, to: Point) -> Option<Self> {
        let (dx, dy) = (i64::from(to.x) - i64::from(from.x), i64::from(to.y) - i64::from(from.y));
        let (x, y) = (dx as f64, dy as f64);
        let (length, half) = match (dx, dy) {
            (0, 0) => return None,
            (0, _) => (y.abs(), Vector { x: 0.0, y: 0.5 * y.signum() }),
            (_, 0) => (x.abs(), Vector { x: 0.5 * x.signum(), y: 0.0 }),
            _ => {
                let length = ((dx * dx + dy * dy) as f64).sqrt();
                let scale = 0.5 / length;
                (length, Vector { x: scale * x, y: scale * y })
            }
        };
        Some(Self { from, to, dx, dy, length, half })
    }

    /// The same line, from its end to its beginning.
    pub(super) const fn reversed(&self) -> Self {
        Self {
            from: self.to,
            to: self.from,
            dx: -self.dx,
            dy: -self.dy,
            length: self.length,
            half: self.half.opposite(),
        }
    }

    /// Whether it goes to the right, or straight down.
    pub(super) const fn is_forward(&self) -> bool {
        self.dx > 0 || self.dx == 0 && self.dy > 0
    }

    /// Whether numbers of its size wrap in C.
    pub(super) const fn is_long(&self) -> bool {
        self.dx * self.dx + self.dy * self.dy > i32::MAX as i64
    }

    /// How far from its beginning pixels of `within` may be on it; more than that, and nothing where none is.
    pub(super) fn reach(&self, within: Rect) -> Range<f64> {
        let (left, right) = (f64::from(within.left) - MARGIN, f64::from(within.right) + MARGIN);
        let (top, bottom) = (f64::from(within.top) - MARGIN, f64::from(within.bottom) + MARGIN);
        let places = |from: i32, way: i64, low: f64, high: f64| {
            let (from, way) = (f64::from(from), way as f64 / self.length);
            if way == 0.0 {
                return if (low..high).contains(&from) {
                    0.0..self.length
                } else {
                    f64::INFINITY..f64::NEG_INFINITY
                };
            }
            let (low, high) = ((low - from) / way, (high - from) / way);
            low.min(high)..low.max(high)
        };
        let columns = places(self.from.x, self.dx, left, right);
        let rows = places(self.from.y, self.dy, top, bottom);
        let (start, end) = (columns.start.max(rows.start), columns.end.min(rows.end));
        if start > end || start > self.length || end < 0.0 {
            return f64::INFINITY..f64::NEG_INFINITY;
        }
        start..end
    }

    /// Its beginning.
    pub(super) const fn face(&self) -> Face {
        Face { corner: self.normal(), dx: self.dx, dy: self.dy, offset: self.offset() }
    }

    /// The way of half a pixel to its left.
    const fn normal(&self) -> Vector {
        Vector { x: self.half.y, y: -self.half.x }
    }

    /// The distance of its sides from its middle.
    const fn offset(&self) -> f64 {
        0.5 * self.length
    }

    /// A rectangle of it, between two places that are this far from where they are counted from.
    const fn between(&self, start: Cut, start_offset: f64, end: Cut) -> Polygon<4> {
        let (dx, dy) = (self.dx, self.dy);
        Polygon {
            corners: [start.left, end.left, end.right, start.right],
            sides: [
                Side { dx, dy, offset: self.offset() },
                Side { dx: -dy, dy: dx, offset: end.offset },
                Side { dx: -dx, dy: -dy, offset: self.offset() },
                Side { dx: dy, dy: -dx, offset: start_offset },
            ],
        }
    }
}

/// The end of a line, as seen from its middle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Face {
    /// Its left corner.
    pub(super) corner: Vector,
    /// The way to the other end.
    pub(super) dx: i64,
    /// The way to the other end.
    pub(super) dy: i64,
    /// The distance of the line's sides from its middle.
    pub(super) offset: f64,
}

/// Where a line is cut across.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    left: Vector,
    right: Vector,
    /// How far along, times the line's length.
    offset: f64,
}

impl Cut {
    /// A line's beginning, counted from there; the same as its end, counted from that.
    pub(super) const fn first(line: &Segment) -> Self {
        Self { left: line.normal(), right: line.normal().opposite(), offset: 0.0 }
    }

    /// So far from a line's beginning.
    pub(super) fn at(line: &Segment, length: f64) -> Self {
        Self::first(line).displaced(line, length * line.dx as f64, length * line.dy as f64)
    }

    /// Further on by so many pixels.
    pub(super) fn moved(self, line: &Segment, pixels: u8) -> Self {
        let pixels = i64::from(pixels);
        self.displaced(line, (pixels * line.dx) as f64, (pixels * line.dy) as f64)
    }

    /// Further on by a way that is given in lengths of the line.
    fn displaced(self, line: &Segment, x: f64, y: f64) -> Self {
        let way = Vector { x: x / line.length, y: y / line.length };
        let left = self.left.plus(way);
        let offset = left.x * line.dx as f64 + left.y * line.dy as f64;
        Self { left, right: self.right.plus(way), offset }
    }

    /// The rectangle from here to `end`, counted from the line's beginning.
    pub(super) const fn quad(self, line: &Segment, end: Self) -> Polygon<4> {
        line.between(self, -self.offset, end)
    }

    /// The rectangle from here to the line's end, counted from that.
    pub(super) const fn last_quad(self, line: &Segment) -> Polygon<4> {
        let way = Vector { x: line.dx as f64, y: line.dy as f64 };
        let square = (line.dx * line.dx + line.dy * line.dy) as f64;
        let start = Self { left: self.left.minus(way), right: self.right.minus(way), ..self };
        line.between(start, -self.offset + square, Self::first(line))
    }
}
