//! A drawing command on its way to the viewers.

use std::sync::{Arc, OnceLock};

use spice_proto::display::{AlphaFlags, ImageFlags, Ropd, SurfaceFormat};
use spice_proto::{Body, Rect, SurfaceId};

use super::abilities::Abilities;
use super::translate::{SentImage, draw_message, packable};
use crate::canvas::depends_on_keeping;
use crate::image::{ImageKey, ImageKeys, Picture};
use crate::qxl::{DrawOp, Drawable, Image, ImageSource};
use crate::surface::{Sequence, SurfaceTable};

/// A drawing command, shared by the pipes of all viewers.
///
/// It becomes a message when the first viewer has room for it. The message's bytes are kept for the others, or what its
/// images were packed to where it has some: of those each viewer has its own way.
#[derive(Debug)]
pub(super) struct Draw {
    sequence: Sequence,
    drawable: Arc<Drawable>,
    area: Rect,
    /// Every pixel of `area` gets a value that does not depend on the old one.
    covers: bool,
    /// Viewers would draw something else.
    obscure: bool,
    format: SurfaceFormat,
    pictures: Box<[Arc<Picture>]>,
    key: OnceLock<Option<ImageKey>>,
    message: OnceLock<Option<(u16, Body)>>,
}

/// Pixels of the largest images that viewers keep without the guest's word.
const KEPT_UNASKED: u64 = 1 << 17;

/// What is drawn on, as far as viewers may see it otherwise.
///
/// The top bits of pixels without alpha mean nothing, are not always sent, and viewers have others there than this
/// side. They can be seen on surfaces of another format, and by operations that look at them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    format: SurfaceFormat,
    /// What becomes of bits that mean nothing can be seen: the surface has alpha, or they are compared.
    exact: bool,
    /// What is drawn comes from a surface that has bits which mean nothing, and shows them.
    mixes: bool,
    /// What is drawn depends on whether viewers keep it, which is theirs and not the guest's to say.
    kept: bool,
}

impl Target {
    /// The surface that a command draws on.
    pub(super) fn of(drawable: &Drawable, surfaces: &SurfaceTable) -> Self {
        let format = |id| surfaces.surface(id).map(|surface| surface.shape().format);
        let target = format(drawable.surface).unwrap_or(SurfaceFormat::RGB32);
        let compares = matches!(drawable.op, DrawOp::Transparent(_));
        let looks = match &drawable.op {
            DrawOp::AlphaBlend(blend) => blend.flags.contains(AlphaFlags::SRC_SURFACE_HAS_ALPHA),
            _ => compares,
        };
        let mixes = drawable.reads().map(format).any(|read| {
            let has_unsent = matches!(read, Some(SurfaceFormat::RGB32 | SurfaceFormat::RGB555));
            has_unsent && (looks || read != Some(target))
        });
        let wished = |image: &&Image| image.flags.contains(ImageFlags::CACHE_ME);
        let kept = drawable.op.images().filter(wished).any(|image| depends_on_keeping(image, target));
        Self { kept, format: target, exact: compares || target == SurfaceFormat::ARGB32, mixes }
    }
}

impl Draw {
    /// A command that touches pixels in `area` only.
    pub(super) fn new(
        sequence: Sequence,
        drawable: Arc<Drawable>,
        area: Rect,
        covers: bool,
        target: Target,
    ) -> Self {
        let picture = |bitmap| Arc::new(Picture::new(Arc::clone(bitmap), target.exact));
        let pictures = packable(&drawable.op).map(picture).collect();
        Self {
            sequence,
            drawable,
            area,
            covers,
            obscure: target.mixes || target.kept,
            format: target.format,
            pictures,
            key: OnceLock::new(),
            message: OnceLock::new(),
        }
    }

    /// Its place in the order of all commands.
    pub(super) fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// Whether a viewer with these abilities can draw it. Else it gets what the surface shows afterwards.
    pub(super) fn suits(&self, abilities: Abilities) -> bool {
        let op = &self.drawable.op;
        // Viewers copy a surface to itself in one direction only, whichever way it overlaps.
        let own = op.images().any(|image| match image.source {
            ImageSource::Own(_) => true,
            ImageSource::Surface(surface) => surface == self.drawable.surface,
            _ => false,
        });
        !own && !self.obscure
            && match op {
                DrawOp::Composite(_) => abilities.composite,
                // Viewers shift glyphs of 8 bits by a row, and read what lies behind them.
                DrawOp::Text(text) => text.glyphs.flags.depth() != Some(8),
                _ => true,
            }
    }

    pub(super) fn surface(&self) -> SurfaceId {
        self.drawable.surface
    }

    /// The smallest rectangle around the pixels that it touches.
    pub(super) fn area(&self) -> Rect {
        self.area
    }

    /// The other surfaces that it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = SurfaceId> {
        self.drawable.reads().filter(|read| *read != self.drawable.surface)
    }

    /// Whether every pixel of the area gets a value that does not depend on the old one.
    pub(super) fn covers(&self) -> bool {
        self.covers
    }

    /// Whether pixels that are a little wrong, on the surface or in its pictures, make no more than a little wrong in
    /// what it draws. Bits that are turned or compared make more.
    pub(super) fn is_forgiving(&self) -> bool {
        let put = |rop| rop == Ropd::OP_PUT;
        match &self.drawable.op {
            DrawOp::Copy(copy) | DrawOp::Blend(copy) => put(copy.rop),
            DrawOp::Fill(fill) => put(fill.rop),
            DrawOp::Stroke(stroke) => put(stroke.fore_mode),
            DrawOp::Text(text) => put(text.fore_mode) && put(text.back_mode),
            DrawOp::Blackness(_)
            | DrawOp::Whiteness(_)
            | DrawOp::CopyBits(_)
            | DrawOp::AlphaBlend(_)
            | DrawOp::Nop => true,
            DrawOp::Composite(_)
            | DrawOp::Invers(_)
            | DrawOp::Opaque(_)
            | DrawOp::Rop3(_)
            | DrawOp::Transparent(_) => false,
        }
    }

    /// Whether its pictures may be sent with loss.
    pub(super) fn may_lose(&self) -> bool {
        let copies = matches!(self.drawable.op, DrawOp::Copy(_) | DrawOp::Blend(_) | DrawOp::AlphaBlend(_));
        copies && self.is_forgiving()
    }

    /// Whether it copies pixels of the surface that it draws on.
    pub(super) fn moves(&self) -> Option<Rect> {
        let DrawOp::CopyBits(copy) = &self.drawable.op else { return None };
        let (bbox, area) = (self.drawable.bbox, self.area);
        let left = area.left.wrapping_sub(bbox.left).wrapping_add(copy.source.x);
        let top = area.top.wrapping_sub(bbox.top).wrapping_add(copy.source.y);
        Some(Rect::new(left, top, area.width(), area.height()))
    }

    /// Bytes that it keeps alive.
    pub(super) fn weight(&self) -> usize {
        self.drawable.weight()
    }

    /// The bitmaps that viewers are to be sent with it.
    pub(super) fn pictures(&self) -> &[Arc<Picture>] {
        &self.pictures
    }

    /// The image that it copies, whose picture is the first then. Viewers keep such, if they are told to, and no others.
    fn source(&self) -> Option<&Image> {
        let source = match &self.drawable.op {
            DrawOp::AlphaBlend(op) => &op.source,
            DrawOp::Transparent(op) => &op.source,
            DrawOp::Copy(op) | DrawOp::Blend(op) => &op.source,
            DrawOp::Opaque(op) => &op.source,
            DrawOp::Rop3(op) => &op.source,
            _ => return None,
        };
        matches!(source.source, ImageSource::Bitmap(_)).then_some(source)
    }

    /// Whether its first picture is what it copies, with a palette that viewers can keep.
    pub(super) fn copies_picture(&self) -> bool {
        self.source().is_some()
    }

    /// The key of its first picture, where viewers are to keep that: the guest says so, or it is none of the large ones,
    /// which would push out many others. Guests that say nothing draw the same again as often.
    pub(super) fn key(&self, keys: &ImageKeys) -> Option<&ImageKey> {
        let source = self.source()?;
        let wished = source.flags.contains(ImageFlags::CACHE_ME);
        let small = self.pictures.first().is_some_and(|picture| picture.pixels() <= KEPT_UNASKED);
        if !wished && (!small || depends_on_keeping(source, self.format)) {
            return None;
        }
        self.key.get_or_init(|| keys.key(source, self.format)).as_ref()
    }

    /// Its message where it has no pictures, number and body; none where there is none ([`draw_message`]).
    pub(super) fn message(&self) -> Option<&(u16, Body)> {
        self.message.get_or_init(|| self.message_with(Vec::new())).as_ref()
    }

    /// Its message with its pictures as a viewer gets them.
    pub(super) fn message_with(&self, pictures: Vec<SentImage>) -> Option<(u16, Body)> {
        let message = draw_message(&self.drawable, pictures)?;
        Some((message.id(), message.encode()))
    }
}
