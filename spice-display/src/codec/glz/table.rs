//! Where in the window pixels were last seen.

use super::super::lz::parse::hash;
use super::super::lz::pixel::Pixel;

/// Places that are kept.
const PLACES: usize = 3 << 18;
/// Bits of a place that say which pixel of the window it is.
const BITS: u32 = 25;
const MASK: u32 = (1 << BITS) - 1;

/// Places by what is seen there: the low bits of a pixel's number, and above them a few bits of the hash, which spare
/// most looks at pixels that do not match.
#[derive(Debug)]
pub(super) struct Table {
    places: Box<[u32]>,
}

impl Table {
    /// Bytes of a table.
    pub(super) const SIZE: usize = PLACES * size_of::<u32>();

    pub(super) fn new() -> Self {
        Self { places: vec![0; PLACES].into() }
    }

    /// Remembers that these pixels are at `at`, and says how many pixels back others like them may be; below `1 << 25`.
    #[inline]
    pub(super) fn swap<P: Pixel>(&mut self, three: [P::Unit; 3], at: u64) -> Option<u32> {
        let hash = hash::<P>(three);
        let slot = ((hash >> 32) * PLACES as u64) >> 32;
        let at = at as u32;
        let place = (((hash >> 7) as u32) & !MASK) | (at & MASK);
        let seen = std::mem::replace(self.places.get_mut(slot as usize)?, place);
        ((seen ^ place) & !MASK == 0).then_some(at.wrapping_sub(seen) & MASK)
    }
}
