//! A stream that is read: what literals and references have in common, in LZ and in GLZ.

use super::parse::{LENGTH_IN_FIRST, MAX_LITERALS};
use super::pixel::Pixel;

/// What can be wrong within a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codec) enum Fault {
    /// The stream ends.
    Truncated,
    /// More pixels than the picture has.
    Overrun,
    /// A reference to what is not there.
    Reference,
}

/// A stream, of which what was read is gone.
#[derive(Debug)]
pub(in crate::codec) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(in crate::codec) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Bytes that are left.
    pub(in crate::codec) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether what is left can be so many pixels: a reference of `n` bytes is of less than 255 for each.
    pub(in crate::codec) const fn can_hold(&self, pixels: u64) -> bool {
        self.0.len() as u64 >= pixels.div_ceil(255)
    }

    /// The next byte.
    #[inline]
    pub(in crate::codec) fn byte(&mut self) -> Result<u8, Fault> {
        let (&byte, rest) = self.0.split_first().ok_or(Fault::Truncated)?;
        self.0 = rest;
        Ok(byte)
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(Fault::Truncated)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// The length of a reference with this first byte, not above `room`.
    #[inline]
    fn length<P: Pixel>(&mut self, first: u8, room: usize) -> Result<usize, Fault> {
        let mut len = usize::from(first >> 5);
        if len == LENGTH_IN_FIRST {
            loop {
                let more = self.byte()?;
                len += usize::from(more);
                if more != u8::MAX {
                    break;
                }
                if len > room {
                    return Err(Fault::Overrun);
                }
            }
        }
        len += P::BIAS;
        if len > room { Err(Fault::Overrun) } else { Ok(len) }
    }
}

/// A reference that is to be followed.
#[derive(Clone, Copy, Debug)]
pub(in crate::codec) struct Gap {
    /// The reference's first byte.
    pub(in crate::codec) first: u8,
    /// The first pixel that it stands for.
    pub(in crate::codec) at: usize,
    /// How many they are; they are within the picture.
    pub(in crate::codec) len: usize,
}

impl Gap {
    /// Fills it with what begins `distance` before.
    #[inline]
    pub(in crate::codec) fn repeat<P: Pixel>(
        self,
        distance: usize,
        units: &mut [P::Unit],
    ) -> Result<(), Fault> {
        if distance == 0 || distance > self.at {
            return Err(Fault::Reference);
        }
        P::repeat(units, self.at, distance, self.len);
        Ok(())
    }
}

/// Reads one pass over a picture; `fill` reads what is special to a reference, and follows it.
///
/// Work and reading end with the picture's last pixel.
pub(in crate::codec) fn decode_pass<'a, P: Pixel>(
    input: &mut Input<'a>,
    units: &mut [P::Unit],
    mut fill: impl FnMut(Gap, &mut Input<'a>, &mut [P::Unit]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut at = 0;
    while at < units.len() {
        let first = input.byte()?;
        let control = usize::from(first);
        let len = if control < MAX_LITERALS {
            let len = control + 1;
            let literals = units.get_mut(at..at + len).ok_or(Fault::Overrun)?;
            P::read(input.take(len * P::BYTES)?, literals);
            len
        } else {
            let len = input.length::<P>(first, units.len() - at)?;
            fill(Gap { first, at, len }, input, units)?;
            len
        };
        at += len;
    }
    Ok(())
}
