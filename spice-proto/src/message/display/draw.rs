//! What is drawn.

use bytes::Bytes;

use crate::draw::{
    AlphaFlags, Behind, Brush, CompositeFlags, DisplayBase, Glyphs, Image, LineAttr, Mask, Part, Path, Rop3,
    Ropd, ScaleMode, Transform, drawing,
};
use crate::geometry::{Point, Point16, Rect};
use crate::wire::{In, Parsed, Wire, Writer, field, named, record};

record! {
    /// `SpiceMsgDisplayCopyBits`: the box is filled from the same surface.
    #[derive(Eq)]
    pub struct CopyBits {
        /// Where it goes.
        pub base: DisplayBase,
        /// The top left corner of what is copied.
        pub src_pos: Point,
    }
}

drawing! {
    /// `SpiceMsgDisplayDrawFill`.
    pub struct DrawFill {
        /// Where.
        pub base: DisplayBase = "base",
        /// With what.
        pub brush: Brush = "brush",
        /// How.
        pub rop: Ropd = "rop_descriptor",
        /// Which pixels of the box.
        pub mask: Mask = "mask",
    }
}

drawing! {
    /// `SpiceMsgDisplayDrawOpaque`: an image takes the place of the old pixels, then a brush is mixed with it.
    pub struct DrawOpaque {
        /// Where.
        pub base: DisplayBase = "base",
        /// What; the protocol allows none, and means nothing by it.
        pub source: Option<Image> = "src_bitmap",
        /// Which part of the image; of another size than the box where it is scaled.
        pub source_area: Rect = "src_area",
        /// What is mixed with it.
        pub brush: Brush = "brush",
        /// How.
        pub rop: Ropd = "rop_descriptor",
        /// How it is scaled.
        pub scale_mode: ScaleMode = "scale_mode",
        /// Which pixels of the box.
        pub mask: Mask = "mask",
    }
}

drawing! {
    /// `SpiceMsgDisplayDrawCopy`.
    pub struct DrawCopy {
        /// Where.
        pub base: DisplayBase = "base",
        /// What; the protocol allows none, and means nothing by it.
        pub source: Option<Image> = "src_bitmap",
        /// Which part of the image; of another size than the box where it is scaled.
        pub source_area: Rect = "src_area",
        /// How.
        pub rop: Ropd = "rop_descriptor",
        /// How it is scaled.
        pub scale_mode: ScaleMode = "scale_mode",
        /// Which pixels of the box.
        pub mask: Mask = "mask",
    }
}

drawing! {
    /// `SpiceMsgDisplayDrawBlend`, laid out as [`DrawCopy`].
    pub struct DrawBlend {
        /// Where.
        pub base: DisplayBase = "base",
        /// What; the protocol allows none, and means nothing by it.
        pub source: Option<Image> = "src_bitmap",
        /// Which part of the image; of another size than the box where it is scaled.
        pub source_area: Rect = "src_area",
        /// How.
        pub rop: Ropd = "rop_descriptor",
        /// How it is scaled.
        pub scale_mode: ScaleMode = "scale_mode",
        /// Which pixels of the box.
        pub mask: Mask = "mask",
    }
}

drawing! {
    /// `SpiceMsgDisplayDrawBlackness`.
    pub struct DrawBlackness {
        /// Where.
        pub base: DisplayBase = "base",
        /// Which pixels of the box.
        pub mask: Mask = "mask",
    }
}

drawing! {
    /// `SpiceMsgDisplayDrawWhiteness`.
    pub struct DrawWhiteness {
        /// Where.
        pub base: DisplayBase = "base",
        /// Which pixels of the box.
        pub mask: Mask = "mask",
    }
}

drawing! {
    /// `SpiceMsgDisplayDrawInvers`.
    pub struct DrawInvers {
        /// Where.
        pub base: DisplayBase = "base",
        /// Which pixels of the box.
        pub mask: Mask = "mask",
    }
}

drawing! {
    /// `SpiceMsgDisplayDrawRop3`.
    pub struct DrawRop3 {
        /// Where.
        pub base: DisplayBase = "base",
        /// The image; the protocol allows none, and means nothing by it.
        pub source: Option<Image> = "src_bitmap",
        /// Which part of the image; of another size than the box where it is scaled.
        pub source_area: Rect = "src_area",
        /// The brush.
        pub brush: Brush = "brush",
        /// How the three are mixed.
        pub rop3: Rop3 = "rop3",
        /// How the image is scaled.
        pub scale_mode: ScaleMode = "scale_mode",
        /// Which pixels of the box.
        pub mask: Mask = "mask",
    }
}

drawing! {
    /// `SpiceMsgDisplayDrawStroke`: a line of one pixel.
    pub struct DrawStroke {
        /// Where.
        pub base: DisplayBase = "base",
        /// Where the line runs.
        pub path: Path = "path",
        /// How it is dashed.
        pub attr: LineAttr = "attr",
        /// With what.
        pub brush: Brush = "brush",
        /// How, in dashes.
        pub fore_mode: Ropd = "fore_mode",
        /// How, in gaps; viewers ignore it.
        pub back_mode: Ropd = "back_mode",
    }
}

drawing! {
    /// `SpiceMsgDisplayDrawText`.
    pub struct DrawText {
        /// Where.
        pub base: DisplayBase = "base",
        /// What (`str`).
        pub glyphs: Glyphs = "str",
        /// What is filled first; empty where nothing is.
        pub back_area: Rect = "back_area",
        /// What the glyphs are drawn with.
        pub fore_brush: Brush = "fore_brush",
        /// What is filled with first.
        pub back_brush: Brush = "back_brush",
        /// How the glyphs are drawn.
        pub fore_mode: Ropd = "fore_mode",
        /// How is filled.
        pub back_mode: Ropd = "back_mode",
    }
}

drawing! {
    /// `SpiceMsgDisplayDrawTransparent`.
    pub struct DrawTransparent {
        /// Where.
        pub base: DisplayBase = "base",
        /// What; the protocol allows none, and means nothing by it.
        pub source: Option<Image> = "src_bitmap",
        /// Which part of the image; of another size than the box where it is scaled.
        pub source_area: Rect = "src_area",
        /// The colour that is left out, as the image has it.
        pub src_color: u32 = "src_color",
        /// The same colour as `0x00RRGGBB`, which is what viewers look at.
        pub true_color: u32 = "true_color",
    }
}

drawing! {
    /// `SpiceMsgDisplayDrawAlphaBlend`.
    pub struct DrawAlphaBlend {
        /// Where.
        pub base: DisplayBase = "base",
        /// Whose alpha counts.
        pub alpha_flags: AlphaFlags = "alpha_flags",
        /// The alpha of the whole image: 255 leaves its own as it is, 0 leaves nothing.
        pub alpha: u8 = "alpha",
        /// What; the protocol allows none, and means nothing by it.
        pub source: Option<Image> = "src_bitmap",
        /// Which part of the image; of another size than the box where it is scaled.
        pub source_area: Rect = "src_area",
    }
}

/// `SpiceMsgDisplayDrawComposite`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawComposite {
    /// Where.
    pub base: DisplayBase,
    /// How. [`CompositeFlags::HAS_SRC_TRANSFORM`] and [`CompositeFlags::HAS_MASK_TRANSFORM`] are set exactly where
    /// there is such a transform, [`CompositeFlags::HAS_MASK`] at least where there is a mask; encoding makes it so.
    pub flags: CompositeFlags,
    /// What; the protocol allows none, and means nothing by it.
    pub source: Option<Image>,
    /// The mask. The flag without a mask is allowed, and means nothing.
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

impl DrawComposite {
    /// The flags as what is there has them.
    fn matching_flags(&self) -> CompositeFlags {
        let mut flags = self.flags;
        if self.mask.is_some() {
            flags |= CompositeFlags::HAS_MASK;
        }
        flags.set(CompositeFlags::HAS_SRC_TRANSFORM, self.source_transform.is_some());
        flags.set(CompositeFlags::HAS_MASK_TRANSFORM, self.mask_transform.is_some());
        flags
    }
}

/// Reads a field that is there under a condition.
fn field_if<'a, T: Part>(
    there: bool,
    name: &'static str,
    body: &'a Bytes,
    input: In<'a>,
) -> Parsed<'a, Option<T>> {
    if !there {
        return Ok((input, None));
    }
    let (input, value) = named(name, T::parse_part(body, input))?;
    Ok((input, Some(value)))
}

impl Wire for DrawComposite {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, base) = field("base", body, input)?;
        let (input, flags) = field::<CompositeFlags>("flags", body, input)?;
        let has = |flag| flags.contains(flag);
        let (input, source) = named("src_bitmap", Part::parse_part(body, input))?;
        let (input, mask) = field_if(has(CompositeFlags::HAS_MASK), "mask_bitmap", body, input)?;
        let (input, source_transform) =
            field_if(has(CompositeFlags::HAS_SRC_TRANSFORM), "src_transform", body, input)?;
        let (input, mask_transform) =
            field_if(has(CompositeFlags::HAS_MASK_TRANSFORM), "mask_transform", body, input)?;
        let (input, source_origin) = field("src_origin", body, input)?;
        let (input, mask_origin) = field("mask_origin", body, input)?;
        let mask = mask.flatten();
        Ok((
            input,
            Self { base, flags, source, mask, source_transform, mask_transform, source_origin, mask_origin },
        ))
    }

    fn put(&self, writer: &mut Writer) {
        let mut behind = Behind::default();
        let flags = self.matching_flags();
        self.base.put(writer);
        flags.put(writer);
        self.source.put_part(writer, &mut behind);
        if flags.contains(CompositeFlags::HAS_MASK) {
            self.mask.put_part(writer, &mut behind);
        }
        for transform in [&self.source_transform, &self.mask_transform].into_iter().flatten() {
            transform.put(writer);
        }
        self.source_origin.put(writer);
        self.mask_origin.put(writer);
        behind.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let [with_source, with_mask] = source.arbitrary()?;
        let mut composite = Self {
            base: Wire::arbitrary(source)?,
            flags: Wire::arbitrary(source)?,
            source: Part::arbitrary_part(source)?,
            mask: Part::arbitrary_part(source)?,
            source_transform: if with_source { Some(Wire::arbitrary(source)?) } else { None },
            mask_transform: if with_mask { Some(Wire::arbitrary(source)?) } else { None },
            source_origin: Wire::arbitrary(source)?,
            mask_origin: Wire::arbitrary(source)?,
        };
        composite.flags = composite.matching_flags();
        Ok(composite)
    }
}
