//! Regions out of many rectangles at once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use spice_proto::Rect;

use super::Region;
use super::bands::{BandWriter, earlier};

impl FromIterator<Rect> for Region {
    /// The pixels that lie in any of the rectangles, which may overlap and come in any order.
    ///
    /// `n` rectangles take `n log n` steps, and for each of the at most `2n` rows where one begins or ends as many
    /// as there are columns then where one begins or ends: within a surface, about one for each of its pixels in
    /// the worst case.
    fn from_iter<I: IntoIterator<Item = Rect>>(rects: I) -> Self {
        let rects: Vec<Rect> = rects.into_iter().filter(|rect| !rect.is_empty()).collect();
        match rects.as_slice() {
            [] => Self::new(),
            [rect] => Self::from(*rect),
            _ => cover(rects),
        }
    }
}

impl Region {
    /// The pixels of runs of one row each, which come from the top, and from left to right where they are of one row,
    /// and do not touch.
    pub(crate) fn from_rows(runs: impl Iterator<Item = Rect>) -> Self {
        let mut runs = runs.peekable();
        let mut out = BandWriter::default();
        while let Some(first) = runs.next() {
            let mut next = Some(first);
            out.band(std::iter::from_fn(|| {
                let run = next.take()?;
                next = runs.next_if(|run| run.top == first.top);
                Some(run)
            }));
        }
        out.finish()
    }
}

/// Sweeps over the rectangles from the top, with the columns that are covered at the current row.
fn cover(mut rects: Vec<Rect>) -> Region {
    let mut by_end = rects.clone();
    by_end.sort_unstable_by_key(|rect| rect.bottom);
    rects.sort_unstable_by_key(|rect| rect.top);
    let mut begin = rects.iter().peekable();
    let mut end = by_end.iter().peekable();
    let mut columns = Columns::default();
    let mut out = BandWriter::default();
    let mut top = i32::MIN;
    while let Some(bottom) = earlier(begin.peek().map(|rect| rect.top), end.peek().map(|rect| rect.bottom)) {
        out.band(columns.spans().map(|(left, right)| Rect::from_edges(left, top, right, bottom)));
        while let Some(rect) = begin.next_if(|rect| rect.top == bottom) {
            columns.add(rect);
        }
        while let Some(rect) = end.next_if(|rect| rect.bottom == bottom) {
            columns.remove(rect);
        }
        top = bottom;
    }
    out.finish()
}

/// The columns that rectangles cover: at each one where it changes, by how much the number of rectangles does.
#[derive(Default)]
struct Columns(BTreeMap<i32, i64>);

impl Columns {
    fn add(&mut self, rect: &Rect) {
        self.change(rect.left, 1);
        self.change(rect.right, -1);
    }

    fn remove(&mut self, rect: &Rect) {
        self.change(rect.left, -1);
        self.change(rect.right, 1);
    }

    fn change(&mut self, x: i32, by: i64) {
        match self.0.entry(x) {
            Entry::Vacant(entry) => {
                entry.insert(by);
            }
            Entry::Occupied(mut entry) => {
                *entry.get_mut() += by;
                if *entry.get() == 0 {
                    entry.remove();
                }
            }
        }
    }

    /// The left and right edges of each run of covered columns, from the left.
    fn spans(&self) -> impl Iterator<Item = (i32, i32)> {
        let mut changes = self.0.iter();
        std::iter::from_fn(move || {
            let (&left, &change) = changes.next()?;
            let mut depth = change;
            let (&right, _) = changes.find(|&(_, change)| {
                depth += change;
                depth == 0
            })?;
            Some((left, right))
        })
    }
}
