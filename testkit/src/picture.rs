//! Pixels, one at a time: slow, and plain to see that it is right.

use spice_proto::{Point, Rect};

/// A surface as a viewer has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: i32,
    height: i32,
    pixels: Vec<u32>,
}

impl Picture {
    /// A black one. Sizes beyond a test's needs are cut to 32767.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        let side = |pixels: u32| i32::try_from(pixels.min(32_767)).unwrap_or(0);
        let (width, height) = (side(width), side(height));
        let len = usize::try_from(width * height).unwrap_or(0);
        Self { width, height, pixels: vec![0; len] }
    }

    /// Columns and rows.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.width.unsigned_abs(), self.height.unsigned_abs())
    }

    /// Whether a rectangle lies within it.
    #[must_use]
    pub fn contains(&self, rect: &Rect) -> bool {
        rect.left >= 0 && rect.top >= 0 && rect.right <= self.width && rect.bottom <= self.height
    }

    /// The pixel at `at`.
    #[must_use]
    pub fn pixel(&self, at: Point) -> Option<u32> {
        self.index(at.x, at.y).and_then(|index| self.pixels.get(index)).copied()
    }

    /// All pixels, row by row.
    #[must_use]
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    fn index(&self, x: i32, y: i32) -> Option<usize> {
        let inside = (0..self.width).contains(&x) && (0..self.height).contains(&y);
        inside.then(|| usize::try_from(y * self.width + x).ok()).flatten()
    }

    /// Gives each pixel of `bbox` that lies in one of `clip` the colour that `source` has for it; without `clip`, each.
    pub fn paint(&mut self, bbox: &Rect, clip: Option<&[Rect]>, source: impl Fn(i32, i32) -> Option<u32>) {
        for y in bbox.top.max(0)..bbox.bottom.min(self.height) {
            for x in bbox.left.max(0)..bbox.right.min(self.width) {
                let seen = clip.is_none_or(|rects| {
                    rects.iter().any(|rect| {
                        (rect.left..rect.right).contains(&x) && (rect.top..rect.bottom).contains(&y)
                    })
                });
                if let (true, Some(colour), Some(index)) = (seen, source(x, y), self.index(x, y)) {
                    self.pixels[index] = colour;
                }
            }
        }
    }
}

impl core::fmt::Debug for Picture {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Picture({}x{})", self.width, self.height)
    }
}
