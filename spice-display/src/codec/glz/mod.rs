//! GLZ: LZ with a dictionary of the pictures that a viewer was sent before.
//!
//! A reference is a length, how many pictures back, and which pixel there; how many pictures back is relative, so that
//! viewers with the same pictures behind them can be sent the same bytes. Only the header names the picture, by a
//! number that each viewer counts from 0, and says how many pictures before it the viewer has to keep. Viewers keep as
//! many pixels as they have said they can: a *window* of whole pictures, which the oldest leave when a new one needs
//! the room.
//!
//! [`Dictionary`] is that window on the encoder's side, [`Decoder`] on the viewer's. References are made to pictures of
//! the same format only.

mod alone;
mod decoder;
mod dictionary;
mod header;
mod past;
mod reference;
mod table;
#[cfg(test)]
mod tests;
mod window;

use bytes::Bytes;
use spice_proto::display::BitmapFormat;

use super::lz::LzError;
use super::lz::encode::{pack, tight};
pub use alone::encode_alone;
pub use decoder::Decoder;
pub use dictionary::{Dictionary, Encoded};
pub use header::GlzHeader;

/// Most pixels of a window: from there on the code of references has no numbers for them.
pub const MAX_WINDOW: u32 = reference::MAX_OFFSET;

/// Most pictures of a window, however small they are.
pub const MAX_IMAGES: usize = 1 << 13;

/// What a pixel is made of, and how it lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GlzFormat {
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

impl GlzFormat {
    /// The number in the stream's header.
    pub const fn wire(self) -> u8 {
        match self {
            Self::Rgb16 => 6,
            Self::Rgb24 => 7,
            Self::Rgb32 => 8,
            Self::Rgba => 9,
        }
    }

    /// The format of that number in a header.
    pub const fn from_wire(wire: u8) -> Option<Self> {
        match wire {
            6 => Some(Self::Rgb16),
            7 => Some(Self::Rgb24),
            8 => Some(Self::Rgb32),
            9 => Some(Self::Rgba),
            _ => None,
        }
    }

    /// The format for bitmaps of that one; there is none for those with a palette, or alpha alone.
    pub const fn of_bitmap(bitmap: BitmapFormat) -> Option<Self> {
        Some(match bitmap {
            BitmapFormat::RGB16 => Self::Rgb16,
            BitmapFormat::RGB24 => Self::Rgb24,
            BitmapFormat::RGB32 => Self::Rgb32,
            BitmapFormat::RGBA => Self::Rgba,
            _ => return None,
        })
    }

    /// Bytes of a pixel in memory.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Rgb16 => 2,
            Self::Rgb24 => 3,
            Self::Rgb32 | Self::Rgba => 4,
        }
    }
}

/// A picture to encode.
#[derive(Clone)]
pub struct GlzSource {
    /// What the pixels are.
    pub format: GlzFormat,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from row to row. The last row need not be followed by the rest of its stride.
    pub stride: usize,
    /// Whether the first row of `data` is the top one.
    pub top_down: bool,
    /// The rows.
    pub data: Bytes,
}

impl GlzSource {
    /// How many pixels it has: one at least, `most` at most.
    fn pixels(&self, most: u32) -> Result<u64, GlzError> {
        let Self { width, height, .. } = *self;
        match u64::from(width) * u64::from(height) {
            0 => Err(GlzError::Empty { width, height }),
            pixels if pixels > most.into() => Err(GlzError::TooLarge { width, height, most: most.into() }),
            pixels => Ok(pixels),
        }
    }

    /// Its rows with nothing between them, which are known to be fewer than four gigabytes.
    fn rows(&self) -> Result<Bytes, GlzError> {
        let Self { format, stride, ref data, .. } = *self;
        let row = self.width as usize * format.bytes_per_pixel();
        let height = self.height as usize;
        Ok(match tight(data, row, height, stride)? {
            Some(rows) => data.slice(..rows.len()),
            None => Bytes::from(pack(data, row, height, stride)),
        })
    }
}

impl std::fmt::Debug for GlzSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GlzSource({:?}, {}x{})", self.format, self.width, self.height)
    }
}

/// A decoded picture.
#[derive(Clone, PartialEq, Eq)]
pub struct GlzImage {
    /// What the pixels are.
    pub format: GlzFormat,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Whether the first row is the top one.
    pub top_down: bool,
    /// The rows, with nothing between them.
    pub pixels: Bytes,
}

impl GlzImage {
    /// Bytes from row to row.
    pub const fn stride(&self) -> usize {
        self.width as usize * self.format.bytes_per_pixel()
    }

    const fn pixel_count(&self) -> u64 {
        self.width as u64 * self.height as u64
    }
}

impl std::fmt::Debug for GlzImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GlzImage({:?}, {}x{}, top down {})", self.format, self.width, self.height, self.top_down)
    }
}

/// Why a picture is not encoded, or a stream not decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GlzError {
    /// No pixel at all.
    #[error("a picture of {width}x{height} has no pixel")]
    Empty {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// More pixels than there is room for.
    #[error("a picture of {width}x{height} has more than {most} pixels")]
    TooLarge {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// What there is room for.
        most: u64,
    },
    /// A picture to encode whose rows are not there, as [`LzError`] says it.
    #[error(transparent)]
    Rows(#[from] LzError),
    /// A stride, in a stream, that is not that of rows with nothing between them.
    #[error("a row of {row} bytes has a stride of {stride}")]
    Stride {
        /// Bytes of a row.
        row: u64,
        /// Bytes from row to row.
        stride: u32,
    },
    /// Not the beginning of a GLZ stream.
    #[error("{0:#010x} is not the magic number of LZ")]
    Magic(u32),
    /// A version that is not known.
    #[error("version {0:#x} of LZ is not supported")]
    Version(u32),
    /// A kind of pixel that is not known.
    #[error("GLZ has no pixel format {0}")]
    Format(u8),
    /// More pictures to keep than have been sent.
    #[error("picture {id} is to have {head_distance} before it")]
    Head {
        /// Its number.
        id: u64,
        /// How many are to be kept.
        head_distance: u32,
    },
    /// Another picture than the next.
    #[error("picture {id} comes when {next} should")]
    Order {
        /// Its number.
        id: u64,
        /// The number of the next.
        next: u64,
    },
    /// A stream that ends before its last pixel.
    #[error("the stream ends before the picture does")]
    Truncated,
    /// More pixels than the picture has.
    #[error("pixels go on past the end of the picture")]
    Overrun,
    /// A reference to what is not there, or not of the same format.
    #[error("a reference goes to pixels that are not there")]
    Reference,
    /// A stream that goes on after its last pixel.
    #[error("the stream goes on for {0} bytes after the picture")]
    Trailing(usize),
}
