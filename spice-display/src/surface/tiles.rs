//! Surfaces cut into tiles, so that parts of them can be told apart and shared.

use core::ops::RangeInclusive;

use spice_proto::Rect;

use super::tree::Sequence;

/// Columns of a tile.
pub(crate) const TILE_WIDTH: u32 = 256;

/// Rows of a tile.
pub(crate) const TILE_HEIGHT: u32 = 64;

/// A tile's place on its surface: its row and its column, both from 0 on, in the order of sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tile {
    pub(crate) row: u32,
    pub(crate) column: u32,
}

impl Tile {
    /// Its pixels, on a surface that is large enough.
    pub(crate) fn rect(self) -> Rect {
        let edge =
            |index: u32, side: u32| i32::try_from(u64::from(index) * u64::from(side)).unwrap_or(i32::MAX);
        Rect::new(edge(self.column, TILE_WIDTH), edge(self.row, TILE_HEIGHT), TILE_WIDTH, TILE_HEIGHT)
    }

    /// The first tile at or behind this one that the rectangle touches; its pixels have no negative coordinate.
    pub(crate) fn next_in(self, rect: &Rect) -> Option<Self> {
        let (first, last) = corners(rect)?;
        let here = if self.row < first.row {
            first
        } else if self.column <= last.column {
            Self { row: self.row, column: self.column.max(first.column) }
        } else {
            Self { row: self.row + 1, column: first.column }
        };
        (here.row <= last.row).then_some(here)
    }
}

/// The tiles of the first and of the last pixel.
fn corners(rect: &Rect) -> Option<(Tile, Tile)> {
    if rect.is_empty() {
        return None;
    }
    let tile = |x: i32, y: i32| Tile {
        row: u32::try_from(y).unwrap_or(0) / TILE_HEIGHT,
        column: u32::try_from(x).unwrap_or(0) / TILE_WIDTH,
    };
    Some((tile(rect.left, rect.top), tile(rect.right - 1, rect.bottom - 1)))
}

/// The last command that touched each tile of a surface, or one beside it.
#[derive(Debug)]
pub(crate) struct TileVersions {
    columns: usize,
    newest: Vec<Sequence>,
}

impl TileVersions {
    /// Of a surface that nothing has been drawn on.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let columns = width.div_ceil(TILE_WIDTH) as usize;
        Self { columns, newest: vec![Sequence::default(); columns * height.div_ceil(TILE_HEIGHT) as usize] }
    }

    /// A command has been drawn there.
    pub(crate) fn handle_draw(&mut self, area: &Rect, sequence: Sequence) {
        let Some((first, last)) = corners(area) else { return };
        for row in first.row..=last.row {
            let tiles = self.row(row, first, last);
            self.newest.get_mut(tiles).unwrap_or_default().fill(sequence);
        }
    }

    /// The last command that may have touched the rectangle.
    pub(crate) fn newest(&self, area: &Rect) -> Sequence {
        let Some((first, last)) = corners(area) else { return Sequence::default() };
        let rows = (first.row..=last.row).filter_map(|row| self.newest.get(self.row(row, first, last)));
        rows.flatten().copied().max().unwrap_or_default()
    }

    /// Where the tiles of a row lie, from one column to another.
    fn row(&self, row: u32, first: Tile, last: Tile) -> RangeInclusive<usize> {
        let begin = row as usize * self.columns;
        begin + first.column as usize..=begin + last.column as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_of_a_rectangle_come_in_order_and_end() {
        let rect = Rect::from_edges(250, 60, 600, 200);
        let mut tiles = Vec::new();
        let mut next = Tile::default();
        while let Some(tile) = next.next_in(&rect) {
            assert!(!tile.rect().intersect(&rect).is_empty());
            tiles.push((tile.row, tile.column));
            next = Tile { column: tile.column + 1, ..tile };
        }
        let all: Vec<_> = (0..=3).flat_map(|row| (0..=2).map(move |column| (row, column))).collect();
        assert_eq!(tiles, all);
        assert_eq!(Tile { row: 9, column: 0 }.next_in(&rect), None);
        assert_eq!(Tile::default().next_in(&Rect::default()), None);
    }

    #[test]
    fn a_tile_is_as_new_as_what_touched_it_last() {
        let mut versions = TileVersions::new(600, 130);
        versions.handle_draw(&Rect::new(0, 0, 600, 130), Sequence(1));
        versions.handle_draw(&Rect::new(255, 63, 2, 2), Sequence(2));
        versions.handle_draw(&Rect::new(599, 129, 1, 1), Sequence(3));
        assert_eq!(versions.newest(&Rect::new(0, 0, 10, 10)), Sequence(2));
        assert_eq!(versions.newest(&Rect::new(512, 0, 10, 10)), Sequence(1));
        assert_eq!(versions.newest(&Rect::new(0, 128, 256, 2)), Sequence(1));
        assert_eq!(versions.newest(&Rect::new(0, 0, 600, 130)), Sequence(3));
        assert_eq!(versions.newest(&Rect::default()), Sequence(0));
    }
}
