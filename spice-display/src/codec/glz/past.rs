//! What a picture can refer to.

use super::super::lz::parse::History;
use super::super::lz::pixel::{Pixel, common};
use super::GlzFormat;
use super::reference::Reference;
use super::table::Table;
use super::window::{Held, Shape, Window};

/// A picture of so many pixels is taken for the next frame of the one before, if that has the same shape.
const FRAME: u64 = 1 << 12;

/// The window, as one pass over a picture sees it.
#[derive(Debug)]
pub(super) struct Past<'a> {
    window: &'a Window,
    table: &'a mut Table,
    format: GlzFormat,
    /// The number of the first pixel that can be referred to.
    floor: u64,
    track: Track<'a>,
    /// How many pictures back references have gone.
    farthest: u32,
}

/// Where what comes next is expected.
#[derive(Clone, Copy, Debug)]
enum Track<'a> {
    /// So many pixels back.
    Own(usize),
    /// In another picture, so many back, and in it `ahead` pixels further than here, modulo the size of numbers.
    Other { images: u32, held: &'a Held, ahead: usize },
}

impl<'a> Past<'a> {
    /// For a picture of that shape, which can refer to the `reach` pictures before it.
    pub(super) fn new(window: &'a Window, table: &'a mut Table, shape: Shape, reach: u32) -> Self {
        let floor = window.start_of_last(reach as usize);
        let frame = window.back(1).filter(|held| shape.pixels >= FRAME && held.shape == shape && reach > 0);
        let track = match frame {
            Some(held) => Track::Other { images: 1, held, ahead: 0 },
            None => Track::Own(shape.line as usize),
        };
        Self { window, table, format: shape.format, floor, track, farthest: 0 }
    }

    /// How many pictures back the farthest reference went.
    pub(super) const fn farthest(&self) -> u32 {
        self.farthest
    }

    /// What is that many pixels back from `at`, in the picture itself or in another of its format.
    #[inline]
    fn look<'p, P: Pixel>(
        &self,
        units: &'p [P::Unit],
        at: usize,
        back: usize,
    ) -> Option<(Reference, &'p [P::Unit])>
    where
        'a: 'p,
    {
        if back == 0 {
            return None;
        }
        if let Some(from) = at.checked_sub(back) {
            return Some((Reference { images: 0, pixels: back as u32 }, units.get(from..)?));
        }
        let pixel = (self.window.next() + at as u64).checked_sub(back as u64)?;
        if pixel < self.floor {
            return None;
        }
        let (after, held) = self.window.find(pixel)?;
        if held.shape.format != self.format {
            return None;
        }
        let offset = (pixel - held.start) as usize;
        let reference = Reference { images: after as u32 + 1, pixels: offset as u32 };
        Some((reference, P::units(&held.data).get(offset..)?))
    }
}

impl<P: Pixel> History<P> for Past<'_> {
    type Reference = Reference;

    const PREVIOUS: Reference = Reference { images: 0, pixels: 1 };

    #[inline]
    fn beside(&self, units: &[P::Unit], at: usize) -> Option<(Reference, usize)> {
        let ahead = units.get(at..)?;
        let (reference, behind) = match self.track {
            Track::Own(back) => {
                let behind = units.get(at.checked_sub(back)?..)?;
                (Reference { images: 0, pixels: back as u32 }, behind)
            }
            Track::Other { images, held, ahead } => {
                let offset = at.wrapping_add(ahead);
                let behind = P::units(&held.data).get(offset..)?;
                (Reference { images, pixels: offset as u32 }, behind)
            }
        };
        Some((reference, common::<P>(behind, ahead)))
    }

    fn lay_track(&mut self, reference: Reference, at: usize) {
        let Reference { images, pixels } = reference;
        self.track = match self.window.back(images) {
            Some(held) => Track::Other { images, held, ahead: (pixels as usize).wrapping_sub(at) },
            None => Track::Own(pixels as usize),
        };
    }

    #[inline]
    fn find(&mut self, units: &[P::Unit], at: usize) -> Option<(Reference, usize)> {
        let ahead = units.get(at..)?;
        let back = self.table.swap::<P>(*ahead.first_chunk()?, self.window.next() + at as u64)?;
        let (reference, behind) = self.look::<P>(units, at, back as usize)?;
        let len = common::<P>(behind, ahead);
        (len > P::BIAS && len * P::BYTES > reference.cost()).then_some((reference, len))
    }

    #[inline]
    fn write(&mut self, reference: Reference, len: usize, out: &mut Vec<u8>) {
        self.farthest = self.farthest.max(reference.images);
        reference.write::<P>(len, out);
    }
}
