//! How an image is put over another as the Render extension of X has it.

use crate::wire::{flags, record, wire_newtype};

/// A number in parts of 65,536, as transforms have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed16_16(pub i32);

impl Fixed16_16 {
    /// One.
    pub const ONE: Self = Self(1 << 16);
}

wire_newtype!(Fixed16_16(i32));

record! {
    /// Which place of an image is drawn at `(x, y)`: `(t00 x + t01 y + t02, t10 x + t11 y + t12)`
    /// (`SpiceTransform`).
    #[derive(Copy, Eq, Hash)]
    pub struct Transform {
        /// What a column adds to the column.
        pub t00: Fixed16_16,
        /// What a row adds to the column.
        pub t01: Fixed16_16,
        /// The column where it begins.
        pub t02: Fixed16_16,
        /// What a column adds to the row.
        pub t10: Fixed16_16,
        /// What a row adds to the row.
        pub t11: Fixed16_16,
        /// The row where it begins.
        pub t12: Fixed16_16,
    }
}

flags! {
    /// `SPICE_COMPOSITE_*`: a few small numbers of pixman's, which have methods here, and flags.
    pub struct CompositeFlags: u32 {
        /// The bits of [`Self::operator`].
        const OPERATOR = 0xff;
        /// The bits of [`Self::source_filter`].
        const SOURCE_FILTER = 7 << 8;
        /// The bits of [`Self::mask_filter`].
        const MASK_FILTER = 7 << 11;
        /// The bits of [`Self::source_repeat`].
        const SOURCE_REPEAT = 3 << 14;
        /// The bits of [`Self::mask_repeat`].
        const MASK_REPEAT = 3 << 16;
        /// Each colour of the mask is that colour's alpha.
        const COMPONENT_ALPHA = 1 << 18;
        /// There is a mask.
        const HAS_MASK = 1 << 19;
        /// The source is transformed.
        const HAS_SRC_TRANSFORM = 1 << 20;
        /// The mask is transformed.
        const HAS_MASK_TRANSFORM = 1 << 21;
        /// The source has no alpha, whatever its format.
        const SOURCE_OPAQUE = 1 << 22;
        /// The mask has no alpha, whatever its format.
        const MASK_OPAQUE = 1 << 23;
        /// The surface has no alpha, whatever its format.
        const DEST_OPAQUE = 1 << 24;
    }
}

impl CompositeFlags {
    /// How source and surface are mixed, `pixman_op_t`: 0 clears, 1 takes the source, 3 puts it over, and so on.
    #[must_use]
    pub const fn operator(self) -> u8 {
        self.number(Self::OPERATOR)
    }

    /// What lies between the source's pixels, `pixman_filter_t`: 0 to 2 fast, good and best, 3 the nearest, 4 a mean.
    #[must_use]
    pub const fn source_filter(self) -> u8 {
        self.number(Self::SOURCE_FILTER)
    }

    /// What lies between the mask's pixels, as [`Self::source_filter`].
    #[must_use]
    pub const fn mask_filter(self) -> u8 {
        self.number(Self::MASK_FILTER)
    }

    /// What lies around the source, `pixman_repeat_t`: 0 nothing, 1 it again, 2 its edge, 3 its reflection.
    #[must_use]
    pub const fn source_repeat(self) -> u8 {
        self.number(Self::SOURCE_REPEAT)
    }

    /// What lies around the mask, as [`Self::source_repeat`].
    #[must_use]
    pub const fn mask_repeat(self) -> u8 {
        self.number(Self::MASK_REPEAT)
    }

    const fn number(self, bits: Self) -> u8 {
        let number = (self.bits() & bits.bits()) >> bits.bits().trailing_zeros();
        number.to_le_bytes()[0]
    }
}

#[cfg(test)]
mod tests {
    use super::CompositeFlags;

    #[test]
    fn numbers_lie_where_the_protocol_has_them() {
        let flags = CompositeFlags::from_bits_retain(0xab | 5 << 8 | 3 << 11 | 2 << 14 | 1 << 16 | 1 << 19);
        assert_eq!((flags.operator(), flags.source_filter(), flags.mask_filter()), (0xab, 5, 3));
        assert_eq!((flags.source_repeat(), flags.mask_repeat()), (2, 1));
        assert!(flags.contains(CompositeFlags::HAS_MASK));
        assert!(!flags.contains(CompositeFlags::COMPONENT_ALPHA));
    }
}
