//! Brushes as pixels.

use std::borrow::Cow;

use spice_proto::Point;

use super::Canvas;
use super::surfaces::{PaintError, Surfaces};
use crate::qxl::Brush;

/// What a brush paints with.
pub(super) enum BrushPixels<'a> {
    /// Every pixel the same bits.
    Solid(u32),
    /// A tile over and over, one of whose copies has its corner at `origin`.
    Tile {
        /// The tile, as deep as the canvas.
        tile: Cow<'a, Canvas>,
        /// The corner of one copy on the target.
        origin: Point,
    },
}

impl Canvas {
    /// What a brush paints with on this canvas. No brush is zero.
    pub(super) fn brush<'a>(
        &self,
        brush: &Brush,
        surfaces: &'a dyn Surfaces,
    ) -> Result<BrushPixels<'a>, PaintError> {
        Ok(match brush {
            Brush::None => BrushPixels::Solid(0),
            Brush::Solid(colour) => BrushPixels::Solid(self.colour_bits(*colour)),
            Brush::Pattern(pattern) => {
                let tile = self.as_deep_as_this(self.operand(&pattern.image, surfaces)?);
                BrushPixels::Tile { tile, origin: pattern.pos }
            }
        })
    }
}
