//! Messages as the commands that they came from.

use std::sync::Arc;

use bytes::Bytes;
use spice_display::qxl::{
    Bitmap, BitmapFormat, Brush, Clip, CopyBits, DrawAlphaBlend, DrawComposite, DrawCopy, DrawFill, DrawOp,
    DrawOpaque, DrawRop3, DrawStroke, DrawText, DrawTransparent, Drawable, Effect, Image, ImageSource, Mask,
    Pattern, QuicImage,
};
use spice_proto::Rect;
use spice_proto::display::{
    self as wire, BitmapFlags, DisplayBase, ImageData, ImagePalette, MaskFlags, ServerMessage,
};

/// What a message draws.
pub(crate) fn drawable(message: ServerMessage) -> Result<Drawable, String> {
    let (base, op) = match message {
        ServerMessage::DrawFill(fill) => {
            let op = DrawFill { brush: brush(fill.brush)?, rop: fill.rop, mask: mask(fill.mask)? };
            (fill.base, DrawOp::Fill(op))
        }
        ServerMessage::DrawCopy(wire::DrawCopy { base, source, source_area, rop, scale_mode, mask: by }) => {
            let source = some(source)?;
            (base, DrawOp::Copy(DrawCopy { source, source_area, rop, scale_mode, mask: mask(by)? }))
        }
        ServerMessage::DrawBlend(wire::DrawBlend {
            base,
            source,
            source_area,
            rop,
            scale_mode,
            mask: by,
        }) => {
            let source = some(source)?;
            (base, DrawOp::Blend(DrawCopy { source, source_area, rop, scale_mode, mask: mask(by)? }))
        }
        ServerMessage::CopyBits(copy) => (copy.base, DrawOp::CopyBits(CopyBits { source: copy.src_pos })),
        ServerMessage::DrawBlackness(draw) => (draw.base, DrawOp::Blackness(mask(draw.mask)?)),
        ServerMessage::DrawWhiteness(draw) => (draw.base, DrawOp::Whiteness(mask(draw.mask)?)),
        ServerMessage::DrawInvers(draw) => (draw.base, DrawOp::Invers(mask(draw.mask)?)),
        ServerMessage::DrawOpaque(draw) => {
            let op = DrawOpaque {
                source: some(draw.source)?,
                source_area: draw.source_area,
                brush: brush(draw.brush)?,
                rop: draw.rop,
                scale_mode: draw.scale_mode,
                mask: mask(draw.mask)?,
            };
            (draw.base, DrawOp::Opaque(op))
        }
        ServerMessage::DrawRop3(draw) => {
            let op = DrawRop3 {
                source: some(draw.source)?,
                source_area: draw.source_area,
                brush: brush(draw.brush)?,
                rop3: draw.rop3,
                scale_mode: draw.scale_mode,
                mask: mask(draw.mask)?,
            };
            (draw.base, DrawOp::Rop3(op))
        }
        ServerMessage::DrawStroke(draw) => {
            let op = DrawStroke {
                path: Arc::new(draw.path),
                attr: draw.attr,
                brush: brush(draw.brush)?,
                fore_mode: draw.fore_mode,
                back_mode: draw.back_mode,
            };
            (draw.base, DrawOp::Stroke(op))
        }
        ServerMessage::DrawText(draw) => {
            let op = DrawText {
                glyphs: Arc::new(draw.glyphs),
                back_area: draw.back_area,
                fore_brush: brush(draw.fore_brush)?,
                back_brush: brush(draw.back_brush)?,
                fore_mode: draw.fore_mode,
                back_mode: draw.back_mode,
            };
            (draw.base, DrawOp::Text(op))
        }
        ServerMessage::DrawTransparent(draw) => {
            let op = DrawTransparent {
                source: some(draw.source)?,
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
                source: some(draw.source)?,
                source_area: draw.source_area,
            };
            (draw.base, DrawOp::AlphaBlend(op))
        }
        ServerMessage::DrawComposite(draw) => {
            let op = DrawComposite {
                flags: draw.flags,
                source: some(draw.source)?,
                mask: draw.mask.map(image).transpose()?,
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

fn brush(brush: wire::Brush) -> Result<Brush, String> {
    Ok(match brush {
        wire::Brush::None => Brush::None,
        wire::Brush::Solid(colour) => Brush::Solid(colour),
        wire::Brush::Pattern(pattern) => {
            Brush::Pattern(Pattern { image: image(pattern.image)?, pos: pattern.pos })
        }
        other => return Err(format!("brush {other:?}")),
    })
}

fn mask(mask: wire::Mask) -> Result<Option<Mask>, String> {
    let wire::Mask { flags, pos, bitmap } = mask;
    let Some(bitmap) = bitmap else { return Ok(None) };
    Ok(Some(Mask { inverted: flags.contains(MaskFlags::INVERS), pos, image: image(bitmap)? }))
}

fn some(source: Option<wire::Image>) -> Result<Image, String> {
    image(source.ok_or("a draw without an image")?)
}

fn image(image: wire::Image) -> Result<Image, String> {
    let wire::Image { id, flags, width, height, data } = image;
    let source = match data {
        ImageData::Surface(surface) => ImageSource::Surface(surface),
        ImageData::Quic(data) => ImageSource::Quic(Arc::new(QuicImage { width, height, data })),
        ImageData::Bitmap(bitmap) => {
            let palette = match bitmap.palette {
                None => None,
                Some(ImagePalette::Sent(palette)) => Some(Arc::new(palette)),
                Some(ImagePalette::Cached(id)) => return Err(format!("palette {id} is not known")),
            };
            let top_down = bitmap.flags.contains(BitmapFlags::TOP_DOWN);
            let size = (bitmap.x, bitmap.y);
            let bitmap = Bitmap::new(bitmap.format, size, bitmap.stride, top_down, bitmap.data);
            let bitmap = bitmap.map_err(|error| error.to_string())?;
            ImageSource::Bitmap(Arc::new(bitmap.with_palette(palette)))
        }
        ImageData::Lz4(data) => {
            ImageSource::Bitmap(Arc::new(unpack_lz4(&data, Rect::new(0, 0, width, height))?))
        }
        other => return Err(format!("image {other:?}")),
    };
    Ok(Image { id, flags, source })
}

fn unpack_lz4(data: &[u8], size: Rect) -> Result<Bitmap, String> {
    let &[top_down, format, ..] = data else { return Err("LZ4 image without a head".into()) };
    let format = BitmapFormat(format);
    let depth = if format == BitmapFormat::RGB16 { 2 } else { 4 };
    let len = size.width() as usize * size.height() as usize * depth;
    let mut pixels = Vec::new();
    let mut blocks = data.get(2..).unwrap_or_default();
    while let Some((size, rest)) = blocks.split_first_chunk() {
        let size = u32::from_be_bytes(*size) as usize;
        let block = rest.get(..size).ok_or("LZ4 block beyond its image")?;
        let room = len.saturating_sub(pixels.len());
        pixels.extend(lz4_flex::block::decompress(block, room).map_err(|error| error.to_string())?);
        blocks = rest.get(size..).unwrap_or_default();
    }
    if pixels.len() != len {
        return Err(format!("LZ4 image of {} bytes instead of {len}", pixels.len()));
    }
    let stride = size.width() * depth as u32;
    Bitmap::new(format, (size.width(), size.height()), stride, top_down != 0, Bytes::from(pixels))
        .map_err(|error| error.to_string())
}
