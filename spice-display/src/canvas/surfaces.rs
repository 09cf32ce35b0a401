//! What a command reads beside its own surface, and why it is not painted.

use spice_proto::display::BitmapFormat;
use spice_proto::{Rect, SurfaceId};

use super::Canvas;
use crate::codec::quic::QuicError;
use crate::qxl::BitmapError;

/// Where a command finds the surfaces that it reads.
pub trait Surfaces {
    /// The pixels of a surface, as they are when the command is painted; its own, too.
    fn canvas(&self, id: SurfaceId) -> Option<&Canvas>;
}

/// Why a command is not painted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaintError {
    /// An operation, or an operand of it, that is not painted here.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// A surface that is read and does not exist.
    #[error("surface {0} does not exist")]
    Surface(SurfaceId),
    /// An operator of COMPOSITE that does not exist.
    #[error("operator {0:#x} of COMPOSITE is not known")]
    Operator(u8),
    /// A bitmap of a format that its use does not allow.
    #[error("a bitmap of format {0} cannot be used there")]
    Format(BitmapFormat),
    /// A bitmap of a format that needs a palette, without one.
    #[error("a bitmap of format {0} has no palette")]
    Palette(BitmapFormat),
    /// A source area that reaches beyond its image, or lies before it.
    #[error("the source area {area:?} reaches beyond an image of {width}x{height} pixels")]
    OutsideImage {
        /// The area.
        area: Rect,
        /// Columns of the image.
        width: u32,
        /// Rows of the image.
        height: u32,
    },
    /// A QUIC image of another size than the command says.
    #[error("a QUIC image of {width}x{height} is announced as {announced:?}")]
    QuicSize {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Columns and rows by the command's word.
        announced: (u32, u32),
    },
    /// A QUIC image that cannot be unpacked.
    #[error(transparent)]
    Quic(#[from] QuicError),
    /// A QUIC image that makes no bitmap.
    #[error(transparent)]
    Bitmap(#[from] BitmapError),
}
