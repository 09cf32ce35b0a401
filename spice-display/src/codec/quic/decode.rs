//! A stream to pixels.

use super::book::{CodeBook, sample as sample_at};
use super::plane::Stream;
use super::planes::Planes;
use super::run::RunLengths;
use super::{QuicError, QuicHeader, QuicImage};

/// Decodes a picture of not more than `max_pixels` pixels.
///
/// Nothing is allocated before the size is known to be allowed, and the stream to be long enough for it at the
/// least; the work is then in proportion to the size. Bytes after the picture, and up to three at the end that make
/// no word, are not looked at.
///
/// # Errors
/// A [header](QuicHeader::read) that is not one, too large a picture, and a stream that ends early, has a run that
/// leaves its row, or a code that stands for no sample.
pub fn decode(data: &[u8], max_pixels: u64) -> Result<QuicImage, QuicError> {
    let header = QuicHeader::read(data)?;
    header.check(max_pixels)?;
    let QuicHeader { format, width, height } = header;
    let too_large = QuicError::TooLarge { width, height, most: max_pixels };
    let row_len = (width as usize).checked_mul(format.bytes_per_pixel());
    let sizes = row_len.and_then(|row| Some((row, row.checked_mul(height as usize)?)));
    let (row_len, len) = sizes.filter(|&(_, len)| isize::try_from(len).is_ok()).ok_or(too_large)?;

    let (words, _) = data.get(QuicHeader::LEN..).unwrap_or_default().as_chunks();
    if (words.len() as u64) * 32 < header.fewest_bits() {
        return Err(QuicError::Truncated);
    }
    let mut reader = BitReader::new(words);
    let mut planes = Planes::new(&header);
    let mut pixels = vec![0; len];
    for row in pixels.chunks_exact_mut(row_len) {
        planes.code_row(&mut reader)?;
        if reader.is_exhausted() {
            return Err(QuicError::Truncated);
        }
        planes.store(row);
    }
    Ok(QuicImage { format, width, height, pixels })
}

/// What can be wrong within a row. A byte, which comes back from every sample in a register.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Run,
    Code,
}

impl From<Fault> for QuicError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Run => Self::Run,
            Fault::Code => Self::Code,
        }
    }
}

/// Bits out of words, the first bit at the top of its word, the words little-endian.
#[derive(Debug)]
struct BitReader<'a> {
    words: std::slice::Iter<'a, [u8; 4]>,
    /// The next bits, the first of them at the top.
    ahead: u64,
    /// How many they are: 32 at least.
    len: u32,
    /// Words of zeros that were added after the last.
    missing: u64,
}

impl<'a> BitReader<'a> {
    fn new(words: &'a [[u8; 4]]) -> Self {
        let mut reader = Self { words: words.iter(), ahead: 0, len: 0, missing: 0 };
        reader.refill();
        reader
    }

    #[inline]
    fn refill(&mut self) {
        let word = match self.words.next() {
            Some(&word) => u32::from_le_bytes(word),
            None => {
                self.missing += 1;
                0
            }
        };
        self.ahead |= u64::from(word) << (32 - self.len);
        self.len += 32;
    }

    /// The next 32 bits; zeros after the last.
    #[inline]
    const fn peek(&self) -> u32 {
        (self.ahead >> 32) as u32
    }

    /// Goes on by 32 bits at most.
    #[inline]
    fn skip(&mut self, len: u32) {
        self.ahead <<= len;
        self.len -= len;
        if self.len < 32 {
            self.refill();
        }
    }

    /// True once bits were read that are not there.
    const fn is_exhausted(&self) -> bool {
        self.missing * 32 > self.len as u64
    }
}

impl Stream for BitReader<'_> {
    type Error = Fault;

    #[inline]
    fn sample<const BPC: usize>(
        &mut self,
        family: usize,
        predicted: u8,
        sample: &mut u8,
    ) -> Result<u8, Fault> {
        let reading = CodeBook::<BPC>::BOOK.read(family, self.peek());
        if reading.value > u32::from(CodeBook::<BPC>::MASK) {
            return Err(Fault::Code);
        }
        self.skip(reading.len);
        let residual = reading.value as u8;
        *sample = sample_at::<BPC>(residual, predicted);
        Ok(residual)
    }

    fn run<const N: usize>(
        &mut self,
        lengths: &mut RunLengths,
        row: &mut [[u8; N]],
        at: usize,
    ) -> Result<usize, Fault> {
        let room = row.len() - at;
        let mut run = 0;
        loop {
            let ones = self.peek().leading_ones();
            for _ in 0..ones {
                run += lengths.order();
                if run > room {
                    return Err(Fault::Run);
                }
                lengths.lengthen();
            }
            if ones < 32 {
                self.skip(ones + 1);
                break;
            }
            self.skip(32);
        }
        let exponent = lengths.exponent();
        if exponent > 0 {
            run += (self.peek() >> (32 - exponent)) as usize;
            self.skip(exponent);
        }
        lengths.shorten();

        let repeated = row[at - 1];
        let pixels = row.get_mut(at..at + run).ok_or(Fault::Run)?;
        pixels.fill(repeated);
        Ok(run)
    }
}
