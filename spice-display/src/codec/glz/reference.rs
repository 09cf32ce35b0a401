//! The code of a reference.

use super::super::lz::input::{Fault, Input};
use super::super::lz::parse::write_length;
use super::super::lz::pixel::Pixel;
use super::MAX_IMAGES;

/// Where pixels were seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// How many pictures ago: 0 is the picture itself.
    pub(super) images: u32,
    /// In the picture itself, how many pixels back; in another, how many from its first.
    pub(super) pixels: u32,
}

/// Offsets below this take one byte beside the first.
const SHORT: u32 = 1 << 12;
/// Offsets below this take no byte of their own.
const MIDDLE: u32 = 1 << 17;
/// Offsets from here on cannot be coded.
pub(super) const MAX_OFFSET: u32 = 1 << 25;
/// More pictures back cannot be coded, whatever the offset.
const MAX_BACK: u32 = (1 << 24) - 1;

const _: () = assert!(MAX_IMAGES <= MAX_BACK as usize);

/// In a reference's first byte: the offset is not short.
const FAR: u8 = 0x10;
/// In the third byte: the offset has a byte more.
const LONG: u8 = 0x20;

impl Reference {
    /// What stands in the stream for `pixels`.
    const fn offset(self) -> u32 {
        if self.images == 0 { self.pixels - 1 } else { self.pixels }
    }

    /// How many bytes of the distance in pictures do not fit the third byte.
    const fn more_bytes(self) -> u32 {
        let held = if self.offset() < SHORT { 6 } else { 0 };
        (u32::BITS - self.images.leading_zeros()).saturating_sub(held).div_ceil(8)
    }

    /// Bytes of it, when the length fits the first.
    #[inline]
    pub(super) const fn cost(self) -> usize {
        3 + self.more_bytes() as usize + (self.offset() >= MIDDLE) as usize
    }

    /// Writes it.
    #[inline]
    pub(super) fn write<P: Pixel>(self, len: usize, out: &mut Vec<u8>) {
        let offset = self.offset();
        let more = self.more_bytes();
        let counted = (more << 6) as u8;
        let low = (offset & 0x0f) as u8;
        let middle = (offset >> 4) as u8;
        if offset < SHORT {
            write_length::<P>(len, low, out);
            out.extend_from_slice(&[middle, counted | (self.images & 0x3f) as u8]);
            out.extend_from_slice(&(self.images >> 6).to_le_bytes()[..more as usize]);
        } else {
            let long = if offset < MIDDLE { 0 } else { LONG };
            write_length::<P>(len, FAR | low, out);
            out.extend_from_slice(&[middle, counted | long | ((offset >> 12) & 0x1f) as u8]);
            out.extend_from_slice(&self.images.to_le_bytes()[..more as usize]);
            if long != 0 {
                out.push((offset >> 17) as u8);
            }
        }
    }

    /// Reads what follows the first byte and the length.
    pub(super) fn read(first: u8, input: &mut Input<'_>) -> Result<Self, Fault> {
        let mut pixels = u32::from(first & 0x0f) | (u32::from(input.byte()?) << 4);
        let third = input.byte()?;
        let more = u32::from(third >> 6);
        let mut images = 0;
        let far = first & FAR != 0;
        let (held, low) = if far { (0, 0) } else { (6, u32::from(third & 0x3f)) };
        for byte in 0..more {
            images |= u32::from(input.byte()?) << (held + 8 * byte);
        }
        images |= low;
        if far {
            pixels |= u32::from(third & 0x1f) << 12;
            if third & LONG != 0 {
                pixels |= u32::from(input.byte()?) << 17;
            }
        }
        if images == 0 {
            pixels += 1;
        }
        Ok(Self { images, pixels })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::lz::pixel::Rgb32;
    use super::*;

    fn coded(reference: Reference, len: usize) -> Vec<u8> {
        let mut out = Vec::new();
        reference.write::<Rgb32>(len, &mut out);
        out
    }

    #[test]
    fn every_size_of_reference_reads_back() {
        let images = [
            0,
            1,
            63,
            64,
            255,
            256,
            (1 << 14) - 1,
            1 << 14,
            65_535,
            65_536,
            (1 << 22) - 1,
            1 << 22,
            MAX_BACK,
        ];
        let pixels = [0, 1, SHORT - 1, SHORT, SHORT + 1, MIDDLE - 1, MIDDLE, MIDDLE + 1, MAX_OFFSET - 1];
        for images in images {
            for pixels in pixels.map(|pixels| if images == 0 { pixels + 1 } else { pixels }) {
                let reference = Reference { images, pixels };
                let out = coded(reference, 6);
                assert_eq!(out.len(), reference.cost(), "{reference:?}");
                let mut input = Input::new(&out[1..]);
                assert_eq!(Reference::read(out[0], &mut input), Ok(reference));
                assert_eq!(input.len(), 0);
                for cut in 1..out.len() {
                    let cut = Reference::read(out[0], &mut Input::new(&out[1..cut]));
                    assert_eq!(cut, Err(Fault::Truncated));
                }
            }
        }
    }

    #[test]
    fn references_are_coded_as_they_are_known_to_be() {
        let at = |images, pixels| Reference { images, pixels };
        assert_eq!(coded(at(0, 1), 1), [0x20, 0, 0]);
        assert_eq!(coded(at(0, 0x1001), 7), [0xf0, 0, 0, 1]);
        assert_eq!(coded(at(3, 0xabc), 262), [0xec, 255, 0, 0xab, 3]);
        assert_eq!(coded(at(0x1234, 0xabc), 2), [0x4c, 0xab, 0x74, 0x48]);
        assert_eq!(coded(at(0x1234, 0x1_fabc), 2), [0x5c, 0xab, 0x9f, 0x34, 0x12]);
        assert_eq!(coded(at(0x1234, 0x1ab_cdef), 2), [0x5f, 0xde, 0xbc, 0x34, 0x12, 0xd5]);
    }
}
