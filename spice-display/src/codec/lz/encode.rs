//! Pixels to a stream.

use std::borrow::Cow;

use super::parse::encode_pass;
use super::pixel::{Alpha, Byte, Pixel, Rgb16, Rgb24, Rgb32};
use super::recent::Recent;
use super::{LzError, LzFormat, LzHeader, LzSource, MAX_BYTES};

/// Encodes a picture, and appends its stream to `out`.
///
/// The last row need not be followed by the rest of its stride. In formats with fewer than eight bits a pixel, what is
/// over in a row's last byte is coded as it is.
///
/// # Errors
/// A picture without a pixel or of more than [`MAX_BYTES`], a stride below the length of a row, fewer bytes than the
/// rows take. Nothing is appended then.
pub fn encode(source: &LzSource<'_>, out: &mut Vec<u8>) -> Result<(), LzError> {
    let LzSource { format, width, height, top_down, .. } = *source;
    let rows = rows(source)?;
    let line = format.row_len(width) as usize / format.unit_len();
    LzHeader { format, width, height, top_down }.write(out);
    match format {
        LzFormat::Rgb16 => pass::<Rgb16>(&rows, line, out),
        LzFormat::Rgb24 => pass::<Rgb24>(&rows, line, out),
        LzFormat::Rgb32 => pass::<Rgb32>(&rows, line, out),
        LzFormat::Rgba => {
            pass::<Rgb32>(&rows, line, out);
            pass::<Alpha>(&rows, line, out);
        }
        LzFormat::Xxxa => pass::<Alpha>(&rows, line, out),
        LzFormat::Plt1Le
        | LzFormat::Plt1Be
        | LzFormat::Plt4Le
        | LzFormat::Plt4Be
        | LzFormat::Plt8
        | LzFormat::A8 => pass::<Byte>(&rows, line, out),
    }
    Ok(())
}

/// Encodes rows of `line` pixels, or of so many bytes where they hold several each.
fn pass<P: Pixel>(rows: &[u8], line: usize, out: &mut Vec<u8>) {
    let units = P::units(rows);
    encode_pass::<P, _>(units, &mut Recent::new(units.len(), line), out);
}

/// The rows with nothing between them.
fn rows<'a>(source: &LzSource<'a>) -> Result<Cow<'a, [u8]>, LzError> {
    let LzSource { format, width, height, stride, data, .. } = *source;
    let row = format.row_len(width);
    if width == 0 || height == 0 {
        return Err(LzError::Empty { width, height });
    }
    if row.saturating_mul(height.into()) > MAX_BYTES {
        return Err(LzError::TooLarge { width, height, most: MAX_BYTES / row * u64::from(width) });
    }
    let (row, height) = (row as usize, height as usize);
    Ok(match tight(data, row, height, stride)? {
        Some(rows) => Cow::Borrowed(rows),
        None => Cow::Owned(pack(data, row, height, stride)),
    })
}

/// The rows, if they are there with nothing between them; an error if they are not there.
pub(in crate::codec) fn tight(
    data: &[u8],
    row: usize,
    height: usize,
    stride: usize,
) -> Result<Option<&[u8]>, LzError> {
    if stride < row {
        return Err(LzError::Stride { row: row as u64, stride: stride as u64 });
    }
    let needed = (height - 1).checked_mul(stride).and_then(|len| len.checked_add(row));
    let rows = needed.and_then(|needed| data.get(..needed));
    let rows = rows.ok_or(LzError::Short { needed: needed.unwrap_or(usize::MAX), len: data.len() })?;
    Ok((stride == row || height == 1).then_some(rows))
}

/// A copy of the rows without what is between them.
pub(in crate::codec) fn pack(data: &[u8], row: usize, height: usize, stride: usize) -> Vec<u8> {
    let mut rows = Vec::with_capacity(row * height);
    for line in data.chunks(stride).take(height) {
        rows.extend_from_slice(line.get(..row).unwrap_or_default());
    }
    rows
}
