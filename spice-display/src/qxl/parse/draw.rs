//! Drawables.

use std::sync::Arc;

use bytes::Bytes;
use spice_proto::display::{
    AlphaFlags, CompositeFlags, Fixed28_4, Glyphs, LineAttr, LineFlags, MaskFlags, Path, Rop3, Ropd,
    ScaleMode, Transform,
};
use spice_proto::{Rect, SurfaceId};

use super::guest::{Guest, Record};
use super::image::colour;
use super::{ParseError, ParseErrorKind};
use crate::memory::QxlPhysical;
use crate::qxl::{
    Brush, Clip, Command, CopyBits, DrawAlphaBlend, DrawComposite, DrawCopy, DrawFill, DrawOp, DrawOpaque,
    DrawRop3, DrawStroke, DrawText, DrawTransparent, Drawable, Effect, Image, ImageSource, Mask, Pattern,
    raw,
};

/// Bytes of the largest operation, `QXLText`.
const OPERATION: usize = 68;
/// Bytes of `QXLDrawable`.
pub(super) const NATIVE: usize = 123 + OPERATION;
/// Bytes of `QXLCompatDrawable`.
pub(super) const COMPAT: usize = 60 + OPERATION;

/// `QXLDrawable`, from behind its release info on.
pub(super) fn native<'a>(guest: Guest<'a>, record: &mut Record<'a>) -> Result<Command, ParseError> {
    let surface = SurfaceId(record.u32()?);
    let effect = Effect(record.u8()?);
    let kind = record.u8()?;
    let own = record.u8()? != 0;
    let own_area = record.rect()?;
    let bbox = record.rect()?;
    let clip = clip(guest, record)?;
    let mm_time = record.u32()?;
    // The surfaces that it reads are those of its images, whatever is said here.
    record.skip::<{ 3 * 4 + 3 * 16 }>()?;
    let op = Operation { guest, record, own: own.then_some(own_area) }.parse(kind)?;
    checked(record, Drawable { surface, bbox, clip, effect, mm_time, op })
}

/// `QXLCompatDrawable`, from behind its release info on.
pub(super) fn compat<'a>(guest: Guest<'a>, record: &mut Record<'a>) -> Result<Command, ParseError> {
    let effect = Effect(record.u8()?);
    let kind = record.u8()?;
    let own = record.u16()? != 0;
    let own_area = record.rect()?;
    let bbox = record.rect()?;
    let clip = clip(guest, record)?;
    let mm_time = record.u32()?;
    let op = Operation { guest, record, own: own.then_some(own_area) }.parse(kind)?;
    checked(record, Drawable { surface: SurfaceId::PRIMARY, bbox, clip, effect, mm_time, op })
}

fn checked(record: &Record<'_>, drawable: Drawable) -> Result<Command, ParseError> {
    record.wrap("u", drawable.check())?;
    Ok(Command::Draw(drawable))
}

/// `QXLClip`.
fn clip<'a>(guest: Guest<'a>, record: &mut Record<'a>) -> Result<Clip, ParseError> {
    let (kind, address) = (record.u32()?, record.address()?);
    match kind {
        0 => Ok(Clip::None),
        1 => {
            let mut rects = guest.record("clip_rects", address, 24)?;
            let count = rects.u32()?;
            let data = guest.chunk_bytes(&mut rects)?;
            let list = rects.wrap("num_rects", raw::rects(&data, count))?;
            Ok(Clip::Rects(list.into()))
        }
        other => Err(record.fault("clip.type", ParseErrorKind::Unknown(other.into()))),
    }
}

/// The operation of a drawable, which is what its structure ends with.
struct Operation<'a, 'g> {
    guest: Guest<'g>,
    record: &'a mut Record<'g>,
    /// What an image is that is not there: this part of the surface itself.
    own: Option<Rect>,
}

impl Operation<'_, '_> {
    fn parse(mut self, kind: u8) -> Result<DrawOp, ParseError> {
        Ok(match kind {
            0 => DrawOp::Nop,
            1 => DrawOp::Fill(DrawFill { brush: self.brush()?, rop: self.rop()?, mask: self.mask()? }),
            2 => DrawOp::Opaque(DrawOpaque {
                source: self.image("src_bitmap")?,
                source_area: self.record.rect()?,
                brush: self.brush()?,
                rop: self.rop()?,
                scale_mode: self.scale_mode()?,
                mask: self.mask()?,
            }),
            3 => DrawOp::Copy(self.copy()?),
            4 => DrawOp::CopyBits(CopyBits { source: self.record.point()? }),
            5 => DrawOp::Blend(self.copy()?),
            6 => DrawOp::Blackness(self.mask()?),
            7 => DrawOp::Whiteness(self.mask()?),
            8 => DrawOp::Invers(self.mask()?),
            9 => DrawOp::Rop3(DrawRop3 {
                source: self.image("src_bitmap")?,
                source_area: self.record.rect()?,
                brush: self.brush()?,
                rop3: Rop3(self.record.u8()?),
                scale_mode: self.scale_mode()?,
                mask: self.mask()?,
            }),
            10 => DrawOp::Stroke(self.stroke()?),
            11 => DrawOp::Text(self.text()?),
            12 => DrawOp::Transparent(DrawTransparent {
                source: self.image("src_bitmap")?,
                source_area: self.record.rect()?,
                source_colour: self.record.u32()?,
                true_colour: self.record.u32()?,
            }),
            13 => DrawOp::AlphaBlend(DrawAlphaBlend {
                flags: self.alpha_flags()?,
                alpha: self.record.u8()?,
                source: self.image("src_bitmap")?,
                source_area: self.record.rect()?,
            }),
            14 if !self.guest.flags.compat => DrawOp::Composite(self.composite()?),
            other => return Err(self.record.fault("type", ParseErrorKind::Unknown(other.into()))),
        })
    }

    /// A copy never reads what it covers, whatever the guest says of it: some drivers say it of every copy.
    fn copy(&mut self) -> Result<DrawCopy, ParseError> {
        self.own = None;
        Ok(DrawCopy {
            source: self.image("src_bitmap")?,
            source_area: self.record.rect()?,
            rop: self.rop()?,
            scale_mode: self.scale_mode()?,
            mask: self.mask()?,
        })
    }

    /// Of the first revision's alpha blends, all that is not said is no.
    fn alpha_flags(&mut self) -> Result<AlphaFlags, ParseError> {
        if self.guest.flags.compat {
            return Ok(AlphaFlags::empty());
        }
        let [low, _] = self.record.array()?;
        Ok(AlphaFlags::from_bits_retain(low))
    }

    fn stroke(&mut self) -> Result<DrawStroke, ParseError> {
        let path = self.path()?;
        let flags = LineFlags::from_bits_retain(self.record.u8()?);
        let [_join_style, _end_style, count] = self.record.array()?;
        self.record.skip::<{ 2 * 4 }>()?;
        let address = self.record.address()?;
        let style = flags.contains(LineFlags::STYLED).then(|| self.style(count, address)).transpose()?;
        Ok(DrawStroke {
            path: Arc::new(path),
            attr: LineAttr { flags, style },
            brush: self.brush()?,
            fore_mode: self.rop()?,
            back_mode: self.rop()?,
        })
    }

    /// `QXLPath`. Its `data_size` means nothing, as with the C server.
    fn path(&mut self) -> Result<Path, ParseError> {
        let address = self.record.address()?;
        let mut path = self.guest.record("path", address, 24)?;
        path.skip::<4>()?;
        let data = self.guest.chunk_bytes(&mut path)?;
        path.wrap("chunk", raw::path(&data))
    }

    fn style(&self, count: u8, address: QxlPhysical) -> Result<Vec<Fixed28_4>, ParseError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        if address.is_null() {
            return Err(self.record.fault("attr.style", ParseErrorKind::Missing));
        }
        let place = self.guest.place(self.record, "attr.style", address)?;
        let data = self.record.wrap("attr.style", place.bytes(u64::from(count) * 4))?;
        Ok(raw::style(&data))
    }

    fn text(&mut self) -> Result<DrawText, ParseError> {
        Ok(DrawText {
            glyphs: Arc::new(self.string()?),
            back_area: self.record.rect()?,
            fore_brush: self.brush()?,
            back_brush: self.brush()?,
            fore_mode: self.rop()?,
            back_mode: self.rop()?,
        })
    }

    /// `QXLString`.
    fn string(&mut self) -> Result<Glyphs, ParseError> {
        let address = self.record.address()?;
        let mut string = self.guest.record("string", address, 28)?;
        let expected = u64::from(string.u32()?);
        let (length, flags) = (string.u16()?, string.u16()?);
        let data = Bytes::from(self.guest.sized_chunks(&mut string, expected)?);
        string.wrap("chunk", raw::glyphs(&data, length, flags))
    }

    fn composite(&mut self) -> Result<DrawComposite, ParseError> {
        let flags = CompositeFlags::from_bits_retain(self.record.u32()?);
        let source = self.image("src")?;
        let source_transform = self.transform("src_transform")?;
        let mask = self.guest.image(self.record, "mask", false)?;
        let mask_transform = match mask {
            Some(_) => self.transform("mask_transform")?,
            None => self.record.address().map(|_| None)?,
        };
        Ok(DrawComposite {
            flags,
            source,
            mask,
            source_transform,
            mask_transform,
            source_origin: self.record.point16()?,
            mask_origin: self.record.point16()?,
        })
    }

    fn transform(&mut self, field: &'static str) -> Result<Option<Transform>, ParseError> {
        const LEN: u64 = 6 * 4;
        let address = self.record.address()?;
        if address.is_null() {
            return Ok(None);
        }
        let place = self.guest.place(self.record, field, address)?;
        Ok(raw::transform(&self.record.wrap(field, place.bytes(LEN))?))
    }

    fn image(&mut self, field: &'static str) -> Result<Image, ParseError> {
        match (self.guest.image(self.record, field, false)?, self.own) {
            (Some(image), _) => Ok(image),
            (None, Some(area)) => {
                Ok(Image { source: ImageSource::Own(area), ..Image::surface(SurfaceId::PRIMARY) })
            }
            (None, None) => Err(self.record.fault(field, ParseErrorKind::Missing)),
        }
    }

    /// `QXLBrush`: a pattern takes the most of it.
    fn brush(&mut self) -> Result<Brush, ParseError> {
        match self.record.u32()? {
            0 => self.record.skip::<16>().map(|()| Brush::None),
            1 => {
                let bits = self.record.u32()?;
                self.record.skip::<12>()?;
                Ok(Brush::Solid(if self.guest.flags.compat_16bpp { colour(bits) } else { bits }))
            }
            2 => Ok(Brush::Pattern(Pattern { image: self.image("pattern")?, pos: self.record.point()? })),
            other => Err(self.record.fault("brush.type", ParseErrorKind::Unknown(other.into()))),
        }
    }

    /// `QXLQMask`.
    fn mask(&mut self) -> Result<Option<Mask>, ParseError> {
        let flags = MaskFlags::from_bits_retain(self.record.u8()?);
        let pos = self.record.point()?;
        let image = self.guest.image(self.record, "mask", true)?;
        Ok(image.map(|image| Mask { inverted: flags.contains(MaskFlags::INVERS), pos, image }))
    }

    fn rop(&mut self) -> Result<Ropd, ParseError> {
        self.record.u16().map(Ropd::from_bits_retain)
    }

    fn scale_mode(&mut self) -> Result<ScaleMode, ParseError> {
        self.record.u8().map(ScaleMode)
    }
}
