//! The banded form: how it is walked, how it is written, and the one merge behind the boolean operations.

use spice_proto::Rect;

use super::Region;

/// The rectangles of each band, of a list in the order of [`Region::rects`].
pub(super) fn bands(rects: &[Rect]) -> impl DoubleEndedIterator<Item = &[Rect]> {
    rects.chunk_by(|left, right| left.top == right.top)
}

/// The pixels for which `keep` holds, which is told whether a pixel is in `a` and whether it is in `b`.
/// It must not hold for a pixel that is in neither.
pub(super) fn combine(a: &[Rect], b: &[Rect], keep: impl Fn(bool, bool) -> bool) -> Region {
    let mut a = Sweep::new(bands(a));
    let mut b = Sweep::new(bands(b));
    let mut out = BandWriter::default();
    let mut top = i32::MIN;
    while let Some(bottom) = earlier(a.next_edge(top), b.next_edge(top)) {
        let spans = merge_spans(a.spans(top), b.spans(top), &keep);
        out.band(spans.map(|(left, right)| Rect::from_edges(left, top, right, bottom)));
        a.pass(bottom);
        b.pass(bottom);
        top = bottom;
    }
    out.finish()
}

/// Of two edges, each of which may be missing, the first.
pub(super) fn earlier(a: Option<i32>, b: Option<i32>) -> Option<i32> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

/// A walk down a list of bands.
struct Sweep<'a, I> {
    /// The band that holds the current row or is the next to do so; empty after the last.
    band: &'a [Rect],
    below: I,
}

impl<'a, I: Iterator<Item = &'a [Rect]>> Sweep<'a, I> {
    fn new(mut bands: I) -> Self {
        Self { band: bands.next().unwrap_or_default(), below: bands }
    }

    /// The row after `y` where the spans change next.
    fn next_edge(&self, y: i32) -> Option<i32> {
        self.band.first().map(|span| if span.top > y { span.top } else { span.bottom })
    }

    /// The spans of row `y`.
    fn spans(&self, y: i32) -> &'a [Rect] {
        if self.band.first().is_some_and(|span| span.top <= y) { self.band } else { &[] }
    }

    /// Leaves the rows above `y` behind.
    fn pass(&mut self, y: i32) {
        if self.band.first().is_some_and(|span| span.bottom <= y) {
            self.band = self.below.next().unwrap_or_default();
        }
    }
}

/// The left and right edges, in order, of the columns for which `keep` holds.
fn merge_spans(
    a: &[Rect],
    b: &[Rect],
    keep: impl Fn(bool, bool) -> bool,
) -> impl Iterator<Item = (i32, i32)> {
    // Passing an edge enters or leaves a span: it is inside after an odd number of them.
    let edge = |spans: &[Rect], passed: usize| {
        spans.get(passed / 2).map(|span| if passed.is_multiple_of(2) { span.left } else { span.right })
    };
    let (mut passed_a, mut passed_b) = (0_usize, 0_usize);
    std::iter::from_fn(move || {
        let mut start = None;
        loop {
            let (next_a, next_b) = (edge(a, passed_a), edge(b, passed_b));
            let x = earlier(next_a, next_b)?;
            passed_a += usize::from(next_a == Some(x));
            passed_b += usize::from(next_b == Some(x));
            match (start, keep(passed_a % 2 == 1, passed_b % 2 == 1)) {
                (None, true) => start = Some(x),
                (Some(left), false) => return Some((left, x)),
                _ => {}
            }
        }
    })
}

/// Builds a region from the top, a band at a time.
#[derive(Default)]
pub(super) struct BandWriter {
    rects: Vec<Rect>,
    /// Where the last band starts.
    last: usize,
}

impl BandWriter {
    /// Adds a band, which may be of no rectangle: below those before, and of the same rows from left to right
    /// without touching. It becomes part of the one before when it is adjacent to it and of the same columns.
    pub(super) fn band(&mut self, spans: impl Iterator<Item = Rect>) {
        let start = self.rects.len();
        self.rects.extend(spans);
        let (before, band) = self.rects.split_at_mut(start);
        let Some(&Rect { top, bottom, .. }) = band.first() else { return };
        let above = &mut before[self.last..];
        let continues = above.first().is_some_and(|span| span.bottom == top)
            && above.len() == band.len()
            && above
                .iter()
                .zip(&*band)
                .all(|(upper, lower)| upper.left == lower.left && upper.right == lower.right);
        if continues {
            above.iter_mut().for_each(|span| span.bottom = bottom);
            self.rects.truncate(start);
        } else {
            self.last = start;
        }
    }

    /// The region of all bands.
    pub(super) fn finish(self) -> Region {
        let extents = self.rects.iter().fold(Rect::default(), |extents, rect| extents.union(rect));
        Region { extents, rects: if self.rects.len() > 1 { self.rects } else { Vec::new() } }
    }
}
