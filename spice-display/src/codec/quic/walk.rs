//! The walk through the samples that are coded together, to encode them.
//!
//! What is predicted goes by the samples alone, all of which an encoder has. So it looks at the pixels where they lie, and
//! within runs, where most pixels of a desktop are, at nothing but whether they are equal.

use super::book::{Code, CodeBook};
use super::model::Model;
use super::pace::Pace;
use super::run::RunLengths;
use super::writer::{Tail, Words};

/// Samples in the order blue, green, red, of as many as are coded, and zeros.
pub(super) type Pixel = [u8; 4];

/// How pixels lie in memory.
pub(super) trait Layout {
    /// A pixel in memory.
    type Unit: Copy;

    /// The pixels of these bytes.
    fn units(bytes: &[u8]) -> &[Self::Unit];

    /// What is coded of a pixel.
    fn pixel(unit: Self::Unit) -> Pixel;
}

/// The `N` samples of each pixel that share a pace and runs, each of `BPC` bits. At most three.
#[derive(Debug)]
pub(super) struct Walk<const N: usize, const BPC: usize> {
    models: [Model<BPC>; N],
    pace: Pace,
    lengths: RunLengths,
    /// What was last coded in each column. Runs leave it alone.
    coded: Vec<Pixel>,
}

impl<const N: usize, const BPC: usize> Walk<N, BPC> {
    /// A walk of `width` columns, one at least, before its first row.
    pub(super) fn new(width: usize) -> Self {
        Self {
            models: [const { Model::new() }; N],
            pace: Pace::new(),
            lengths: RunLengths::new(),
            coded: vec![[0; 4]; width],
        }
    }

    /// Codes a row, below the row `above` if it is not the first. Both have all columns.
    pub(super) fn code_row<L: Layout>(
        &mut self,
        row: &[u8],
        above: Option<&[u8]>,
        words: &mut Words,
        tail: &mut Tail,
    ) {
        let width = self.coded.len();
        let (row, above) = (L::units(row), above.map(L::units));
        let mut at = 0;
        while at < width {
            let end = at + self.pace.span(width - at);
            *tail = match above {
                Some(above) => self.code_span::<L>((&row[..end], &above[..end]), at, words, *tail),
                None => self.code_top_span::<L>(&row[..end], at, words, *tail),
            };
            self.pace.passed(end - at);
            at = end;
        }
    }

    /// Codes the first row from a column on, each pixel predicted to be as the one to its left.
    fn code_top_span<L: Layout>(
        &mut self,
        row: &[L::Unit],
        start: usize,
        words: &mut Words,
        mut tail: Tail,
    ) -> Tail {
        let mut left = start.checked_sub(1).map_or([0; 4], |before| L::pixel(row[before]));
        let mut last = self.coded[start.saturating_sub(1)];
        for (&unit, coded) in row.iter().zip(&mut self.coded).skip(start) {
            let pixel = L::pixel(unit);
            *coded = residuals::<BPC>(pixel, left);
            code_pixel(&mut self.models, &mut self.pace, last, *coded, words, &mut tail);
            (left, last) = (pixel, *coded);
        }
        tail
    }

    /// Codes a row that has one above from a column on: each pixel predicted to be halfway between the ones to its left
    /// and above, the first as the one above, and runs where the row above is level and the last two pixels are equal.
    fn code_span<L: Layout>(
        &mut self,
        (row, above): (&[L::Unit], &[L::Unit]),
        start: usize,
        words: &mut Words,
        mut tail: Tail,
    ) -> Tail {
        let end = row.len().min(above.len());
        let coded = &mut self.coded[..end];
        let mut pace = self.pace.clone();
        // The first pixel of a row goes by what the first of the row above left behind.
        let mut last = coded[start.saturating_sub(1)];
        let (mut left, mut up_left, mut repeats) = match start.checked_sub(1) {
            Some(before) => {
                let left = L::pixel(row[before]);
                (left, L::pixel(above[before]), before > 1 && L::pixel(row[before - 1]) == left)
            }
            None => (L::pixel(above[0]), [0; 4], false),
        };
        let mut at = start;
        while at < end {
            let up = L::pixel(above[at]);
            if repeats && up == up_left && at > 2 {
                let run = run_length::<L>(&row[at..end], left);
                tail = put_run(run, &mut self.lengths, words, tail);
                if run > 0 {
                    at += run;
                    (last, up_left) = (coded[at - 1], L::pixel(above[at - 1]));
                    continue;
                }
            }
            let pixel = L::pixel(row[at]);
            let next = residuals::<BPC>(pixel, halfway(left, up));
            code_pixel(&mut self.models, &mut pace, last, next, words, &mut tail);
            coded[at] = next;
            repeats = pixel == left;
            (last, left, up_left) = (next, pixel, up);
            at += 1;
        }
        self.pace = pace;
        tail
    }
}

/// What is halfway between two pixels, in all lanes at once.
#[inline(always)]
fn halfway(left: Pixel, above: Pixel) -> Pixel {
    let [left, above] = [left, above].map(u32::from_le_bytes);
    ((left & above) + (((left ^ above) >> 1) & 0x7f7f_7f7f)).to_le_bytes()
}

/// How far each sample is from what was predicted, small distances of either sign as small numbers; in all lanes at once.
#[inline(always)]
fn residuals<const BPC: usize>(pixel: Pixel, predicted: Pixel) -> Pixel {
    const HIGH: u32 = 0x8080_8080;
    const ONES: u32 = 0x0101_0101;
    let mask = u32::from(CodeBook::<BPC>::MASK);
    let [pixel, predicted] = [pixel, predicted].map(u32::from_le_bytes);
    let distance = ((pixel | HIGH) - (predicted & !HIGH)) ^ ((pixel ^ !predicted) & HIGH);
    let negative = ((distance >> (BPC - 1)) & ONES) * mask;
    (((distance << 1) & ((mask & 0xfe) * ONES)) ^ negative).to_le_bytes()
}

/// Codes the residuals of a pixel after those of the one before.
#[inline(always)]
fn code_pixel<const N: usize, const BPC: usize>(
    models: &mut [Model<BPC>; N],
    pace: &mut Pace,
    last: Pixel,
    next: Pixel,
    words: &mut Words,
    tail: &mut Tail,
) {
    let mut codes = [Code::default(); N];
    for (lane, (code, model)) in codes.iter_mut().zip(&*models).enumerate() {
        *code = CodeBook::<BPC>::BOOK.code(model.family_after(last[lane]), next[lane]);
    }
    tail.put_last_to_first(words, codes);
    if pace.lesson() {
        learn(models, last, next, pace.trigger());
    }
}

/// How many pixels from the first of `row` on are equal to `repeated`.
#[inline]
fn run_length<L: Layout>(row: &[L::Unit], repeated: Pixel) -> usize {
    let repeats = |unit: &L::Unit| L::pixel(*unit) == repeated;
    let (eights, _) = row.as_chunks::<8>();
    let level = |eight: &&[L::Unit; 8]| eight.iter().fold(true, |level, unit| level & repeats(unit));
    let run = eights.iter().take_while(level).count() * 8;
    run + row[run..].iter().take_while(|unit| repeats(unit)).count()
}

/// All models take in what came after what. Called seldom, and not to take registers from the walk.
#[inline(never)]
fn learn<const N: usize, const BPC: usize>(
    models: &mut [Model<BPC>; N],
    last: Pixel,
    residuals: Pixel,
    trigger: i32,
) {
    for ((model, last), residual) in models.iter_mut().zip(last).zip(residuals) {
        model.learn(last, residual, trigger);
    }
}

/// Codes the length of a run. Inlined, for the tail to stay in registers.
#[inline(always)]
fn put_run(run: usize, lengths: &mut RunLengths, words: &mut Words, mut tail: Tail) -> Tail {
    let mut rest = run;
    while rest >= lengths.order() {
        rest -= lengths.order();
        lengths.lengthen();
        tail.put(words, 1, 1);
    }
    // A zero, then the rest, which is below the order.
    tail.put(words, rest as u32, lengths.exponent() + 1);
    lengths.shorten();
    tail
}

#[cfg(test)]
mod tests {
    use super::super::book::sample;
    use super::*;

    #[test]
    fn a_sample_is_its_prediction_and_its_residual() {
        for predicted in 0..=255 {
            for value in 0..=255 {
                let (pixel, predictions) =
                    ([value, 255 - value, 0, value], [predicted, value, predicted, 255]);
                let distances = residuals::<8>(pixel, predictions);
                for lane in 0..4 {
                    assert_eq!(sample::<8>(distances[lane], predictions[lane]), pixel[lane]);
                }
                let [pixel, predictions] = [pixel, predictions].map(|lanes| lanes.map(|lane| lane & 31));
                let distances = residuals::<5>(pixel, predictions);
                for lane in 0..4 {
                    assert!(distances[lane] < 32);
                    assert_eq!(sample::<5>(distances[lane], predictions[lane]), pixel[lane]);
                }
            }
        }
        assert_eq!(residuals::<8>([0, 1, 254, 255], [0; 4]), [0, 2, 3, 1]);
        assert_eq!(residuals::<5>([1, 15, 16, 31], [0; 4]), [2, 30, 31, 1]);
    }

    #[test]
    fn halfway_is_rounded_down_in_every_lane() {
        for left in 0..=255 {
            for above in 0..=255 {
                let middle = ((u16::from(left) + u16::from(above)) / 2) as u8;
                assert_eq!(halfway([left, 0, above, 255], [above, 0, left, 255]), [middle, 0, middle, 255]);
            }
        }
    }
}
