//! What a pass over a picture codes of each pixel.

/// One pass: how pixels lie in memory, and what of them is compared and written.
pub(in crate::codec) trait Pixel {
    /// A pixel in memory.
    type Unit: Copy;
    /// Bytes of a pixel that is written as it is.
    const BYTES: usize;
    /// The shortest run of pixels that a reference can stand for, less one.
    const BIAS: usize;

    /// Which bits of sixteen bytes of pixels are coded.
    const MASK: u128;

    /// The bytes of these pixels.
    fn bytes(units: &[Self::Unit]) -> &[u8];

    /// The pixels of these bytes.
    fn units(bytes: &[u8]) -> &[Self::Unit];

    /// The pixels of these bytes, to be written.
    fn units_mut(bytes: &mut [u8]) -> &mut [Self::Unit];

    /// What is coded of a pixel; the same for two pixels that count as equal.
    fn value(unit: Self::Unit) -> u32;

    /// Writes pixels as they are.
    fn write(units: &[Self::Unit], out: &mut Vec<u8>);

    /// Reads pixels that were written as they are; `bytes` has [`Self::BYTES`] for each.
    fn read(bytes: &[u8], units: &mut [Self::Unit]);

    /// Takes pixels from another picture.
    fn copy(from: &[Self::Unit], to: &mut [Self::Unit]);

    /// Repeats, from `at` on, `len` pixels that begin `distance` before; both are within `units`.
    fn repeat(units: &mut [Self::Unit], at: usize, distance: usize, len: usize);
}

/// Bytes that are compared at once.
const WORD: usize = size_of::<u128>();

/// How many pixels both begin with.
#[inline]
pub(in crate::codec) fn common<P: Pixel>(one: &[P::Unit], other: &[P::Unit]) -> usize {
    let len = one.len().min(other.len());
    let (one, other) = (&one[..len], &other[..len]);
    let (words, _) = P::bytes(one).as_chunks::<WORD>();
    let (others, _) = P::bytes(other).as_chunks::<WORD>();
    let mut same = 0;
    for (&word, &other) in words.iter().zip(others) {
        let difference = (u128::from_le_bytes(word) ^ u128::from_le_bytes(other)) & P::MASK;
        if difference != 0 {
            return (same * WORD + (difference.trailing_zeros() / 8) as usize) / size_of::<P::Unit>();
        }
        same += 1;
        if same == SHORT {
            same += common_blocks(&words[same..], &others[same..], P::MASK);
            break;
        }
    }
    let whole = same * WORD / size_of::<P::Unit>();
    let rest = one[whole..].iter().zip(&other[whole..]);
    whole + rest.take_while(|&(&one, &other)| P::value(one) == P::value(other)).count()
}

/// Words that are compared one by one, as most matches are short.
const SHORT: usize = 3;

/// How many words both begin with, not counting the last few.
fn common_blocks(words: &[[u8; WORD]], others: &[[u8; WORD]], mask: u128) -> usize {
    const BLOCK: usize = 4;
    let blocks = words.as_chunks::<BLOCK>().0.iter().zip(others.as_chunks::<BLOCK>().0);
    let same = blocks.take_while(|(words, others)| {
        let differences = words
            .iter()
            .zip(*others)
            .map(|(&word, &other)| u128::from_le_bytes(word) ^ u128::from_le_bytes(other));
        differences.fold(0, |all, difference| all | difference) & mask == 0
    });
    same.count() * BLOCK
}

/// Whole pixels, repeated: what was copied is a source for more.
#[inline]
fn repeat_whole<T: Copy>(units: &mut [T], at: usize, distance: usize, len: usize) {
    let start = at - distance;
    if distance == 1 {
        let unit = units[start];
        units[at..at + len].fill(unit);
        return;
    }
    let mut done = 0;
    while done < len {
        let step = (distance + done).min(len - done);
        units.copy_within(start..start + step, at + done);
        done += step;
    }
}

macro_rules! whole {
    ($unit:ty) => {
        type Unit = $unit;

        #[inline]
        fn bytes(units: &[Self::Unit]) -> &[u8] {
            units.as_flattened()
        }

        #[inline]
        fn units(bytes: &[u8]) -> &[Self::Unit] {
            bytes.as_chunks().0
        }

        #[inline]
        fn units_mut(bytes: &mut [u8]) -> &mut [Self::Unit] {
            bytes.as_chunks_mut().0
        }
    };
    ($unit:ty, copied) => {
        whole!($unit);

        #[inline]
        fn copy(from: &[Self::Unit], to: &mut [Self::Unit]) {
            to.copy_from_slice(from);
        }

        #[inline]
        fn repeat(units: &mut [Self::Unit], at: usize, distance: usize, len: usize) {
            repeat_whole(units, at, distance, len);
        }
    };
}

/// Makes room for `units` written as they are, and has each put in its place.
#[inline]
fn put<T: Copy, const N: usize>(units: &[T], out: &mut Vec<u8>, bytes: impl Fn(T) -> [u8; N]) {
    out.reserve(units.len() * N);
    for &unit in units {
        out.extend_from_slice(&bytes(unit));
    }
}

/// Bytes: alpha alone, or pixels of a palette, as many to a byte as there are.
#[derive(Debug)]
pub(in crate::codec) struct Byte;

impl Pixel for Byte {
    whole!([u8; 1], copied);
    const BYTES: usize = 1;
    const BIAS: usize = 2;
    const MASK: u128 = u128::MAX;

    #[inline]
    fn value([byte]: [u8; 1]) -> u32 {
        byte.into()
    }

    #[inline]
    fn write(units: &[[u8; 1]], out: &mut Vec<u8>) {
        out.extend_from_slice(units.as_flattened());
    }

    #[inline]
    fn read(bytes: &[u8], units: &mut [[u8; 1]]) {
        units.as_flattened_mut().copy_from_slice(bytes);
    }
}

/// Five bits a colour.
#[derive(Debug)]
pub(in crate::codec) struct Rgb16;

impl Pixel for Rgb16 {
    whole!([u8; 2], copied);
    const BYTES: usize = 2;
    const BIAS: usize = 1;
    const MASK: u128 = 0x7fff_7fff_7fff_7fff_7fff_7fff_7fff_7fff;

    #[inline]
    fn value(unit: [u8; 2]) -> u32 {
        u32::from(u16::from_le_bytes(unit) & 0x7fff)
    }

    #[inline]
    fn write(units: &[[u8; 2]], out: &mut Vec<u8>) {
        put(units, out, |[low, high]| [high & 0x7f, low]);
    }

    #[inline]
    fn read(bytes: &[u8], units: &mut [[u8; 2]]) {
        for (unit, &[high, low]) in units.iter_mut().zip(bytes.as_chunks().0) {
            *unit = [low, high & 0x7f];
        }
    }
}

/// Three bytes of colour.
#[derive(Debug)]
pub(in crate::codec) struct Rgb24;

impl Pixel for Rgb24 {
    whole!([u8; 3], copied);
    const BYTES: usize = 3;
    const BIAS: usize = 0;
    const MASK: u128 = u128::MAX;

    #[inline]
    fn value([blue, green, red]: [u8; 3]) -> u32 {
        u32::from_le_bytes([blue, green, red, 0])
    }

    #[inline]
    fn write(units: &[[u8; 3]], out: &mut Vec<u8>) {
        out.extend_from_slice(units.as_flattened());
    }

    #[inline]
    fn read(bytes: &[u8], units: &mut [[u8; 3]]) {
        units.as_flattened_mut().copy_from_slice(bytes);
    }
}

/// The colour of four bytes.
#[derive(Debug)]
pub(in crate::codec) struct Rgb32;

impl Pixel for Rgb32 {
    whole!([u8; 4], copied);
    const BYTES: usize = 3;
    const BIAS: usize = 0;
    const MASK: u128 = 0x00ff_ffff_00ff_ffff_00ff_ffff_00ff_ffff;

    #[inline]
    fn value(unit: [u8; 4]) -> u32 {
        u32::from_le_bytes(unit) & 0x00ff_ffff
    }

    #[inline]
    fn write(units: &[[u8; 4]], out: &mut Vec<u8>) {
        put(units, out, |[blue, green, red, _]| [blue, green, red]);
    }

    #[inline]
    fn read(bytes: &[u8], units: &mut [[u8; 4]]) {
        for (unit, &[blue, green, red]) in units.iter_mut().zip(bytes.as_chunks().0) {
            *unit = [blue, green, red, 0];
        }
    }
}

/// The alpha of four bytes, whose colour is left alone.
#[derive(Debug)]
pub(in crate::codec) struct Alpha;

impl Pixel for Alpha {
    whole!([u8; 4]);
    const BYTES: usize = 1;
    const BIAS: usize = 2;
    const MASK: u128 = 0xff00_0000_ff00_0000_ff00_0000_ff00_0000;

    #[inline]
    fn value([.., alpha]: [u8; 4]) -> u32 {
        alpha.into()
    }

    #[inline]
    fn write(units: &[[u8; 4]], out: &mut Vec<u8>) {
        put(units, out, |[.., alpha]| [alpha]);
    }

    #[inline]
    fn read(bytes: &[u8], units: &mut [[u8; 4]]) {
        for ([.., alpha], &byte) in units.iter_mut().zip(bytes) {
            *alpha = byte;
        }
    }

    #[inline]
    fn copy(from: &[[u8; 4]], to: &mut [[u8; 4]]) {
        for ([.., to], &[.., from]) in to.iter_mut().zip(from) {
            *to = from;
        }
    }

    #[inline]
    fn repeat(units: &mut [[u8; 4]], at: usize, distance: usize, len: usize) {
        for at in at..at + len {
            let [.., alpha] = units[at - distance];
            units[at][3] = alpha;
        }
    }
}
