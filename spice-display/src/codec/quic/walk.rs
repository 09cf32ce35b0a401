//! The walk through the samples that are coded together, to encode them.
//!
//! What is predicted goes by the samples alone, all of which an encoder has: the residuals of a row are found before
//! any of it is coded, many at a time.

use super::book::{Code, CodeBook, residual};
use super::model::Model;
use super::pace::Pace;
use super::run::RunLengths;
use super::writer::{Tail, Words};

/// Samples in the order blue, green, red, of as many as are coded, and zeros.
pub(super) type Pixel = [u8; 4];

/// What is in the last byte of a pixel's residuals where a run can begin.
const RUN: u8 = 1;

/// The `N` samples of each pixel that share a pace and runs, each of `BPC` bits. At most three.
#[derive(Debug)]
pub(super) struct Walk<const N: usize, const BPC: usize> {
    models: [Model<BPC>; N],
    pace: Pace,
    lengths: RunLengths,
    row: Vec<Pixel>,
    above: Vec<Pixel>,
    /// What was last coded in each column. Runs leave it alone.
    coded: Vec<Pixel>,
    residuals: Vec<Pixel>,
    top: bool,
}

impl<const N: usize, const BPC: usize> Walk<N, BPC> {
    /// A walk of `width` columns, one at least, before its first row.
    pub(super) fn new(width: usize) -> Self {
        let zeros = vec![[0; 4]; width];
        Self {
            models: [const { Model::new() }; N],
            pace: Pace::new(),
            lengths: RunLengths::new(),
            row: zeros.clone(),
            above: zeros.clone(),
            coded: zeros.clone(),
            residuals: zeros,
            top: true,
        }
    }

    /// Codes a row of these pixels.
    pub(super) fn code_row(
        &mut self,
        pixels: impl Iterator<Item = Pixel>,
        words: &mut Words,
        tail: &mut Tail,
    ) {
        for (to, pixel) in self.row.iter_mut().zip(pixels) {
            *to = pixel;
        }
        if self.top {
            self.predict_top();
            self.top = false;
        } else {
            self.predict();
            self.mark_runs();
        }
        let width = self.row.len();
        let mut at = 0;
        while at < width {
            let span = self.pace.span(width - at);
            *tail = self.code_span(words, *tail, at, at + span);
            self.pace.passed(span);
            at += span;
        }
        std::mem::swap(&mut self.above, &mut self.row);
        std::mem::swap(&mut self.coded, &mut self.residuals);
    }

    /// Predicts the pixels of the first row, each to be as the one to its left.
    fn predict_top(&mut self) {
        let row = self.row.as_flattened();
        let left = [0; 4].iter().chain(row);
        for ((to, &sample), &left) in self.residuals.as_flattened_mut().iter_mut().zip(row).zip(left) {
            *to = residual::<BPC>(sample, left);
        }
    }

    /// Predicts the pixels of a row that has one above: each to be halfway between the ones to its left and above, and
    /// the first as the one above.
    fn predict(&mut self) {
        let row = self.row.as_flattened();
        let above = self.above.as_flattened();
        let residuals = self.residuals.as_flattened_mut();
        let (Some((first, to)), Some((samples, row_rest)), Some((above_first, above))) = (
            residuals.split_first_chunk_mut::<4>(),
            row.split_first_chunk::<4>(),
            above.split_first_chunk::<4>(),
        ) else {
            return;
        };
        for ((to, &sample), &above) in first.iter_mut().zip(samples).zip(above_first) {
            *to = residual::<BPC>(sample, above);
        }
        for (((to, &sample), &left), &above) in to.iter_mut().zip(row_rest).zip(row).zip(above) {
            *to = residual::<BPC>(sample, (left & above) + ((left ^ above) >> 1));
        }
    }

    /// Marks where runs can begin: where the row above is level and the last two pixels are equal, but not on the
    /// first three.
    fn mark_runs(&mut self) {
        let above = self.above.iter().skip(2).zip(self.above.iter().skip(3));
        let row = self.row.iter().skip(1).zip(self.row.iter().skip(2));
        for ((to, (left, up)), (first, second)) in self.residuals.iter_mut().skip(3).zip(above).zip(row) {
            let differ = [left, up, first, second].map(|&pixel| u32::from_le_bytes(pixel));
            let level = (differ[0] ^ differ[1]) | (differ[2] ^ differ[3]) == 0;
            *to = (u32::from_le_bytes(*to) | (u32::from(level) << 24)).to_le_bytes();
        }
    }

    /// Codes columns of a row.
    fn code_span(&mut self, words: &mut Words, mut tail: Tail, start: usize, end: usize) -> Tail {
        let residuals = &mut self.residuals[..end];
        let trigger = self.pace.trigger();
        let mut pace = self.pace.clone();
        let mut at = start;
        // The first pixel of a row goes by what the first of the row above left behind.
        let mut last = if start == 0 { self.coded[0] } else { residuals[start - 1] };
        while let Some(&next) = residuals.get(at) {
            if next[3] == RUN {
                let run = run_length(&self.row[at..end], self.row[at - 1]);
                tail = put_run(run, &mut self.lengths, words, tail);
                if run == 0 {
                    // The next pixel is coded by itself, without another try.
                    residuals[at][3] = 0;
                } else {
                    residuals[at..at + run].copy_from_slice(&self.coded[at..at + run]);
                    at += run;
                }
                last = residuals[at - 1];
                continue;
            }
            let mut codes = [Code::default(); N];
            for (lane, (code, model)) in codes.iter_mut().zip(&self.models).enumerate() {
                *code = CodeBook::<BPC>::BOOK.code(model.family_after(last[lane]), next[lane]);
            }
            tail.put_last_to_first(words, codes);
            if pace.lesson() {
                learn(&mut self.models, last, next, trigger);
            }
            last = next;
            at += 1;
        }
        self.pace = pace;
        tail
    }
}

/// How many pixels from the first of `row` on are equal to `repeated`.
#[inline]
fn run_length(row: &[Pixel], repeated: Pixel) -> usize {
    let repeats = |pixel: &Pixel| *pixel == repeated;
    let (eights, _) = row.as_chunks::<8>();
    let level = |eight: &&[Pixel; 8]| eight.iter().fold(true, |level, pixel| level & repeats(pixel));
    let run = eights.iter().take_while(level).count() * 8;
    run + row[run..].iter().take_while(|pixel| repeats(pixel)).count()
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
