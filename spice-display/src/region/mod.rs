//! Sets of pixels: what a drawing command touches, what a viewer has yet to be sent.

mod bands;
mod collect;
mod simplify;
#[cfg(test)]
mod tests;

use spice_proto::{Point, Rect};

use bands::{BandWriter, bands, combine};

/// A set of pixels.
///
/// It is kept as disjoint rectangles in *bands*: rectangles of the same rows follow each other from left to right,
/// and one such band follows the other from top to bottom. Rectangles of a band do not touch, and bands of the same
/// columns are not adjacent, so that equal sets are equal values.
///
/// Every pixel that a [`Rect`] can hold may be in it. An empty or inverted rectangle is the empty set, whatever its
/// edges. A region of at most one rectangle takes no memory beyond its own.
///
/// # Size
/// Rectangles that overlap without order are cut at each other's edges, and in the worst case `n` of them make a
/// region of `n * n` rectangles. What a guest sends is bounded by intersecting it with a surface, which leaves at
/// most one rectangle for every two pixels; what accumulates is bounded by [`Region::simplify`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Region {
    /// The smallest rectangle around all; the default one when there is none.
    extents: Rect,
    /// All rectangles in order when there are at least two; else none, and `extents` is the only one, or empty.
    rects: Vec<Rect>,
}

impl Region {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { extents: Rect::from_edges(0, 0, 0, 0), rects: Vec::new() }
    }

    /// Whether no pixel is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.extents.is_empty()
    }

    /// Pixels in it.
    #[must_use]
    pub fn area(&self) -> u64 {
        self.as_slice().iter().map(Rect::area).sum()
    }

    /// The smallest rectangle around it; `Rect::default()` when it is empty.
    #[must_use]
    pub const fn extents(&self) -> Rect {
        self.extents
    }

    /// Its rectangles, none of them empty: upper before lower ones, and from left to right where they are of the
    /// same rows.
    pub fn rects(&self) -> impl DoubleEndedIterator<Item = Rect> + ExactSizeIterator + Clone + '_ {
        self.as_slice().iter().copied()
    }

    /// The same rectangles, those of each band together.
    pub(crate) fn bands(&self) -> impl DoubleEndedIterator<Item = &[Rect]> {
        bands(self.as_slice())
    }

    /// How many rectangles it is made of.
    #[must_use]
    pub fn rect_count(&self) -> usize {
        self.as_slice().len()
    }

    /// Removes every pixel.
    pub fn clear(&mut self) {
        self.extents = Rect::default();
        self.rects.clear();
    }

    /// Whether this pixel is in it.
    #[must_use]
    pub fn contains_point(&self, point: Point) -> bool {
        let Point { x, y } = point;
        let rects = self.as_slice();
        let passed = rects.partition_point(|rect| rect.bottom <= y || (rect.top <= y && rect.right <= x));
        rects.get(passed).is_some_and(|rect| rect.top <= y && rect.left <= x)
    }

    /// Whether every pixel of `rect` is in it; true of an empty rectangle.
    #[must_use]
    pub fn contains_rect(&self, rect: &Rect) -> bool {
        if rect.is_empty() {
            return true;
        }
        if !self.extents.contains(rect) {
            return false;
        }
        let mut covered = rect.top;
        for span in self.rows(rect).filter(|span| span.left <= rect.left && rect.right <= span.right) {
            if span.top > covered {
                return false;
            }
            covered = span.bottom;
        }
        covered >= rect.bottom
    }

    /// Whether a pixel of `rect` is in it.
    #[must_use]
    pub fn intersects(&self, rect: &Rect) -> bool {
        !self.extents.intersect(rect).is_empty()
            && self.rows(rect).any(|span| span.left < rect.right && rect.left < span.right)
    }

    /// The pixels that are in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.contains_rect(&other.extents) {
            return self.clone();
        }
        if other.contains_rect(&self.extents) {
            return other.clone();
        }
        combine(self.as_slice(), other.as_slice(), |ours, theirs| ours || theirs)
    }

    /// Its pixels, and those of `rect`.
    #[must_use]
    pub fn union_rect(&self, rect: &Rect) -> Self {
        self.union(&Self::from(*rect))
    }

    /// The pixels that are in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        if self.contains_rect(&other.extents) {
            return other.clone();
        }
        if other.contains_rect(&self.extents) {
            return self.clone();
        }
        if self.extents.intersect(&other.extents).is_empty() {
            return Self::new();
        }
        combine(self.as_slice(), other.as_slice(), |ours, theirs| ours && theirs)
    }

    /// Its pixels that lie in `rect`.
    #[must_use]
    pub fn intersect_rect(&self, rect: &Rect) -> Self {
        self.intersect(&Self::from(*rect))
    }

    /// Its pixels that are not in `other`.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        if self.extents.intersect(&other.extents).is_empty() {
            return self.clone();
        }
        combine(self.as_slice(), other.as_slice(), |ours, theirs| ours && !theirs)
    }

    /// The same set moved by `dx`, `dy`. What would leave the range of `i32` is lost, as with [`Rect::translate`].
    #[must_use]
    pub fn translate(&self, dx: i32, dy: i32) -> Self {
        // Bands are written anew: one that loses a span at the end of the range may become like its neighbour.
        let mut out = BandWriter::default();
        for band in self.bands() {
            out.band(band.iter().map(|rect| rect.translate(dx, dy)).filter(|rect| !rect.is_empty()));
        }
        out.finish()
    }

    /// The rectangles that have rows in common with `rect`.
    fn rows(&self, rect: &Rect) -> impl Iterator<Item = &Rect> {
        let rects = self.as_slice();
        let passed = rects.partition_point(|span| span.bottom <= rect.top);
        rects[passed..].iter().take_while(move |span| span.top < rect.bottom)
    }

    fn as_slice(&self) -> &[Rect] {
        if self.rects.is_empty() && !self.is_empty() {
            std::slice::from_ref(&self.extents)
        } else {
            &self.rects
        }
    }
}

impl From<Rect> for Region {
    fn from(rect: Rect) -> Self {
        if rect.is_empty() { Self::new() } else { Self { extents: rect, rects: Vec::new() } }
    }
}
