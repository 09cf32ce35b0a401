//! Straight lines of one pixel.

use std::ops::RangeInclusive;

use spice_proto::{Point, Rect};

/// The pixels of a line that lie in `within`, from `from` on. The last one, that of `to`, is not among them.
///
/// They are those of the X server's thin lines: one for each step along the longer axis (the vertical one where both
/// are as long), at the nearest place across. Of two that are as near, a line to the right or down takes the one
/// further from its beginning, a line to the left or up the one it is on; there and back are the same pixels.
///
/// The coordinates must be within 2<sup>29</sup> of zero. It takes one step for each pixel, wherever the line begins
/// and ends.
pub(super) fn line(from: Point, to: Point, within: Rect) -> impl Iterator<Item = Point> {
    let line = Line::new(from, to);
    let steps = line.steps_in(within);
    // What is left of the way to the next step across, negative, in halves of a step along.
    let mut along = *steps.start();
    let mut across = line.across(along);
    let mut error = 2 * (along * line.across - across * line.along) - line.along - line.bias;
    std::iter::from_fn(move || {
        if along > *steps.end() {
            return None;
        }
        let pixel = line.pixel(along, across);
        along += 1;
        error += 2 * line.across;
        if error >= 0 {
            across += 1;
            error -= 2 * line.along;
        }
        Some(pixel)
    })
}

/// A line as seen from its beginning, in its own direction.
#[derive(Clone, Copy)]
struct Line {
    from: Point,
    /// Whether `along` is horizontal.
    flat: bool,
    /// Which way x goes.
    x: i64,
    /// Which way y goes.
    y: i64,
    /// Steps along the longer axis.
    along: i64,
    /// Steps along the other, not more.
    across: i64,
    /// 1 where a tie is no step across, else 0.
    bias: i64,
}

impl Line {
    fn new(from: Point, to: Point) -> Self {
        let (dx, dy) = (i64::from(to.x) - i64::from(from.x), i64::from(to.y) - i64::from(from.y));
        let flat = dx.abs() > dy.abs();
        let (along, across) = if flat { (dx, dy) } else { (dy, dx) };
        let bias = i64::from(along < 0);
        Self { from, flat, x: dx.signum(), y: dy.signum(), along: along.abs(), across: across.abs(), bias }
    }

    fn pixel(&self, along: i64, across: i64) -> Point {
        let (x, y) = if self.flat { (along, across) } else { (across, along) };
        // Between the ends, which are of this type.
        Point::new((i64::from(self.from.x) + x * self.x) as i32, (i64::from(self.from.y) + y * self.y) as i32)
    }

    /// Steps across that are done after so many steps along.
    fn across(&self, along: i64) -> i64 {
        (2 * along * self.across + self.along - self.bias).checked_div_euclid(2 * self.along).unwrap_or(0)
    }

    /// The first step along after which so many steps across are done. There must be steps across at all.
    fn along(&self, across: i64) -> i64 {
        let numerator = 2 * across * self.along - self.along + self.bias;
        -(-numerator).div_euclid(2 * self.across)
    }

    /// After which steps along the line is in `within`.
    fn steps_in(&self, within: Rect) -> RangeInclusive<i64> {
        let columns = steps_between(self.from.x, self.x, within.left, within.right);
        let rows = steps_between(self.from.y, self.y, within.top, within.bottom);
        let (along, across) = if self.flat { (columns, rows) } else { (rows, columns) };
        let (mut first, mut last) = ((*along.start()).max(0), (*along.end()).min(self.along - 1));
        if self.across > 0 {
            first = first.max(self.along((*across.start()).clamp(0, self.across + 1)));
            last = last.min(self.along((across.end() + 1).clamp(0, self.across + 1)) - 1);
        } else if !across.contains(&0) {
            last = first - 1;
        }
        first..=last
    }
}

/// After which steps, each of them `by`, a coordinate that begins at `from` is at least `low` and below `high`. Where
/// there are no steps the range is a long one or empty.
fn steps_between(from: i32, by: i64, low: i32, high: i32) -> RangeInclusive<i64> {
    let (from, low, high) = (i64::from(from), i64::from(low), i64::from(high));
    match by {
        1.. => low - from..=high - 1 - from,
        0 if low <= from && from < high => 0..=i64::from(u32::MAX),
        0 => RangeInclusive::new(1, 0),
        _ => from + 1 - high..=from - low,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pixels(from: (i32, i32), to: (i32, i32), within: Rect) -> Vec<(i32, i32)> {
        line(Point::new(from.0, from.1), Point::new(to.0, to.1), within)
            .map(|pixel| (pixel.x, pixel.y))
            .collect()
    }

    const EVERYWHERE: Rect = Rect::from_edges(i32::MIN, i32::MIN, i32::MAX, i32::MAX);

    #[test]
    fn a_tie_falls_as_the_direction_says() {
        assert_eq!(pixels((0, 0), (4, 2), EVERYWHERE), [(0, 0), (1, 1), (2, 1), (3, 2)]);
        assert_eq!(pixels((4, 2), (0, 0), EVERYWHERE), [(4, 2), (3, 2), (2, 1), (1, 1)]);
        assert_eq!(pixels((0, 4), (2, 0), EVERYWHERE), [(0, 4), (0, 3), (1, 2), (1, 1)]);
        assert_eq!(pixels((2, 0), (0, 4), EVERYWHERE), [(2, 0), (1, 1), (1, 2), (0, 3)]);
    }

    #[test]
    fn a_line_without_length_has_no_pixel() {
        assert!(pixels((3, 3), (3, 3), EVERYWHERE).is_empty());
    }

    #[test]
    fn the_longest_lines_take_no_more_than_what_is_seen_of_them() {
        let end = 1 << 29;
        let seen = pixels((-end, -end), (end, end), Rect::new(0, 0, 3, 3));
        assert_eq!(seen, [(0, 0), (1, 1), (2, 2)]);
        assert_eq!(pixels((end, 1), (-end, 1), Rect::new(0, 0, 2, 2)), [(1, 1), (0, 1)]);
        assert!(pixels((end, 2), (-end, 2), Rect::new(0, 0, 2, 2)).is_empty());
    }

    fn point() -> impl Strategy<Value = (i32, i32)> {
        let reach = prop_oneof![3 => Just(30), 1 => Just(3000)];
        reach.prop_flat_map(|reach| (-reach..=reach, -reach..=reach))
    }

    proptest! {
        #[test]
        fn clipping_keeps_the_pixels(
            from in point(),
            to in point(),
            (x, y, width, height) in (-40..40, -40..40, 0..60_u32, 0..60_u32),
        ) {
            let within = Rect::new(x, y, width, height);
            let mut expected = pixels(from, to, EVERYWHERE);
            expected.retain(|&(x, y)| !within.intersect(&Rect::new(x, y, 1, 1)).is_empty());
            prop_assert_eq!(pixels(from, to, within), expected);
        }

        #[test]
        fn there_and_back_are_the_same_pixels(from in point(), to in point()) {
            let mut there = pixels(from, to, EVERYWHERE);
            let mut back = pixels(to, from, EVERYWHERE);
            there.push(to);
            back.push(from);
            back.reverse();
            prop_assert_eq!(there, back);
        }
    }
}
