//! Images of drawing commands.

use std::sync::Arc;

use bytes::Bytes;
use spice_proto::SurfaceId;
use spice_proto::display::{ImageFlags, Palette, PaletteId};

use super::guest::{Guest, Record};
use super::{ParseError, ParseErrorKind};
use crate::memory::{MAX_DATA, QxlPhysical};
use crate::qxl::{Bitmap, BitmapError, BitmapFormat, Image, ImageSource, QuicImage};

/// The bytes lie in one piece (`QXL_BITMAP_DIRECT`).
const DIRECT: u8 = 1 << 0;
/// The top row comes first (`QXL_BITMAP_TOP_DOWN`).
const TOP_DOWN: u8 = 1 << 2;

impl<'a> Guest<'a> {
    /// The image (`QXLImage`) that the next field of `record` names, or `None` where it names none.
    pub(super) fn image(
        self,
        record: &mut Record<'_>,
        field: &'static str,
        mask: bool,
    ) -> Result<Option<Image>, ParseError> {
        let address = record.address()?;
        if address.is_null() {
            return Ok(None);
        }
        let mut head = self.record(field, address, 18)?;
        let id = head.u64()?;
        let kind = head.u8()?;
        let flags = ImageFlags::from_bits_retain(head.u8()?);
        let (width, height) = (head.u32()?, head.u32()?);
        let source = match kind {
            0 => ImageSource::Bitmap(Arc::new(self.bitmap(&mut head.follow("bitmap", 30)?, mask)?)),
            1 => {
                let data = self.quic(&mut head.follow("quic", 24)?)?;
                ImageSource::Quic(Arc::new(QuicImage { width, height, data }))
            }
            104 => ImageSource::Surface(SurfaceId(head.follow("surface_image", 4)?.u32()?)),
            other => return Err(head.fault("descriptor.type", ParseErrorKind::Unknown(other.into()))),
        };
        let flags = flags & (ImageFlags::CACHE_ME | ImageFlags::HIGH_BITS_SET);
        Ok(Some(Image { id, flags, source }))
    }

    /// `QXLBitmap`.
    fn bitmap(self, record: &mut Record<'_>, mask: bool) -> Result<Bitmap, ParseError> {
        let format = BitmapFormat(record.u8()?);
        let flags = record.u8()?;
        let (width, height, stride) = (record.u32()?, record.u32()?, record.u32()?);
        let (palette, data) = (record.address()?, record.address()?);
        let palette = match palette {
            QxlPhysical::NULL if has_palette(format) && !mask => {
                return Err(record.fault("palette", BitmapError::Palette(format)));
            }
            QxlPhysical::NULL => None,
            palette => Some(Arc::new(self.palette(palette)?)),
        };
        let len = u64::from(stride) * u64::from(height);
        if len > MAX_DATA {
            return Err(record.fault("stride", ParseErrorKind::TooLarge { wanted: len, most: MAX_DATA }));
        }
        let data = if flags & DIRECT != 0 {
            record.wrap("data", self.place(record, "data", data)?.bytes(len))?
        } else {
            let chunks = record.wrap("data", self.slots.chunks(self.group, data))?;
            if chunks.len() != len {
                let kind = ParseErrorKind::Length { expected: len, found: chunks.len() };
                return Err(record.fault("data", kind));
            }
            record.wrap("data", chunks.bytes())?
        };
        let bitmap = Bitmap::new(format, (width, height), stride, flags & TOP_DOWN != 0, data.into());
        Ok(record.wrap("format", bitmap)?.with_palette(palette))
    }

    /// `QXLPalette`.
    fn palette(self, address: QxlPhysical) -> Result<Palette, ParseError> {
        let mut head = self.record("palette", address, 10)?;
        let (id, count) = (PaletteId(head.u64()?), head.u16()?);
        let entries = head.wrap("ents", head.behind("ents")?.bytes(u64::from(count) * 4))?;
        let entries = entries.as_chunks().0.iter().map(|entry| u32::from_le_bytes(*entry));
        let entries = if self.flags.compat_16bpp { entries.map(colour).collect() } else { entries.collect() };
        Ok(Palette { id, entries })
    }

    /// `QXLQUICData`.
    fn quic(self, record: &mut Record<'a>) -> Result<Bytes, ParseError> {
        let expected = u64::from(record.u32()?);
        Ok(self.sized_chunks(record, expected)?.into())
    }
}

/// Whether a format's pixels are numbers of colours.
const fn has_palette(format: BitmapFormat) -> bool {
    matches!(
        format,
        BitmapFormat::BIT1_LE
            | BitmapFormat::BIT1_BE
            | BitmapFormat::BIT4_LE
            | BitmapFormat::BIT4_BE
            | BitmapFormat::BIT8
    )
}

/// A colour of 16 bits, x555, with 8 bits for each part, the upper ones repeated below.
pub(super) const fn colour(bits: u32) -> u32 {
    let (red, green, blue) = (bits >> 10 & 0x1f, bits >> 5 & 0x1f, bits & 0x1f);
    (red << 3 | red >> 2) << 16 | (green << 3 | green >> 2) << 8 | (blue << 3 | blue >> 2)
}
