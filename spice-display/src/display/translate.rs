//! Drawing commands as the messages that viewers get.

use std::sync::Arc;

use spice_proto::display::{self as wire, DisplayBase, ImageData, ServerMessage};

use crate::image::{Method, pack};
use crate::qxl::{self, Bitmap, Brush, DrawOp, Drawable, Image, ImageSource};

/// A bitmap as a viewer is sent it.
#[derive(Debug)]
pub(super) struct SentImage {
    /// What the viewer calls it.
    pub(super) id: u64,
    pub(super) flags: wire::ImageFlags,
    pub(super) data: ImageData,
}

/// The bitmaps of a command that may be packed, in the order in which [`draw_message`] takes them. Masks are not among
/// them: viewers take those bare only.
pub(super) fn packable(op: &DrawOp) -> impl Iterator<Item = &Arc<Bitmap>> {
    fn brush(brush: &Brush) -> Option<&Image> {
        match brush {
            Brush::Pattern(pattern) => Some(&pattern.image),
            Brush::None | Brush::Solid(_) => None,
        }
    }
    let images = match op {
        DrawOp::Nop
        | DrawOp::CopyBits(_)
        | DrawOp::Blackness(_)
        | DrawOp::Whiteness(_)
        | DrawOp::Invers(_) => [None, None],
        DrawOp::AlphaBlend(op) => [Some(&op.source), None],
        DrawOp::Transparent(op) => [Some(&op.source), None],
        DrawOp::Copy(op) | DrawOp::Blend(op) => [Some(&op.source), None],
        DrawOp::Composite(op) => [Some(&op.source), op.mask.as_ref()],
        DrawOp::Fill(op) => [brush(&op.brush), None],
        DrawOp::Opaque(op) => [Some(&op.source), brush(&op.brush)],
        DrawOp::Rop3(op) => [Some(&op.source), brush(&op.brush)],
        DrawOp::Stroke(op) => [brush(&op.brush), None],
        DrawOp::Text(op) => [brush(&op.fore_brush), brush(&op.back_brush)],
    };
    images.into_iter().flatten().filter_map(|image| match &image.source {
        ImageSource::Bitmap(bitmap) => Some(bitmap),
        _ => None,
    })
}

/// The message that has a viewer draw what the guest drew, with its [packable](packable) bitmaps as `sent`; none for a
/// command that no message says: one that draws nothing, or one with an image of the surface itself.
pub(super) fn draw_message(drawable: &Drawable, sent: Vec<SentImage>) -> Option<ServerMessage> {
    let clip = match &drawable.clip {
        qxl::Clip::None => wire::Clip::None,
        qxl::Clip::Rects(rects) => wire::Clip::Rects(rects.to_vec()),
    };
    let base = DisplayBase { surface_id: drawable.surface, bbox: drawable.bbox, clip };
    let mut translator = Translator { sent: sent.into_iter() };
    Some(match &drawable.op {
        DrawOp::Nop => return None,
        DrawOp::Blackness(mask) => {
            ServerMessage::DrawBlackness(wire::DrawBlackness { base, mask: masked(mask.as_ref())? })
        }
        DrawOp::Whiteness(mask) => {
            ServerMessage::DrawWhiteness(wire::DrawWhiteness { base, mask: masked(mask.as_ref())? })
        }
        DrawOp::Invers(mask) => {
            ServerMessage::DrawInvers(wire::DrawInvers { base, mask: masked(mask.as_ref())? })
        }
        DrawOp::CopyBits(copy) => ServerMessage::CopyBits(wire::CopyBits { base, src_pos: copy.source }),
        DrawOp::Copy(copy) => ServerMessage::DrawCopy(wire::DrawCopy {
            base,
            source: Some(translator.image(&copy.source)?),
            source_area: copy.source_area,
            rop: copy.rop,
            scale_mode: copy.scale_mode,
            mask: masked(copy.mask.as_ref())?,
        }),
        DrawOp::Blend(copy) => ServerMessage::DrawBlend(wire::DrawBlend {
            base,
            source: Some(translator.image(&copy.source)?),
            source_area: copy.source_area,
            rop: copy.rop,
            scale_mode: copy.scale_mode,
            mask: masked(copy.mask.as_ref())?,
        }),
        DrawOp::Fill(fill) => ServerMessage::DrawFill(wire::DrawFill {
            base,
            brush: translator.brush(&fill.brush)?,
            rop: fill.rop,
            mask: masked(fill.mask.as_ref())?,
        }),
        DrawOp::Opaque(opaque) => ServerMessage::DrawOpaque(wire::DrawOpaque {
            base,
            source: Some(translator.image(&opaque.source)?),
            source_area: opaque.source_area,
            brush: translator.brush(&opaque.brush)?,
            rop: opaque.rop,
            scale_mode: opaque.scale_mode,
            mask: masked(opaque.mask.as_ref())?,
        }),
        DrawOp::Rop3(rop3) => ServerMessage::DrawRop3(wire::DrawRop3 {
            base,
            source: Some(translator.image(&rop3.source)?),
            source_area: rop3.source_area,
            brush: translator.brush(&rop3.brush)?,
            rop3: rop3.rop3,
            scale_mode: rop3.scale_mode,
            mask: masked(rop3.mask.as_ref())?,
        }),
        DrawOp::Stroke(stroke) => ServerMessage::DrawStroke(wire::DrawStroke {
            base,
            path: wire::Path::clone(&stroke.path),
            attr: stroke.attr.clone(),
            brush: translator.brush(&stroke.brush)?,
            fore_mode: stroke.fore_mode,
            back_mode: stroke.back_mode,
        }),
        DrawOp::Text(text) => ServerMessage::DrawText(wire::DrawText {
            base,
            glyphs: wire::Glyphs::clone(&text.glyphs),
            back_area: text.back_area,
            fore_brush: translator.brush(&text.fore_brush)?,
            back_brush: translator.brush(&text.back_brush)?,
            fore_mode: text.fore_mode,
            back_mode: text.back_mode,
        }),
        DrawOp::Transparent(transparent) => ServerMessage::DrawTransparent(wire::DrawTransparent {
            base,
            source: Some(translator.image(&transparent.source)?),
            source_area: transparent.source_area,
            src_color: transparent.source_colour,
            true_color: transparent.true_colour,
        }),
        DrawOp::AlphaBlend(blend) => ServerMessage::DrawAlphaBlend(wire::DrawAlphaBlend {
            base,
            alpha_flags: blend.flags,
            alpha: blend.alpha,
            source: Some(translator.image(&blend.source)?),
            source_area: blend.source_area,
        }),
        DrawOp::Composite(composite) => {
            let source = translator.image(&composite.source)?;
            let mask = match &composite.mask {
                Some(mask) => Some(translator.image(mask)?),
                None => None,
            };
            ServerMessage::DrawComposite(wire::DrawComposite {
                base,
                flags: composite.flags,
                source: Some(source),
                mask,
                source_transform: composite.source_transform,
                mask_transform: composite.mask_transform,
                source_origin: composite.source_origin,
                mask_origin: composite.mask_origin,
            })
        }
    })
}

struct Translator {
    sent: std::vec::IntoIter<SentImage>,
}

impl Translator {
    fn brush(&mut self, brush: &Brush) -> Option<wire::Brush> {
        Some(match brush {
            Brush::None => wire::Brush::None,
            Brush::Solid(colour) => wire::Brush::Solid(*colour),
            Brush::Pattern(pattern) => wire::Brush::Pattern(Box::new(wire::Pattern {
                image: self.image(&pattern.image)?,
                pos: pattern.pos,
            })),
        })
    }

    fn image(&mut self, image: &Image) -> Option<wire::Image> {
        match &image.source {
            ImageSource::Bitmap(bitmap) => Some(bitmap_image(image, bitmap, self.sent.next()?)),
            _ => other_image(image),
        }
    }
}

fn masked(mask: Option<&qxl::Mask>) -> Option<wire::Mask> {
    let Some(mask) = mask else { return Some(wire::Mask::default()) };
    let image = match &mask.image.source {
        ImageSource::Bitmap(bitmap) => {
            let data = pack(Method::Raw, bitmap);
            let sent = SentImage { id: mask.image.id, flags: wire::ImageFlags::empty(), data };
            bitmap_image(&mask.image, bitmap, sent)
        }
        _ => other_image(&mask.image)?,
    };
    Some(wire::Mask {
        flags: if mask.inverted { wire::MaskFlags::INVERS } else { wire::MaskFlags::empty() },
        pos: mask.pos,
        bitmap: Some(image),
    })
}

fn bitmap_image(image: &Image, bitmap: &Bitmap, sent: SentImage) -> wire::Image {
    let flags = (image.flags & wire::ImageFlags::HIGH_BITS_SET) | sent.flags;
    let (width, height) = (bitmap.width(), bitmap.height());
    wire::Image { id: sent.id, flags, width, height, data: sent.data }
}

/// An image that is no bitmap. Of a surface's image viewers look at nothing but the surface.
fn other_image(image: &Image) -> Option<wire::Image> {
    let (width, height, data) = match &image.source {
        ImageSource::Quic(quic) => (quic.width, quic.height, ImageData::Quic(quic.data.clone())),
        ImageSource::Surface(surface) => (0, 0, ImageData::Surface(*surface)),
        ImageSource::Bitmap(_) | ImageSource::Own(_) => return None,
    };
    let flags = image.flags & wire::ImageFlags::HIGH_BITS_SET;
    Some(wire::Image { id: image.id, flags, width, height, data })
}
