//! Images in messages.

use bytes::Bytes;

use crate::error::DecodeErrorKind;
use crate::ids::SurfaceId;
use crate::open_enum;
use crate::wire::{Fault, In, OffsetSlot, Parsed, Wire, Writer, field, flags, named, shared, wire_newtype};

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

flags! {
    /// `SPICE_BITMAP_FLAGS_*`.
    pub struct BitmapFlags: u8 {
        /// The viewer is to keep the palette.
        const PAL_CACHE_ME = 1;
        /// The viewer has the palette.
        const PAL_FROM_CACHE = 2;
        /// The top row comes first.
        const TOP_DOWN = 4;
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

/// An image's pixels, packed one way or another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageData {
    /// Bare pixels.
    Bitmap(BitmapImage),
    /// LZ4: one byte that is not 0 when the top row comes first, one byte of bitmap format, then blocks, each behind
    /// its length as a big-endian u32.
    Lz4(Bytes),
    /// A surface's content.
    Surface(SurfaceId),
}

impl ImageData {
    /// The number for its packing.
    #[must_use]
    pub const fn image_type(&self) -> ImageType {
        match self {
            Self::Bitmap(_) => ImageType::BITMAP,
            Self::Lz4(_) => ImageType::LZ4,
            Self::Surface(_) => ImageType::SURFACE,
        }
    }
}

/// Bare pixels of a format without a palette (`SpiceBitmap`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitmapImage {
    /// `SPICE_BITMAP_FMT_*`.
    pub format: u8,
    /// The order of its rows.
    pub flags: BitmapFlags,
    /// Columns.
    pub x: u32,
    /// Rows.
    pub y: u32,
    /// Bytes from row to row.
    pub stride: u32,
    /// `y` x `stride` bytes.
    pub data: Bytes,
}

impl Wire for BitmapImage {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, format) = field("bitmap.format", body, input)?;
        let (input, flags) = field("bitmap.flags", body, input)?;
        let (input, x) = field("bitmap.x", body, input)?;
        let (input, y) = field::<u32>("bitmap.y", body, input)?;
        let (input, stride) = field::<u32>("bitmap.stride", body, input)?;
        let at = input;
        let (input, palette) = field::<u32>("bitmap.palette", body, input)?;
        if palette != 0 {
            return named(
                "bitmap.palette",
                Err(Fault::at(at, DecodeErrorKind::Value { value: palette.into() })),
            );
        }
        let len = (u64::from(y) * u64::from(stride)).try_into().unwrap_or(usize::MAX);
        let (input, data) = named("bitmap.data", shared(body, input, len))?;
        Ok((input, Self { format, flags, x, y, stride, data }))
    }

    fn put(&self, writer: &mut Writer) {
        self.format.put(writer);
        self.flags.put(writer);
        self.x.put(writer);
        self.y.put(writer);
        self.stride.put(writer);
        0_u32.put(writer);
        self.data.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let (y, stride) = (source.int_in_range(0..=8)?, source.int_in_range(0..=64)?);
        let len = y as usize * stride as usize;
        let mut data: Vec<u8> = source.arbitrary()?;
        data.resize(len, 0x5a);
        Ok(Self {
            format: Wire::arbitrary(source)?,
            flags: Wire::arbitrary(source)?,
            x: Wire::arbitrary(source)?,
            y,
            stride,
            data: data.into(),
        })
    }
}

impl Wire for Image {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, id) = field("image.id", body, input)?;
        let at = input;
        let (input, image_type) = field("image.type", body, input)?;
        let (input, flags) = field("image.flags", body, input)?;
        let (input, width) = field("image.width", body, input)?;
        let (input, height) = field("image.height", body, input)?;
        let (input, data) = match image_type {
            ImageType::BITMAP => {
                let (input, bitmap) = BitmapImage::parse(body, input)?;
                (input, ImageData::Bitmap(bitmap))
            }
            ImageType::LZ4 => {
                let (input, len) = field::<u32>("lz4.data_size", body, input)?;
                let (input, data) = named("lz4.data", shared(body, input, len as usize))?;
                (input, ImageData::Lz4(data))
            }
            ImageType::SURFACE => {
                let (input, surface) = field("surface.surface_id", body, input)?;
                (input, ImageData::Surface(surface))
            }
            other => {
                return named(
                    "image.type",
                    Err(Fault::at(at, DecodeErrorKind::Value { value: other.0.into() })),
                );
            }
        };
        Ok((input, Self { id, flags, width, height, data }))
    }

    fn put(&self, writer: &mut Writer) {
        self.id.put(writer);
        self.data.image_type().put(writer);
        self.flags.put(writer);
        self.width.put(writer);
        self.height.put(writer);
        match &self.data {
            ImageData::Bitmap(bitmap) => bitmap.put(writer),
            ImageData::Lz4(data) => {
                u32::try_from(data.len()).unwrap_or(u32::MAX).put(writer);
                data.put(writer);
            }
            ImageData::Surface(surface) => surface.put(writer),
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let data = match source.int_in_range(0..=2)? {
            0 => ImageData::Bitmap(Wire::arbitrary(source)?),
            1 => ImageData::Lz4(Wire::arbitrary(source)?),
            _ => ImageData::Surface(Wire::arbitrary(source)?),
        };
        Ok(Self {
            id: Wire::arbitrary(source)?,
            flags: Wire::arbitrary(source)?,
            width: Wire::arbitrary(source)?,
            height: Wire::arbitrary(source)?,
            data,
        })
    }
}

/// Reads an offset and the image that it points to; 0 points to none.
pub(crate) fn parse_image<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Option<Image>> {
    let (left, target) = field::<u32>("offset", body, input)?;
    if target == 0 {
        return Ok((left, None));
    }
    let behind = body.len() - left.len();
    let Some(place) = (target as usize >= behind).then(|| body.get(target as usize..)).flatten() else {
        return Err(Fault::at(input, DecodeErrorKind::Offset { target }));
    };
    let (_, image) = Image::parse(body, place)?;
    Ok((left, Some(image)))
}

/// Appends an image and fills in the offset that points to it; without an image the offset stays 0.
pub(crate) fn put_image(image: Option<&Image>, slot: &OffsetSlot, writer: &mut Writer) {
    if let Some(image) = image {
        writer.point_here(slot);
        image.put(writer);
    }
}

/// An image or none.
#[cfg(feature = "arbitrary")]
pub(crate) fn arbitrary_image(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Option<Image>> {
    source.arbitrary::<bool>()?.then(|| Wire::arbitrary(source)).transpose()
}
