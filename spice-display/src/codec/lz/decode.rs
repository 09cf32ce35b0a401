//! A stream to pixels.

use super::input::{Fault, Input, decode_pass};
use super::pixel::{Alpha, Byte, Pixel, Rgb16, Rgb24, Rgb32};
use super::recent::{FAR, NEAR};
use super::{LzError, LzFormat, LzHeader, LzImage};

/// Decodes a picture of not more than `max_pixels` pixels.
///
/// Nothing is allocated before the size is known to be allowed, and the stream to be long enough for it at the least;
/// the work is then in proportion to the size.
///
/// # Errors
/// A [header](LzHeader::read) that is not one, too large a picture, a stream that ends early or goes on after its last
/// pixel, has more pixels than the picture, or refers to what is before the first.
pub fn decode(data: &[u8], max_pixels: u64) -> Result<LzImage, LzError> {
    let header = LzHeader::read(data)?;
    let LzHeader { format, width, height, top_down } = header;
    let too_large = LzError::TooLarge { width, height, most: max_pixels };
    let len = format.row_len(width).checked_mul(height.into()).and_then(|len| usize::try_from(len).ok());
    let len = len.filter(|&len| header.pixels() <= max_pixels && isize::try_from(len).is_ok());
    let len = len.ok_or(too_large)?;

    let mut input = Input::new(data.get(LzHeader::LEN..).unwrap_or_default());
    if !input.can_hold((len / format.unit_len()) as u64) {
        return Err(LzError::Truncated);
    }
    let mut pixels = vec![0; len];
    match format {
        LzFormat::Rgb16 => pass::<Rgb16>(&mut input, &mut pixels)?,
        LzFormat::Rgb24 => pass::<Rgb24>(&mut input, &mut pixels)?,
        LzFormat::Rgb32 => pass::<Rgb32>(&mut input, &mut pixels)?,
        LzFormat::Rgba => {
            pass::<Rgb32>(&mut input, &mut pixels)?;
            pass::<Alpha>(&mut input, &mut pixels)?;
        }
        LzFormat::Xxxa => pass::<Alpha>(&mut input, &mut pixels)?,
        LzFormat::Plt1Le
        | LzFormat::Plt1Be
        | LzFormat::Plt4Le
        | LzFormat::Plt4Be
        | LzFormat::Plt8
        | LzFormat::A8 => pass::<Byte>(&mut input, &mut pixels)?,
    }
    match input.len() {
        0 => Ok(LzImage { format, width, height, top_down, pixels }),
        over => Err(LzError::Trailing(over)),
    }
}

fn pass<P: Pixel>(input: &mut Input<'_>, pixels: &mut [u8]) -> Result<(), Fault> {
    decode_pass::<P>(input, P::units_mut(pixels), |gap, input, units| {
        let mut distance = (usize::from(gap.first & FAR) << 8) | usize::from(input.byte()?);
        if distance == NEAR {
            distance += (usize::from(input.byte()?) << 8) | usize::from(input.byte()?);
        }
        gap.repeat::<P>(distance + 1, units)
    })
}

impl From<Fault> for LzError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Truncated => Self::Truncated,
            Fault::Overrun => Self::Overrun,
            Fault::Reference => Self::Reference,
        }
    }
}
