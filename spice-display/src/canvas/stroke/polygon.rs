//! Convex polygons, as rows of pixels.

use spice_proto::Point;

use super::pen::Run;

/// A place, counted from another one, or a way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Vector {
    /// To the right.
    pub(super) x: f64,
    /// Down.
    pub(super) y: f64,
}

impl Vector {
    pub(super) const fn plus(self, other: Self) -> Self {
        Self { x: self.x + other.x, y: self.y + other.y }
    }

    pub(super) const fn minus(self, other: Self) -> Self {
        Self { x: self.x - other.x, y: self.y - other.y }
    }

    pub(super) const fn opposite(self) -> Self {
        Self { x: -self.x, y: -self.y }
    }
}

/// The straight line of the places with `x * dy - y * dx == offset`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    /// Its direction, to the right.
    pub(super) dx: i64,
    /// Its direction, down.
    pub(super) dy: i64,
    /// Its distance from the origin, in a measure of its own.
    pub(super) offset: f64,
}

/// A convex polygon of `N` corners, one after the other, and for each of them the side that leads to the next.
///
/// Where a side runs is what its [`Side`] says; the corners only say for which rows. Both are rounded numbers, and the
/// pixels are those of the C server only with the same roundings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Polygon<const N: usize> {
    pub(super) corners: [Vector; N],
    pub(super) sides: [Side; N],
}

impl<const N: usize> Polygon<N> {
    /// The pixels whose places are inside, or on a left or an upper side, counted from `origin`. What `i32` cannot say
    /// is left out.
    pub(super) fn runs(self, origin: Point) -> impl Iterator<Item = Run> {
        let (top, bottom) = self.ends();
        let clockwise = self.is_clockwise(top);
        let mut right = Flank::new(self, top, bottom, clockwise);
        let mut left = Flank::new(self, top, bottom, !clockwise);
        let mut y = right.next.map_or(0, |edge| edge.top);
        let mut rows = 0;
        std::iter::from_fn(move || {
            loop {
                if rows > 0 {
                    let (row, columns) = (y, left.crossing()..right.crossing());
                    rows -= 1;
                    y += 1;
                    if let Some(run) = Run::new(origin, row, columns) {
                        return Some(run);
                    }
                } else {
                    rows = left.rows()?.min(right.rows()?);
                    left.rows_left -= rows;
                    right.rows_left -= rows;
                }
            }
        })
    }

    /// The first of the highest corners, the last of the lowest.
    fn ends(&self) -> (usize, usize) {
        let (mut top, mut bottom) = (0, 0);
        for (index, corner) in self.corners.iter().enumerate() {
            if corner.y < self.corners[top].y {
                top = index;
            }
            if corner.y >= self.corners[bottom].y {
                bottom = index;
            }
        }
        (top, bottom)
    }

    /// Whether the right sides are those after the top, in their order.
    fn is_clockwise(&self, top: usize) -> bool {
        let (before, after) = (self.sides[Self::neighbour(top, false)], self.sides[top]);
        before.dy * after.dx <= after.dy * before.dx
    }

    /// The corner after this one, or before it.
    const fn neighbour(corner: usize, after: bool) -> usize {
        (if after { corner + 1 } else { corner + N - 1 }) % N
    }
}

/// A side that goes down.
#[derive(Clone, Copy)]
struct Edge {
    /// The first row not above its upper end.
    top: i64,
    dx: i64,
    dy: i64,
    offset: i64,
}

impl Edge {
    fn new(Side { dx, dy, offset }: Side, top: f64) -> Self {
        let down = dy.signum();
        let offset = (offset * down as f64).ceil() as i64;
        Self { top: top.ceil() as i64, dx: dx * down, dy: dy * down, offset }
    }

    /// The first column that is on it or right of it.
    fn crossing(&self, row: i64) -> i64 {
        let places = self.offset.saturating_add(row.saturating_mul(self.dx));
        places.div_euclid(self.dy) + i64::from(places.rem_euclid(self.dy) > 0)
    }
}

/// The sides from the top to the bottom, one way round, as they are walked down. Level ones are passed over.
struct Flank<const N: usize> {
    polygon: Polygon<N>,
    /// Where the side after the next begins.
    corner: usize,
    bottom: usize,
    forward: bool,
    edge: Option<Edge>,
    next: Option<Edge>,
    /// Rows that the edge has not yet given away. They may be fewer than none: corners are rounded.
    rows_left: i64,
    /// Its next row.
    row: i64,
}

impl<const N: usize> Flank<N> {
    fn new(polygon: Polygon<N>, top: usize, bottom: usize, forward: bool) -> Self {
        let mut flank =
            Self { polygon, corner: top, bottom, forward, edge: None, next: None, rows_left: 0, row: 0 };
        flank.next = flank.edge_after();
        flank
    }

    /// Rows that the edge goes on for; `None` at the bottom.
    fn rows(&mut self) -> Option<i64> {
        if self.rows_left == 0 {
            let edge = self.next?;
            self.next = self.edge_after();
            let bottom = || self.polygon.corners[self.bottom].y.ceil() as i64;
            self.rows_left = self.next.map_or_else(bottom, |next| next.top) - edge.top;
            self.row = edge.top;
            self.edge = Some(edge);
        }
        Some(self.rows_left)
    }

    fn edge_after(&mut self) -> Option<Edge> {
        while self.corner != self.bottom {
            let from = self.corner;
            self.corner = Polygon::<N>::neighbour(from, self.forward);
            let side = self.polygon.sides[if self.forward { from } else { self.corner }];
            if side.dy != 0 {
                return Some(Edge::new(side, self.polygon.corners[from].y));
            }
        }
        None
    }

    /// Where it crosses its next row, which is done with that.
    fn crossing(&mut self) -> i64 {
        let crossing = self.edge.map_or(0, |edge| edge.crossing(self.row));
        self.row += 1;
        crossing
    }
}
