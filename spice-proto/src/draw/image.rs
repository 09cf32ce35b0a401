//! Images in messages.

use bytes::Bytes;

use super::bitmap::BitmapImage;
use super::packed::{JpegAlphaImage, LzPaletteImage, ZlibGlzImage, parse_sized, put_pieces, put_sized};
use super::pointer::{Behind, Part, Pointee, optional};
use crate::error::DecodeErrorKind;
use crate::ids::SurfaceId;
use crate::open_enum;
use crate::wire::{Body, Fault, In, Parsed, Wire, Writer, field, flags, named, wire_newtype};

open_enum! {
    /// How an image's pixels are packed (`SPICE_IMAGE_TYPE_*`).
    pub enum ImageType: u8 {
        /// Not at all.
        BITMAP = 0,
        /// QUIC.
        QUIC = 1,
        /// LZ over a palette.
        LZ_PLT = 100,
        /// LZ over colours.
        LZ_RGB = 101,
        /// LZ with a dictionary of earlier images.
        GLZ_RGB = 102,
        /// The viewer has it.
        FROM_CACHE = 103,
        /// A surface's content.
        SURFACE = 104,
        /// JPEG.
        JPEG = 105,
        /// The viewer has it, without loss.
        FROM_CACHE_LOSSLESS = 106,
        /// zlib over [`Self::GLZ_RGB`].
        ZLIB_GLZ_RGB = 107,
        /// JPEG with alpha beside it.
        JPEG_ALPHA = 108,
        /// LZ4.
        LZ4 = 109,
    }
}

wire_newtype!(ImageType(u8));

flags! {
    /// `SPICE_IMAGE_FLAGS_*`.
    pub struct ImageFlags: u8 {
        /// The viewer is to keep it under its id.
        const CACHE_ME = 1;
        /// Alpha is one where it is missing.
        const HIGH_BITS_SET = 2;
        /// The viewer is to keep it in place of a lossy one.
        const CACHE_REPLACE_ME = 4;
    }
}

/// An image (`SpiceImage`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its name, in the viewer's cache.
    pub id: u64,
    /// What the viewer does with it.
    pub flags: ImageFlags,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Its pixels.
    pub data: ImageData,
}

/// An image's pixels, packed one way or another. Other packings than these are refused: nobody could tell where they
/// end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageData {
    /// Bare pixels.
    Bitmap(BitmapImage),
    /// A QUIC stream, which begins with its own header.
    Quic(Bytes),
    /// LZ over a palette.
    LzPalette(LzPaletteImage),
    /// An LZ stream of colours, which begins with its own header.
    LzRgb(Bytes),
    /// A GLZ stream, which begins with its own header; it refers to images before it. It may be in pieces: the header
    /// numbers the image for one viewer, what comes behind it is for all that were sent the same images.
    GlzRgb(Body),
    /// The viewer has it under the image's id, perhaps with loss.
    FromCache,
    /// A surface's content.
    Surface(SurfaceId),
    /// A JPEG stream.
    Jpeg(Bytes),
    /// The viewer has it under the image's id, and waits until it has it without loss.
    FromCacheLossless,
    /// zlib over GLZ.
    ZlibGlzRgb(ZlibGlzImage),
    /// JPEG with alpha beside it.
    JpegAlpha(JpegAlphaImage),
    /// LZ4: one byte that is not 0 when the top row comes first, one byte of bitmap format, then blocks, each behind
    /// its length as a big-endian u32.
    Lz4(Bytes),
}

impl ImageData {
    /// The number for its packing.
    #[must_use]
    pub const fn image_type(&self) -> ImageType {
        match self {
            Self::Bitmap(_) => ImageType::BITMAP,
            Self::Quic(_) => ImageType::QUIC,
            Self::LzPalette(_) => ImageType::LZ_PLT,
            Self::LzRgb(_) => ImageType::LZ_RGB,
            Self::GlzRgb(_) => ImageType::GLZ_RGB,
            Self::FromCache => ImageType::FROM_CACHE,
            Self::Surface(_) => ImageType::SURFACE,
            Self::Jpeg(_) => ImageType::JPEG,
            Self::FromCacheLossless => ImageType::FROM_CACHE_LOSSLESS,
            Self::ZlibGlzRgb(_) => ImageType::ZLIB_GLZ_RGB,
            Self::JpegAlpha(_) => ImageType::JPEG_ALPHA,
            Self::Lz4(_) => ImageType::LZ4,
        }
    }

    /// Reads the pixels of an image whose type stood at `at`.
    fn parse<'a>(body: &'a Bytes, input: In<'a>, image_type: ImageType, at: In<'a>) -> Parsed<'a, Self> {
        fn wrap<T>((left, value): (In<'_>, T), wrap: impl FnOnce(T) -> ImageData) -> (In<'_>, ImageData) {
            (left, wrap(value))
        }
        Ok(match image_type {
            ImageType::BITMAP => wrap(BitmapImage::parse(body, input)?, Self::Bitmap),
            ImageType::QUIC => wrap(parse_sized(body, input)?, Self::Quic),
            ImageType::LZ_PLT => wrap(LzPaletteImage::parse(body, input)?, Self::LzPalette),
            ImageType::LZ_RGB => wrap(parse_sized(body, input)?, Self::LzRgb),
            ImageType::GLZ_RGB => wrap(parse_sized(body, input)?, |data| Self::GlzRgb(data.into())),
            ImageType::FROM_CACHE => (input, Self::FromCache),
            ImageType::SURFACE => wrap(field("surface.surface_id", body, input)?, Self::Surface),
            ImageType::JPEG => wrap(parse_sized(body, input)?, Self::Jpeg),
            ImageType::FROM_CACHE_LOSSLESS => (input, Self::FromCacheLossless),
            ImageType::ZLIB_GLZ_RGB => wrap(ZlibGlzImage::parse(body, input)?, Self::ZlibGlzRgb),
            ImageType::JPEG_ALPHA => wrap(JpegAlphaImage::parse(body, input)?, Self::JpegAlpha),
            ImageType::LZ4 => wrap(parse_sized(body, input)?, Self::Lz4),
            other => {
                let kind = DecodeErrorKind::Value { value: other.0.into() };
                return named("image.type", Err(Fault::at(at, kind)));
            }
        })
    }

    fn put<'a>(&'a self, writer: &mut Writer, behind: &mut Behind<'a>) {
        match self {
            Self::Bitmap(bitmap) => bitmap.put(writer, behind),
            Self::LzPalette(image) => image.put(writer, behind),
            Self::Quic(data) | Self::LzRgb(data) | Self::Jpeg(data) | Self::Lz4(data) => {
                put_sized(data, writer);
            }
            Self::GlzRgb(data) => {
                put_pieces(data, writer);
            }
            Self::FromCache | Self::FromCacheLossless => {}
            Self::Surface(surface) => surface.put(writer),
            Self::ZlibGlzRgb(image) => image.put(writer),
            Self::JpegAlpha(image) => image.put(writer),
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(match source.int_in_range(0..=11)? {
            0 => Self::Bitmap(BitmapImage::arbitrary(source)?),
            1 => Self::Quic(Wire::arbitrary(source)?),
            2 => Self::LzPalette(LzPaletteImage::arbitrary(source)?),
            3 => Self::LzRgb(Wire::arbitrary(source)?),
            4 => Self::GlzRgb(Bytes::arbitrary(source)?.into()),
            5 => Self::FromCache,
            6 => Self::Surface(Wire::arbitrary(source)?),
            7 => Self::Jpeg(Wire::arbitrary(source)?),
            8 => Self::FromCacheLossless,
            9 => Self::ZlibGlzRgb(Wire::arbitrary(source)?),
            10 => Self::JpegAlpha(Wire::arbitrary(source)?),
            _ => Self::Lz4(Wire::arbitrary(source)?),
        })
    }
}

impl Image {
    pub(super) fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, id) = field("image.id", body, input)?;
        let at = input;
        let (input, image_type) = field("image.type", body, input)?;
        let (input, flags) = field("image.flags", body, input)?;
        let (input, width) = field("image.width", body, input)?;
        let (input, height) = field("image.height", body, input)?;
        let (input, data) = ImageData::parse(body, input, image_type, at)?;
        Ok((input, Self { id, flags, width, height, data }))
    }

    pub(super) fn put<'a>(&'a self, writer: &mut Writer, behind: &mut Behind<'a>) {
        self.id.put(writer);
        self.data.image_type().put(writer);
        self.flags.put(writer);
        self.width.put(writer);
        self.height.put(writer);
        self.data.put(writer, behind);
    }

    #[cfg(feature = "arbitrary")]
    pub(super) fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let data = ImageData::arbitrary(source)?;
        Ok(Self {
            id: Wire::arbitrary(source)?,
            flags: Wire::arbitrary(source)?,
            width: Wire::arbitrary(source)?,
            height: Wire::arbitrary(source)?,
            data,
        })
    }
}

/// An offset; 0 where there is no image.
impl Part for Option<Image> {
    fn parse_part<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        optional(body, input, Image::parse)
    }

    fn put_part<'a>(&'a self, writer: &mut Writer, behind: &mut Behind<'a>) {
        match self {
            Some(image) => behind.point(writer, Pointee::Image(image)),
            None => 0_u32.put(writer),
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary_part(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        source.arbitrary::<bool>()?.then(|| Image::arbitrary(source)).transpose()
    }
}
