//! What an LZ stream can refer to: pixels of the same picture, not too far back.

use super::parse::{History, write_length};
use super::pixel::{Pixel, common};
use super::places::Places;

/// The bits of a reference's first byte that are of its distance.
pub(super) const FAR: u8 = 0x1f;
/// Distances of more pixels take four bytes with their length, this and others two. In the stream it is what says so:
/// all thirteen bits are set.
pub(super) const NEAR: usize = (1 << 13) - 1;
/// More pixels back nothing can be referred to.
const FARTHEST: usize = NEAR + (1 << 16);

/// Where pixels were last seen, and where the next are expected.
#[derive(Debug)]
pub(super) struct Recent {
    places: Places,
    /// How far back the track is.
    track: usize,
}

impl Recent {
    /// Places to suit a picture of so many pixels, in lines of so many.
    pub(super) fn new(pixels: usize, line: usize) -> Self {
        const MOST: u32 = 15;
        Self { places: Places::new(pixels, MOST), track: line.min(FARTHEST) }
    }
}

impl<P: Pixel> History<P> for Recent {
    /// How many pixels back.
    type Reference = usize;

    const PREVIOUS: usize = 1;

    #[inline]
    fn beside(&self, units: &[P::Unit], at: usize) -> Option<(usize, usize)> {
        let behind = units.get(at.checked_sub(self.track)?..)?;
        Some((self.track, common::<P>(behind, units.get(at..)?)))
    }

    fn lay_track(&mut self, distance: usize, _: usize) {
        self.track = distance;
    }

    #[inline]
    fn find(&mut self, units: &[P::Unit], at: usize) -> Option<(usize, usize)> {
        let ahead = units.get(at..)?;
        let from = self.places.swap::<P>(*ahead.first_chunk()?, at);
        let behind = units.get(from..)?;
        let distance = at.checked_sub(from).filter(|distance| (1..=FARTHEST).contains(distance))?;
        if P::value(*behind.first()?) != P::value(*ahead.first()?) {
            return None;
        }
        let len = common::<P>(behind, ahead);
        let cost = if distance <= NEAR { 2 } else { 4 };
        // A reference costs the literals behind it a control byte; one byte more has to be saved.
        (len > P::BIAS && len * P::BYTES >= cost + 2).then_some((distance, len))
    }

    #[inline]
    fn passed(&mut self, units: &[P::Unit], at: usize) {
        for at in [at.saturating_sub(2), at.saturating_sub(1)] {
            if let Some(&three) = units.get(at..).and_then(<[_]>::first_chunk) {
                self.places.swap::<P>(three, at);
            }
        }
    }

    #[inline]
    fn write(&mut self, distance: usize, len: usize, out: &mut Vec<u8>) {
        let distance = distance - 1;
        if distance < NEAR {
            write_length::<P>(len, (distance >> 8) as u8, out);
            out.push(distance as u8);
        } else {
            let [high, low] = ((distance - NEAR) as u16).to_be_bytes();
            write_length::<P>(len, FAR, out);
            out.extend_from_slice(&[u8::MAX, high, low]);
        }
    }
}
