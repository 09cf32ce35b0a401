//! How a pass over a picture is cut into references and literals, in LZ and in GLZ.

use super::pixel::{Pixel, common};

/// Most pixels written as they are behind one control byte. A control byte from here on is a reference's first, with
/// its length in the upper three bits.
pub(in crate::codec) const MAX_LITERALS: usize = 32;
/// A length from here on goes on in bytes of its own.
pub(in crate::codec) const LENGTH_IN_FIRST: usize = 7;

/// A reference to as many pixels lays a track: what comes later may go on beside it.
const LAYS_TRACK: usize = 64;
/// Of fewer pixels than this, and [`Pixel::BIAS`], what is beside the track is not taken without a look elsewhere.
const KEEPS_TO_TRACK: usize = 4;

/// What a pass can refer to.
pub(in crate::codec) trait History<P: Pixel> {
    /// A place in it.
    type Reference: Copy;

    /// The pixel before.
    const PREVIOUS: Self::Reference;

    /// The place that is beside `at` on the track, and how many pixels there are the same.
    ///
    /// Before there has been a long reference, the track is the line above, or a picture before that is much like
    /// this one.
    fn beside(&self, units: &[P::Unit], at: usize) -> Option<(Self::Reference, usize)>;

    /// Hears of a long reference, for the pixels from `at` on: that is where the track is now.
    fn lay_track(&mut self, reference: Self::Reference, at: usize);

    /// Remembers the pixels from `at` on, and answers where they were seen last, and how many are the same, if to
    /// refer to them takes fewer bytes.
    fn find(&mut self, units: &[P::Unit], at: usize) -> Option<(Self::Reference, usize)>;

    /// Hears that a reference was made to the pixels before `at`.
    fn passed(&mut self, _units: &[P::Unit], _at: usize) {}

    /// Writes a reference to `len` pixels, more than [`Pixel::BIAS`].
    fn write(&mut self, reference: Self::Reference, len: usize, out: &mut Vec<u8>);
}

/// Writes one pass over a picture.
pub(in crate::codec) fn encode_pass<P: Pixel, H: History<P>>(
    units: &[P::Unit],
    history: &mut H,
    out: &mut Vec<u8>,
) {
    let mut literals = 0;
    let mut at = 0;
    while at < units.len() {
        let Some((reference, len)) = choose(units, at, history) else {
            at += 1;
            continue;
        };
        if literals < at {
            write_literals::<P>(&units[literals..at], out);
        }
        history.write(reference, len, out);
        at += len;
        literals = at;
        history.passed(units, at);
    }
    write_literals::<P>(&units[literals..], out);
}

/// What to refer to for the pixels from `at` on, if anything.
#[inline]
fn choose<P: Pixel, H: History<P>>(
    units: &[P::Unit],
    at: usize,
    history: &mut H,
) -> Option<(H::Reference, usize)> {
    let run = run::<P>(units, at);
    if run > P::BIAS + 2 {
        return Some((H::PREVIOUS, run));
    }
    if let Some((reference, len)) = history.beside(units, at)
        && len >= P::BIAS + KEEPS_TO_TRACK
    {
        return Some((reference, len));
    }
    let found = history.find(units, at).filter(|&(_, len)| len >= run);
    if let Some((reference, len)) = found
        && len >= LAYS_TRACK
    {
        history.lay_track(reference, at);
    }
    found.or_else(|| (run > P::BIAS + 1).then_some((H::PREVIOUS, run)))
}

/// How often the pixel before `at` is repeated there.
#[inline]
fn run<P: Pixel>(units: &[P::Unit], at: usize) -> usize {
    let Some(before) = at.checked_sub(1) else { return 0 };
    if P::value(units[before]) != P::value(units[at]) {
        return 0;
    }
    common::<P>(&units[before..], &units[at..])
}

fn write_literals<P: Pixel>(units: &[P::Unit], out: &mut Vec<u8>) {
    for units in units.chunks(MAX_LITERALS) {
        out.push((units.len() - 1) as u8);
        P::write(units, out);
    }
}

/// The first byte of a reference, with `low` in its lower five bits, and the bytes of a length that does not fit it.
#[inline]
pub(in crate::codec) fn write_length<P: Pixel>(len: usize, low: u8, out: &mut Vec<u8>) {
    let coded = len - P::BIAS;
    out.push(((coded.min(LENGTH_IN_FIRST) as u8) << 5) | low);
    if let Some(more) = coded.checked_sub(LENGTH_IN_FIRST) {
        out.resize(out.len() + more / 255, u8::MAX);
        out.push((more % 255) as u8);
    }
}

/// A number for three pixels, good in its upper half.
#[inline]
pub(in crate::codec) fn hash<P: Pixel>(three: [P::Unit; 3]) -> u64 {
    let [one, two, three] = three.map(|unit| u64::from(P::value(unit)));
    let pair = (one | (two << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    pair.wrapping_add(three.wrapping_mul(0xd6e8_feb8_6659_fd93))
}
