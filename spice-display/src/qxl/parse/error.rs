//! Why a command is refused.

use spice_proto::display::SurfaceFormat;

use crate::memory::{ChunkError, MemoryError, QxlPhysical};
use crate::qxl::{BitmapError, RawError, ShapeError};

/// Something in guest memory that makes no sense: which field of which structure, where that is, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{record}.{field} at {address}: {kind}")]
pub struct ParseError {
    /// The structure.
    pub record: &'static str,
    /// The field of it.
    pub field: &'static str,
    /// Where the structure is.
    pub address: QxlPhysical,
    /// What is wrong.
    pub kind: ParseErrorKind,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// An address that names no memory, or too little.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// A list of chunks.
    #[error(transparent)]
    Chunks(#[from] ChunkError),
    /// Data that is not what it is said to be.
    #[error(transparent)]
    Raw(#[from] RawError),
    /// A draw that makes no sense.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A bitmap that is none.
    #[error(transparent)]
    Bitmap(#[from] BitmapError),
    /// A value that nothing stands for.
    #[error("{0} is not known")]
    Unknown(u64),
    /// No address where something has to be.
    #[error("nothing is there")]
    Missing,
    /// More or fewer bytes than there have to be.
    #[error("{found} bytes instead of {expected}")]
    Length {
        /// What there has to be.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// More bytes than are taken.
    #[error("{wanted} bytes are more than {most}")]
    TooLarge {
        /// What there would be.
        wanted: u64,
        /// What is taken.
        most: u64,
    },
    /// Fewer bytes than the pixels of a pointer's shape.
    #[error("a pointer shape of {needed} bytes has only {len}")]
    ShapeShort {
        /// What its size takes.
        needed: u64,
        /// Bytes that there are.
        len: usize,
    },
    /// Rows of a surface that are longer than it is from one to the next.
    #[error("rows of {row} bytes do not fit a stride of {stride}")]
    Stride {
        /// Bytes of a row.
        row: u64,
        /// Bytes from row to row.
        stride: i32,
    },
    /// A surface that begins with what the guest put there, in a format that no bitmap has.
    #[error("surfaces of format {0} that keep their content are not supported")]
    Content(SurfaceFormat),
    /// An off-screen surface with the id of the primary one.
    #[error("the primary surface is not an off-screen one")]
    PrimarySurface,
    /// No monitor, or more than there can be.
    #[error("{count} monitors, of at most {max_allowed}")]
    Heads {
        /// How many.
        count: u16,
        /// What the guest says there can be.
        max_allowed: u16,
    },
    /// A structure that is read beyond its end, which is a fault of this crate's and not the guest's.
    #[error("the structure ends")]
    Truncated,
}
