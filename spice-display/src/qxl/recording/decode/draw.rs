//! Drawables.

use std::sync::Arc;

use spice_proto::display::Ropd;
use spice_proto::{Rect, SurfaceId};

use super::super::fields::Fields;
use super::super::refusal::{DrawName, Refusal};
use super::{Stop, image};
use crate::qxl::recording::RecordingError;
use crate::qxl::{Brush, Clip, CopyBits, DrawCopy, DrawFill, DrawOp, Drawable, Effect, ImageSource};

/// Bytes of a rectangle in guest memory.
const RECT: usize = 16;

pub(super) fn drawable(fields: &mut Fields<'_>) -> Result<Drawable, Stop> {
    fields.keyword("drawable")?;
    let bbox = fields.rect("rect bbox")?;
    let clip = clip(fields)?;
    let effect = Effect(fields.number("effect")?);
    let mm_time = fields.word("mm_time")?;
    if fields.comes("bitmap_offset ") {
        return Err(Refusal::OldDrawable.into());
    }
    let self_bitmap = fields.word("self_bitmap")?;
    fields.rect("rect self_bitmap_area")?;
    let surface = SurfaceId(fields.word("surface_id")?);
    for _ in 0..3 {
        fields.word("surfaces_dest")?;
        fields.rect("rect surfaces_rects")?;
    }
    let kind = fields.word("type")?;
    if self_bitmap != 0 {
        return Err(Refusal::SelfBitmap.into());
    }
    let op = match kind {
        1 => DrawOp::Fill(fill(fields)?),
        3 => DrawOp::Copy(copy(fields, &bbox)?),
        4 => DrawOp::CopyBits(CopyBits { source: fields.point()? }),
        other => return Err(Refusal::Draw(DrawName(other)).into()),
    };
    Ok(Drawable { surface, bbox, clip, effect, mm_time, op })
}

fn clip(fields: &mut Fields<'_>) -> Result<Clip, Stop> {
    match fields.word("type")? {
        0 => Ok(Clip::None),
        1 => {
            let count = fields.word("num_rects")?;
            let data = fields.chunks("clip_rects")?;
            let rects = usize::try_from(count)
                .ok()
                .and_then(|count| count.checked_mul(RECT))
                .and_then(|len| data.get(..len))
                .ok_or(Refusal::ClipShort { count, len: data.len() })?;
            Ok(Clip::Rects(rects.chunks_exact(RECT).map(rect).collect::<Arc<[Rect]>>()))
        }
        other => Err(Refusal::Clip(other).into()),
    }
}

/// A rectangle as it lies in guest memory: top, left, bottom, right.
fn rect(bytes: &[u8]) -> Rect {
    let mut edges = bytes.chunks_exact(4).map(|edge| edge.try_into().map_or(0, i32::from_le_bytes));
    let mut edge = || edges.next().unwrap_or(0);
    let (top, left, bottom, right) = (edge(), edge(), edge(), edge());
    Rect::from_edges(left, top, right, bottom)
}

fn fill(fields: &mut Fields<'_>) -> Result<DrawFill, Stop> {
    let brush = match fields.word("type")? {
        1 => Brush::Solid(fields.word("u.color")?),
        other => return Err(Refusal::Brush(other).into()),
    };
    let rop = rop(fields)?;
    no_mask(fields)?;
    Ok(DrawFill { brush, rop, mask: None })
}

fn copy(fields: &mut Fields<'_>, bbox: &Rect) -> Result<DrawCopy, Stop> {
    let source = image::image(fields)?.ok_or(Refusal::NoImage)?;
    let source_area = fields.rect("rect src_area")?;
    let rop = rop(fields)?;
    fields.word("scale_mode")?;
    no_mask(fields)?;
    if (source_area.width(), source_area.height()) != (bbox.width(), bbox.height()) {
        return Err(Refusal::Scaled.into());
    }
    if let ImageSource::Bitmap(bitmap) = &source.source
        && !Rect::new(0, 0, bitmap.width(), bitmap.height()).contains(&source_area)
    {
        return Err(Refusal::OutsideImage.into());
    }
    Ok(DrawCopy { rop, ..DrawCopy::put(source, source_area) })
}

fn rop(fields: &mut Fields<'_>) -> Result<Ropd, RecordingError> {
    Ok(Ropd::from_bits_retain(fields.number("rop_descriptor")?))
}

fn no_mask(fields: &mut Fields<'_>) -> Result<(), Stop> {
    fields.word("flags")?;
    fields.point()?;
    match fields.word("image")? {
        0 => Ok(()),
        _ => Err(Refusal::Mask.into()),
    }
}
