//! A stream to pixels.

use super::planes::Planes;
use super::reader::BitReader;
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
        planes.decode_row(&mut reader)?;
        if reader.is_exhausted() {
            return Err(QuicError::Truncated);
        }
        planes.store(row);
    }
    Ok(QuicImage { format, width, height, pixels })
}
