//! The walk through the samples that are coded together, to decode them.

use super::book::{CodeBook, sample};
use super::model::Model;
use super::pace::Pace;
use super::reader::{BitReader, Fault};
use super::run::RunLengths;

/// The `N` samples of each pixel that share a pace and runs, each of `BPC` bits.
#[derive(Debug)]
pub(super) struct Plane<const N: usize, const BPC: usize> {
    models: [Model<BPC>; N],
    pace: Pace,
    lengths: RunLengths,
    /// What was last coded in each column. Runs leave it alone.
    residuals: Vec<[u8; N]>,
    above: Vec<[u8; N]>,
    row: Vec<[u8; N]>,
    top: bool,
}

impl<const N: usize, const BPC: usize> Plane<N, BPC> {
    /// A plane of `width` columns, one at least, before its first row.
    pub(super) fn new(width: usize) -> Self {
        Self {
            models: [const { Model::new() }; N],
            pace: Pace::new(),
            lengths: RunLengths::new(),
            residuals: vec![[0; N]; width],
            above: vec![[0; N]; width],
            row: vec![[0; N]; width],
            top: true,
        }
    }

    /// The row that was decoded last.
    pub(super) fn decoded_row(&self) -> &[[u8; N]] {
        &self.above
    }

    /// Decodes a row.
    pub(super) fn decode_row(&mut self, reader: &mut BitReader<'_>) -> Result<(), Fault> {
        let width = self.row.len();
        let mut at = 0;
        while at < width {
            let span = self.pace.span(width - at);
            let end = at + span;
            if self.top {
                self.decode_top_span(reader, at, end)?;
            } else {
                self.decode_span(reader, at, end)?;
            }
            self.pace.passed(span);
            at = end;
        }
        self.top = false;
        std::mem::swap(&mut self.above, &mut self.row);
        Ok(())
    }

    /// Decodes columns of the first row, each predicted to be as the one to its left.
    fn decode_top_span(&mut self, reader: &mut BitReader<'_>, start: usize, end: usize) -> Result<(), Fault> {
        let (mut left, mut last) = match start.checked_sub(1) {
            Some(before) => (self.row[before], self.residuals[before]),
            None => ([0; N], [0; N]),
        };
        let columns = self.row[start..end].iter_mut().zip(&mut self.residuals[start..end]);
        for (pixel, residual) in columns {
            last = decode_pixel(&mut self.models, &mut self.pace, reader, left, pixel, last)?;
            *residual = last;
            left = *pixel;
        }
        Ok(())
    }

    /// Decodes columns of a row that has one above: each predicted to be halfway between the pixels to its left and
    /// above, and runs where the row above is level and the last two pixels were equal.
    fn decode_span(&mut self, reader: &mut BitReader<'_>, start: usize, end: usize) -> Result<(), Fault> {
        let Self { models, pace, lengths, .. } = self;
        let above = &self.above[..end];
        let row = &mut self.row[..end];
        let residuals = &mut self.residuals[..end];

        // The first pixel of a row goes by what the first of the row above left behind.
        let mut last = residuals[start.saturating_sub(1)];
        let mut at = start;
        if at == 0 {
            last = decode_pixel(models, pace, reader, above[0], &mut row[0], last)?;
            residuals[0] = last;
            at = 1;
        }
        let mut last_run = 0;
        while at < end {
            if at > 2 && at != last_run && above[at - 1] == above[at] && row[at - 1] == row[at - 2] {
                last_run = at;
                at += decode_run(reader, lengths, row, at)?;
                last = residuals[at - 1];
                continue;
            }
            let predicted = halfway(row[at - 1], above[at]);
            last = decode_pixel(models, pace, reader, predicted, &mut row[at], last)?;
            residuals[at] = last;
            at += 1;
        }
        Ok(())
    }
}

#[inline]
fn halfway<const N: usize>(left: [u8; N], above: [u8; N]) -> [u8; N] {
    std::array::from_fn(|lane| ((u16::from(left[lane]) + u16::from(above[lane])) >> 1) as u8)
}

/// Decodes the samples of a pixel after one of the residuals `last`, and gives its own.
#[inline(always)]
fn decode_pixel<const N: usize, const BPC: usize>(
    models: &mut [Model<BPC>; N],
    pace: &mut Pace,
    reader: &mut BitReader<'_>,
    predicted: [u8; N],
    pixel: &mut [u8; N],
    last: [u8; N],
) -> Result<[u8; N], Fault> {
    let mut residuals = [0; N];
    for lane in 0..N {
        let family = models[lane].family_after(last[lane]);
        let reading = CodeBook::<BPC>::BOOK.read(family, reader.peek());
        if reading.value > u32::from(CodeBook::<BPC>::MASK) {
            return Err(Fault::Code);
        }
        reader.skip(reading.len);
        residuals[lane] = reading.value as u8;
        pixel[lane] = sample::<BPC>(residuals[lane], predicted[lane]);
    }
    if pace.lesson() {
        for (model, (last, residual)) in models.iter_mut().zip(last.into_iter().zip(residuals)) {
            model.learn(last, residual, pace.trigger());
        }
    }
    Ok(residuals)
}

/// Decodes how many pixels of `row` from `at` on, which is not its first, equal the one before them, and sets them.
fn decode_run<const N: usize>(
    reader: &mut BitReader<'_>,
    lengths: &mut RunLengths,
    row: &mut [[u8; N]],
    at: usize,
) -> Result<usize, Fault> {
    let room = row.len() - at;
    let mut run = 0;
    loop {
        let ones = reader.peek().leading_ones();
        for _ in 0..ones {
            run += lengths.order();
            if run > room {
                return Err(Fault::Run);
            }
            lengths.lengthen();
        }
        if ones < 32 {
            reader.skip(ones + 1);
            break;
        }
        reader.skip(32);
    }
    let exponent = lengths.exponent();
    if exponent > 0 {
        run += (reader.peek() >> (32 - exponent)) as usize;
        reader.skip(exponent);
    }
    lengths.shorten();

    let repeated = row[at - 1];
    let pixels = row.get_mut(at..at + run).ok_or(Fault::Run)?;
    pixels.fill(repeated);
    Ok(run)
}
