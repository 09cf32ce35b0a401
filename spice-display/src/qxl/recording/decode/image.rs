//! Images of drawing commands.

use std::sync::Arc;

use spice_proto::SurfaceId;
use spice_proto::display::{ImageFlags, Palette, PaletteId};

use super::super::fields::Fields;
use super::super::refusal::Refusal;
use super::{Stop, length};
use crate::qxl::{Bitmap, BitmapError, BitmapFormat, Image, ImageSource, QuicImage};

/// The bytes lie in one piece (`QXL_BITMAP_DIRECT`).
const DIRECT: u8 = 1 << 0;
/// The top row comes first (`QXL_BITMAP_TOP_DOWN`).
const TOP_DOWN: u8 = 1 << 2;

/// An image, or `None` where the command has none.
pub(super) fn image(fields: &mut Fields<'_>) -> Result<Option<Image>, Stop> {
    read(fields, false)
}

/// The image of a mask, whose pixels are no colours, so that it needs no palette.
pub(super) fn mask(fields: &mut Fields<'_>) -> Result<Option<Image>, Stop> {
    read(fields, true)
}

fn read(fields: &mut Fields<'_>, is_mask: bool) -> Result<Option<Image>, Stop> {
    if fields.word("image")? == 0 {
        return Ok(None);
    }
    let id = fields.number("descriptor.id")?;
    let kind = fields.word("descriptor.type")?;
    let flags = ImageFlags::from_bits_retain(fields.number("descriptor.flags")?);
    let flags = flags & (ImageFlags::CACHE_ME | ImageFlags::HIGH_BITS_SET);
    let width = fields.word("descriptor.width")?;
    let height = fields.word("descriptor.height")?;
    let source = match kind {
        0 => ImageSource::Bitmap(Arc::new(bitmap(fields, is_mask)?)),
        1 => {
            let size = fields.word("quic.data_size")?;
            let data = fields.chunks("quic.data")?;
            length("bytes of a QUIC image", size.into(), size as usize, data.len())?;
            ImageSource::Quic(Arc::new(QuicImage { width, height, data }))
        }
        104 => ImageSource::Surface(SurfaceId(fields.word("surface_image.surface_id")?)),
        other => return Err(Refusal::Image(other).into()),
    };
    Ok(Some(Image { id, flags, source }))
}

fn bitmap(fields: &mut Fields<'_>, is_mask: bool) -> Result<Bitmap, Stop> {
    let format = BitmapFormat(fields.number("bitmap.format")?);
    let flags: u8 = fields.number("bitmap.flags")?;
    let width = fields.word("bitmap.x")?;
    let height = fields.word("bitmap.y")?;
    let stride = fields.word("bitmap.stride")?;
    let palette = match fields.word("has_palette")? {
        0 if has_palette(format) && !is_mask => {
            return Err(Refusal::from(BitmapError::Palette(format)).into());
        }
        0 => None,
        _ => Some(Arc::new(palette(fields)?)),
    };
    let data = match flags & DIRECT {
        0 => fields.chunks("bitmap.data")?,
        _ => fields.data("image_data_flat")?,
    };
    let len = data.len();
    let bitmap = Bitmap::new(format, (width, height), stride, flags & TOP_DOWN != 0, data);
    let bitmap = bitmap.map_err(Refusal::from)?.with_palette(palette);
    length("rows of a bitmap", height.into(), bitmap.data().len(), len)?;
    Ok(bitmap)
}

fn palette(fields: &mut Fields<'_>) -> Result<Palette, Stop> {
    let count: u16 = fields.number("qp.num_ents")?;
    let id = PaletteId(fields.number("unique")?);
    let entries = (0..count).map(|_| fields.word("ents")).collect::<Result<_, _>>()?;
    Ok(Palette { id, entries })
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
