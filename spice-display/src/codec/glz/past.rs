//! What a picture can refer to.

use super::super::lz::parse::History;
use super::super::lz::pixel::{Pixel, common};
use super::GlzFormat;
use super::reference::Reference;
use super::table::Table;
use super::window::Window;

/// The window, as one picture sees it.
#[derive(Debug)]
pub(super) struct Past<'a> {
    pub(super) window: &'a Window,
    pub(super) table: &'a mut Table,
    pub(super) format: GlzFormat,
    /// The number of the first pixel that can be referred to.
    pub(super) floor: u64,
    /// How many pictures back references have gone.
    pub(super) farthest: u32,
}

impl<'a> Past<'a> {
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
        if held.format != self.format {
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
