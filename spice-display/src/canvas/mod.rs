//! The pixels of a surface, and what can be painted on them.
//!
//! [`Canvas::paint`] is the way in: it takes a drawing command and the pixels that it is to touch. What an operation
//! makes of each pixel is what the C server's canvas and spice-gtk make of it, to the bit.

mod brush;
mod clip;
mod composite;
mod convert;
#[cfg(test)]
mod known_values;
mod mask;
mod operand;
mod paint;
mod plane;
#[cfg(test)]
mod robustness;
mod rop;
mod stroke;
mod surfaces;
#[cfg(test)]
mod tests;
mod text;
mod write_back;

use std::fmt;

use bytes::Bytes;
use spice_proto::display::{BitmapFormat, SurfaceFormat};
use spice_proto::{Point, Rect};

use crate::qxl::Bitmap;
use crate::region::Region;

pub use clip::clip_region;
pub(crate) use operand::depends_on_keeping;
pub use surfaces::{PaintError, Surfaces};
pub use write_back::WriteBackError;

use convert::Argb;
use plane::{Pixel, Plane};
use rop::Rop2;

/// Pixels of one surface format.
///
/// Whatever is painted stays within the canvas: regions and offsets may reach beyond it and lie anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Canvas {
    format: SurfaceFormat,
    pixels: Pixels,
}

/// Pixels by their depth.
#[derive(Clone, PartialEq, Eq)]
enum Pixels {
    /// [`SurfaceFormat::A8`], and [`SurfaceFormat::A1`] as 0 and 255.
    Bits8(Plane<u8>),
    /// [`SurfaceFormat::RGB555`], [`SurfaceFormat::RGB565`].
    Bits16(Plane<u16>),
    /// [`SurfaceFormat::RGB32`], whose top byte is kept although it means nothing, and [`SurfaceFormat::ARGB32`].
    Bits32(Plane<u32>),
}

/// Evaluates `$body` with `$plane` as the plane, whatever its depth.
macro_rules! each_depth {
    ($pixels:expr, $plane:ident => $body:expr) => {
        match $pixels {
            $crate::canvas::Pixels::Bits8($plane) => $body,
            $crate::canvas::Pixels::Bits16($plane) => $body,
            $crate::canvas::Pixels::Bits32($plane) => $body,
        }
    };
}
use each_depth;

impl Canvas {
    /// A canvas of pixels that are all zero, or `None` for a format that does not exist. It takes up to
    /// `width * height * 4` bytes at once, so it is for the caller to bound them.
    #[must_use]
    pub fn new(format: SurfaceFormat, width: u32, height: u32) -> Option<Self> {
        let pixels = match format {
            SurfaceFormat::A1 | SurfaceFormat::A8 => Pixels::Bits8(Plane::new(width, height)),
            SurfaceFormat::RGB555 | SurfaceFormat::RGB565 => Pixels::Bits16(Plane::new(width, height)),
            SurfaceFormat::RGB32 | SurfaceFormat::ARGB32 => Pixels::Bits32(Plane::new(width, height)),
            _ => return None,
        };
        Some(Self { format, pixels })
    }

    /// How its pixels are kept.
    #[must_use]
    pub const fn format(&self) -> SurfaceFormat {
        self.format
    }

    /// Columns.
    #[must_use]
    pub const fn width(&self) -> u32 {
        each_depth!(&self.pixels, plane => plane.width())
    }

    /// Rows.
    #[must_use]
    pub const fn height(&self) -> u32 {
        each_depth!(&self.pixels, plane => plane.height())
    }

    /// All of it: its top left corner is at 0, 0.
    #[must_use]
    pub const fn bounds(&self) -> Rect {
        Rect::new(0, 0, self.width(), self.height())
    }

    /// The bits of the pixel there, unless that is outside.
    #[must_use]
    pub fn pixel(&self, at: Point) -> Option<u32> {
        each_depth!(&self.pixels, plane => plane.pixel(at).map(Pixel::bits))
    }

    /// The format that [`Self::read`] has its pixels in.
    #[must_use]
    pub fn bitmap_format(&self) -> BitmapFormat {
        match self.format {
            SurfaceFormat::A1 | SurfaceFormat::A8 => BitmapFormat::A8,
            SurfaceFormat::RGB555 => BitmapFormat::RGB16,
            SurfaceFormat::ARGB32 => BitmapFormat::RGBA,
            _ => BitmapFormat::RGB32,
        }
    }

    /// The pixels of `area` that are on the canvas, as the wire has them in [`Self::bitmap_format`]: rows from the top
    /// without gaps, each pixel in little endian. Without any the result is empty.
    ///
    /// No bitmap format has the bits of [`SurfaceFormat::RGB565`]; its pixels come with 8 bits for each colour.
    #[must_use]
    pub fn read(&self, area: Rect) -> Bytes {
        let area = area.intersect(&self.bounds());
        match &self.pixels {
            Pixels::Bits8(plane) => read(plane, area, |pixel| [pixel]),
            Pixels::Bits16(plane) if self.format == SurfaceFormat::RGB565 => {
                let rgb = |pixel: u16| Argb::load(self.format, pixel.into()).store(SurfaceFormat::RGB32);
                read(plane, area, |pixel| rgb(pixel).to_le_bytes())
            }
            Pixels::Bits16(plane) => read(plane, area, u16::to_le_bytes),
            Pixels::Bits32(plane) => read(plane, area, u32::to_le_bytes),
        }
    }

    /// The same pixels as a bitmap; none without any.
    #[must_use]
    pub fn bitmap(&self, area: Rect) -> Option<Bitmap> {
        let area = area.intersect(&self.bounds());
        let format = self.bitmap_format();
        let size = (area.width(), area.height());
        let data = self.read(area);
        let stride = data.len().checked_div(area.height() as usize)?;
        Bitmap::new(format, size, stride.try_into().ok()?, true, data).ok()
    }

    /// Gives every pixel of `region` these bits; on a surface of one bit, the lowest one of them.
    pub fn fill(&mut self, region: &Region, bits: u32) {
        let bits = self.colour_bits(bits);
        each_depth!(&mut self.pixels, plane => plane.fill(region, Pixel::from_bits(bits)));
    }

    /// Takes the pixels of a bitmap, from the top left corner of both on.
    pub(crate) fn load(&mut self, bitmap: &Bitmap) -> Result<(), PaintError> {
        let content = self.of_bitmap(bitmap)?;
        self.blit(&Region::from(self.bounds()), &content, Point::default(), Rop2::PUT);
        Ok(())
    }

    /// Copies from the canvas itself to the pixels of `region`: each gets the one that was `offset` before it. It keeps
    /// its value when there is no such pixel.
    pub fn copy_bits(&mut self, region: &Region, offset: Point) {
        each_depth!(&mut self.pixels, plane => plane.copy_bits(region, offset));
    }
}

fn read<P: Pixel, const N: usize>(plane: &Plane<P>, area: Rect, bytes: impl Fn(P) -> [u8; N]) -> Bytes {
    let mut pixels: Vec<[u8; N]> = Vec::with_capacity(area.width() as usize * area.height() as usize);
    let columns = area.left.unsigned_abs() as usize..area.right.unsigned_abs() as usize;
    for y in area.top..area.bottom {
        let row = plane.row(y.unsigned_abs()).get(columns.clone()).unwrap_or_default();
        pixels.extend(row.iter().map(|pixel| bytes(*pixel)));
    }
    Bytes::from(pixels.into_flattened())
}

impl Default for Canvas {
    /// A canvas without a pixel.
    fn default() -> Self {
        Self { format: SurfaceFormat::RGB32, pixels: Pixels::Bits32(Plane::new(0, 0)) }
    }
}

impl fmt::Debug for Canvas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canvas {} {}x{}", self.format, self.width(), self.height())
    }
}
