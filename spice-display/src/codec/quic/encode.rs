//! Pixels to a stream.

use std::convert::Infallible;

use super::book::{CodeBook, residual};
use super::plane::Stream;
use super::planes::Planes;
use super::run::RunLengths;
use super::{MAX_PIXELS, QuicError, QuicFormat, QuicHeader};

/// Encodes a picture whose top row begins `pixels`, with `stride` bytes from row to row.
///
/// The last row need not be followed by the rest of its stride.
///
/// # Errors
/// A picture without a pixel or of more than [`MAX_PIXELS`], a stride below the length of a row, fewer bytes than
/// the rows take.
pub fn encode(
    pixels: &[u8],
    width: u32,
    height: u32,
    stride: usize,
    format: QuicFormat,
) -> Result<Vec<u8>, QuicError> {
    let row = (width as usize).saturating_mul(format.bytes_per_pixel());
    if stride < row {
        return Err(QuicError::Stride { row, stride });
    }
    // A stride of zero comes with rows of no byte, and those are refused.
    encode_rows(pixels.chunks(stride.max(1)), width, height, format)
}

/// Encodes a picture of these rows, the top one first.
///
/// A row may have more bytes than its pixels take, and `rows` more rows than `height`; what is over is not read.
///
/// # Errors
/// A picture without a pixel or of more than [`MAX_PIXELS`], too few rows, a row of too few bytes.
pub fn encode_rows<'a>(
    rows: impl IntoIterator<Item = &'a [u8]>,
    width: u32,
    height: u32,
    format: QuicFormat,
) -> Result<Vec<u8>, QuicError> {
    let header = QuicHeader { format, width, height };
    header.check(MAX_PIXELS)?;
    let row_len = (width as usize).saturating_mul(format.bytes_per_pixel());
    let mut planes = Planes::new(&header);
    let mut writer = BitWriter::new(&header);
    let mut rows = rows.into_iter();
    for row in 0..height {
        let bytes =
            rows.next().and_then(|bytes| bytes.get(..row_len)).ok_or(QuicError::MissingRow { row })?;
        planes.load(bytes);
        let Ok(()) = planes.code_row(&mut writer);
    }
    Ok(writer.finish())
}

/// Bits into words, the first bit at the top of its word, the words little-endian.
#[derive(Debug)]
struct BitWriter {
    bytes: Vec<u8>,
    /// Bits that are not in `bytes` yet, the last of them lowest; what is above them has been written.
    pending: u64,
    /// How many they are, below 32.
    len: u32,
}

impl BitWriter {
    fn new(header: &QuicHeader) -> Self {
        let bytes = header.words().into_iter().flat_map(u32::to_le_bytes).collect();
        Self { bytes, pending: 0, len: 0 }
    }

    /// Writes the low `len` bits of `bits`, whose others are zero; 32 at most.
    #[inline]
    fn put(&mut self, bits: u32, len: u32) {
        self.pending = (self.pending << len) | u64::from(bits);
        self.len += len;
        if self.len >= 32 {
            self.len -= 32;
            let word = (self.pending >> self.len) as u32;
            self.bytes.extend_from_slice(&word.to_le_bytes());
        }
    }

    /// Ends the last word, and adds one that the C decoder reads ahead.
    fn finish(mut self) -> Vec<u8> {
        if self.len > 0 {
            self.put(0, 32 - self.len);
        }
        self.put(0, 32);
        self.bytes
    }
}

impl Stream for BitWriter {
    type Error = Infallible;

    #[inline]
    fn sample<const BPC: usize>(
        &mut self,
        family: usize,
        predicted: u8,
        sample: &mut u8,
    ) -> Result<u8, Infallible> {
        let residual = residual::<BPC>(*sample, predicted);
        let code = CodeBook::<BPC>::BOOK.codes(residual)[family];
        self.put(code.bits.into(), code.len.into());
        Ok(residual)
    }

    fn run<const N: usize>(
        &mut self,
        lengths: &mut RunLengths,
        row: &mut [[u8; N]],
        at: usize,
    ) -> Result<usize, Infallible> {
        let repeated = row[at - 1];
        let run = row[at..].iter().take_while(|&&pixel| pixel == repeated).count();
        let mut rest = run;
        while rest >= lengths.order() {
            rest -= lengths.order();
            lengths.lengthen();
            self.put(1, 1);
        }
        // A zero, then the rest, which is below the order.
        self.put(rest as u32, lengths.exponent() + 1);
        lengths.shorten();
        Ok(run)
    }
}
