//! Messages as the commands that they came from.

use std::sync::Arc;

use spice_display::qxl::{
    Brush, Clip, CopyBits, DrawAlphaBlend, DrawComposite, DrawCopy, DrawFill, DrawOp, DrawOpaque, DrawRop3,
    DrawStroke, DrawText, DrawTransparent, Drawable, Effect, Image, Mask, Pattern,
};
use spice_proto::display::{self as wire, DisplayBase, MaskFlags, ServerMessage};

use crate::images::Images;

/// What a message draws.
pub(crate) fn drawable(message: ServerMessage, images: &mut Images) -> Result<Drawable, String> {
    let (base, op) = match message {
        ServerMessage::DrawFill(fill) => {
            let op =
                DrawFill { brush: brush(fill.brush, images)?, rop: fill.rop, mask: mask(fill.mask, images)? };
            (fill.base, DrawOp::Fill(op))
        }
        ServerMessage::DrawCopy(wire::DrawCopy { base, source, source_area, rop, scale_mode, mask: by }) => {
            let source = some(source, images)?;
            (base, DrawOp::Copy(DrawCopy { source, source_area, rop, scale_mode, mask: mask(by, images)? }))
        }
        ServerMessage::DrawBlend(wire::DrawBlend {
            base,
            source,
            source_area,
            rop,
            scale_mode,
            mask: by,
        }) => {
            let source = some(source, images)?;
            (base, DrawOp::Blend(DrawCopy { source, source_area, rop, scale_mode, mask: mask(by, images)? }))
        }
        ServerMessage::CopyBits(copy) => (copy.base, DrawOp::CopyBits(CopyBits { source: copy.src_pos })),
        ServerMessage::DrawBlackness(draw) => (draw.base, DrawOp::Blackness(mask(draw.mask, images)?)),
        ServerMessage::DrawWhiteness(draw) => (draw.base, DrawOp::Whiteness(mask(draw.mask, images)?)),
        ServerMessage::DrawInvers(draw) => (draw.base, DrawOp::Invers(mask(draw.mask, images)?)),
        ServerMessage::DrawOpaque(draw) => {
            let op = DrawOpaque {
                source: some(draw.source, images)?,
                source_area: draw.source_area,
                brush: brush(draw.brush, images)?,
                rop: draw.rop,
                scale_mode: draw.scale_mode,
                mask: mask(draw.mask, images)?,
            };
            (draw.base, DrawOp::Opaque(op))
        }
        ServerMessage::DrawRop3(draw) => {
            let op = DrawRop3 {
                source: some(draw.source, images)?,
                source_area: draw.source_area,
                brush: brush(draw.brush, images)?,
                rop3: draw.rop3,
                scale_mode: draw.scale_mode,
                mask: mask(draw.mask, images)?,
            };
            (draw.base, DrawOp::Rop3(op))
        }
        ServerMessage::DrawStroke(draw) => {
            let op = DrawStroke {
                path: Arc::new(draw.path),
                attr: draw.attr,
                brush: brush(draw.brush, images)?,
                fore_mode: draw.fore_mode,
                back_mode: draw.back_mode,
            };
            (draw.base, DrawOp::Stroke(op))
        }
        ServerMessage::DrawText(draw) => {
            let op = DrawText {
                glyphs: Arc::new(draw.glyphs),
                back_area: draw.back_area,
                fore_brush: brush(draw.fore_brush, images)?,
                back_brush: brush(draw.back_brush, images)?,
                fore_mode: draw.fore_mode,
                back_mode: draw.back_mode,
            };
            (draw.base, DrawOp::Text(op))
        }
        ServerMessage::DrawTransparent(draw) => {
            let op = DrawTransparent {
                source: some(draw.source, images)?,
                source_area: draw.source_area,
                source_colour: draw.src_color,
                true_colour: draw.true_color,
            };
            (draw.base, DrawOp::Transparent(op))
        }
        ServerMessage::DrawAlphaBlend(draw) => {
            let op = DrawAlphaBlend {
                flags: draw.alpha_flags,
                alpha: draw.alpha,
                source: some(draw.source, images)?,
                source_area: draw.source_area,
            };
            (draw.base, DrawOp::AlphaBlend(op))
        }
        ServerMessage::DrawComposite(draw) => {
            let op = DrawComposite {
                flags: draw.flags,
                source: some(draw.source, images)?,
                mask: draw.mask.map(|mask| images.image(mask)).transpose()?,
                source_transform: draw.source_transform,
                mask_transform: draw.mask_transform,
                source_origin: draw.source_origin,
                mask_origin: draw.mask_origin,
            };
            (draw.base, DrawOp::Composite(op))
        }
        other => return Err(format!("unexpected {other:?}")),
    };
    let DisplayBase { surface_id, bbox, clip } = base;
    let clip = match clip {
        wire::Clip::None => Clip::None,
        wire::Clip::Rects(rects) => Clip::Rects(rects.into()),
    };
    Ok(Drawable { surface: surface_id, bbox, clip, effect: Effect::BLEND, mm_time: 0, op })
}

fn brush(brush: wire::Brush, images: &mut Images) -> Result<Brush, String> {
    Ok(match brush {
        wire::Brush::None => Brush::None,
        wire::Brush::Solid(colour) => Brush::Solid(colour),
        wire::Brush::Pattern(pattern) => {
            Brush::Pattern(Pattern { image: images.image(pattern.image)?, pos: pattern.pos })
        }
        other => return Err(format!("brush {other:?}")),
    })
}

fn mask(mask: wire::Mask, images: &mut Images) -> Result<Option<Mask>, String> {
    let wire::Mask { flags, pos, bitmap } = mask;
    let Some(bitmap) = bitmap else { return Ok(None) };
    Ok(Some(Mask { inverted: flags.contains(MaskFlags::INVERS), pos, image: images.image(bitmap)? }))
}

fn some(source: Option<wire::Image>, images: &mut Images) -> Result<Image, String> {
    images.image(source.ok_or("a draw without an image")?)
}
