//! Images of drawing commands.

use std::sync::Arc;

use spice_proto::SurfaceId;

use super::super::fields::Fields;
use super::super::refusal::Refusal;
use super::Stop;
use crate::qxl::{Bitmap, BitmapFormat, Image};

/// The bytes lie in one piece (`QXL_BITMAP_DIRECT`).
const DIRECT: u8 = 1 << 0;
/// The top row comes first (`QXL_BITMAP_TOP_DOWN`).
const TOP_DOWN: u8 = 1 << 2;

/// An image, or `None` where the command has none.
pub(super) fn image(fields: &mut Fields<'_>) -> Result<Option<Image>, Stop> {
    if fields.word("image")? == 0 {
        return Ok(None);
    }
    let id = fields.number("descriptor.id")?;
    let kind = fields.word("descriptor.type")?;
    fields.word("descriptor.flags")?;
    fields.word("descriptor.width")?;
    fields.word("descriptor.height")?;
    match kind {
        0 => Ok(Some(Image::bitmap(id, Arc::new(bitmap(fields)?)))),
        104 => Ok(Some(Image::surface(SurfaceId(fields.word("surface_image.surface_id")?)))),
        other => Err(Refusal::Image(other).into()),
    }
}

fn bitmap(fields: &mut Fields<'_>) -> Result<Bitmap, Stop> {
    let format = BitmapFormat(fields.number("bitmap.format")?);
    let flags: u8 = fields.number("bitmap.flags")?;
    let width = fields.word("bitmap.x")?;
    let height = fields.word("bitmap.y")?;
    let stride = fields.word("bitmap.stride")?;
    let has_palette = fields.word("has_palette")? != 0;
    if !matches!(format, BitmapFormat::RGB32 | BitmapFormat::RGBA) {
        return Err(Refusal::bitmap_format(format).into());
    }
    if has_palette {
        return Err(Refusal::Palette.into());
    }
    let data = match flags & DIRECT {
        0 => fields.chunks("bitmap.data")?,
        _ => fields.data("image_data_flat")?,
    };
    let bitmap = Bitmap::new(format, (width, height), stride, flags & TOP_DOWN != 0, data);
    Ok(bitmap.map_err(Refusal::from)?)
}
