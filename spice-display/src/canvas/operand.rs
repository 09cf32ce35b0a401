//! Images as pixels that can be painted with.

use std::borrow::Cow;

use spice_proto::display::SurfaceFormat;
use spice_proto::{Point, Rect};

use super::Canvas;
use super::paint::{PaintError, Surfaces};
use crate::qxl::{BitmapFormat, Image, ImageSource};
use crate::region::Region;

impl Canvas {
    /// The pixels of an image, converted to what this canvas paints with; those of a surface as they are.
    pub(super) fn operand<'a>(
        &self,
        image: &Image,
        surfaces: &'a dyn Surfaces,
    ) -> Result<Cow<'a, Self>, PaintError> {
        match &image.source {
            ImageSource::Surface(id) => {
                surfaces.canvas(*id).map(Cow::Borrowed).ok_or(PaintError::Surface(*id))
            }
            ImageSource::Bitmap(bitmap) => {
                let format = match bitmap.format() {
                    BitmapFormat::RGB32 => SurfaceFormat::RGB32,
                    BitmapFormat::RGBA => SurfaceFormat::ARGB32,
                    other => return Err(PaintError::Format(other)),
                };
                let mut canvas = Self::new(format, bitmap.width(), bitmap.height()).unwrap_or_default();
                canvas.put_bitmap(&Region::from(canvas.bounds()), bitmap, Point::default());
                Ok(Cow::Owned(canvas))
            }
            ImageSource::Quic(_) => Err(PaintError::Unsupported("a QUIC image")),
            ImageSource::Own(_) => Err(PaintError::Unsupported("an image of the surface itself")),
        }
    }
}

/// Where a source's corner comes to lie, counted from the target's.
pub(super) fn offset(bbox: Rect, source: Point) -> Point {
    Point::new(bbox.left.saturating_sub(source.x), bbox.top.saturating_sub(source.y))
}
