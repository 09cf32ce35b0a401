//! What makes a drawing command one that can be drawn at all.

use spice_proto::Rect;

use super::{DrawCopy, DrawOp, Drawable, Image, ImageSource, QuicImage};
use crate::codec::quic::{QuicError, QuicHeader};

/// Why a drawing command makes no sense, whatever the surfaces are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// A source area that is inverted, or lies before or beyond its bitmap.
    #[error("the source area {area:?} is no part of an image of {width}x{height} pixels")]
    SourceArea {
        /// The area.
        area: Rect,
        /// Columns of the image; `u32::MAX` where they are not known.
        width: u32,
        /// Rows of the image.
        height: u32,
    },
    /// A Bézier segment without three points for each curve, or a figure that does not begin.
    #[error("path segment {0} has no place to begin or points left over")]
    Path(usize),
    /// A QUIC stream that does not begin as one.
    #[error("an image's stream: {0}")]
    Quic(QuicError),
    /// A QUIC stream of another size than its image. Viewers would take the stream's word for it.
    #[error("an image of {width}x{height} pixels has a stream of {stream_width}x{stream_height}")]
    QuicSize {
        /// Columns, by the image.
        width: u32,
        /// Rows, by the image.
        height: u32,
        /// Columns, by the stream.
        stream_width: u32,
        /// Rows, by the stream.
        stream_height: u32,
    },
}

impl Drawable {
    /// Whether its QUIC streams begin as the images say. Viewers are sent them as they are.
    ///
    /// # Errors
    /// A stream that is none, or one of another size than its image.
    pub fn check_streams(&self) -> Result<(), ShapeError> {
        self.op.images().try_for_each(stream_of)
    }

    /// Whether it makes sense.
    ///
    /// # Errors
    /// A source area that no pixel can come from, a path that cannot be walked.
    pub fn check(&self) -> Result<(), ShapeError> {
        match &self.op {
            DrawOp::Copy(DrawCopy { source, source_area, .. })
            | DrawOp::Blend(DrawCopy { source, source_area, .. }) => source_area_of(source, *source_area),
            DrawOp::Opaque(op) => source_area_of(&op.source, op.source_area),
            DrawOp::Rop3(op) => source_area_of(&op.source, op.source_area),
            DrawOp::Transparent(op) => source_area_of(&op.source, op.source_area),
            DrawOp::AlphaBlend(op) => source_area_of(&op.source, op.source_area),
            DrawOp::Stroke(op) => {
                let bezier = spice_proto::display::PathFlags::BEZIER;
                let begin = spice_proto::display::PathFlags::BEGIN;
                let wrong = op.path.segments.iter().position(|segment| {
                    let begins = segment.flags.contains(begin);
                    let points = segment.points.len();
                    (begins && points == 0)
                        || (segment.flags.contains(bezier)
                            && !(points - usize::from(begins)).is_multiple_of(3))
                });
                wrong.map_or(Ok(()), |index| Err(ShapeError::Path(index)))
            }
            _ => Ok(()),
        }
    }
}

/// Whether an image's stream is what the image says.
fn stream_of(image: &Image) -> Result<(), ShapeError> {
    let ImageSource::Quic(quic) = &image.source else { return Ok(()) };
    let QuicImage { width, height, .. } = **quic;
    let stream = QuicHeader::read(&quic.data).map_err(ShapeError::Quic)?;
    let (stream_width, stream_height) = (stream.width, stream.height);
    if (stream_width, stream_height) == (width, height) {
        return Ok(());
    }
    Err(ShapeError::QuicSize { width, height, stream_width, stream_height })
}

/// Whether `area` lies within an image, as far as it is known how large that is.
fn source_area_of(image: &Image, area: Rect) -> Result<(), ShapeError> {
    let (width, height) = match &image.source {
        ImageSource::Bitmap(bitmap) => (bitmap.width(), bitmap.height()),
        ImageSource::Quic(quic) => (quic.width, quic.height),
        ImageSource::Surface(_) | ImageSource::Own(_) => (u32::MAX, u32::MAX),
    };
    let ordered = 0 <= area.left && area.left <= area.right && 0 <= area.top && area.top <= area.bottom;
    if ordered && area.right.unsigned_abs() <= width && area.bottom.unsigned_abs() <= height {
        return Ok(());
    }
    Err(ShapeError::SourceArea { area, width, height })
}
