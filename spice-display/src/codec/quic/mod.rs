//! QUIC, the lossless codec of SPICE for pictures without hard edges.
//!
//! A picture is coded row by row, one sample at a time: a sample is predicted from its neighbours to the left and
//! above, and what it differs by is written as a Golomb-Rice code. Which code, an adaptive model decides by the
//! difference before it (SFALIC, by Roman Starosolski). Where the row above is level, runs of equal pixels are
//! written as lengths.
//!
//! Encoder and decoder have the codes, the models and the pace at which they learn in common, but each its own walk
//! through a row: a decoder has a sample only when the one before it is decoded, an encoder has them all. The stream
//! of [`encode()`] is the one spice-common's encoder writes, to the bit.

mod book;
mod decode;
mod encode;
mod header;
mod model;
mod pace;
mod plane;
mod planes;
mod reader;
mod run;
#[cfg(test)]
mod tests;
mod walk;
mod writer;

pub use decode::decode;
pub use encode::{encode, encode_rows};
pub use header::QuicHeader;

/// Most pixels of a picture: what the C decoder takes before it gives up.
pub const MAX_PIXELS: u64 = 512 * 1024 * 1024 - 1;

/// What a pixel is made of, and how it lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QuicFormat {
    /// One byte of brightness.
    Gray,
    /// A little-endian `u16`: five bits each of red, green and blue from bit 14 down. The top bit is not coded, and
    /// is zero after decoding.
    Rgb16,
    /// Three bytes: blue, green, red.
    Rgb24,
    /// Four bytes: blue, green, red, and one that is not coded, and is zero after decoding.
    Rgb32,
    /// Four bytes: blue, green, red, alpha.
    Rgba,
}

impl QuicFormat {
    /// The number in the stream's header.
    pub const fn wire(self) -> u32 {
        match self {
            Self::Gray => 1,
            Self::Rgb16 => 2,
            Self::Rgb24 => 3,
            Self::Rgb32 => 4,
            Self::Rgba => 5,
        }
    }

    /// The format of that number in a header.
    pub const fn from_wire(wire: u32) -> Option<Self> {
        match wire {
            1 => Some(Self::Gray),
            2 => Some(Self::Rgb16),
            3 => Some(Self::Rgb24),
            4 => Some(Self::Rgb32),
            5 => Some(Self::Rgba),
            _ => None,
        }
    }

    /// Bytes of a pixel in memory.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb16 => 2,
            Self::Rgb24 => 3,
            Self::Rgb32 | Self::Rgba => 4,
        }
    }

    /// Samples of a pixel in the stream.
    const fn samples(self) -> u64 {
        match self {
            Self::Gray => 1,
            Self::Rgb16 | Self::Rgb24 | Self::Rgb32 => 3,
            Self::Rgba => 4,
        }
    }
}

/// A decoded picture.
#[derive(Clone, PartialEq, Eq)]
pub struct QuicImage {
    /// What the pixels are.
    pub format: QuicFormat,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The rows, the top one first, with nothing between them.
    pub pixels: Vec<u8>,
}

impl QuicImage {
    /// Bytes from row to row.
    pub const fn stride(&self) -> usize {
        self.width as usize * self.format.bytes_per_pixel()
    }
}

impl std::fmt::Debug for QuicImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "QuicImage({:?}, {}x{})", self.format, self.width, self.height)
    }
}

/// Why a picture is not encoded, or a stream not decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuicError {
    /// No pixel at all.
    #[error("a picture of {width}x{height} has no pixel")]
    Empty {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// More pixels than are allowed.
    #[error("a picture of {width}x{height} has more than {most} pixels")]
    TooLarge {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// What is allowed.
        most: u64,
    },
    /// A stride below the length of a row.
    #[error("a row of {row} bytes does not fit a stride of {stride}")]
    Stride {
        /// Bytes of a row.
        row: usize,
        /// Bytes from row to row.
        stride: usize,
    },
    /// A row to encode that is missing, or shorter than its pixels.
    #[error("row {row} is not there in full")]
    MissingRow {
        /// Which, from the top.
        row: u32,
    },
    /// Not the beginning of a QUIC stream.
    #[error("{0:#010x} is not the magic number of QUIC")]
    Magic(u32),
    /// A version that is not known.
    #[error("version {0:#x} of QUIC is not supported")]
    Version(u32),
    /// A kind of pixel that is not known.
    #[error("QUIC has no pixel format {0}")]
    Format(u32),
    /// A stream that ends before its last pixel.
    #[error("the stream ends before the picture does")]
    Truncated,
    /// A run that goes on past the end of its row.
    #[error("a run of pixels leaves its row")]
    Run,
    /// A code for a sample out of range.
    #[error("a code stands for no sample")]
    Code,
}
