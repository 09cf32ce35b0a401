//! The walk through the samples that are coded together, the same to encode and to decode.

use super::model::Model;
use super::pace::Pace;
use super::run::RunLengths;

/// One end of a stream: the samples go into it, or come out of it.
pub(super) trait Stream {
    /// What can go wrong at this end.
    type Error;

    /// Codes a sample in that family of codes; when decoding, sets it. Gives its residual.
    fn sample<const BPC: usize>(
        &mut self,
        family: usize,
        predicted: u8,
        sample: &mut u8,
    ) -> Result<u8, Self::Error>;

    /// Codes how many pixels of `row` from `at` on, which is not its first, equal the one before them; when decoding,
    /// sets them. Gives their number.
    fn run<const N: usize>(
        &mut self,
        lengths: &mut RunLengths,
        row: &mut [[u8; N]],
        at: usize,
    ) -> Result<usize, Self::Error>;
}

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

    /// The row that is coded next.
    pub(super) fn row_mut(&mut self) -> &mut [[u8; N]] {
        &mut self.row
    }

    /// The row that was coded last.
    pub(super) fn coded_row(&self) -> &[[u8; N]] {
        &self.above
    }

    /// Codes the row.
    pub(super) fn code_row<S: Stream>(&mut self, stream: &mut S) -> Result<(), S::Error> {
        let width = self.row.len();
        let mut at = 0;
        while at < width {
            let span = self.pace.span(width - at);
            let end = at + span;
            if self.top {
                self.code_top_span(stream, at, end)?;
            } else {
                self.code_span(stream, at, end)?;
            }
            self.pace.passed(span);
            at = end;
        }
        self.top = false;
        std::mem::swap(&mut self.above, &mut self.row);
        Ok(())
    }

    /// Codes columns of the first row, each predicted to be as the one to its left.
    fn code_top_span<S: Stream>(&mut self, stream: &mut S, start: usize, end: usize) -> Result<(), S::Error> {
        let (mut left, mut last) = match start.checked_sub(1) {
            Some(before) => (self.row[before], self.residuals[before]),
            None => ([0; N], [0; N]),
        };
        let columns = self.row[start..end].iter_mut().zip(&mut self.residuals[start..end]);
        for (pixel, residual) in columns {
            last = code_pixel(&mut self.models, &mut self.pace, stream, left, pixel, last)?;
            *residual = last;
            left = *pixel;
        }
        Ok(())
    }

    /// Codes columns of a row that has one above: each predicted to be halfway between the pixels to its left and
    /// above, and runs where the row above is level and the last two pixels were equal.
    fn code_span<S: Stream>(&mut self, stream: &mut S, start: usize, end: usize) -> Result<(), S::Error> {
        let Self { models, pace, lengths, .. } = self;
        let above = &self.above[..end];
        let row = &mut self.row[..end];
        let residuals = &mut self.residuals[..end];

        // The first pixel of a row goes by what the first of the row above left behind.
        let mut last = residuals[start.saturating_sub(1)];
        let mut at = start;
        if at == 0 {
            last = code_pixel(models, pace, stream, above[0], &mut row[0], last)?;
            residuals[0] = last;
            at = 1;
        }
        let mut last_run = 0;
        while at < end {
            if at > 2 && at != last_run && above[at - 1] == above[at] && row[at - 1] == row[at - 2] {
                last_run = at;
                at += stream.run(lengths, row, at)?;
                last = residuals[at - 1];
                continue;
            }
            let predicted = halfway(row[at - 1], above[at]);
            last = code_pixel(models, pace, stream, predicted, &mut row[at], last)?;
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

/// Codes the samples of a pixel after one of the residuals `last`, and gives its own.
#[inline(always)]
fn code_pixel<S: Stream, const N: usize, const BPC: usize>(
    models: &mut [Model<BPC>; N],
    pace: &mut Pace,
    stream: &mut S,
    predicted: [u8; N],
    pixel: &mut [u8; N],
    last: [u8; N],
) -> Result<[u8; N], S::Error> {
    let mut residuals = [0; N];
    for lane in 0..N {
        let family = models[lane].family_after(last[lane]);
        residuals[lane] = stream.sample::<BPC>(family, predicted[lane], &mut pixel[lane])?;
    }
    if pace.lesson() {
        for (model, (last, residual)) in models.iter_mut().zip(last.into_iter().zip(residuals)) {
            model.learn(last, residual, pace.trigger());
        }
    }
    Ok(residuals)
}
