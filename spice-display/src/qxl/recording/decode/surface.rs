//! The life of surfaces.

use std::sync::Arc;

use bytes::Bytes;
use spice_proto::SurfaceId;
use spice_proto::display::SurfaceFormat;

use super::super::fields::Fields;
use super::super::refusal::Refusal;
use super::Stop;
use crate::qxl::{Bitmap, BitmapFormat, PrimarySurface, SurfaceCommand};

/// The surface begins with what the guest has put there (`QXL_SURF_FLAG_KEEP_DATA`).
const KEEP_DATA: u32 = 1 << 0;

pub(super) fn primary(fields: &mut Fields<'_>) -> Result<PrimarySurface, Stop> {
    let [width, height, stride, format] = fields.numbers("")?;
    let width = fields.word_of("width", width)?;
    let height = fields.word_of("height", height)?;
    let stride = fields.fit("stride", stride)?;
    let format = SurfaceFormat(fields.word_of("format", format)?);
    let [_position, _mouse_mode, flags, _kind] = fields.numbers("")?;
    let flags = fields.word_of("flags", flags)?;
    let data = fields.data("data")?;
    let content = match flags & KEEP_DATA {
        0 => None,
        _ => Some(content(format, (width, height), stride, data)?),
    };
    Ok(PrimarySurface { width, height, format, content })
}

pub(super) fn surface_command(fields: &mut Fields<'_>) -> Result<SurfaceCommand, Stop> {
    fields.keyword("surface_cmd")?;
    let surface = SurfaceId(fields.word("surface_id")?);
    let kind = fields.word("type")?;
    let flags = fields.word("flags")?;
    let command = match kind {
        0 => create(surface, flags, fields)?,
        1 => SurfaceCommand::Destroy { surface },
        other => return Err(Refusal::Surface(other).into()),
    };
    if surface == SurfaceId::PRIMARY {
        return Err(Refusal::PrimarySurface.into());
    }
    Ok(command)
}

fn create(surface: SurfaceId, flags: u32, fields: &mut Fields<'_>) -> Result<SurfaceCommand, Stop> {
    let format = SurfaceFormat(fields.word("u.surface_create.format")?);
    let width = fields.word("u.surface_create.width")?;
    let height = fields.word("u.surface_create.height")?;
    let stride = fields.number("u.surface_create.stride")?;
    let content = match flags & KEEP_DATA {
        0 => None,
        _ => Some(content(format, (width, height), stride, fields.data("data")?)?),
    };
    Ok(SurfaceCommand::Create { surface, width, height, format, content })
}

/// A surface's first pixels; a negative stride means that the bottom row comes first.
fn content(
    format: SurfaceFormat,
    size: (u32, u32),
    stride: i32,
    data: Bytes,
) -> Result<Arc<Bitmap>, Refusal> {
    let format = content_format(format).ok_or(Refusal::Content(format))?;
    Ok(Arc::new(Bitmap::new(format, size, stride.unsigned_abs(), stride >= 0, data)?))
}

/// The format of a surface's first pixels, if a bitmap can hold them.
pub(in crate::qxl::recording) const fn content_format(format: SurfaceFormat) -> Option<BitmapFormat> {
    Some(match format {
        SurfaceFormat::RGB32 => BitmapFormat::RGB32,
        SurfaceFormat::ARGB32 => BitmapFormat::RGBA,
        SurfaceFormat::RGB555 => BitmapFormat::RGB16,
        SurfaceFormat::A8 => BitmapFormat::A8,
        _ => return None,
    })
}
