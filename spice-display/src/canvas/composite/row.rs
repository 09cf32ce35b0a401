//! Pixels by the row, in pieces: what does not change along a row is found out once for each.

use spice_proto::Point;
use spice_proto::display::SurfaceFormat;

use super::super::convert::Argb;
use super::super::plane::{Pixel, Plane};
use super::super::{Canvas, each_depth};
use super::operator::{Masked, Operator, over};
use super::sample::{Filter, HALF, ONE, Repeat, Sampler, Weights, mean};
use crate::region::Region;

/// Pixels of a piece.
const PIECE: usize = 256;

/// A place to put a piece of a row.
pub(super) struct Piece([u32; PIECE]);

impl Piece {
    pub(super) const fn new() -> Self {
        Self([0; PIECE])
    }

    /// As many pixels as are wanted, of those that fit.
    pub(super) fn of(&mut self, len: usize) -> &mut [u32] {
        &mut self.0[..len.min(PIECE)]
    }
}

impl Canvas {
    /// Gives every pixel of `region` what `mix` makes of it, a piece of a row at a time, read and written as pixels of
    /// `format`, which is of this canvas's depth. `mix` gets the place of the first one, and never more than fit a
    /// [`Piece`].
    pub(in super::super) fn mix_rows(
        &mut self,
        region: &Region,
        format: SurfaceFormat,
        mut mix: impl FnMut(Point, &mut [u32]),
    ) {
        let mut buffer = Piece::new();
        each_depth!(&mut self.pixels, plane => plane.runs(region, |run, at| {
            let mut x = at.x;
            for bits in run.chunks_mut(PIECE) {
                let pixels = buffer.of(bits.len());
                for (pixel, bits) in pixels.iter_mut().zip(bits.iter()) {
                    *pixel = Argb::load(format, bits.bits()).0;
                }
                mix(Point::new(x, at.y), pixels);
                for (pixel, bits) in pixels.iter().zip(bits.iter_mut()) {
                    *bits = Pixel::from_bits(Argb(*pixel).store(format));
                }
                x = x.saturating_add_unsigned(PIECE as u32);
            }
        }));
    }
}

/// Mixes a piece of a source, through that of a mask if there is one, with what lies below.
pub(super) fn combine(operator: Operator, source: &[u32], mask: Option<(&[u32], bool)>, target: &mut [u32]) {
    let pixels = target.iter_mut().zip(source);
    match (operator, mask) {
        (Operator::Wide(_), _) => {}
        (Operator::OVER, None) => pixels.for_each(|(target, source)| *target = over(*source, *target)),
        (Operator::OVER, Some((mask, false))) => {
            for ((target, source), mask) in pixels.zip(mask) {
                *target = over(Masked::by_alpha(*source, *mask).source, *target);
            }
        }
        (_, None) => {
            pixels.for_each(|(target, source)| *target = operator.mix(Masked::whole(*source), *target));
        }
        (_, Some((mask, by_channel))) => {
            for ((target, source), mask) in pixels.zip(mask) {
                let masked = if by_channel {
                    Masked::by_channel(*source, *mask)
                } else {
                    Masked::by_alpha(*source, *mask)
                };
                *target = operator.mix(masked, *target);
            }
        }
    }
}

impl Sampler<'_> {
    /// The pixels at a place of the target and to the right of it.
    pub(in super::super) fn fetch(&self, x: i32, y: i32, to: &mut [u32]) {
        each_depth!(&self.image.pixels, plane => match self.format {
            SurfaceFormat::ARGB32 => self.fetch_from(plane, (x, y), to, |bits| bits),
            SurfaceFormat::RGB32 => self.fetch_from(plane, (x, y), to, |bits| bits | 0xff00_0000),
            format => self.fetch_from(plane, (x, y), to, |bits| Argb::load(format, bits).0),
        });
    }

    fn fetch_from<P: Pixel>(
        &self,
        plane: &Plane<P>,
        (x, y): (i32, i32),
        to: &mut [u32],
        load: impl Fn(u32) -> u32 + Copy,
    ) {
        let ((mut column, row), step) = (self.affine.at(x.into(), y.into()), self.affine.step());
        if step.1 != 0 {
            for (x, to) in (x..).zip(to) {
                *to = self.pixel(x, y);
            }
            return;
        }
        let line = |y: i64| self.repeat.place(y, plane.height()).map_or(&[][..], |y| plane.row(y));
        let texel = |line: &[P], x: i64| {
            let x = self.repeat.place(x, plane.width());
            x.and_then(|x| line.get(x as usize)).map_or(0, |pixel| load(pixel.bits()))
        };
        match self.filter {
            Filter::Nearest if step.0 == ONE => {
                let line = line(row.wrapping_sub(1) >> 16);
                self.copy(line, column.wrapping_sub(1) >> 16, to, load);
            }
            Filter::Nearest => {
                let line = line(row.wrapping_sub(1) >> 16);
                for to in to {
                    *to = texel(line, column.wrapping_sub(1) >> 16);
                    column = column.wrapping_add(step.0);
                }
            }
            Filter::Bilinear => {
                let row = row.wrapping_sub(HALF);
                let (upper, lower) = (line(row >> 16), line((row >> 16) + 1));
                let pair = |line: &[P], x: i64| {
                    let inside = usize::try_from(x).ok().and_then(|x| line.get(x..)?.first_chunk());
                    inside.map_or_else(
                        || [texel(line, x), texel(line, x + 1)],
                        |pair: &[P; 2]| pair.map(|pixel| load(pixel.bits())),
                    )
                };
                for to in to {
                    let at = column.wrapping_sub(HALF);
                    let ([tl, tr], [bl, br]) = (pair(upper, at >> 16), pair(lower, at >> 16));
                    *to = mean([tl, tr, bl, br], Weights::new(at, row));
                    column = column.wrapping_add(step.0);
                }
            }
        }
    }

    /// Neighbouring pixels of a row, from column `at` on.
    fn copy<P: Pixel>(&self, line: &[P], mut at: i64, mut to: &mut [u32], load: impl Fn(u32) -> u32) {
        while !to.is_empty() {
            let len = line.len() as u32;
            let piece = match self.repeat.place(at, len) {
                Some(place) => line.get(place as usize..).unwrap_or_default(),
                None => &[],
            };
            let straight = self.repeat == Repeat::Normal || (0..i64::from(len)).contains(&at);
            let count = if straight { piece.len().min(to.len()) } else { 1 };
            let (now, later) = to.split_at_mut(count.max(1));
            now.fill(0);
            for (to, pixel) in now.iter_mut().zip(piece) {
                *to = load(pixel.bits());
            }
            at = at.wrapping_add(now.len() as i64);
            to = later;
        }
    }
}
