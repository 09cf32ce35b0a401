//! Fewer rectangles for some more pixels.

use spice_proto::Rect;

use super::Region;
use super::bands::{BandWriter, bands};

impl Region {
    /// Adds pixels until the region is made of at most `max_rects` rectangles; does nothing when it already is.
    ///
    /// It first fills the smallest of the gaps between rectangles of the same rows, then, when more bands than
    /// `max_rects` are left, joins neighbouring bands where that adds the fewest pixels. It stays within its
    /// extents. A region that is not empty keeps one rectangle, even when `max_rects` is 0.
    pub fn simplify(&mut self, max_rects: usize) {
        let max_rects = max_rects.max(1);
        if self.rect_count() > max_rects {
            *self = join_cheapest(self.as_slice(), max_rects, |left, right| left.top == right.top);
        }
        if self.rect_count() > max_rects {
            *self = join_cheapest(self.as_slice(), max_rects, |_, _| true);
        }
    }
}

/// Replaces runs of neighbours by the rectangles around them until at most `max_rects` are left, or no neighbours
/// that `may_join`. Neighbours are joined where that adds the fewest pixels. `rects` must be such that a run of
/// them and the rectangle around it are of the same rows, or all of different rows.
fn join_cheapest(rects: &[Rect], max_rects: usize, may_join: impl Fn(&Rect, &Rect) -> bool) -> Region {
    let mut joints: Vec<(u64, usize)> = rects
        .windows(2)
        .enumerate()
        .filter_map(|(at, pair)| match pair {
            [one, next] if may_join(one, next) => {
                Some((one.union(next).area() - one.area() - next.area(), at))
            }
            _ => None,
        })
        .collect();
    let surplus = rects.len().saturating_sub(max_rects);
    if surplus < joints.len() {
        joints.select_nth_unstable(surplus);
        joints.truncate(surplus);
    }
    let mut joined = vec![false; rects.len()];
    for (_, at) in joints {
        joined[at] = true;
    }
    let mut out = Vec::with_capacity(max_rects);
    let mut run = Rect::default();
    for (rect, joins_next) in rects.iter().zip(joined) {
        run = run.union(rect);
        if !joins_next {
            out.push(run);
            run = Rect::default();
        }
    }
    let mut writer = BandWriter::default();
    for band in bands(&out) {
        writer.band(band.iter().copied());
    }
    writer.finish()
}
