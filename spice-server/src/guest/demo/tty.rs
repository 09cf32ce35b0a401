//! Lines of coloured characters in a window, with a block cursor after the last one.

use spice_display::qxl::Image;
use spice_display::region::Region;
use spice_proto::{Point, Rect};
use std::collections::VecDeque;

use super::font::{self, Face};
use super::paint::Canvas;
use super::raster::{Colour, Raster};
use super::theme;

const CELL_WIDTH: u32 = font::WIDTH;
const CELL_HEIGHT: u32 = font::HEIGHT + 2;
/// Around the text.
const MARGIN: u32 = 8;
/// Lines that are kept, those on the screen included.
const HISTORY: usize = 500;
const CURSOR: Colour = theme::TEAL;

/// The text, what part of it is in view, and what the viewers have not seen of it.
#[derive(Clone, Debug)]
pub(super) struct Tty {
    columns: usize,
    rows: usize,
    /// At least one; the cursor is at the end of the last, which always has room for one more character.
    lines: VecDeque<Line>,
    /// The line in the first row.
    top: usize,
    cursor_on: bool,
    stale: Region,
    scrolled: i32,
}

/// What a window has to do so that viewers see its content.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    /// Rows of pixels that the text has moved up, or down when negative.
    pub(super) scrolled: i32,
    /// What has to be painted after that.
    pub(super) stale: Region,
}

/// A character in its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) character: char,
    pub(super) ink: Colour,
    pub(super) paper: Colour,
}

#[derive(Clone, Debug, Default)]
struct Line {
    cells: Vec<Cell>,
    /// All cells as a bitmap.
    bitmap: Option<Image>,
}

impl Tty {
    /// An empty one; at least 2 columns and 1 row.
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        let lines = VecDeque::from([Line::default()]);
        let (columns, rows) = (columns.max(2), rows.max(1));
        Self { columns, rows, lines, top: 0, cursor_on: true, stale: Region::new(), scrolled: 0 }
    }

    /// Columns and rows of characters of which `width` x `height` pixels have room.
    pub(super) fn capacity(width: u32, height: u32) -> (usize, usize) {
        let cells = |pixels: u32, cell: u32| (pixels.saturating_sub(2 * MARGIN) / cell) as usize;
        (cells(width, CELL_WIDTH), cells(height, CELL_HEIGHT))
    }

    /// Pixels that the text and its margins take.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.columns as u32 * CELL_WIDTH + 2 * MARGIN, self.rows as u32 * CELL_HEIGHT + 2 * MARGIN)
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Columns before the cursor.
    pub(super) fn column(&self) -> usize {
        self.lines.back().map_or(0, |line| line.cells.len())
    }

    /// Writes text in one colour; a line feed begins a line, and so does a character that finds no room.
    pub(super) fn write(&mut self, text: &str, ink: Colour) {
        for character in text.chars() {
            match character {
                '\n' => self.begin_line(),
                _ => self.put(Cell { character, ink, paper: theme::TERMINAL }),
            }
        }
    }

    pub(super) fn put(&mut self, cell: Cell) {
        self.follow();
        self.touch_cursor();
        if let Some(line) = self.lines.back_mut() {
            line.cells.push(cell);
            line.bitmap = None;
        }
        if self.column() == self.columns {
            self.begin_line();
        }
        self.touch_cursor();
    }

    pub(super) fn begin_line(&mut self) {
        self.touch_cursor();
        self.lines.push_back(Line::default());
        self.follow();
        while self.lines.len() > HISTORY {
            self.lines.pop_front();
            self.top -= 1;
        }
        self.touch_cursor();
    }

    /// Takes back the last character, from the line before if need be.
    pub(super) fn erase(&mut self) {
        self.follow();
        self.touch_cursor();
        if self.column() == 0 && self.lines.len() > 1 {
            self.lines.pop_back();
            self.follow();
        }
        if let Some(line) = self.lines.back_mut() {
            line.cells.pop();
            line.bitmap = None;
        }
        self.touch_cursor();
    }

    /// Forgets all lines.
    pub(super) fn clear(&mut self) {
        self.lines = VecDeque::from([Line::default()]);
        (self.top, self.scrolled) = (0, 0);
        self.stale = Region::from(self.text_area());
    }

    /// Shows or hides the cursor.
    pub(super) fn blink(&mut self, on: bool) {
        if self.cursor_on != on {
            self.cursor_on = on;
            self.touch_cursor();
        }
    }

    /// Moves the view by some lines, back when negative, as far as there are lines.
    pub(super) fn look(&mut self, lines: isize) {
        self.show_from(self.top.saturating_add_signed(lines).min(self.last_top()));
    }

    pub(super) fn is_stale(&self) -> bool {
        self.scrolled != 0 || !self.stale.is_empty()
    }

    /// What to do for the viewers; from then on they have seen it.
    pub(super) fn take_change(&mut self) -> Change {
        Change { scrolled: core::mem::take(&mut self.scrolled), stale: core::mem::take(&mut self.stale) }
    }

    /// The part that scrolls.
    pub(super) fn text_area(&self) -> Rect {
        self.cells(0, 0..self.columns).union(&self.cells(self.rows - 1, 0..self.columns))
    }

    /// Paints it with its top left corner at `at`.
    pub(super) fn paint(&mut self, canvas: &mut Canvas<'_>, at: Point) {
        let cursor = self.cursor().filter(|_| self.cursor_on);
        if let Some(cursor) = cursor {
            canvas.fill(cursor.translate(at.x, at.y), CURSOR);
        }
        let places = (0..self.rows).map(|row| self.cells(row, 0..0).origin()).collect::<Vec<_>>();
        for (line, place) in self.lines.iter_mut().skip(self.top).zip(places) {
            line.paint(canvas, Point::new(at.x + place.x, at.y + place.y));
        }
        let (width, height) = self.size();
        canvas.fill(Rect::new(at.x, at.y, width, height), theme::TERMINAL);
    }

    fn last_top(&self) -> usize {
        self.lines.len().saturating_sub(self.rows)
    }

    /// Brings the last line into view.
    fn follow(&mut self) {
        self.show_from(self.last_top());
    }

    fn show_from(&mut self, top: usize) {
        let rows = top as i32 - self.top as i32;
        if rows == 0 {
            return;
        }
        self.top = top;
        let (area, up) = (self.text_area(), rows * CELL_HEIGHT as i32);
        let moved = self.stale.translate(0, -up).intersect_rect(&area);
        let exposed = Region::from(area).subtract(&Region::from(area.translate(0, -up)));
        let outside = self.stale.subtract(&Region::from(area));
        self.stale = outside.union(&moved).union(&exposed);
        self.scrolled += up;
    }

    fn touch_cursor(&mut self) {
        if let Some(cursor) = self.cursor() {
            self.stale = self.stale.union_rect(&cursor);
        }
    }

    /// The cursor's cell, if it is in view.
    fn cursor(&self) -> Option<Rect> {
        let row = (self.lines.len() - 1).checked_sub(self.top).filter(|row| *row < self.rows)?;
        let column = self.column();
        Some(self.cells(row, column..column + 1))
    }

    fn cells(&self, row: usize, columns: core::ops::Range<usize>) -> Rect {
        let x = MARGIN + columns.start as u32 * CELL_WIDTH;
        let y = MARGIN + row as u32 * CELL_HEIGHT;
        Rect::new(x as i32, y as i32, columns.len() as u32 * CELL_WIDTH, CELL_HEIGHT)
    }
}

impl Line {
    fn paint(&mut self, canvas: &mut Canvas<'_>, at: Point) {
        let Self { cells, bitmap } = self;
        let width = cells.len() as u32 * CELL_WIDTH;
        canvas.raster(at, (width, CELL_HEIGHT), bitmap, || {
            let mut raster = Raster::new(width, CELL_HEIGHT, theme::TERMINAL);
            for (cell, x) in cells.iter().zip((0..).step_by(CELL_WIDTH as usize)) {
                raster.fill(Rect::new(x, 0, CELL_WIDTH, CELL_HEIGHT), cell.paper);
                raster.glyph(x, 1, cell.character, Face::Regular, cell.ink);
            }
            raster
        });
    }
}

#[cfg(test)]
impl Tty {
    /// The lines in view, without spaces at their ends.
    pub(super) fn text(&self) -> Vec<String> {
        let visible = self.lines.iter().skip(self.top).take(self.rows);
        let text = |line: &Line| line.cells.iter().map(|cell| cell.character).collect::<String>();
        visible.map(|line| text(line).trim_end().to_owned()).collect()
    }

    /// Drops every bitmap that was kept, so that the next painting starts from the text.
    pub(super) fn forget_bitmaps(&mut self) {
        self.lines.iter_mut().for_each(|line| line.bitmap = None);
    }
}

#[cfg(test)]
mod tests {
    use super::{Colour, HISTORY, Tty};

    const INK: Colour = Colour(0);

    #[test]
    fn a_full_line_wraps_and_erasing_takes_the_wrap_back() {
        let mut tty = Tty::new(4, 3);
        tty.write("abcd", INK);
        assert_eq!(tty.text(), ["abcd", ""]);
        tty.erase();
        assert_eq!(tty.text(), ["abc"]);
        tty.write("d\ne", INK);
        assert_eq!(tty.text(), ["abcd", "", "e"]);
    }

    #[test]
    fn the_view_follows_the_last_line_and_scrolls_back_no_further_than_the_first() {
        let mut tty = Tty::new(4, 2);
        tty.write("1\n2\n3", INK);
        assert_eq!(tty.text(), ["2", "3"]);
        assert_eq!(tty.take_change().scrolled, 17);
        tty.look(-9);
        assert_eq!(tty.text(), ["1", "2"]);
        assert_eq!(tty.take_change().scrolled, -17);
        tty.look(9);
        assert_eq!(tty.text(), ["2", "3"]);
        tty.look(-1);
        tty.write("!", INK);
        assert_eq!(tty.text(), ["2", "3!"]);
    }

    #[test]
    fn the_history_is_bounded() {
        let mut tty = Tty::new(4, 2);
        for _ in 0..3 * HISTORY {
            tty.begin_line();
        }
        tty.write("end", INK);
        assert_eq!(tty.lines.len(), HISTORY);
        assert_eq!(tty.text(), ["", "end"]);
    }

    #[test]
    fn a_scroll_back_and_forth_leaves_only_what_left_the_view_stale() {
        let mut tty = Tty::new(4, 4);
        tty.write("1\n2\n3\n4\n5\n6", INK);
        tty.take_change();
        tty.look(-1);
        tty.look(1);
        let change = tty.take_change();
        assert_eq!(change.scrolled, 0);
        assert_eq!(change.stale.extents(), tty.cells(3, 0..4));
    }
}
