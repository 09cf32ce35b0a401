//! JPEG, the lossy codec of SPICE for pictures without hard edges on slow links, and JPEG with alpha beside it.
//!
//! The streams are written by the library `jpeg-encoder`: baseline, YCbCr, and below a quality of 90 with colour
//! differences at half the resolution, as libjpeg does by itself.
//!
//! The top row comes first in every JPEG stream: the message has nothing to say otherwise, and spice-gtk
//! (`canvas_base.c`, `decode-jpeg.c`) fills its picture from the top, with blue, green, red and a byte of zero. Where
//! there is alpha it comes in an LZ stream of format [`Xxxa`](LzFormat::Xxxa), whose rows are in the order that the
//! message's flag and the LZ header say, and these two have to agree: that is the order of the source.
//!
//! The C server (`dcc.cpp`, `image-encoders.cpp`) takes JPEG in the place of QUIC, where it may be lossy and the link
//! is slow: for pictures of colours with [`MIN_SIDE`] columns and rows at least, and, if they have alpha, with nothing
//! between rows, which its LZ encoder could not leave out. What comes out larger than the bitmap it sends bare.

use std::borrow::Cow;

use bytes::Bytes;
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder};
use spice_proto::display::{BitmapFormat, JpegAlphaFlags, JpegAlphaImage};

use super::lz::encode::tight;
use super::lz::{self, LzError, LzFormat, LzSource};

/// The quality of the C server's pictures: `jpeg_quality`, which its `dcc.cpp` sets and nothing changes.
pub const QUALITY: u8 = 85;

/// Fewest columns and rows that the C server makes a JPEG of: `MIN_DIMENSION_TO_QUIC` of its `dcc.cpp`. Smaller ones
/// are encoded all the same.
pub const MIN_SIDE: u32 = 3;

/// Most columns and rows: `JPEG_MAX_DIMENSION` of libjpeg, whose decoder ends a viewer that is sent more.
pub const MAX_SIDE: u32 = 65_500;

/// How a pixel lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JpegFormat {
    /// A little-endian `u16`: five bits each of red, green and blue from bit 14 down.
    Rgb16,
    /// Three bytes: blue, green, red.
    Rgb24,
    /// Four bytes: blue, green, red, and one that is not looked at.
    Rgb32,
    /// Four bytes: blue, green, red, alpha.
    Rgba,
}

impl JpegFormat {
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
#[derive(Clone, Copy)]
pub struct JpegSource<'a> {
    /// What the pixels are.
    pub format: JpegFormat,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from row to row. The last row need not be followed by the rest of its stride.
    pub stride: usize,
    /// Whether the first row of `data` is the top one.
    pub top_down: bool,
    /// The rows.
    pub data: &'a [u8],
}

impl std::fmt::Debug for JpegSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JpegSource({:?}, {}x{})", self.format, self.width, self.height)
    }
}

/// Why a picture is not encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JpegError {
    /// No pixel at all.
    #[error("a picture of {width}x{height} has no pixel")]
    Empty {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// More than [`MAX_SIDE`] columns or rows.
    #[error("a picture of {width}x{height} has a side of more than {MAX_SIDE}")]
    TooLarge {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// Rows that are not there, or an alpha that LZ does not take, as [`LzError`] says it.
    #[error(transparent)]
    Lz(#[from] LzError),
    /// A picture with alpha was wanted, of pixels that have none.
    #[error("pixels of {0:?} have no alpha")]
    NoAlpha(JpegFormat),
    /// What the library has against it.
    #[error("JPEG: {0}")]
    Library(String),
}

/// Encodes the colours of a picture: the bytes of an `ImageData::Jpeg`. Alpha is left out.
///
/// `quality` is on libjpeg's scale, from 1 to 100; what is outside is taken as the nearest of these. Of pictures with
/// something between their rows, with the top row last, or of 16 bits, a copy is made.
///
/// # Errors
/// A picture without a pixel or with a side of more than [`MAX_SIDE`], a stride below the length of a row, fewer bytes
/// than the rows take.
pub fn encode(source: &JpegSource<'_>, quality: u8) -> Result<Vec<u8>, JpegError> {
    let JpegSource { width, height, .. } = *source;
    let pixels = pixels(source)?;
    let colours = match source.format {
        JpegFormat::Rgb16 => ColorType::Rgb,
        JpegFormat::Rgb24 => ColorType::Bgr,
        JpegFormat::Rgb32 | JpegFormat::Rgba => ColorType::Bgra,
    };
    let (Ok(width), Ok(height)) = (u16::try_from(width), u16::try_from(height)) else {
        return Err(JpegError::TooLarge { width, height });
    };
    let mut stream = Vec::new();
    let mut encoder = Encoder::new(&mut stream, quality.clamp(1, 100));
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    encoder.encode(&pixels, width, height, colours).map_err(|error| JpegError::Library(error.to_string()))?;
    Ok(stream)
}

/// Encodes a picture with alpha: what an `ImageData::JpegAlpha` is made of.
///
/// # Errors
/// As for [`encode`], pixels without alpha, and a picture of more than [`lz::MAX_BYTES`].
pub fn encode_alpha(source: &JpegSource<'_>, quality: u8) -> Result<JpegAlphaImage, JpegError> {
    let JpegSource { format, width, height, stride, top_down, data } = *source;
    if format != JpegFormat::Rgba {
        return Err(JpegError::NoAlpha(format));
    }
    let jpeg = encode(source, quality)?;
    let mut alpha = Vec::new();
    lz::encode(&LzSource { format: LzFormat::Xxxa, width, height, stride, top_down, data }, &mut alpha)?;
    let flags = if top_down { JpegAlphaFlags::TOP_DOWN } else { JpegAlphaFlags::empty() };
    Ok(JpegAlphaImage { flags, jpeg: Bytes::from(jpeg), alpha: Bytes::from(alpha) })
}

/// The rows as the library takes them: the top one first, nothing between them, a byte for each colour.
fn pixels<'a>(source: &JpegSource<'a>) -> Result<Cow<'a, [u8]>, JpegError> {
    let JpegSource { format, width, height, stride, top_down, data } = *source;
    if width == 0 || height == 0 {
        return Err(JpegError::Empty { width, height });
    }
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(JpegError::TooLarge { width, height });
    }
    let (row, lines) = (width as usize * format.bytes_per_pixel(), height as usize);
    let together = tight(data, row, lines, stride)?;
    if let Some(rows) = together.filter(|_| format != JpegFormat::Rgb16 && (top_down || lines == 1)) {
        return Ok(Cow::Borrowed(rows));
    }
    let rows = data.chunks(stride).take(lines).map(|line| line.get(..row).unwrap_or_default());
    let mut pixels = Vec::with_capacity(width as usize * lines * format.bytes_per_pixel().max(3));
    let mut put = |row: &[u8]| match format {
        JpegFormat::Rgb16 => pixels.extend(row.as_chunks().0.iter().copied().flat_map(rgb)),
        _ => pixels.extend_from_slice(row),
    };
    if top_down {
        rows.for_each(&mut put);
    } else {
        rows.rev().for_each(&mut put);
    }
    Ok(Cow::Owned(pixels))
}

/// Red, green and blue of a pixel of five bits each: black is 0, and white 255.
fn rgb(pixel: [u8; 2]) -> [u8; 3] {
    let pixel = u16::from_le_bytes(pixel);
    [pixel >> 10, pixel >> 5, pixel].map(|colour| {
        let colour = colour & 0x1f;
        (colour << 3 | colour >> 2) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(format: JpegFormat, width: u32, height: u32, stride: usize, data: &[u8]) -> JpegSource<'_> {
        JpegSource { format, width, height, stride, top_down: true, data }
    }

    #[test]
    fn rows_are_the_same_wherever_they_lie() {
        let tight: Vec<u8> = (0..7 * 5 * 4_u32).map(|at| (at * 37 % 251) as u8).collect();
        let stream = encode(&source(JpegFormat::Rgb32, 7, 5, 28, &tight), QUALITY).unwrap();
        assert_eq!(stream[..2], [0xff, 0xd8]);
        assert_eq!(stream[stream.len() - 2..], [0xff, 0xd9]);

        let upwards: Vec<u8> = tight.chunks(28).rev().flatten().copied().collect();
        let upwards = JpegSource { top_down: false, ..source(JpegFormat::Rgb32, 7, 5, 28, &upwards) };
        assert_eq!(encode(&upwards, QUALITY).as_ref(), Ok(&stream));
        for rows in [tight.chunks(28).collect::<Vec<_>>(), tight.chunks(28).rev().collect()] {
            let top_down = rows[0] == &tight[..28];
            let mut loose: Vec<u8> = rows.into_iter().flat_map(|row| [row, &[0xaa; 9]].concat()).collect();
            loose.truncate(loose.len() - 9);
            let loose = JpegSource { top_down, ..source(JpegFormat::Rgb32, 7, 5, 37, &loose) };
            assert_eq!(encode(&loose, QUALITY).as_ref(), Ok(&stream));
        }
        // The fourth byte is no colour, and three bytes say as much.
        let mut other = tight.clone();
        other.iter_mut().skip(3).step_by(4).for_each(|byte| *byte ^= 0x5a);
        assert_eq!(encode(&source(JpegFormat::Rgb32, 7, 5, 28, &other), QUALITY).as_ref(), Ok(&stream));
        assert_eq!(encode(&source(JpegFormat::Rgba, 7, 5, 28, &other), QUALITY).as_ref(), Ok(&stream));
        let three: Vec<u8> = tight.chunks(4).flat_map(|pixel| &pixel[..3]).copied().collect();
        assert_eq!(encode(&source(JpegFormat::Rgb24, 7, 5, 21, &three), QUALITY).as_ref(), Ok(&stream));
    }

    #[test]
    fn colours_of_five_bits_go_from_black_to_white() {
        assert_eq!(rgb([0, 0]), [0; 3]);
        assert_eq!(rgb([0xff, 0x7f]), [255; 3]);
        assert_eq!(rgb([0xff, 0xff]), [255; 3]);
        assert_eq!(rgb((0x10 << 10 | 0x01_u16 << 5 | 0x1e).to_le_bytes()), [132, 8, 247]);
    }

    #[test]
    fn alpha_comes_as_lz_in_the_order_of_the_source() {
        let data: Vec<u8> = (0..3 * 2 * 4_u8).collect();
        for (top_down, flags) in [(true, JpegAlphaFlags::TOP_DOWN), (false, JpegAlphaFlags::empty())] {
            let source = JpegSource { top_down, ..source(JpegFormat::Rgba, 3, 2, 12, &data) };
            let image = encode_alpha(&source, QUALITY).unwrap();
            assert_eq!(image.flags, flags);
            assert_eq!(Ok(image.jpeg.to_vec()), encode(&source, QUALITY));
            let alpha = lz::decode(&image.alpha, 6).unwrap();
            assert_eq!((alpha.format, alpha.width, alpha.height), (LzFormat::Xxxa, 3, 2));
            assert_eq!(alpha.top_down, top_down);
            assert!(alpha.pixels.iter().skip(3).step_by(4).eq([3, 7, 11, 15, 19, 23].iter()));
        }
        let opaque = source(JpegFormat::Rgb32, 3, 2, 12, &data);
        assert_eq!(encode_alpha(&opaque, QUALITY), Err(JpegError::NoAlpha(JpegFormat::Rgb32)));
    }

    #[test]
    fn any_quality_is_one() {
        let data = [9, 8, 7, 0].repeat(64);
        let of = |quality| encode(&source(JpegFormat::Rgb32, 8, 8, 32, &data), quality).unwrap();
        assert_eq!(of(0), of(1));
        assert_eq!(of(255), of(100));
        assert!(of(30) != of(QUALITY));
    }

    #[test]
    fn pictures_that_are_not_there_are_not_encoded() {
        let of = |len, width, height, stride| {
            encode(&source(JpegFormat::Rgb32, width, height, stride, &vec![0; len]), QUALITY).map(drop)
        };
        assert_eq!(of(24, 2, 3, 8), Ok(()));
        assert_eq!(of(23, 2, 3, 8), Err(LzError::Short { needed: 24, len: 23 }.into()));
        assert_eq!(of(24, 2, 3, 7), Err(LzError::Stride { row: 8, stride: 7 }.into()));
        assert_eq!(of(24, 2, 3, usize::MAX), Err(LzError::Short { needed: usize::MAX, len: 24 }.into()));
        assert_eq!(of(24, 0, 3, 0), Err(JpegError::Empty { width: 0, height: 3 }));
        assert_eq!(of(24, 2, 0, 8), Err(JpegError::Empty { width: 2, height: 0 }));
        for (width, height) in [(MAX_SIDE + 1, 1), (1, MAX_SIDE + 1), (u32::MAX, u32::MAX), (1 << 16, 1)] {
            assert_eq!(of(1 << 20, width, height, 1 << 20), Err(JpegError::TooLarge { width, height }));
        }
        let long = MAX_SIDE as usize * 4;
        assert_eq!(of(long, MAX_SIDE, 1, long), Ok(()));
        assert_eq!(of(long, 1, MAX_SIDE, 4), Ok(()));
    }
}
