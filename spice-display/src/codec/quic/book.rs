//! The codes of a sample: Golomb-Rice codes of limited length, for 8 or 5 bits a sample.

/// No code is longer.
const LONGEST: u32 = 26;

/// A code for a value: so many bits, and how many. In one word, for the sake of loading both at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Code(u32);

impl Code {
    /// Of `len` bits; those of `bits` above are zero.
    const fn new(bits: u32, len: u32) -> Self {
        Self((bits << 8) | len)
    }

    /// The bits, the last of them lowest.
    #[inline]
    pub(super) const fn bits(self) -> u32 {
        self.0 >> 8
    }

    /// From 1 to 26.
    #[inline]
    pub(super) const fn len(self) -> u32 {
        self.0 & 0xff
    }
}

/// The codes for values of `BPC` bits, in `BPC` families.
///
/// In family `k`, the value's high bits are that many zeros, then come a one and the low `k` bits. A value that would
/// take `prefix[k]` zeros or more is escaped: exactly that many zeros, then what it exceeds the last unescaped value
/// by.
#[derive(Debug)]
pub(super) struct CodeBook<const BPC: usize> {
    /// By family, of which there may be fewer, and value.
    codes: [[Code; 256]; 8],
    lens: [[u8; BPC]; 256],
    prefix: [u32; BPC],
    suffix: [u32; BPC],
}

/// How the bits ahead are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The value, which an escape can put out of range.
    pub(super) value: u32,
    /// Bits it takes.
    pub(super) len: u32,
}

impl<const BPC: usize> CodeBook<BPC> {
    /// The one book there is.
    pub(super) const BOOK: &'static Self = &Self::new();
    /// All bits of a sample.
    pub(super) const MASK: u8 = (((1_u32 << BPC) - 1) & 0xff) as u8;

    const fn new() -> Self {
        let mut book =
            Self { codes: [[Code(0); 256]; 8], lens: [[0; BPC]; 256], prefix: [0; BPC], suffix: [0; BPC] };
        let values = 1_u32 << BPC;
        let mut family = 0;
        while family < BPC {
            let longest_prefix = (1 << (BPC - family)) - 1;
            let prefix =
                if LONGEST - (BPC as u32) < longest_prefix { LONGEST - (BPC as u32) } else { longest_prefix };
            let escaped = values - (prefix << family);
            let suffix = escaped.next_power_of_two().trailing_zeros();
            book.prefix[family] = prefix;
            book.suffix[family] = suffix;
            let mut value = 0;
            while value < values {
                let low = value & ((1 << family) - 1);
                let (bits, len) = if value < prefix << family {
                    ((1 << family) | low, (value >> family) + family as u32 + 1)
                } else {
                    (value - (prefix << family), prefix + suffix)
                };
                book.codes[family][value as usize] = Code::new(bits, len);
                book.lens[value as usize][family] = len as u8;
                value += 1;
            }
            family += 1;
        }
        book
    }

    /// The code of a value in a family, which is below `BPC`.
    #[inline]
    pub(super) const fn code(&self, family: u8, value: u8) -> Code {
        self.codes[family as usize % 8][value as usize]
    }

    /// How long the codes of a value are, by family.
    #[inline]
    pub(super) const fn lens(&self, value: u8) -> &[u8; BPC] {
        &self.lens[value as usize]
    }

    /// Reads the code at the top of `ahead`.
    #[inline]
    pub(super) const fn read(&self, family: u8, ahead: u32) -> Reading {
        // A bit that is below every prefix, so that there is always one to find.
        let zeros = (ahead | 1).leading_zeros();
        let prefix = self.prefix[family as usize];
        if zeros < prefix {
            let len = zeros + 1 + family as u32;
            let low = (ahead >> (32 - len)) & ((1 << family) - 1);
            Reading { value: (zeros << family) | low, len }
        } else {
            let len = prefix + self.suffix[family as usize];
            Reading { value: (prefix << family) + (ahead >> (32 - len)), len }
        }
    }
}

/// The sample that is `residual` from what was predicted.
#[inline]
pub(super) const fn sample<const BPC: usize>(residual: u8, predicted: u8) -> u8 {
    let negative = 0_u8.wrapping_sub(residual & 1);
    ((residual >> 1) ^ negative).wrapping_add(predicted) & CodeBook::<BPC>::MASK
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_code_reads_back<const BPC: usize>() {
        let book = CodeBook::<BPC>::BOOK;
        for value in 0..=CodeBook::<BPC>::MASK {
            for (family, &len) in (0..).zip(book.lens(value)) {
                let code = book.code(family, value);
                assert!((1..=26).contains(&code.len()));
                assert_eq!(code.len(), u32::from(len));
                assert!(code.bits() < 1 << len);
                for rest in [0, u32::MAX >> len] {
                    let ahead = (code.bits() << (32 - len)) | rest;
                    let reading = book.read(family, ahead);
                    assert_eq!(reading, Reading { value: u32::from(value), len: u32::from(len) });
                }
            }
        }
    }

    #[test]
    fn every_code_of_every_family_reads_back() {
        every_code_reads_back::<8>();
        every_code_reads_back::<5>();
    }

    #[test]
    fn an_escape_can_stand_for_a_value_out_of_range() {
        assert_eq!(CodeBook::<8>::BOOK.read(0, 0xff << 6), Reading { value: 18 + 255, len: 26 });
        assert_eq!(CodeBook::<5>::BOOK.read(0, 0xf << 7), Reading { value: 21 + 15, len: 25 });
    }
}
