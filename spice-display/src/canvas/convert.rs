//! Pixels from one format to another, as pixman converts them.

use spice_proto::display::SurfaceFormat;
use spice_proto::{Point, Rect};

use super::plane::{Pixel, Plane};
use super::rop::Rop2;
use super::{Canvas, Pixels, each_depth};

/// A pixel of any format as `0xAARRGGBB`: what is missing of its bits is repeated from the upper ones, alpha that is
/// missing is full, colours that are missing are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Argb(pub(super) u32);

impl Argb {
    /// A pixel's bits in `format`.
    pub(super) const fn load(format: SurfaceFormat, bits: u32) -> Self {
        Self(match format {
            SurfaceFormat::A8 | SurfaceFormat::A1 => bits << 24,
            SurfaceFormat::RGB555 => {
                expand(bits >> 10 & 0x1f, 5) << 16
                    | expand(bits >> 5 & 0x1f, 5) << 8
                    | expand(bits & 0x1f, 5)
                    | OPAQUE
            }
            SurfaceFormat::RGB565 => {
                expand(bits >> 11 & 0x1f, 5) << 16
                    | expand(bits >> 5 & 0x3f, 6) << 8
                    | expand(bits & 0x1f, 5)
                    | OPAQUE
            }
            SurfaceFormat::ARGB32 => bits,
            _ => bits | OPAQUE,
        })
    }

    /// The bits that keep it in `format`. Bits that mean nothing are zero.
    pub(super) const fn store(self, format: SurfaceFormat) -> u32 {
        let (red, green, blue) = (self.0 >> 16 & 0xff, self.0 >> 8 & 0xff, self.0 & 0xff);
        match format {
            SurfaceFormat::A8 => self.0 >> 24,
            SurfaceFormat::A1 => {
                if self.0 >> 31 == 1 {
                    0xff
                } else {
                    0
                }
            }
            SurfaceFormat::RGB555 => (red >> 3) << 10 | (green >> 3) << 5 | blue >> 3,
            SurfaceFormat::RGB565 => (red >> 3) << 11 | (green >> 2) << 5 | blue >> 3,
            SurfaceFormat::ARGB32 => self.0,
            _ => self.0 & !OPAQUE,
        }
    }

    /// [`Self::load`] for neighbouring pixels; the format is looked at once.
    fn load_row<P: Pixel>(format: SurfaceFormat, from: &[P], to: &mut [Self]) {
        use SurfaceFormat as F;
        match format {
            F::A8 | F::A1 => each(from, to, |pixel| Self::load(F::A8, pixel.bits())),
            F::RGB555 => each(from, to, |pixel| Self::load(F::RGB555, pixel.bits())),
            F::RGB565 => each(from, to, |pixel| Self::load(F::RGB565, pixel.bits())),
            F::ARGB32 => each(from, to, |pixel| Self::load(F::ARGB32, pixel.bits())),
            _ => each(from, to, |pixel| Self::load(F::RGB32, pixel.bits())),
        }
    }

    /// [`Self::store`] for neighbouring pixels.
    fn store_row<P: Pixel>(format: SurfaceFormat, from: &[Self], to: &mut [P]) {
        use SurfaceFormat as F;
        match format {
            F::A8 => each(from, to, |pixel| P::from_bits(pixel.store(F::A8))),
            F::A1 => each(from, to, |pixel| P::from_bits(pixel.store(F::A1))),
            F::RGB555 => each(from, to, |pixel| P::from_bits(pixel.store(F::RGB555))),
            F::RGB565 => each(from, to, |pixel| P::from_bits(pixel.store(F::RGB565))),
            F::ARGB32 => each(from, to, |pixel| P::from_bits(pixel.store(F::ARGB32))),
            _ => each(from, to, |pixel| P::from_bits(pixel.store(F::RGB32))),
        }
    }
}

const OPAQUE: u32 = 0xff00_0000;

/// A colour of `bits` bits, 4 to 8, with 8.
const fn expand(colour: u32, bits: u32) -> u32 {
    let high = colour << (8 - bits);
    high | high >> bits
}

impl Canvas {
    /// The same pixels in another format; one that does not exist is [`SurfaceFormat::RGB32`]. In that one, the byte
    /// that means nothing has the alpha: pixman leaves it there, and a copy to a surface with alpha shows it.
    pub(super) fn converted(&self, format: SurfaceFormat) -> Self {
        let mut to = Self::new(format, self.width(), self.height()).unwrap_or_default();
        let stored = if to.format == SurfaceFormat::RGB32 { SurfaceFormat::ARGB32 } else { to.format };
        let from_format = self.format;
        each_depth!(&self.pixels, from => match &mut to.pixels {
            Pixels::Bits8(to) => convert((from, from_format), (to, stored)),
            Pixels::Bits16(to) => convert((from, from_format), (to, stored)),
            Pixels::Bits32(to) => convert((from, from_format), (to, stored)),
        });
        to
    }

    /// The pixels of `area` that are on the canvas, as a canvas.
    pub(super) fn part(&self, area: Rect) -> Self {
        let area = area.intersect(&self.bounds());
        let mut part = Self::new(self.format, area.width(), area.height()).unwrap_or_default();
        let all = part.bounds().into();
        part.blit(&all, self, Point::new(-area.left, -area.top), Rop2::PUT);
        part
    }
}

fn convert<P: Pixel, Q: Pixel>(
    (from, from_format): (&Plane<P>, SurfaceFormat),
    (to, to_format): (&mut Plane<Q>, SurfaceFormat),
) {
    let mut row = vec![Argb(0); to.width() as usize];
    let all = to.bounds().into();
    to.runs(&all, |run, at| {
        Argb::load_row(from_format, from.row(at.y.unsigned_abs()), &mut row);
        Argb::store_row(to_format, &row, run);
    });
}

fn each<A: Copy, B>(from: &[A], to: &mut [B], change: impl Fn(A) -> B) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = change(*from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_comes_back_from_the_format_that_it_was_in() {
        for format in [SurfaceFormat::A8, SurfaceFormat::RGB555, SurfaceFormat::RGB565, SurfaceFormat::ARGB32]
        {
            let limit = match format {
                SurfaceFormat::A8 => 0x100,
                SurfaceFormat::RGB555 => 0x8000,
                _ => 0x1_0000,
            };
            for bits in 0..limit {
                assert_eq!(Argb::load(format, bits).store(format), bits, "{format}");
            }
        }
    }

    #[test]
    fn colours_are_widened_by_their_upper_bits() {
        assert_eq!(Argb::load(SurfaceFormat::RGB555, 0x7fff), Argb(0xffff_ffff));
        assert_eq!(Argb::load(SurfaceFormat::RGB565, 0x8410), Argb(0xff84_8284));
        assert_eq!(Argb::load(SurfaceFormat::A8, 0x80), Argb(0x8000_0000));
        assert_eq!(Argb(0x80ff_ff07).store(SurfaceFormat::RGB555), 0x7fe0);
    }
}
