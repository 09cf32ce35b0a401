//! Bare pixels, with or without a palette.

use bytes::Bytes;

use super::palette::{ImagePalette, Palette};
use super::pointer::{Behind, optional};
use crate::open_enum;
use crate::wire::{In, Parsed, Wire, Writer, field, flags, named, shared, wire_newtype};

open_enum! {
    /// How a bitmap's pixels are kept (`SPICE_BITMAP_FMT_*`).
    pub enum BitmapFormat: u8 {
        /// 1 bit, palette, first pixel lowest.
        BIT1_LE = 1,
        /// 1 bit, palette, first pixel highest.
        BIT1_BE = 2,
        /// 4 bits, palette, first pixel lowest.
        BIT4_LE = 3,
        /// 4 bits, palette, first pixel highest.
        BIT4_BE = 4,
        /// 8 bits, palette.
        BIT8 = 5,
        /// 16 bits, x555.
        RGB16 = 6,
        /// 24 bits, blue first.
        RGB24 = 7,
        /// 32 bits, `0x??RRGGBB` in little endian; the top byte means nothing.
        RGB32 = 8,
        /// 32 bits, `0xAARRGGBB` in little endian, colours premultiplied.
        RGBA = 9,
        /// 8 bits of alpha.
        A8 = 10,
    }
}

wire_newtype!(BitmapFormat(u8));

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

impl BitmapFlags {
    /// The same, with [`Self::PAL_FROM_CACHE`] as `palette` has it.
    pub(super) fn matching(mut self, palette: Option<&ImagePalette>) -> Self {
        self.set(Self::PAL_FROM_CACHE, palette.is_some_and(ImagePalette::is_cached));
        self
    }
}

/// Bare pixels (`SpiceBitmap`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitmapImage {
    /// How they are kept.
    pub format: BitmapFormat,
    /// The order of its rows. [`BitmapFlags::PAL_FROM_CACHE`] is set exactly where the palette is
    /// [`ImagePalette::Cached`]; encoding makes it so.
    pub flags: BitmapFlags,
    /// Columns.
    pub x: u32,
    /// Rows.
    pub y: u32,
    /// Bytes from row to row.
    pub stride: u32,
    /// Its palette, in formats that have one.
    pub palette: Option<ImagePalette>,
    /// `y` x `stride` bytes.
    pub data: Bytes,
}

impl BitmapImage {
    pub(super) fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, format) = field("bitmap.format", body, input)?;
        let (input, flags) = field::<BitmapFlags>("bitmap.flags", body, input)?;
        let (input, x) = field("bitmap.x", body, input)?;
        let (input, y) = field::<u32>("bitmap.y", body, input)?;
        let (input, stride) = field::<u32>("bitmap.stride", body, input)?;
        let (input, palette) = if flags.contains(BitmapFlags::PAL_FROM_CACHE) {
            let (input, id) = field("bitmap.palette_id", body, input)?;
            (input, Some(ImagePalette::Cached(id)))
        } else {
            let (input, palette) = named("bitmap.palette", optional(body, input, Palette::parse))?;
            (input, palette.map(ImagePalette::Sent))
        };
        let len = (u64::from(y) * u64::from(stride)).try_into().unwrap_or(usize::MAX);
        let (input, data) = named("bitmap.data", shared(body, input, len))?;
        Ok((input, Self { format, flags, x, y, stride, palette, data }))
    }

    pub(super) fn put<'a>(&'a self, writer: &mut Writer, behind: &mut Behind<'a>) {
        let palette = self.palette.as_ref();
        self.format.put(writer);
        self.flags.matching(palette).put(writer);
        self.x.put(writer);
        self.y.put(writer);
        self.stride.put(writer);
        ImagePalette::put(palette, writer, behind);
        self.data.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    pub(super) fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let palette = source.arbitrary::<bool>()?.then(|| ImagePalette::arbitrary(source)).transpose()?;
        let flags: BitmapFlags = Wire::arbitrary(source)?;
        let (y, stride) = (source.int_in_range(0..=8)?, source.int_in_range(0..=64)?);
        let len = y as usize * stride as usize;
        let mut data: Vec<u8> = source.arbitrary()?;
        data.resize(len, 0x5a);
        Ok(Self {
            format: Wire::arbitrary(source)?,
            flags: flags.matching(palette.as_ref()),
            x: Wire::arbitrary(source)?,
            y,
            stride,
            palette,
            data: data.into(),
        })
    }
}
