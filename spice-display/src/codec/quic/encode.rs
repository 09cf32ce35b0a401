//! Pixels to a stream.

use super::walk::{Layout, Pixel, Walk};
use super::writer::{Tail, Words};
use super::{MAX_PIXELS, QuicError, QuicFormat, QuicHeader};

/// Encodes a picture whose top row begins `pixels`, with `stride` bytes from row to row.
///
/// The last row need not be followed by the rest of its stride.
///
/// # Errors
/// A picture without a pixel or of more than [`MAX_PIXELS`], a stride below the length of a row, fewer bytes than
/// the rows take.
pub fn encode(
    pixels: &[u8],
    width: u32,
    height: u32,
    stride: usize,
    format: QuicFormat,
) -> Result<Vec<u8>, QuicError> {
    let row = (width as usize).saturating_mul(format.bytes_per_pixel());
    if stride < row {
        return Err(QuicError::Stride { row, stride });
    }
    // A stride of zero comes with rows of no byte, and those are refused.
    encode_rows(pixels.chunks(stride.max(1)), width, height, format)
}

/// Encodes a picture of these rows, the top one first.
///
/// A row may have more bytes than its pixels take, and `rows` more rows than `height`; what is over is not read.
///
/// # Errors
/// A picture without a pixel or of more than [`MAX_PIXELS`], too few rows, a row of too few bytes.
pub fn encode_rows<'a>(
    rows: impl IntoIterator<Item = &'a [u8]>,
    width: u32,
    height: u32,
    format: QuicFormat,
) -> Result<Vec<u8>, QuicError> {
    let header = QuicHeader { format, width, height };
    header.check(MAX_PIXELS)?;
    let row_len = (width as usize).saturating_mul(format.bytes_per_pixel());
    let mut walks = Walks::new(&header);
    let (mut words, mut tail) = Words::new(&header);
    let mut rows = rows.into_iter();
    let mut above = None;
    for row in 0..height {
        let bytes =
            rows.next().and_then(|bytes| bytes.get(..row_len)).ok_or(QuicError::MissingRow { row })?;
        walks.code_row(bytes, above, &mut words, &mut tail);
        above = Some(bytes);
    }
    Ok(words.finish(tail))
}

/// The walks through a picture's samples.
enum Walks {
    Gray(Walk<1, 8>),
    Rgb16(Walk<3, 5>),
    Rgb24(Walk<3, 8>),
    Rgb32(Walk<3, 8>),
    Rgba(Walk<3, 8>, Box<Walk<1, 8>>),
}

impl Walks {
    fn new(header: &QuicHeader) -> Self {
        let width = header.width as usize;
        match header.format {
            QuicFormat::Gray => Self::Gray(Walk::new(width)),
            QuicFormat::Rgb16 => Self::Rgb16(Walk::new(width)),
            QuicFormat::Rgb24 => Self::Rgb24(Walk::new(width)),
            QuicFormat::Rgb32 => Self::Rgb32(Walk::new(width)),
            QuicFormat::Rgba => Self::Rgba(Walk::new(width), Box::new(Walk::new(width))),
        }
    }

    /// Codes a row of these bytes, below another if it is not the first: the colours of it all, then its alpha.
    fn code_row(&mut self, row: &[u8], above: Option<&[u8]>, words: &mut Words, tail: &mut Tail) {
        match self {
            Self::Gray(walk) => walk.code_row::<Gray>(row, above, words, tail),
            Self::Rgb16(walk) => walk.code_row::<Rgb16>(row, above, words, tail),
            Self::Rgb24(walk) => walk.code_row::<Rgb24>(row, above, words, tail),
            Self::Rgb32(walk) => walk.code_row::<Rgb32>(row, above, words, tail),
            Self::Rgba(walk, alpha) => {
                walk.code_row::<Rgb32>(row, above, words, tail);
                alpha.code_row::<Alpha>(row, above, words, tail);
            }
        }
    }
}

/// A byte of brightness.
struct Gray;

impl Layout for Gray {
    type Unit = u8;

    #[inline]
    fn units(bytes: &[u8]) -> &[u8] {
        bytes
    }

    #[inline]
    fn pixel(sample: u8) -> Pixel {
        [sample, 0, 0, 0]
    }
}

/// Five bits a colour.
struct Rgb16;

impl Layout for Rgb16 {
    type Unit = [u8; 2];

    #[inline]
    fn units(bytes: &[u8]) -> &[[u8; 2]] {
        bytes.as_chunks().0
    }

    #[inline]
    fn pixel(unit: [u8; 2]) -> Pixel {
        let unit = u16::from_le_bytes(unit);
        let [blue, green, red] = [0, 5, 10].map(|shift| ((unit >> shift) & 0x1f) as u8);
        [blue, green, red, 0]
    }
}

/// Three bytes of colour.
struct Rgb24;

impl Layout for Rgb24 {
    type Unit = [u8; 3];

    #[inline]
    fn units(bytes: &[u8]) -> &[[u8; 3]] {
        bytes.as_chunks().0
    }

    #[inline]
    fn pixel([blue, green, red]: [u8; 3]) -> Pixel {
        [blue, green, red, 0]
    }
}

/// The colour of four bytes.
struct Rgb32;

impl Layout for Rgb32 {
    type Unit = [u8; 4];

    #[inline]
    fn units(bytes: &[u8]) -> &[[u8; 4]] {
        bytes.as_chunks().0
    }

    #[inline]
    fn pixel(unit: [u8; 4]) -> Pixel {
        (u32::from_le_bytes(unit) & 0x00ff_ffff).to_le_bytes()
    }
}

/// The alpha of four bytes.
struct Alpha;

impl Layout for Alpha {
    type Unit = [u8; 4];

    #[inline]
    fn units(bytes: &[u8]) -> &[[u8; 4]] {
        bytes.as_chunks().0
    }

    #[inline]
    fn pixel(unit: [u8; 4]) -> Pixel {
        (u32::from_le_bytes(unit) >> 24).to_le_bytes()
    }
}
