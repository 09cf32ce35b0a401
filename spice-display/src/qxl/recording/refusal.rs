//! Commands that a recording holds and that have no expression here.

use core::fmt;

use spice_proto::display::SurfaceFormat;

use crate::qxl::{BitmapError, BitmapFormat};

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
    /// A draw other than FILL, COPY and COPY_BITS.
    #[error("drawing {0} is not supported")]
    Draw(DrawName),
    /// A draw that reads what it covers.
    #[error("draws with a bitmap of their own area are not supported")]
    SelfBitmap,
    /// A clip of neither nothing nor rectangles.
    #[error("clips of type {0} are not supported")]
    Clip(u32),
    /// Fewer clip rectangles than the command says.
    #[error("a clip of {count} rectangles has only {len} bytes")]
    ClipShort {
        /// Rectangles by the command's word.
        count: u32,
        /// Bytes that there are.
        len: usize,
    },
    /// A mask.
    #[error("masks are not supported")]
    Mask,
    /// A brush of other than one colour.
    #[error("brushes of type {0} are not supported")]
    Brush(u32),
    /// A copy of nothing.
    #[error("a copy without an image is not supported")]
    NoImage,
    /// An image that is neither a bitmap nor a surface.
    #[error("images of type {0} are not supported")]
    Image(u32),
    /// A bitmap of 32 bits with a palette.
    #[error("palettes are not supported")]
    Palette,
    /// A bitmap that is not taken.
    #[error(transparent)]
    Bitmap(#[from] BitmapError),
    /// A source and a box of different size.
    #[error("scaled copies are not supported")]
    Scaled,
    /// A source area that lies outside of the image.
    #[error("copies from outside of the image are not supported")]
    OutsideImage,
    /// A surface command that neither creates nor destroys.
    #[error("surface commands of type {0} are not supported")]
    Surface(u32),
    /// A surface of other than 32 bits that begins with what the guest put there.
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

impl Refusal {
    pub(super) fn bitmap_format(format: BitmapFormat) -> Self {
        Self::Bitmap(BitmapError::Format(format))
    }
}

/// A number of `QXL_DRAW_*`, shown by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawName(pub u32);

impl fmt::Display for DrawName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 15] = [
            "NOP",
            "FILL",
            "OPAQUE",
            "COPY",
            "COPY_BITS",
            "BLEND",
            "BLACKNESS",
            "WHITENESS",
            "INVERS",
            "ROP3",
            "STROKE",
            "TEXT",
            "TRANSPARENT",
            "ALPHA_BLEND",
            "COMPOSITE",
        ];
        match usize::try_from(self.0).ok().and_then(|index| NAMES.get(index)) {
            Some(name) => f.write_str(name),
            None => write!(f, "of type {}", self.0),
        }
    }
}
