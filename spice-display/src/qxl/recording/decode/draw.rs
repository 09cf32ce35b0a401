//! Drawables.

use std::sync::Arc;

use spice_proto::display::{
    AlphaFlags, CompositeFlags, LineAttr, LineFlags, MaskFlags, Rop3, Ropd, ScaleMode, Transform,
};
use spice_proto::{Point16, Rect, SurfaceId};

use super::super::fields::Fields;
use super::super::refusal::Refusal;
use super::{Stop, image, length};
use crate::qxl::recording::RecordingError;
use crate::qxl::{
    Brush, Clip, CopyBits, DrawAlphaBlend, DrawComposite, DrawCopy, DrawFill, DrawOp, DrawOpaque, DrawRop3,
    DrawStroke, DrawText, DrawTransparent, Drawable, Effect, Image, ImageSource, Mask, Pattern, raw,
};

/// Bytes of a dash's length.
const DASH: usize = 4;
/// Bytes of a transform.
const TRANSFORM: usize = 24;

pub(super) fn drawable(fields: &mut Fields<'_>) -> Result<Drawable, Stop> {
    fields.keyword("drawable")?;
    let bbox = fields.rect("rect bbox")?;
    let clip = clip(fields)?;
    let effect = Effect(fields.number("effect")?);
    let mm_time = fields.word("mm_time")?;
    if fields.comes("bitmap_offset ") {
        return Err(Refusal::OldDrawable.into());
    }
    let own = fields.word("self_bitmap")? != 0;
    let own_area = fields.rect("rect self_bitmap_area")?;
    let surface = SurfaceId(fields.word("surface_id")?);
    for _ in 0..3 {
        fields.word("surfaces_dest")?;
        fields.rect("rect surfaces_rects")?;
    }
    let kind = fields.word("type")?;
    let mut operation = Operation { fields, own: own.then_some(own_area) };
    let op = operation.decode(kind)?;
    let drawable = Drawable { surface, bbox, clip, effect, mm_time, op };
    drawable.check().map_err(Refusal::from)?;
    Ok(drawable)
}

fn clip(fields: &mut Fields<'_>) -> Result<Clip, Stop> {
    match fields.word("type")? {
        0 => Ok(Clip::None),
        1 => {
            let count = fields.word("num_rects")?;
            let rects = raw::rects(&fields.chunks("clip_rects")?, count).map_err(Refusal::from)?;
            Ok(Clip::Rects(rects.into()))
        }
        other => Err(Refusal::Clip(other).into()),
    }
}

/// The fields of a drawing operation.
struct Operation<'a, 'b> {
    fields: &'a mut Fields<'b>,
    /// What an image is that is not there: this part of the surface itself.
    own: Option<Rect>,
}

impl Operation<'_, '_> {
    fn decode(&mut self, kind: u32) -> Result<DrawOp, Stop> {
        Ok(match kind {
            0 => DrawOp::Nop,
            1 => DrawOp::Fill(DrawFill { brush: self.brush()?, rop: self.rop()?, mask: self.mask()? }),
            2 => DrawOp::Opaque(DrawOpaque {
                source: self.image()?,
                source_area: self.area()?,
                brush: self.brush()?,
                rop: self.rop()?,
                scale_mode: self.scale_mode()?,
                mask: self.mask()?,
            }),
            3 => DrawOp::Copy(self.copy()?),
            4 => DrawOp::CopyBits(CopyBits { source: self.fields.point()? }),
            5 => DrawOp::Blend(self.copy()?),
            6 => DrawOp::Blackness(self.mask()?),
            7 => DrawOp::Whiteness(self.mask()?),
            8 => DrawOp::Invers(self.mask()?),
            9 => DrawOp::Rop3(DrawRop3 {
                source: self.image()?,
                source_area: self.area()?,
                brush: self.brush()?,
                rop3: Rop3(self.fields.number("rop3")?),
                scale_mode: self.scale_mode()?,
                mask: self.mask()?,
            }),
            10 => DrawOp::Stroke(self.stroke()?),
            11 => DrawOp::Text(self.text()?),
            12 => DrawOp::Transparent(DrawTransparent {
                source: self.image()?,
                source_area: self.area()?,
                source_colour: self.fields.word("src_color")?,
                true_colour: self.fields.word("true_color")?,
            }),
            13 => {
                let flags: u16 = self.fields.number("alpha_flags")?;
                DrawOp::AlphaBlend(DrawAlphaBlend {
                    flags: AlphaFlags::from_bits_retain(flags.to_le_bytes()[0]),
                    alpha: self.fields.number("alpha")?,
                    source: self.image()?,
                    source_area: self.area()?,
                })
            }
            14 => DrawOp::Composite(self.composite()?),
            other => return Err(Refusal::Draw(other).into()),
        })
    }

    /// A copy never reads what it covers, whatever the guest says of it.
    fn copy(&mut self) -> Result<DrawCopy, Stop> {
        Ok(DrawCopy {
            source: image::image(self.fields)?.ok_or(Refusal::NoImage)?,
            source_area: self.area()?,
            rop: self.rop()?,
            scale_mode: self.scale_mode()?,
            mask: self.mask()?,
        })
    }

    fn stroke(&mut self) -> Result<DrawStroke, Stop> {
        let path = raw::path(&self.fields.chunks("path")?).map_err(Refusal::from)?;
        let flags = LineFlags::from_bits_retain(self.fields.number("attr.flags")?);
        let style = if flags.contains(LineFlags::STYLED) {
            let count: u8 = self.fields.number("attr.style_nseg")?;
            let data = self.fields.data("style")?;
            length("dashes", count.into(), usize::from(count) * DASH, data.len())?;
            Some(raw::style(&data))
        } else {
            None
        };
        Ok(DrawStroke {
            path: Arc::new(path),
            attr: LineAttr { flags, style },
            brush: self.brush()?,
            fore_mode: self.rop_named("fore_mode")?,
            back_mode: self.rop_named("back_mode")?,
        })
    }

    fn text(&mut self) -> Result<DrawText, Stop> {
        let size = self.fields.word("data_size")?;
        let count: u16 = self.fields.number("length")?;
        let flags: u16 = self.fields.number("flags")?;
        let data = self.fields.chunks("string")?;
        length("bytes of glyphs", size.into(), size as usize, data.len())?;
        let glyphs = raw::glyphs(&data, count, flags).map_err(Refusal::from)?;
        Ok(DrawText {
            glyphs: Arc::new(glyphs),
            back_area: self.fields.rect("rect back_area")?,
            fore_brush: self.brush()?,
            back_brush: self.brush()?,
            fore_mode: self.rop_named("fore_mode")?,
            back_mode: self.rop_named("back_mode")?,
        })
    }

    fn composite(&mut self) -> Result<DrawComposite, Stop> {
        let flags = CompositeFlags::from_bits_retain(self.fields.word("flags")?);
        let source = self.image()?;
        let source_transform = self.transform("src_transform")?;
        let mask = match self.fields.word("mask")? {
            0 => None,
            // It has a flag of its own, so that one that is not there is not the surface itself.
            _ => image::image(self.fields)?,
        };
        Ok(DrawComposite {
            flags,
            source,
            mask,
            source_transform,
            mask_transform: self.transform("mask_transform")?,
            source_origin: self.origin("src_origin")?,
            mask_origin: self.origin("mask_origin")?,
        })
    }

    fn image(&mut self) -> Result<Image, Stop> {
        match (image::image(self.fields)?, self.own) {
            (Some(image), _) => Ok(image),
            (None, Some(area)) => {
                Ok(Image { source: ImageSource::Own(area), ..Image::surface(SurfaceId(0)) })
            }
            (None, None) => Err(Refusal::NoImage.into()),
        }
    }

    fn brush(&mut self) -> Result<Brush, Stop> {
        match self.fields.word("type")? {
            0 => Ok(Brush::None),
            1 => Ok(Brush::Solid(self.fields.word("u.color")?)),
            2 => Ok(Brush::Pattern(Pattern { image: self.image()?, pos: self.fields.point()? })),
            other => Err(Refusal::Brush(other).into()),
        }
    }

    fn mask(&mut self) -> Result<Option<Mask>, Stop> {
        let flags = MaskFlags::from_bits_retain(self.fields.number("flags")?);
        let pos = self.fields.point()?;
        let image = image::mask(self.fields)?;
        Ok(image.map(|image| Mask { inverted: flags.contains(MaskFlags::INVERS), pos, image }))
    }

    fn area(&mut self) -> Result<Rect, RecordingError> {
        self.fields.rect("rect src_area")
    }

    fn rop(&mut self) -> Result<Ropd, RecordingError> {
        self.rop_named("rop_descriptor")
    }

    fn rop_named(&mut self, name: &str) -> Result<Ropd, RecordingError> {
        Ok(Ropd::from_bits_retain(self.fields.number(name)?))
    }

    fn scale_mode(&mut self) -> Result<ScaleMode, RecordingError> {
        Ok(ScaleMode(self.fields.number("scale_mode")?))
    }

    fn transform(&mut self, name: &str) -> Result<Option<Transform>, Stop> {
        if self.fields.word(name)? == 0 {
            return Ok(None);
        }
        let data = self.fields.data("transform")?;
        length("numbers of a transform", 6, TRANSFORM, data.len())?;
        Ok(raw::transform(&data))
    }

    fn origin(&mut self, name: &str) -> Result<Point16, RecordingError> {
        let [x, y] = self.fields.numbers(name)?;
        Ok(Point16 { x: self.fields.fit(name, x)?, y: self.fields.fit(name, y)? })
    }
}
