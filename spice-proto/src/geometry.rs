//! Points and rectangles as display messages carry them.

use crate::wire::record;

record! {
    /// A position in pixels, x to the right, y down (`SpicePoint`).
    #[derive(Copy, Eq, Hash, Default)]
    pub struct Point {
        /// Pixels from the left.
        pub x: i32,
        /// Pixels from the top.
        pub y: i32,
    }
}

record! {
    /// A position in 16 bits, as the cursor channel has it (`SpicePoint16`).
    #[derive(Copy, Eq, Hash, Default)]
    pub struct Point16 {
        /// Pixels from the left.
        pub x: i16,
        /// Pixels from the top.
        pub y: i16,
    }
}

record! {
    /// A half-open rectangle in pixels: `right` and `bottom` lie outside (`SpiceRect`; the wire has top first).
    ///
    /// A peer or a guest may send one that is inverted; [`Rect::is_empty`] says so, and every operation treats
    /// such a rectangle as the empty one.
    #[derive(Copy, Eq, Hash, Default)]
    pub struct Rect {
        /// First row.
        pub top: i32,
        /// First column.
        pub left: i32,
        /// The row after the last.
        pub bottom: i32,
        /// The column after the last.
        pub right: i32,
    }
}

impl Point {
    /// The point at `x`, `y`.
    #[must_use]
    pub const fn new(x: i32, y: i32) -> Self {
        Self { x, y }
    }
}

impl Rect {
    /// The rectangle with its top left corner at `x`, `y`, `width` pixels wide and `height` high.
    /// Edges beyond the range of `i32` are cut to it.
    #[must_use]
    pub const fn new(x: i32, y: i32, width: u32, height: u32) -> Self {
        Self {
            top: y,
            left: x,
            bottom: y.saturating_add_unsigned(height),
            right: x.saturating_add_unsigned(width),
        }
    }

    /// The rectangle between these edges.
    #[must_use]
    pub const fn from_edges(left: i32, top: i32, right: i32, bottom: i32) -> Self {
        Self { top, left, bottom, right }
    }

    /// Whether no pixel lies in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }

    /// Columns; 0 when it is empty.
    #[must_use]
    pub const fn width(&self) -> u32 {
        if self.is_empty() { 0 } else { self.right.abs_diff(self.left) }
    }

    /// Rows; 0 when it is empty.
    #[must_use]
    pub const fn height(&self) -> u32 {
        if self.is_empty() { 0 } else { self.bottom.abs_diff(self.top) }
    }

    /// Pixels in it.
    #[must_use]
    pub const fn area(&self) -> u64 {
        self.width() as u64 * self.height() as u64
    }

    /// Its top left corner.
    #[must_use]
    pub const fn origin(&self) -> Point {
        Point { x: self.left, y: self.top }
    }

    /// The pixels that lie in both; an empty rectangle when there are none.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let both = Self {
            top: self.top.max(other.top),
            left: self.left.max(other.left),
            bottom: self.bottom.min(other.bottom),
            right: self.right.min(other.right),
        };
        if both.is_empty() { Self::default() } else { both }
    }

    /// The smallest rectangle around both; an empty one adds nothing.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.is_empty() {
            return *other;
        }
        if other.is_empty() {
            return *self;
        }
        Self {
            top: self.top.min(other.top),
            left: self.left.min(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.max(other.right),
        }
    }

    /// Whether every pixel of `other` lies in it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.is_empty() || self.intersect(other) == *other
    }

    /// The same rectangle moved by `dx`, `dy`; edges stop at the range of `i32`.
    #[must_use]
    pub const fn translate(&self, dx: i32, dy: i32) -> Self {
        Self {
            top: self.top.saturating_add(dy),
            left: self.left.saturating_add(dx),
            bottom: self.bottom.saturating_add(dy),
            right: self.right.saturating_add(dx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rect;

    #[test]
    fn an_inverted_rectangle_is_empty_and_has_no_size() {
        let inverted = Rect::from_edges(10, 10, 5, 20);
        assert!(inverted.is_empty());
        assert_eq!((inverted.width(), inverted.height(), inverted.area()), (0, 0, 0));
        assert_eq!(inverted.union(&Rect::new(1, 2, 3, 4)), Rect::new(1, 2, 3, 4));
    }

    #[test]
    fn the_widest_rectangle_has_its_true_size() {
        let all = Rect::from_edges(i32::MIN, i32::MIN, i32::MAX, i32::MAX);
        assert_eq!(all.width(), u32::MAX);
        assert_eq!(all.area(), u64::from(u32::MAX) * u64::from(u32::MAX));
    }

    #[test]
    fn intersection_with_a_neighbour_is_empty() {
        assert!(Rect::new(0, 0, 4, 4).intersect(&Rect::new(4, 0, 4, 4)).is_empty());
        assert_eq!(Rect::new(0, 0, 4, 4).intersect(&Rect::new(2, 1, 9, 2)), Rect::new(2, 1, 2, 2));
    }
}
