//! Drawing commands and their operands.

use std::sync::Arc;

use spice_proto::display::{
    AlphaFlags, CompositeFlags, Glyphs, LineAttr, Path, Rop3, Ropd, ScaleMode, Transform,
};
use spice_proto::{Point, Point16, Rect, SurfaceId};

use super::{Image, ImageSource};

/// A drawing command (`QXLDrawable`).
///
/// Which surfaces it reads follows from its operands ([`Self::reads`]); what the guest says about it
/// (`surfaces_dest`) is not needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawable {
    /// What it draws on.
    pub surface: SurfaceId,
    /// Where, before clipping. It may reach beyond the surface.
    pub bbox: Rect,
    /// Which part of `bbox` it touches.
    pub clip: Clip,
    /// What it does to what lies below, by the guest's word.
    pub effect: Effect,
    /// The guest's multimedia clock, in milliseconds.
    pub mm_time: u32,
    /// What it draws.
    pub op: DrawOp,
}

/// The part of a drawable's box that is drawn (`QXLClip`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clip {
    /// All of it.
    None,
    /// What lies in one of these; they may overlap and reach beyond the surface.
    Rects(Arc<[Rect]>),
}

spice_proto::open_enum! {
    /// What a drawable does to what lies below it (`QXL_EFFECT_*`).
    pub enum Effect: u8 {
        /// The old pixels show through.
        BLEND = 0,
        /// The old pixels do not matter.
        OPAQUE = 1,
        /// Drawn twice, it undoes itself.
        REVERT_ON_DUP = 2,
        /// Drawn twice, it is black.
        BLACKNESS_ON_DUP = 3,
        /// Drawn twice, it is white.
        WHITENESS_ON_DUP = 4,
        /// Drawn twice, it does nothing more.
        NOP_ON_DUP = 5,
        /// It does nothing.
        NOP = 6,
        /// Opaque as far as its brush is.
        OPAQUE_BRUSH = 7,
    }
}

/// The drawing operation itself (`QXL_DRAW_*`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DrawOp {
    /// An image by its alpha (`QXL_DRAW_ALPHA_BLEND`).
    AlphaBlend(DrawAlphaBlend),
    /// Black (`QXL_DRAW_BLACKNESS`).
    Blackness(Option<Mask>),
    /// The same as [`Self::Copy`], by another name (`QXL_DRAW_BLEND`).
    Blend(DrawCopy),
    /// An image put over the surface as the Render extension of X has it (`QXL_DRAW_COMPOSITE`).
    Composite(DrawComposite),
    /// Pixels of an image or of a surface (`QXL_DRAW_COPY`).
    Copy(DrawCopy),
    /// Pixels of the same surface, from elsewhere (`QXL_COPY_BITS`).
    CopyBits(CopyBits),
    /// A brush (`QXL_DRAW_FILL`).
    Fill(DrawFill),
    /// Every bit the other way round (`QXL_DRAW_INVERS`).
    Invers(Option<Mask>),
    /// Nothing (`QXL_DRAW_NOP`).
    Nop,
    /// An image, then a brush over it (`QXL_DRAW_OPAQUE`).
    Opaque(DrawOpaque),
    /// Image, brush and old pixels, mixed bit by bit (`QXL_DRAW_ROP3`).
    Rop3(DrawRop3),
    /// A line (`QXL_DRAW_STROKE`).
    Stroke(DrawStroke),
    /// Glyphs (`QXL_DRAW_TEXT`).
    Text(DrawText),
    /// An image but for one colour (`QXL_DRAW_TRANSPARENT`).
    Transparent(DrawTransparent),
    /// White (`QXL_DRAW_WHITENESS`).
    Whiteness(Option<Mask>),
}

/// `QXLFill`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawFill {
    /// With what.
    pub brush: Brush,
    /// How it meets the old pixels.
    pub rop: Ropd,
    /// Which pixels of the box.
    pub mask: Option<Mask>,
}

impl DrawFill {
    /// One colour in place of the old pixels, everywhere.
    #[must_use]
    pub const fn solid(colour: u32) -> Self {
        Self { brush: Brush::Solid(colour), rop: Ropd::OP_PUT, mask: None }
    }
}

/// What fills (`QXLBrush`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Brush {
    /// Nothing: zero, where a raster operation asks.
    None,
    /// One colour, `0x00RRGGBB` on a 32-bit surface, else as the surface keeps its pixels.
    Solid(u32),
    /// An image over and over.
    Pattern(Pattern),
}

/// An image that is repeated in both directions (`QXLPattern`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The image.
    pub image: Image,
    /// A place on the surface where a copy's top left corner lies.
    pub pos: Point,
}

/// A mask of one bit a pixel (`QXLQMask`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// What the mask leaves out is drawn instead.
    pub inverted: bool,
    /// The place in the mask that lies over the box's corner.
    pub pos: Point,
    /// The mask: a bitmap of one bit, or a surface.
    pub image: Image,
}

/// `QXLCopy`, `QXLBlend`: `source_area` of `source` is drawn over the box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawCopy {
    /// Where the pixels come from.
    pub source: Image,
    /// Which of them; of another size than the box where the image is scaled.
    pub source_area: Rect,
    /// How they meet the old pixels.
    pub rop: Ropd,
    /// How they are scaled.
    pub scale_mode: ScaleMode,
    /// Which pixels of the box.
    pub mask: Option<Mask>,
}

impl DrawCopy {
    /// `source_area` of `source` in place of the old pixels, everywhere.
    #[must_use]
    pub const fn put(source: Image, source_area: Rect) -> Self {
        Self { source, source_area, rop: Ropd::OP_PUT, scale_mode: ScaleMode::INTERPOLATE, mask: None }
    }
}

/// `QXLCopyBits`: the box is filled with the pixels of the same surface that have their top left corner at `source`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyBits {
    /// The top left corner of what is copied.
    pub source: Point,
}

/// `QXLOpaque`: the image takes the place of the old pixels, then the brush is mixed with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawOpaque {
    /// Where the pixels come from.
    pub source: Image,
    /// Which of them; of another size than the box where the image is scaled.
    pub source_area: Rect,
    /// What is mixed with them.
    pub brush: Brush,
    /// How.
    pub rop: Ropd,
    /// How the image is scaled.
    pub scale_mode: ScaleMode,
    /// Which pixels of the box.
    pub mask: Option<Mask>,
}

/// `QXLRop3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawRop3 {
    /// Where the pixels come from.
    pub source: Image,
    /// Which of them; of another size than the box where the image is scaled.
    pub source_area: Rect,
    /// The brush.
    pub brush: Brush,
    /// How the three are mixed.
    pub rop3: Rop3,
    /// How the image is scaled.
    pub scale_mode: ScaleMode,
    /// Which pixels of the box.
    pub mask: Option<Mask>,
}

/// `QXLStroke`: a line of one pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawStroke {
    /// Where the line runs.
    pub path: Arc<Path>,
    /// How it is dashed.
    pub attr: LineAttr,
    /// With what.
    pub brush: Brush,
    /// How, in dashes.
    pub fore_mode: Ropd,
    /// How, in gaps; nobody looks at it.
    pub back_mode: Ropd,
}

/// `QXLText`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawText {
    /// What (`str`).
    pub glyphs: Arc<Glyphs>,
    /// What is filled first; empty where nothing is.
    pub back_area: Rect,
    /// What the glyphs are drawn with.
    pub fore_brush: Brush,
    /// What is filled with first.
    pub back_brush: Brush,
    /// How the glyphs are drawn.
    pub fore_mode: Ropd,
    /// How is filled.
    pub back_mode: Ropd,
}

/// `QXLTransparent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawTransparent {
    /// Where the pixels come from.
    pub source: Image,
    /// Which of them; of another size than the box where the image is scaled.
    pub source_area: Rect,
    /// The colour that is left out, as the image has it.
    pub source_colour: u32,
    /// The same colour as `0x00RRGGBB`, which is the one that counts.
    pub true_colour: u32,
}

/// `QXLAlphaBlend`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawAlphaBlend {
    /// Whose alpha counts.
    pub flags: AlphaFlags,
    /// The alpha of the whole image: 255 leaves its own as it is, 0 leaves nothing.
    pub alpha: u8,
    /// Where the pixels come from.
    pub source: Image,
    /// Which of them; of another size than the box where the image is scaled.
    pub source_area: Rect,
}

/// `QXLComposite`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawComposite {
    /// How: operator, filters, repeats, what counts as opaque. The flags that say what is there are set by the fields.
    pub flags: CompositeFlags,
    /// Where the pixels come from.
    pub source: Image,
    /// The mask.
    pub mask: Option<Image>,
    /// How the source is transformed.
    pub source_transform: Option<Transform>,
    /// How the mask is transformed.
    pub mask_transform: Option<Transform>,
    /// The place of the source at the box's corner.
    pub source_origin: Point16,
    /// The place of the mask at the box's corner.
    pub mask_origin: Point16,
}

impl Brush {
    fn image(&self) -> Option<&Image> {
        match self {
            Self::Pattern(pattern) => Some(&pattern.image),
            Self::None | Self::Solid(_) => None,
        }
    }
}

impl DrawOp {
    /// Its images: source, brushes, mask.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        fn mask(mask: Option<&Mask>) -> Option<&Image> {
            mask.map(|mask| &mask.image)
        }
        let images = match self {
            Self::Nop | Self::CopyBits(_) => [None; 3],
            Self::Blackness(of) | Self::Whiteness(of) | Self::Invers(of) => [mask(of.as_ref()), None, None],
            Self::AlphaBlend(op) => [Some(&op.source), None, None],
            Self::Transparent(op) => [Some(&op.source), None, None],
            Self::Copy(op) | Self::Blend(op) => [Some(&op.source), mask(op.mask.as_ref()), None],
            Self::Composite(op) => [Some(&op.source), op.mask.as_ref(), None],
            Self::Fill(op) => [op.brush.image(), mask(op.mask.as_ref()), None],
            Self::Opaque(op) => [Some(&op.source), op.brush.image(), mask(op.mask.as_ref())],
            Self::Rop3(op) => [Some(&op.source), op.brush.image(), mask(op.mask.as_ref())],
            Self::Stroke(op) => [op.brush.image(), None, None],
            Self::Text(op) => [op.fore_brush.image(), op.back_brush.image(), None],
        };
        images.into_iter().flatten()
    }
}

impl Drawable {
    /// The surfaces that its images are; its own among them when it reads itself by name.
    pub fn reads(&self) -> impl Iterator<Item = SurfaceId> {
        self.op.images().filter_map(|image| match image.source {
            ImageSource::Surface(surface) => Some(surface),
            _ => None,
        })
    }

    /// Bytes that stay in memory because of this drawable: its own and its operands'.
    #[must_use]
    pub fn weight(&self) -> usize {
        let images: usize = self.op.images().map(Image::weight).sum();
        let operands = match &self.op {
            DrawOp::Stroke(stroke) => {
                let points =
                    stroke.path.segments.iter().map(|segment| size_of_val(segment.points.as_slice()));
                points.sum::<usize>() + size_of_val(stroke.path.segments.as_slice())
            }
            DrawOp::Text(text) => {
                text.glyphs.glyphs.iter().map(|glyph| size_of_val(glyph) + glyph.data.len()).sum()
            }
            _ => 0,
        };
        let clip = match &self.clip {
            Clip::None => 0,
            Clip::Rects(rects) => size_of_val::<[Rect]>(rects),
        };
        size_of::<Self>() + images + operands + clip
    }
}
