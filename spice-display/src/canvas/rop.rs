//! Raster operations: what becomes of a pixel's bits when another's meet them.

use spice_proto::display::{Rop3, Ropd};

use super::plane::Pixel;

/// One of the sixteen ways to mix the bits of a source and of the old pixel.
///
/// Bit 2s + d is the result for a bit s of the source and d of the old pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rop2(u8);

/// Which of a descriptor's operands the source and the old pixel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operands {
    /// An image on what lies below (COPY).
    ImageOnOld,
    /// A brush on what lies below (FILL, STROKE).
    BrushOnOld,
    /// A brush on an image that lies there already (OPAQUE).
    BrushOnImage,
}

/// The source's bit, for every pair of bits.
const SOURCE: u8 = 0b1100;
/// The old pixel's bit, for every pair of bits.
const OLD: u8 = 0b1010;

impl Rop2 {
    /// The source takes the old pixel's place.
    pub(super) const PUT: Self = Self(SOURCE);
    /// The bits that both have.
    pub(super) const AND: Self = Self(SOURCE & OLD);
    /// The old pixel, inverted.
    pub(super) const INVERT: Self = Self(!OLD & 0xf);

    /// The operation that a descriptor means for these operands. Of several operators the first in the order of their
    /// numbers counts; none is [`Self::PUT`].
    pub(super) fn new(rop: Ropd, operands: Operands) -> Self {
        let (invert_source, invert_old) = match operands {
            Operands::ImageOnOld => (Ropd::INVERS_SRC, Ropd::INVERS_DEST),
            Operands::BrushOnOld => (Ropd::INVERS_BRUSH, Ropd::INVERS_DEST),
            Operands::BrushOnImage => (Ropd::INVERS_BRUSH, Ropd::INVERS_SRC),
        };
        let source = if rop.contains(invert_source) { !SOURCE } else { SOURCE };
        let old = if rop.contains(invert_old) { !OLD } else { OLD };
        let mixed = if rop.contains(Ropd::OP_PUT) {
            source
        } else if rop.contains(Ropd::OP_OR) {
            source | old
        } else if rop.contains(Ropd::OP_AND) {
            source & old
        } else if rop.contains(Ropd::OP_XOR) {
            source ^ old
        } else if rop.contains(Ropd::OP_BLACKNESS) {
            return Self(0);
        } else if rop.contains(Ropd::OP_WHITENESS) {
            return Self(0xf);
        } else if rop.contains(Ropd::OP_INVERS) {
            return Self::INVERT;
        } else {
            return Self::PUT;
        };
        let result = if rop.contains(Ropd::INVERS_RES) { !mixed } else { mixed };
        Self(result & 0xf)
    }

    /// Whether doing it twice is not doing it once: some bit of a source inverts the old one.
    pub(super) const fn is_undone_by_itself(self) -> bool {
        self.0 & 0b0011 == 0b0001 || self.0 & 0b1100 == 0b0100
    }

    /// Mixes neighbouring pixels with those of a source that is as long.
    pub(super) fn mix<P: Pixel>(self, old: &mut [P], source: &[P]) {
        fn each<P: Pixel>(old: &mut [P], source: &[P], mix: impl Fn(P, P) -> P) {
            for (old, source) in old.iter_mut().zip(source) {
                *old = mix(*source, *old);
            }
        }
        match self.0 {
            0b0000 => old.fill(P::default()),
            0b0001 => each(old, source, |s, d| !(s | d)),
            0b0010 => each(old, source, |s, d| !s & d),
            0b0011 => each(old, source, |s, _| !s),
            0b0100 => each(old, source, |s, d| s & !d),
            0b0101 => each(old, source, |_, d| !d),
            0b0110 => each(old, source, |s, d| s ^ d),
            0b0111 => each(old, source, |s, d| !(s & d)),
            0b1000 => each(old, source, |s, d| s & d),
            0b1001 => each(old, source, |s, d| !(s ^ d)),
            0b1010 => {}
            0b1011 => each(old, source, |s, d| !s | d),
            0b1100 => old.copy_from_slice(&source[..old.len()]),
            0b1101 => each(old, source, |s, d| s | !d),
            0b1110 => each(old, source, |s, d| s | d),
            _ => old.fill(!P::default()),
        }
    }

    /// Mixes neighbouring pixels with one value.
    pub(super) fn mix_solid<P: Pixel>(self, old: &mut [P], source: P) {
        // Whatever the operation, a bit of a constant source keeps, inverts, clears or sets the old one.
        let bit = |s: bool, d: bool| self.0 >> (2 * u8::from(s) + u8::from(d)) & 1 == 1;
        let choose = |d: bool| {
            let ones = if bit(true, d) { source } else { P::default() };
            let zeros = if bit(false, d) { !source } else { P::default() };
            ones | zeros
        };
        let (of_zero, of_one) = (choose(false), choose(true));
        if of_zero == of_one {
            old.fill(of_zero);
        } else {
            for old in old {
                *old = (*old & of_one) | (!*old & of_zero);
            }
        }
    }
}

/// One of 256 ways to mix the bits of a brush, a source and the old pixel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mix3<P> {
    /// The result for each of the eight combinations: all ones or zero.
    of: [P; 8],
}

impl<P: Pixel> Mix3<P> {
    pub(super) fn new(rop3: Rop3) -> Self {
        Self {
            of: std::array::from_fn(|bit| if rop3.0 >> bit & 1 == 1 { !P::default() } else { P::default() }),
        }
    }

    /// What becomes of the old pixel.
    pub(super) fn mix(&self, brush: P, source: P, old: P) -> P {
        let choose = |by: P, one: P, zero: P| (by & one) | (!by & zero);
        let [p0s0d0, p0s0d1, p0s1d0, p0s1d1, p1s0d0, p1s0d1, p1s1d0, p1s1d1] = self.of;
        let p0 = choose(source, choose(old, p0s1d1, p0s1d0), choose(old, p0s0d1, p0s0d0));
        let p1 = choose(source, choose(old, p1s1d1, p1s1d0), choose(old, p1s0d1, p1s0d0));
        choose(brush, p1, p0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_mean_what_they_say() {
        let cases = [
            (Ropd::OP_PUT, Operands::ImageOnOld, 0b1100),
            (Ropd::OP_PUT | Ropd::INVERS_SRC, Operands::ImageOnOld, 0b0011),
            (Ropd::OP_PUT | Ropd::INVERS_SRC, Operands::BrushOnOld, 0b1100),
            (Ropd::OP_PUT | Ropd::INVERS_BRUSH | Ropd::INVERS_RES, Operands::BrushOnOld, 0b1100),
            (Ropd::OP_OR | Ropd::INVERS_DEST, Operands::ImageOnOld, 0b1101),
            (Ropd::OP_AND | Ropd::INVERS_SRC, Operands::BrushOnImage, 0b0100),
            (Ropd::OP_XOR | Ropd::INVERS_RES, Operands::BrushOnOld, 0b1001),
            (Ropd::OP_BLACKNESS | Ropd::INVERS_RES, Operands::ImageOnOld, 0),
            (Ropd::OP_WHITENESS, Operands::ImageOnOld, 0xf),
            (Ropd::OP_INVERS, Operands::ImageOnOld, 0b0101),
            (Ropd::empty(), Operands::ImageOnOld, 0b1100),
            (Ropd::OP_PUT | Ropd::OP_OR, Operands::ImageOnOld, 0b1100),
        ];
        for (rop, operands, expected) in cases {
            assert_eq!(Rop2::new(rop, operands), Rop2(expected), "{rop:?} {operands:?}");
        }
    }

    #[test]
    fn every_operation_mixes_bits_by_its_table() {
        for rop in (0..16).map(Rop2) {
            for (s, d) in [(0x0f_u8, 0x33), (0xaa, 0x55), (0, 0xff)] {
                let expected = (0..8).fold(0, |result, bit| {
                    let at = 2 * (s >> bit & 1) + (d >> bit & 1);
                    result | (rop.0 >> at & 1) << bit
                });
                let (mut copied, mut solid) = ([d], [d]);
                rop.mix(&mut copied, &[s]);
                rop.mix_solid(&mut solid, s);
                assert_eq!((copied, solid), ([expected], [expected]), "{rop:?}");
            }
        }
    }

    #[test]
    fn three_operands_are_mixed_by_the_number_of_the_operation() {
        for rop in [0x00, 0x5a, 0x96, 0xb8, 0xca, 0xe2, 0xff] {
            let result = Mix3::<u8>::new(Rop3(rop)).mix(0xf0, 0xcc, 0xaa);
            assert_eq!(result, rop);
        }
    }
}
