//! Where in a picture pixels were last seen.

use super::parse::hash;
use super::pixel::Pixel;

/// The last place of each kind of three pixels, as far as a small table tells them apart.
#[derive(Debug)]
pub(in crate::codec) struct Places {
    places: Vec<u32>,
    shift: u32,
}

impl Places {
    /// To suit a picture of so many pixels, `1 << most` places at most.
    pub(in crate::codec) fn new(pixels: usize, most: u32) -> Self {
        const FEWEST: u32 = 8;
        let bits = pixels.next_power_of_two().trailing_zeros().clamp(FEWEST, most);
        Self { places: vec![0; 1 << bits], shift: u64::BITS - bits }
    }

    /// Remembers that these pixels are at `at`, and says where others like them were; 0 too when nowhere.
    #[inline]
    pub(in crate::codec) fn swap<P: Pixel>(&mut self, three: [P::Unit; 3], at: usize) -> usize {
        let slot = hash::<P>(three) >> self.shift;
        match self.places.get_mut(slot as usize) {
            Some(place) => std::mem::replace(place, at as u32) as usize,
            None => 0,
        }
    }
}
