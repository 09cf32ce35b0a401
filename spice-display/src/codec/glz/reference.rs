//! The code of a reference.

use super::super::lz::input::{Fault, Input};
use super::super::lz::parse::write_length;
use super::super::lz::pixel::Pixel;

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
pub(super) const MAX_IMAGES: u32 = (1 << 24) - 1;

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
