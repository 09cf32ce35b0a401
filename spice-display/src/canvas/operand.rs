//! Images as pixels that can be painted with.

use std::borrow::Cow;

use spice_proto::display::{ImageFlags, SurfaceFormat};
use spice_proto::{Point, Rect};

use super::plane::{Pixel, Plane};
use super::surfaces::{PaintError, Surfaces};
use super::{Canvas, Pixels, each_depth};
use crate::codec::quic::{self, QuicFormat, QuicHeader};
use crate::qxl::{Bitmap, BitmapFormat, Image, ImageSource, QuicImage};
use crate::region::Region;

impl Canvas {
    /// The pixels of an image, converted to what this canvas paints with: on one of 32 bits, those with alpha keep it
    /// and all others have none, else they have the canvas's format. Those of a surface are as they are.
    pub(super) fn operand<'a>(
        &self,
        image: &Image,
        surfaces: &'a dyn Surfaces,
    ) -> Result<Cow<'a, Self>, PaintError> {
        let canvas = self.original(image, surfaces)?;
        if matches!(image.source, ImageSource::Surface(_)) {
            return Ok(canvas);
        }
        // The C server keeps what it caches in its own format, and looks at that one.
        let kept = image.flags.contains(ImageFlags::CACHE_ME);
        let has_alpha = match &image.source {
            ImageSource::Bitmap(bitmap) if !kept => bitmap.format() == BitmapFormat::RGBA,
            _ => canvas.format == SurfaceFormat::ARGB32,
        };
        let wanted = match self.pixels {
            Pixels::Bits32(_) if has_alpha => SurfaceFormat::ARGB32,
            Pixels::Bits32(_) => SurfaceFormat::RGB32,
            _ => self.format,
        };
        if canvas.format == wanted {
            return Ok(canvas);
        }
        let mut converted = canvas.converted(wanted);
        if wanted == SurfaceFormat::RGB32 && !kept {
            if image.flags.contains(ImageFlags::HIGH_BITS_SET) {
                converted.map_bits32(|pixel| pixel | OPAQUE);
            } else if matches!(image.source, ImageSource::Quic(_)) {
                // It is unpacked to 32 bits right away, and then there is no alpha to be left over.
                converted.map_bits32(|pixel| pixel & !OPAQUE);
            }
        }
        Ok(Cow::Owned(converted))
    }

    /// The pixels of an image, as near to its own format as a canvas has one.
    pub(super) fn original<'a>(
        &self,
        image: &Image,
        surfaces: &'a dyn Surfaces,
    ) -> Result<Cow<'a, Self>, PaintError> {
        let mut canvas = match &image.source {
            ImageSource::Surface(id) => {
                return surfaces.canvas(*id).map(Cow::Borrowed).ok_or(PaintError::Surface(*id));
            }
            ImageSource::Own(area) if self.bounds().contains(area) => {
                return Ok(Cow::Owned(self.part(*area)));
            }
            ImageSource::Own(area) => {
                let (width, height) = (self.width(), self.height());
                return Err(PaintError::OutsideImage { area: *area, width, height });
            }
            ImageSource::Bitmap(bitmap) => self.of_bitmap(bitmap)?,
            ImageSource::Quic(quic) => self.of_bitmap(&unpack(quic)?)?,
        };
        if image.flags.contains(ImageFlags::HIGH_BITS_SET) && canvas.format == SurfaceFormat::RGB32 {
            canvas.map_bits32(|pixel| pixel | OPAQUE);
        }
        Ok(Cow::Owned(canvas))
    }

    /// The pixels of a bitmap. The colours of a palette are of this canvas's format.
    pub(super) fn of_bitmap(&self, bitmap: &Bitmap) -> Result<Self, PaintError> {
        let format = match bitmap.format() {
            BitmapFormat::RGB32 | BitmapFormat::RGB24 => SurfaceFormat::RGB32,
            BitmapFormat::RGBA => SurfaceFormat::ARGB32,
            BitmapFormat::RGB16 => SurfaceFormat::RGB555,
            BitmapFormat::A8 => SurfaceFormat::A8,
            _ => self.format,
        };
        let mut canvas = Self::new(format, bitmap.width(), bitmap.height()).unwrap_or_default();
        each_depth!(&mut canvas.pixels, plane => match bitmap.format() {
            BitmapFormat::RGB32 | BitmapFormat::RGBA => load(plane, bitmap, u32::from_le_bytes),
            BitmapFormat::RGB24 => {
                load(plane, bitmap, |[blue, green, red]| u32::from_le_bytes([blue, green, red, 0]));
            }
            BitmapFormat::RGB16 => load(plane, bitmap, |pixel| u16::from_le_bytes(pixel).into()),
            BitmapFormat::A8 => load(plane, bitmap, |[alpha]| alpha.into()),
            indexed => {
                let palette = bitmap.palette().ok_or(PaintError::Palette(indexed))?;
                let colours: [_; 256] = std::array::from_fn(|at| {
                    let colour = palette.entries.get(at).copied().unwrap_or(0);
                    Pixel::from_bits(self.colour_bits(colour))
                });
                look_up(plane, bitmap, &colours);
            }
        });
        Ok(canvas)
    }

    /// The bits of a pixel that a command gives as a number. On a surface of one bit, the lowest one counts.
    pub(super) const fn colour_bits(&self, colour: u32) -> u32 {
        match self.format {
            SurfaceFormat::A1 if colour & 1 == 0 => 0,
            SurfaceFormat::A1 => 0xff,
            _ => colour,
        }
    }

    /// Changes every pixel, on a canvas of 32 bits.
    fn map_bits32(&mut self, change: impl Fn(u32) -> u32) {
        if let Pixels::Bits32(plane) = &mut self.pixels {
            let all = Region::from(plane.bounds());
            plane.runs(&all, |run, _| run.iter_mut().for_each(|pixel| *pixel = change(*pixel)));
        }
    }
}

/// Whether an image makes another picture on a surface of format `target` where viewers keep it.
///
/// What is kept is looked at in its own format: colours of a palette have alpha where the surface has, and what has
/// fewer bits gets no opaque byte. The canvas does so where the guest says it; viewers do where their message does.
pub(crate) fn depends_on_keeping(image: &Image, target: SurfaceFormat) -> bool {
    let bits32 = matches!(target, SurfaceFormat::RGB32 | SurfaceFormat::ARGB32);
    match &image.source {
        ImageSource::Bitmap(bitmap) => match bitmap.format() {
            BitmapFormat::RGB32 | BitmapFormat::RGBA | BitmapFormat::RGB24 => false,
            BitmapFormat::RGB16 | BitmapFormat::A8 => {
                bits32 && image.flags.contains(ImageFlags::HIGH_BITS_SET)
            }
            _ => target == SurfaceFormat::ARGB32,
        },
        ImageSource::Quic(quic) => {
            let format = QuicHeader::read(&quic.data).map(|header| header.format);
            bits32 && format == Ok(QuicFormat::Rgb16)
        }
        ImageSource::Surface(_) | ImageSource::Own(_) => false,
    }
}

/// The byte of 32 bits that is no colour.
const OPAQUE: u32 = 0xff00_0000;

/// The palette index of column `x`.
pub(super) fn index(format: BitmapFormat, row: &[u8], x: usize) -> u8 {
    let byte = |x: usize| row.get(x).copied().unwrap_or(0);
    match format {
        BitmapFormat::BIT1_LE => byte(x / 8) >> (x % 8) & 1,
        BitmapFormat::BIT1_BE => byte(x / 8) >> (7 - x % 8) & 1,
        BitmapFormat::BIT4_LE => byte(x / 2) >> (4 * (x % 2)) & 0xf,
        BitmapFormat::BIT4_BE => byte(x / 2) >> (4 - 4 * (x % 2)) & 0xf,
        _ => byte(x),
    }
}

/// Takes the pixels of a bitmap of `N` bytes each.
fn load<P: Pixel, const N: usize>(plane: &mut Plane<P>, bitmap: &Bitmap, pixel: impl Fn([u8; N]) -> u32) {
    let all = Region::from(plane.bounds());
    plane.runs(&all, |run, at| {
        let (pixels, _) = bitmap.row(at.y.unsigned_abs()).as_chunks();
        for (to, from) in run.iter_mut().zip(pixels) {
            *to = P::from_bits(pixel(*from));
        }
    });
}

/// Takes the colours of a bitmap of palette indices.
fn look_up<P: Pixel>(plane: &mut Plane<P>, bitmap: &Bitmap, colours: &[P; 256]) {
    let all = Region::from(plane.bounds());
    plane.runs(&all, |run, at| {
        let row = bitmap.row(at.y.unsigned_abs());
        for (x, to) in run.iter_mut().enumerate() {
            *to = colours[usize::from(index(bitmap.format(), row, x))];
        }
    });
}

/// The pixels of a QUIC image as a bitmap.
fn unpack(quic: &QuicImage) -> Result<Bitmap, PaintError> {
    let header = QuicHeader::read(&quic.data)?;
    if (header.width, header.height) != (quic.width, quic.height) {
        let (width, height) = (header.width, header.height);
        return Err(PaintError::QuicSize { width, height, announced: (quic.width, quic.height) });
    }
    let picture = quic::decode(&quic.data, u64::from(quic.width) * u64::from(quic.height))?;
    let format = match picture.format {
        QuicFormat::Rgba => BitmapFormat::RGBA,
        QuicFormat::Rgb32 => BitmapFormat::RGB32,
        QuicFormat::Rgb24 => BitmapFormat::RGB24,
        QuicFormat::Rgb16 => BitmapFormat::RGB16,
        QuicFormat::Gray => return Err(PaintError::Unsupported("a QUIC image of brightness alone")),
    };
    let (size, stride) = ((picture.width, picture.height), picture.stride() as u32);
    Ok(Bitmap::new(format, size, stride, true, picture.pixels.into())?)
}

/// Where a source's corner comes to lie, counted from the target's.
pub(super) fn offset(bbox: Rect, source: Point) -> Point {
    Point::new(bbox.left.saturating_sub(source.x), bbox.top.saturating_sub(source.y))
}
