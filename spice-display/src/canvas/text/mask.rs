//! A string's glyphs, put together.

use spice_proto::display::{Glyph, Glyphs};
use spice_proto::{Point, Rect};

/// The size from which on strings are not drawn, in pixels; the C server has no masks of that size.
const MAX_SIZE: i64 = 0x7fff;

/// How much of each pixel a string covers.
pub(super) struct Mask {
    /// The box around all glyphs.
    bounds: Rect,
    /// The part of it that is kept.
    area: Rect,
    /// Row after row of `area`.
    alpha: Vec<u8>,
}

impl Mask {
    /// What a string covers of `within`, which it takes a byte for each pixel of at most.
    ///
    /// `None` where there is no glyph, no depth, or the string is 32767 pixels long or high.
    pub(super) fn new(string: &Glyphs, within: Rect) -> Option<Self> {
        let depth = string.flags.depth()?;
        let bounds = bounds(&string.glyphs)?;
        let area = bounds.intersect(&within);
        let alpha = vec![0; area.width() as usize * area.height() as usize];
        let mut mask = Self { bounds, area, alpha };
        for glyph in &string.glyphs {
            match depth {
                1 => mask.put(glyph, depth, 0, |to, data, column| {
                    let byte = data.get(column / 8).copied().unwrap_or(0);
                    *to |= 0_u8.wrapping_sub(byte >> (7 - column % 8) & 1);
                }),
                4 => mask.put(glyph, depth, 0, |to, data, column| {
                    let byte = data.get(column / 2).copied().unwrap_or(0);
                    if column % 2 == 0 {
                        *to = (*to).max(byte & 0xf0);
                    } else if u32::from(*to) < u32::from(byte) << 4 {
                        // C compares with the whole byte: what lies below may come out lighter than it was.
                        *to = byte << 4;
                    }
                }),
                // C begins with the row after the last; what it finds there is not known here.
                _ => mask.put(glyph, depth, 1, |to, data, column| {
                    *to = (*to).max(data.get(column).copied().unwrap_or(0));
                }),
            }
        }
        Some(mask)
    }

    /// The box around all glyphs.
    pub(super) const fn bounds(&self) -> Rect {
        self.bounds
    }

    /// The part of it that pixels are known of.
    pub(super) const fn area(&self) -> Rect {
        self.area
    }

    /// What is covered from this place on to the end of the row.
    pub(super) fn from(&self, at: Point) -> &[u8] {
        let row = self.row(at.y);
        self.alpha.get(row).and_then(|row| row.get(self.column(at.x)..)).unwrap_or_default()
    }

    /// Calls `put` for each pixel of a glyph, with the row of its data and the column in that. The last row is on top,
    /// whatever the string's flags say, or the one so far `beyond` it.
    fn put(&mut self, glyph: &Glyph, depth: u32, beyond: i32, put: impl Fn(&mut u8, &[u8], usize)) {
        let Some(place) = place(glyph) else { return };
        let stride = Glyph::size(depth, glyph.width, 1) as usize;
        let seen = place.intersect(&self.area);
        for y in seen.top..seen.bottom {
            let line = (place.bottom - 1 - y + beyond) as usize;
            let data = glyph.data.get(line * stride..).unwrap_or_default();
            let data = data.get(..stride).unwrap_or(data);
            let columns = self.column(seen.left)..self.column(seen.right);
            let row = self.row(y);
            let pixels = self.alpha.get_mut(row).and_then(|row| row.get_mut(columns)).unwrap_or_default();
            let first = seen.left.abs_diff(place.left) as usize;
            for (column, pixel) in pixels.iter_mut().enumerate() {
                put(pixel, data, first + column);
            }
        }
    }

    const fn row(&self, y: i32) -> std::ops::Range<usize> {
        let (row, width) = (y.abs_diff(self.area.top) as usize, self.area.width() as usize);
        row * width..(row + 1) * width
    }

    const fn column(&self, x: i32) -> usize {
        x.abs_diff(self.area.left) as usize
    }
}

/// The box around all glyphs, unless it is too large or there is none.
fn bounds(glyphs: &[Glyph]) -> Option<Rect> {
    let mut places = glyphs.iter().map(place);
    let first = places.next()??;
    let bounds = places.try_fold(first, |bounds, place| {
        let place = place?;
        Some(Rect::from_edges(
            bounds.left.min(place.left),
            bounds.top.min(place.top),
            bounds.right.max(place.right),
            bounds.bottom.max(place.bottom),
        ))
    })?;
    let size = |low: i32, high: i32| i64::from(high) - i64::from(low);
    let fits = size(bounds.left, bounds.right) < MAX_SIZE && size(bounds.top, bounds.bottom) < MAX_SIZE;
    fits.then_some(bounds)
}

/// Where a glyph is; it may have no pixels.
fn place(glyph: &Glyph) -> Option<Rect> {
    let (left, top) =
        (glyph.render_pos.x.checked_add(glyph.origin.x)?, glyph.render_pos.y.checked_add(glyph.origin.y)?);
    let (right, bottom) = (left.checked_add(glyph.width.into())?, top.checked_add(glyph.height.into())?);
    Some(Rect::from_edges(left, top, right, bottom))
}
