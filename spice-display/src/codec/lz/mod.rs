//! LZ, the lossless codec of SPICE for pictures with hard edges, and for those with a palette.
//!
//! A picture is one row of pixels, line after line. What was seen before, up to some 73 000 pixels back, is replaced by
//! a reference: a length and a distance; the rest stands as it is. Pictures with alpha take two passes, one over the
//! colours and one over alpha. Pictures with a palette are coded by the bytes that hold the indices; the palette itself
//! travels beside the stream.
//!
//! [`GLZ`](super::glz) is the same with references into earlier pictures, and shares what is common: `pixel` knows
//! what a pass compares and writes, `parse` how it is cut into references and literals, `input` how they are read.
//! Which references are made is the encoder's business: they are not those of the C encoder, and on pictures of
//! desktops take fewer bytes.

mod decode;
pub(in crate::codec) mod encode;
pub(in crate::codec) mod header;
pub(in crate::codec) mod input;
pub(in crate::codec) mod parse;
pub(in crate::codec) mod pixel;
pub(in crate::codec) mod places;
mod recent;
#[cfg(test)]
mod tests;

use spice_proto::display::BitmapFormat;

pub use decode::decode;
pub use encode::encode;
pub use header::LzHeader;

/// Most bytes of a picture's rows: what the C decoder takes.
pub const MAX_BYTES: u64 = (1 << 30) - 1;

/// What a pixel is made of, and how it lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LzFormat {
    /// Eight pixels to a byte, the first in its lowest bit.
    Plt1Le,
    /// Eight pixels to a byte, the first in its highest bit.
    Plt1Be,
    /// Two pixels to a byte, the first in its low half.
    Plt4Le,
    /// Two pixels to a byte, the first in its high half.
    Plt4Be,
    /// A byte of palette index.
    Plt8,
    /// A little-endian `u16`: five bits each of red, green and blue from bit 14 down. The top bit is not coded, and
    /// is zero after decoding.
    Rgb16,
    /// Three bytes: blue, green, red.
    Rgb24,
    /// Four bytes: blue, green, red, and one that is not coded, and is zero after decoding.
    Rgb32,
    /// Four bytes: blue, green, red, alpha.
    Rgba,
    /// Four bytes of which the last, alpha, is coded. The others are zero after decoding.
    Xxxa,
    /// A byte of alpha.
    A8,
}

impl LzFormat {
    const ALL: [Self; 11] = [
        Self::Plt1Le,
        Self::Plt1Be,
        Self::Plt4Le,
        Self::Plt4Be,
        Self::Plt8,
        Self::Rgb16,
        Self::Rgb24,
        Self::Rgb32,
        Self::Rgba,
        Self::Xxxa,
        Self::A8,
    ];

    /// The number in the stream's header.
    pub const fn wire(self) -> u32 {
        self as u32 + 1
    }

    /// The format of that number in a header.
    pub fn from_wire(wire: u32) -> Option<Self> {
        Self::ALL.get(wire.checked_sub(1)? as usize).copied()
    }

    /// Bits of a pixel in memory.
    pub const fn bits_per_pixel(self) -> u32 {
        match self {
            Self::Plt1Le | Self::Plt1Be => 1,
            Self::Plt4Le | Self::Plt4Be => 4,
            Self::Plt8 | Self::A8 => 8,
            Self::Rgb16 => 16,
            Self::Rgb24 => 24,
            Self::Rgb32 | Self::Rgba | Self::Xxxa => 32,
        }
    }

    /// The format for bitmaps of that one.
    pub const fn of_bitmap(bitmap: BitmapFormat) -> Option<Self> {
        Some(match bitmap {
            BitmapFormat::BIT1_LE => Self::Plt1Le,
            BitmapFormat::BIT1_BE => Self::Plt1Be,
            BitmapFormat::BIT4_LE => Self::Plt4Le,
            BitmapFormat::BIT4_BE => Self::Plt4Be,
            BitmapFormat::BIT8 => Self::Plt8,
            BitmapFormat::RGB16 => Self::Rgb16,
            BitmapFormat::RGB24 => Self::Rgb24,
            BitmapFormat::RGB32 => Self::Rgb32,
            BitmapFormat::RGBA => Self::Rgba,
            BitmapFormat::A8 => Self::A8,
            _ => return None,
        })
    }

    /// Bytes of what is coded at once: a pixel, or the byte that holds several.
    const fn unit_len(self) -> usize {
        self.bits_per_pixel().div_ceil(8) as usize
    }

    /// Bytes of a row of that many pixels.
    pub const fn row_len(self, width: u32) -> u64 {
        (width as u64 * self.bits_per_pixel() as u64).div_ceil(8)
    }
}

/// A picture to encode.
#[derive(Clone, Copy)]
pub struct LzSource<'a> {
    /// What the pixels are.
    pub format: LzFormat,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from row to row.
    pub stride: usize,
    /// Whether the first row of `data` is the top one.
    pub top_down: bool,
    /// The rows.
    pub data: &'a [u8],
}

impl std::fmt::Debug for LzSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LzSource({:?}, {}x{})", self.format, self.width, self.height)
    }
}

/// A decoded picture.
#[derive(Clone, PartialEq, Eq)]
pub struct LzImage {
    /// What the pixels are.
    pub format: LzFormat,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Whether the first row is the top one.
    pub top_down: bool,
    /// The rows, with nothing between them.
    pub pixels: Vec<u8>,
}

impl LzImage {
    /// Bytes from row to row.
    pub const fn stride(&self) -> usize {
        self.format.row_len(self.width) as usize
    }
}

impl std::fmt::Debug for LzImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LzImage({:?}, {}x{}, top down {})", self.format, self.width, self.height, self.top_down)
    }
}

/// Why a picture is not encoded, or a stream not decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LzError {
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
    /// A stride below the length of a row, or, in a stream, another than that.
    #[error("a row of {row} bytes does not fit a stride of {stride}")]
    Stride {
        /// Bytes of a row.
        row: u64,
        /// Bytes from row to row.
        stride: u64,
    },
    /// Fewer bytes to encode than the rows take.
    #[error("rows of {needed} bytes have only {len}")]
    Short {
        /// What they take.
        needed: usize,
        /// What is there.
        len: usize,
    },
    /// Not the beginning of an LZ stream.
    #[error("{0:#010x} is not the magic number of LZ")]
    Magic(u32),
    /// A version that is not known.
    #[error("version {0:#x} of LZ is not supported")]
    Version(u32),
    /// A kind of pixel that is not known.
    #[error("LZ has no pixel format {0}")]
    Format(u32),
    /// A stream that ends before its last pixel.
    #[error("the stream ends before the picture does")]
    Truncated,
    /// More pixels than the picture has.
    #[error("pixels go on past the end of the picture")]
    Overrun,
    /// A reference to what is not there.
    #[error("a reference goes back before the first pixel")]
    Reference,
    /// A stream that goes on after its last pixel.
    #[error("the stream goes on for {0} bytes after the picture")]
    Trailing(usize),
}
