//! Images as pixels that can be painted with.

use std::borrow::Cow;

use spice_proto::display::{ImageFlags, SurfaceFormat};
use spice_proto::{Point, Rect};

use super::paint::{PaintError, Surfaces};
use super::plane::{Pixel, Plane};
use super::{Canvas, Pixels, each_depth};
use crate::codec::quic::{self, QuicFormat};
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
        let mut canvas = self.original(image, surfaces)?;
        if matches!(image.source, ImageSource::Surface(_)) {
            return Ok(canvas);
        }
        let has_alpha = match &image.source {
            ImageSource::Bitmap(bitmap) => bitmap.format() == BitmapFormat::RGBA,
            _ => canvas.format == SurfaceFormat::ARGB32,
        };
        let wanted = match self.pixels {
            Pixels::Bits32(_) if has_alpha => SurfaceFormat::ARGB32,
            Pixels::Bits32(_) => SurfaceFormat::RGB32,
            _ => self.format,
        };
        if canvas.format != wanted {
            let mut converted = canvas.converted(wanted);
            // QUIC is unpacked to 32 bits right away, and then there is no alpha to be left over.
            if let (ImageSource::Quic(_), Pixels::Bits32(plane)) = (&image.source, &mut converted.pixels) {
                let all = Region::from(plane.bounds());
                plane.runs(&all, |run, _| run.iter_mut().for_each(|pixel| *pixel &= 0x00ff_ffff));
            }
            canvas = Cow::Owned(converted);
        }
        Ok(canvas)
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
            ImageSource::Own(area) => return Ok(Cow::Owned(self.part(*area))),
            ImageSource::Bitmap(bitmap) => self.of_bitmap(bitmap)?,
            ImageSource::Quic(quic) => self.of_bitmap(&unpack(quic)?)?,
        };
        if image.flags.contains(ImageFlags::HIGH_BITS_SET)
            && canvas.format == SurfaceFormat::RGB32
            && let Pixels::Bits32(plane) = &mut canvas.pixels
        {
            let all = Region::from(plane.bounds());
            plane.runs(&all, |run, _| run.iter_mut().for_each(|pixel| *pixel |= 0xff00_0000));
        }
        Ok(Cow::Owned(canvas))
    }

    /// The pixels of a bitmap. The colours of a palette are of this canvas's format.
    pub(super) fn of_bitmap(&self, bitmap: &Bitmap) -> Result<Self, PaintError> {
        let (width, height) = (bitmap.width(), bitmap.height());
        let palette = match bitmap.palette() {
            Some(palette) => palette.entries.as_slice(),
            None if bitmap.depth() < 8 || bitmap.format() == BitmapFormat::BIT8 => {
                return Err(PaintError::Palette(bitmap.format()));
            }
            None => &[],
        };
        let format = match bitmap.format() {
            BitmapFormat::RGB32 | BitmapFormat::RGB24 => SurfaceFormat::RGB32,
            BitmapFormat::RGBA => SurfaceFormat::ARGB32,
            BitmapFormat::RGB16 => SurfaceFormat::RGB555,
            BitmapFormat::A8 => SurfaceFormat::A8,
            _ => self.format,
        };
        let colour = |index: u8| palette.get(usize::from(index)).copied().unwrap_or(0);
        let mut canvas = Self::new(format, width, height).unwrap_or_default();
        let bits = bitmap.format();
        each_depth!(&mut canvas.pixels, plane => load(plane, bitmap, |row, x| match bits {
            BitmapFormat::RGB32 | BitmapFormat::RGBA => {
                row.get(4 * x..).and_then(<[u8]>::first_chunk).map_or(0, |pixel| u32::from_le_bytes(*pixel))
            }
            BitmapFormat::RGB24 => match row.get(3 * x..) {
                Some(&[blue, green, red, ..]) => u32::from_le_bytes([blue, green, red, 0]),
                _ => 0,
            },
            BitmapFormat::RGB16 => {
                row.get(2 * x..).and_then(<[u8]>::first_chunk).map_or(0, |pixel| u16::from_le_bytes(*pixel).into())
            }
            BitmapFormat::A8 => row.get(x).copied().unwrap_or(0).into(),
            other => colour(index(other, row, x)),
        }));
        Ok(canvas)
    }
}

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

fn load<P: Pixel>(plane: &mut Plane<P>, bitmap: &Bitmap, pixel: impl Fn(&[u8], usize) -> u32) {
    let all = Region::from(plane.bounds());
    plane.runs(&all, |run, at| {
        let row = bitmap.row(at.y.unsigned_abs());
        for (x, to) in run.iter_mut().enumerate() {
            *to = P::from_bits(pixel(row, x));
        }
    });
}

/// The pixels of a QUIC image as a bitmap.
fn unpack(quic: &QuicImage) -> Result<Bitmap, PaintError> {
    let header = quic::QuicHeader::read(&quic.data)?;
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
