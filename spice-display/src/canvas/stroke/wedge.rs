//! What is between two lines that meet.

use super::polygon::{Polygon, Side, Vector};
use super::segment::Face;

/// The square of how far from where lines meet their wedge may be pointed, in halves of a pixel: X's limit, which is
/// at an angle of 11 degrees.
const POINT_LIMIT: f64 = 108.856_472_512_142;

/// What is between two lines of one pixel that meet, on the side where there is something, counted from there.
pub(super) enum Wedge {
    /// Up to where their outer sides meet.
    Pointed(Polygon<4>),
    /// Up to the line between their outer corners.
    Blunt(Polygon<3>),
}

impl Wedge {
    /// The wedge between the beginnings of two lines; none where one goes on as the other does, or back.
    pub(super) fn new(mut one: Face, mut other: Face) -> Option<Self> {
        let turn = -one.dx as f64 * other.dy as f64 + other.dx as f64 * one.dy as f64;
        if turn == 0.0 {
            return None;
        }
        // From here on both corners are outer ones.
        let way = if turn > 0.0 {
            one = one.turned();
            1
        } else {
            other = other.turned();
            -1
        };
        let corners = [other.corner, Vector { x: 0.0, y: 0.0 }, one.corner];
        let inner = [
            Side { dx: -other.dy, dy: other.dx, offset: 0.0 },
            Side { dx: one.dy, dy: -one.dx, offset: 0.0 },
        ];
        let [first, second] = inner;
        let point = meeting(one, other, turn);
        if (point.x * point.x + point.y * point.y) * 4.0 > POINT_LIMIT {
            return Some(Self::Blunt(Polygon { corners, sides: [first, second, chord(one, other)] }));
        }
        let [start, middle, end] = corners;
        let sides = [first, second, one.side(way), other.side(way)];
        Some(Self::Pointed(Polygon { corners: [start, middle, end, point], sides }))
    }
}

impl Face {
    /// The same, with the other corner.
    const fn turned(self) -> Self {
        Self { corner: self.corner.opposite(), dx: -self.dx, dy: -self.dy, ..self }
    }

    fn side(self, way: i64) -> Side {
        Side { dx: way * self.dx, dy: way * self.dy, offset: way as f64 * self.offset }
    }
}

/// Where the sides through the corners meet.
fn meeting(one: Face, other: Face, turn: f64) -> Vector {
    let (one_dx, one_dy) = (one.dx as f64, one.dy as f64);
    let (other_dx, other_dy) = (other.dx as f64, other.dy as f64);
    let one_offset = one.corner.x * one_dy - one.corner.y * one_dx;
    let other_offset = other.corner.x * other_dy - other.corner.y * other_dx;
    let y = (one_dy * other_offset - other_dy * one_offset) / turn;
    let x = if one.dy != 0 {
        one.corner.x + (y - one.corner.y) * one_dx / one_dy
    } else {
        other.corner.x + (y - other.corner.y) * other_dx / other_dy
    };
    Vector { x, y }
}

/// The line between the corners, in steps of which the longer is about 65536.
fn chord(one: Face, other: Face) -> Side {
    let way = other.corner.minus(one.corner);
    let (across, down) = (way.x.abs(), way.y.abs());
    let scale = if across > down { across } else { down };
    let (dx, dy) = ((way.x * 65536.0 / scale) as i64, (way.y * 65536.0 / scale) as i64);
    let sum = one.corner.plus(other.corner);
    Side { dx, dy, offset: (sum.x * dy as f64 - sum.y * dx as f64) / 2.0 }
}
