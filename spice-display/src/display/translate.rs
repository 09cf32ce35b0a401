//! Drawing commands as the messages that viewers get.

use spice_proto::display::{self as wire, DisplayBase, ImageData, ServerMessage};

use super::messages::Methods;
use crate::image::{Method, Packing, data_by};
use crate::qxl::{self, Bitmap, DrawOp, Drawable, Image, ImageSource};

/// The message that has a viewer draw what the guest drew; none for a command that no message says: one that draws
/// nothing, or one with an image of the surface itself.
///
/// If it is to be `exact`, all bits of an image's pixels count, also those that mean nothing.
pub(super) fn draw_message(drawable: &Drawable, exact: bool, packing: Packing) -> Option<ServerMessage> {
    let clip = match &drawable.clip {
        qxl::Clip::None => wire::Clip::None,
        qxl::Clip::Rects(rects) => wire::Clip::Rects(rects.to_vec()),
    };
    let base = DisplayBase { surface_id: drawable.surface, bbox: drawable.bbox, clip };
    let translator = Translator { packing, exact };
    Some(match &drawable.op {
        DrawOp::Nop => return None,
        DrawOp::Blackness(mask) => {
            ServerMessage::DrawBlackness(wire::DrawBlackness { base, mask: Translator::mask(mask.as_ref())? })
        }
        DrawOp::Whiteness(mask) => {
            ServerMessage::DrawWhiteness(wire::DrawWhiteness { base, mask: Translator::mask(mask.as_ref())? })
        }
        DrawOp::Invers(mask) => {
            ServerMessage::DrawInvers(wire::DrawInvers { base, mask: Translator::mask(mask.as_ref())? })
        }
        DrawOp::CopyBits(copy) => ServerMessage::CopyBits(wire::CopyBits { base, src_pos: copy.source }),
        DrawOp::Copy(copy) => ServerMessage::DrawCopy(wire::DrawCopy {
            base,
            source: Some(translator.image(&copy.source)?),
            source_area: copy.source_area,
            rop: copy.rop,
            scale_mode: copy.scale_mode,
            mask: Translator::mask(copy.mask.as_ref())?,
        }),
        DrawOp::Blend(copy) => ServerMessage::DrawBlend(wire::DrawBlend {
            base,
            source: Some(translator.image(&copy.source)?),
            source_area: copy.source_area,
            rop: copy.rop,
            scale_mode: copy.scale_mode,
            mask: Translator::mask(copy.mask.as_ref())?,
        }),
        DrawOp::Fill(fill) => ServerMessage::DrawFill(wire::DrawFill {
            base,
            brush: translator.brush(&fill.brush)?,
            rop: fill.rop,
            mask: Translator::mask(fill.mask.as_ref())?,
        }),
        DrawOp::Opaque(opaque) => ServerMessage::DrawOpaque(wire::DrawOpaque {
            base,
            source: Some(translator.image(&opaque.source)?),
            source_area: opaque.source_area,
            brush: translator.brush(&opaque.brush)?,
            rop: opaque.rop,
            scale_mode: opaque.scale_mode,
            mask: Translator::mask(opaque.mask.as_ref())?,
        }),
        DrawOp::Rop3(rop3) => ServerMessage::DrawRop3(wire::DrawRop3 {
            base,
            source: Some(translator.image(&rop3.source)?),
            source_area: rop3.source_area,
            brush: translator.brush(&rop3.brush)?,
            rop3: rop3.rop3,
            scale_mode: rop3.scale_mode,
            mask: Translator::mask(rop3.mask.as_ref())?,
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
            let mask = match &composite.mask {
                Some(mask) => Some(translator.image(mask)?),
                None => None,
            };
            ServerMessage::DrawComposite(wire::DrawComposite {
                base,
                flags: composite.flags,
                source: Some(translator.image(&composite.source)?),
                mask,
                source_transform: composite.source_transform,
                mask_transform: composite.mask_transform,
                source_origin: composite.source_origin,
                mask_origin: composite.mask_origin,
            })
        }
    })
}

/// How the command's images are packed for that message. Those that are no bitmaps are as they are.
pub(super) fn methods(drawable: &Drawable, exact: bool, packing: Packing) -> Methods {
    let translator = Translator { packing, exact };
    let mut methods = Methods::default();
    for (method, image) in methods.iter_mut().zip(drawable.op.images()) {
        if let ImageSource::Bitmap(bitmap) = &image.source {
            *method = translator.method(bitmap);
        }
    }
    methods
}

struct Translator {
    packing: Packing,
    exact: bool,
}

impl Translator {
    fn method(&self, bitmap: &Bitmap) -> Method {
        if self.exact { self.packing.exact_method(bitmap) } else { self.packing.method(bitmap) }
    }

    /// Viewers take masks bare only.
    fn mask(mask: Option<&qxl::Mask>) -> Option<wire::Mask> {
        let Some(mask) = mask else { return Some(wire::Mask::default()) };
        Some(wire::Mask {
            flags: if mask.inverted { wire::MaskFlags::INVERS } else { wire::MaskFlags::empty() },
            pos: mask.pos,
            bitmap: Some(Self { packing: Packing::BARE, exact: false }.image(&mask.image)?),
        })
    }

    fn brush(&self, brush: &qxl::Brush) -> Option<wire::Brush> {
        Some(match brush {
            qxl::Brush::None => wire::Brush::None,
            qxl::Brush::Solid(colour) => wire::Brush::Solid(*colour),
            qxl::Brush::Pattern(pattern) => wire::Brush::Pattern(Box::new(wire::Pattern {
                image: self.image(&pattern.image)?,
                pos: pattern.pos,
            })),
        })
    }

    /// An image. Viewers keep none: what the guest would have them keep is not marked. Of a surface's image they look
    /// at nothing but the surface.
    fn image(&self, image: &Image) -> Option<wire::Image> {
        let (width, height, data) = match &image.source {
            ImageSource::Bitmap(bitmap) => {
                (bitmap.width(), bitmap.height(), data_by(self.method(bitmap), bitmap))
            }
            ImageSource::Quic(quic) => (quic.width, quic.height, ImageData::Quic(quic.data.clone())),
            ImageSource::Surface(surface) => (0, 0, ImageData::Surface(*surface)),
            ImageSource::Own(_) => return None,
        };
        let flags = image.flags & wire::ImageFlags::HIGH_BITS_SET;
        Some(wire::Image { id: image.id, flags, width, height, data })
    }
}
