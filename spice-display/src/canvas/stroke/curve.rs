//! Curves, made of straight lines.

use spice_proto::Point;
use spice_proto::display::{Fixed28_4, PointFix};

use super::{CURVE_PIECE, Effort};

/// How often a curve may be halved.
const MAX_DEPTH: u32 = 32;

/// The pixel of a place: the nearest, and of two the left or upper one.
pub(super) fn pixel(place: PointFix) -> Point {
    Point::new(nearest(place.x), nearest(place.y))
}

/// The nearest whole number, and of two the lower one. All are within 2<sup>27</sup> of zero.
pub(super) const fn nearest(Fixed28_4(sixteenths): Fixed28_4) -> i32 {
    (sixteenths >> 4) + (sixteenths & 15 > 8) as i32
}

/// Appends what is near a cubic Bézier curve from `from` on, by its three other points; `None` when that takes too
/// much effort.
///
/// The curve is halved until it is nearly straight, to a half of a pixel or so. Numbers wrap as they do in C: a curve
/// larger than 9000 pixels may come out straight where it is not. One that is halved for the 32nd time, or has shrunk
/// to nothing, is straight in any case; the C server does not come to an end then.
pub(super) fn append(
    from: Point,
    points: [PointFix; 3],
    to: &mut Vec<Point>,
    effort: &mut Effort,
) -> Option<()> {
    let [first, second, last] = points.map(Place::from);
    let mut waiting = vec![(Curve([Place { x: from.x << 4, y: from.y << 4 }, first, second, last]), 0)];
    while let Some((curve, depth)) = waiting.pop() {
        effort.spend(CURVE_PIECE)?;
        if depth == MAX_DEPTH || curve.is_straight() {
            let Curve([.., Place { x, y }]) = curve;
            to.push(pixel(PointFix { x: Fixed28_4(x), y: Fixed28_4(y) }));
        } else {
            let [front, back] = curve.halves();
            waiting.push((back, depth + 1));
            waiting.push((front, depth + 1));
        }
    }
    Some(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    x: i32,
    y: i32,
}

impl From<PointFix> for Place {
    fn from(point: PointFix) -> Self {
        Self { x: point.x.0, y: point.y.0 }
    }
}

impl Place {
    /// The middle of the way, rounded to zero.
    const fn middle(self, other: Self) -> Self {
        Self { x: self.x.wrapping_add(other.x) / 2, y: self.y.wrapping_add(other.y) / 2 }
    }

    /// The way there from `other`.
    const fn since(self, other: Self) -> Self {
        Self { x: self.x.wrapping_sub(other.x), y: self.y.wrapping_sub(other.y) }
    }

    /// The scalar product of two ways, in sixteenths of pixels by pixels.
    const fn dot(self, other: Self) -> i64 {
        let (x, y) = (self.x as i64 * other.x as i64, self.y as i64 * other.y as i64);
        x.wrapping_add(y) >> 4
    }
}

/// A cubic Bézier curve.
struct Curve([Place; 4]);

impl Curve {
    /// Whether the two inner points are less than about half a pixel away from the line between the outer ones.
    fn is_straight(&self) -> bool {
        let Self([from, first, second, to]) = *self;
        let (chord, start, end) = (to.since(from), first.since(from), second.since(to));
        let square = chord.dot(chord);
        if square == 0 && start.dot(start) == 0 && end.dot(end) == 0 {
            return true;
        }
        // The distance from the chord, squared, times the chord, squared. Products are rounded down, so that it
        // matters which way the chord is walked.
        let distance = |way: Place, chord: Place| {
            let along = way.dot(chord);
            way.dot(way).wrapping_mul(square).wrapping_sub(along.wrapping_mul(along))
        };
        distance(start, chord) >> 3 < square && distance(end, from.since(to)) >> 3 < square
    }

    fn halves(&self) -> [Self; 2] {
        let Self([from, first, second, to]) = *self;
        let (front, inner, back) = (from.middle(first), first.middle(second), second.middle(to));
        let (before, after) = (front.middle(inner), inner.middle(back));
        let middle = before.middle(after);
        [Self([from, front, before, middle]), Self([middle, after, back, to])]
    }
}
