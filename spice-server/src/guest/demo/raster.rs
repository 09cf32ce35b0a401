//! Pixels in the guest's own memory: what becomes the bitmaps of its commands.

use bytes::Bytes;
use spice_display::region::Region;
use spice_proto::Rect;

use super::font::{self, Face};

/// A colour, `0x00RRGGBB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour(pub(super) u32);

impl Colour {
    /// This colour under `alpha` / 255 of another.
    pub(super) const fn mix(self, other: Self, alpha: u8) -> Self {
        let (over, under) = (alpha as u32, 255 - alpha as u32);
        let mut mixed = 0;
        let mut shift = 0;
        while shift < 24 {
            let sum = ((self.0 >> shift) & 0xff) * under + ((other.0 >> shift) & 0xff) * over;
            mixed |= ((sum + 127) / 255) << shift;
            shift += 8;
        }
        Self(mixed)
    }
}

/// A coverage or a share from 0 to 1 in 255ths.
pub(super) fn alpha(share: f32) -> u8 {
    (share.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

/// A point between pixels; the centre of the first pixel is at 0.5, 0.5.
pub(super) type Spot = (f32, f32);

/// A rectangle of pixels, at least one. What is drawn outside of it is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Raster {
    width: u32,
    height: u32,
    pixels: Vec<Colour>,
}

impl Raster {
    /// One colour all over; a size of 0 counts as 1.
    pub(super) fn new(width: u32, height: u32, colour: Colour) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        Self { width, height, pixels: vec![colour; width as usize * height as usize] }
    }

    pub(super) fn width(&self) -> u32 {
        self.width
    }

    pub(super) fn height(&self) -> u32 {
        self.height
    }

    /// All of it, with its top left corner at 0, 0.
    pub(super) fn area(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    /// The pixels of `area` as the bytes of an `RGB32` bitmap without padding. `area` lies inside.
    pub(super) fn bytes(&self, area: Rect) -> Bytes {
        let mut bytes = Vec::with_capacity(area.width() as usize * area.height() as usize * 4);
        for y in area.top..area.bottom {
            bytes.extend(self.row(area.left, area.right, y).iter().flat_map(|pixel| pixel.0.to_le_bytes()));
        }
        bytes.into()
    }

    /// Where two rasters of the same size differ, in blocks of a few pixels.
    pub(super) fn difference(&self, other: &Self) -> Region {
        const BLOCK: u32 = 8;
        let starts = |end: u32| (0..end).step_by(BLOCK as usize).map(|start| start as i32);
        let corners = starts(self.height).flat_map(|top| starts(self.width).map(move |left| (left, top)));
        let blocks = corners.map(|(left, top)| Rect::new(left, top, BLOCK, BLOCK).intersect(&self.area()));
        let differs = |area: &Rect| {
            let row = |y| self.row(area.left, area.right, y) != other.row(area.left, area.right, y);
            (area.top..area.bottom).any(row)
        };
        blocks.filter(differs).collect()
    }

    pub(super) fn fill(&mut self, area: Rect, colour: Colour) {
        let area = area.intersect(&self.area());
        for y in area.top..area.bottom {
            self.row_mut(area.left, area.right, y).fill(colour);
        }
    }

    /// Lays `alpha` / 255 of a colour over one pixel.
    pub(super) fn blend(&mut self, x: i32, y: i32, colour: Colour, alpha: u8) {
        if let Some(pixel) = self.row_mut(x, x.saturating_add(1), y).first_mut() {
            *pixel = pixel.mix(colour, alpha);
        }
    }

    pub(super) fn set(&mut self, x: i32, y: i32, colour: Colour) {
        self.blend(x, y, colour, 255);
    }

    /// One line of text with the top left corner of its first cell at `x`, `y`.
    pub(super) fn text(&mut self, x: i32, y: i32, text: &str, face: Face, colour: Colour) {
        for (character, left) in text.chars().zip((x..).step_by(font::WIDTH as usize)) {
            self.glyph(left, y, character, face, colour);
        }
    }

    /// One character with the top left corner of its cell at `x`, `y`.
    pub(super) fn glyph(&mut self, x: i32, y: i32, character: char, face: Face, colour: Colour) {
        for (bits, row) in face.glyph(character).iter().zip(y..) {
            for (column, shift) in (x..).zip((0..font::WIDTH).rev()) {
                if (bits >> shift) & 1 == 1 {
                    self.set(column, row, colour);
                }
            }
        }
    }

    /// A smooth disc.
    pub(super) fn disc(&mut self, centre: Spot, radius: f32, colour: Colour) {
        self.stroke(centre, centre, 2.0 * radius, colour);
    }

    /// A smooth line with round ends.
    pub(super) fn stroke(&mut self, from: Spot, to: Spot, thickness: f32, colour: Colour) {
        let reach = thickness / 2.0 + 1.0;
        let (left, right) = (from.0.min(to.0) - reach, from.0.max(to.0) + reach);
        let (top, bottom) = (from.1.min(to.1) - reach, from.1.max(to.1) + reach);
        let around = Rect::from_edges(left as i32, top as i32, right as i32 + 1, bottom as i32 + 1);
        let area = around.intersect(&self.area());
        for y in area.top..area.bottom {
            for x in area.left..area.right {
                let apart = distance((x as f32 + 0.5, y as f32 + 0.5), from, to);
                self.blend(x, y, colour, alpha(thickness / 2.0 - apart + 0.5));
            }
        }
    }

    fn row(&self, left: i32, right: i32, y: i32) -> &[Colour] {
        self.span(left, right, y).and_then(|span| self.pixels.get(span)).unwrap_or(&[])
    }

    fn row_mut(&mut self, left: i32, right: i32, y: i32) -> &mut [Colour] {
        self.span(left, right, y).and_then(|span| self.pixels.get_mut(span)).unwrap_or(&mut [])
    }

    /// Where the pixels from `left` to `right` of row `y` are kept, if there are such.
    fn span(&self, left: i32, right: i32, y: i32) -> Option<core::ops::Range<usize>> {
        let (left, right, y) =
            (u32::try_from(left).ok()?, u32::try_from(right).ok()?, u32::try_from(y).ok()?);
        let start = (y as usize) * self.width as usize;
        (y < self.height && right <= self.width).then_some(start + left as usize..start + right as usize)
    }
}

/// From a point to the nearest point of the line between two others.
fn distance(point: Spot, from: Spot, to: Spot) -> f32 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (px, py) = (point.0 - from.0, point.1 - from.1);
    let square = dx * dx + dy * dy;
    let along = if square > 0.0 { ((px * dx + py * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
    let (ax, ay) = (px - along * dx, py - along * dy);
    (ax * ax + ay * ay).sqrt()
}

#[cfg(test)]
mod tests {
    use spice_proto::Rect;

    use super::{Colour, Raster};

    #[test]
    fn mixing_keeps_the_ends() {
        let (ink, paper) = (Colour(0x0012_34ff), Colour(0x00fe_dc00));
        assert_eq!(paper.mix(ink, 0), paper);
        assert_eq!(paper.mix(ink, 255), ink);
    }

    #[test]
    fn drawing_outside_is_lost() {
        let mut raster = Raster::new(4, 4, Colour(0));
        raster.fill(Rect::from_edges(-5, -5, 0, 9), Colour(1));
        raster.set(4, 0, Colour(1));
        raster.set(-1, 3, Colour(1));
        raster.disc((-20.0, 2.0), 3.0, Colour(1));
        assert_eq!(raster, Raster::new(4, 4, Colour(0)));
    }

    #[test]
    fn a_difference_covers_every_changed_pixel() {
        let before = Raster::new(20, 20, Colour(0));
        let mut after = before.clone();
        after.set(17, 9, Colour(1));
        let changed = after.difference(&before);
        assert_eq!(changed.extents(), Rect::from_edges(16, 8, 20, 16));
        assert!(after.difference(&after).is_empty());
    }
}
