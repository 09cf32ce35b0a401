//! Commands that a recording holds and that have no expression here.

use spice_proto::display::SurfaceFormat;

use crate::qxl::raw::RawError;
use crate::qxl::{BitmapError, ShapeError};

/// Why a command is read over. It counts as a command all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A command that is neither draw, update, cursor, message nor surface.
    #[error("commands of type {0} are not supported")]
    Command(u32),
    /// A drawable in the layout of QXL's first revision.
    #[error("drawables of the first QXL revision are not supported")]
    OldDrawable,
    /// A draw of a kind that does not exist.
    #[error("draws of type {0} are not known")]
    Draw(u32),
    /// A clip of neither nothing nor rectangles.
    #[error("clips of type {0} are not supported")]
    Clip(u32),
    /// A brush of a kind that does not exist.
    #[error("brushes of type {0} are not known")]
    Brush(u32),
    /// A draw without the image that it draws.
    #[error("an image is missing")]
    NoImage,
    /// An image that is neither bitmap, QUIC nor surface.
    #[error("images of type {0} are not supported")]
    Image(u32),
    /// A bitmap that is not taken.
    #[error(transparent)]
    Bitmap(#[from] BitmapError),
    /// Bytes in the guest's memory that are not what they are said to be.
    #[error(transparent)]
    Raw(#[from] RawError),
    /// A draw that makes no sense.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A surface command that neither creates nor destroys.
    #[error("surface commands of type {0} are not supported")]
    Surface(u32),
    /// A surface that begins with what the guest put there, in a format that no bitmap has.
    #[error("surfaces of format {0} that keep their content are not supported")]
    Content(SurfaceFormat),
    /// An off-screen surface with the id of the primary one.
    #[error("surface commands on the primary surface are not supported")]
    PrimarySurface,
    /// A cursor command that neither sets, moves, hides nor trails.
    #[error("cursor commands of type {0} are not supported")]
    Cursor(u32),
    /// A pointer shape without all its pixels.
    #[error("a pointer shape of {needed} bytes has only {len}")]
    ShapeShort {
        /// What its size takes.
        needed: u64,
        /// Bytes that there are.
        len: usize,
    },
}
