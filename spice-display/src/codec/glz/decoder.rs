//! The decoder, and a viewer's window.

use std::collections::VecDeque;

use bytes::Bytes;

use super::super::lz::input::{Fault, Gap, Input, decode_pass};
use super::super::lz::pixel::{Alpha, Pixel, Rgb16, Rgb24, Rgb32};
use super::reference::Reference;
use super::{GlzError, GlzFormat, GlzHeader, GlzImage};

/// What a viewer keeps of the pictures it was sent.
///
/// Pictures come in the order of their numbers, which begin with 0.
#[derive(Debug)]
pub struct Decoder {
    window: u64,
    images: VecDeque<GlzImage>,
    pixels: u64,
    next: u64,
}

impl Decoder {
    /// A viewer that keeps `window` pixels.
    pub const fn new(window: u64) -> Self {
        Self { window, images: VecDeque::new(), pixels: 0, next: 0 }
    }

    /// The number of the picture that comes next.
    pub const fn next_id(&self) -> u64 {
        self.next
    }

    /// How many pictures it keeps.
    pub fn images(&self) -> usize {
        self.images.len()
    }

    /// How many pixels they have.
    pub const fn pixels(&self) -> u64 {
        self.pixels
    }

    /// Decodes the next picture, after it has let go of what the picture says is not needed any longer.
    ///
    /// Nothing is allocated before the size is known to fit in the window, and the stream to be long enough for it at
    /// the least; the work is then in proportion to the size.
    ///
    /// # Errors
    /// A [header](GlzHeader::read) that is not one, another number than the next, more pixels than the window has room
    /// for, a stream that ends early or goes on after its last pixel, has more pixels than the picture, or refers to
    /// what is not there or has another format. The picture is not in the window then, and there is no next.
    pub fn decode(&mut self, data: &[u8]) -> Result<GlzImage, GlzError> {
        let header = GlzHeader::read(data)?;
        let GlzHeader { format, width, height, top_down, id, head_distance } = header;
        if id != self.next {
            return Err(GlzError::Order { id, next: self.next });
        }
        while self.images.len() as u64 > u64::from(head_distance)
            && let Some(gone) = self.images.pop_front()
        {
            self.pixels -= gone.pixel_count();
        }
        let room = self.window.saturating_sub(self.pixels);
        let too_large = GlzError::TooLarge { width, height, most: room };
        let count = Some(header.pixels()).filter(|&pixels| pixels <= room);
        let len = count.and_then(|pixels| usize::try_from(pixels).ok());
        let len = len.and_then(|pixels| pixels.checked_mul(format.bytes_per_pixel()));
        let len = len.filter(|&len| isize::try_from(len).is_ok()).ok_or(too_large)?;

        let mut input = Input::new(data.get(GlzHeader::LEN..).unwrap_or_default());
        if !input.can_hold(header.pixels()) {
            return Err(GlzError::Truncated);
        }
        let mut pixels = vec![0; len];
        match format {
            GlzFormat::Rgb16 => self.pass::<Rgb16>(format, &mut input, &mut pixels)?,
            GlzFormat::Rgb24 => self.pass::<Rgb24>(format, &mut input, &mut pixels)?,
            GlzFormat::Rgb32 => self.pass::<Rgb32>(format, &mut input, &mut pixels)?,
            GlzFormat::Rgba => {
                self.pass::<Rgb32>(format, &mut input, &mut pixels)?;
                self.pass::<Alpha>(format, &mut input, &mut pixels)?;
            }
        }
        if input.len() > 0 {
            return Err(GlzError::Trailing(input.len()));
        }
        let image = GlzImage { format, width, height, top_down, pixels: Bytes::from(pixels) };
        self.images.push_back(image.clone());
        self.pixels += header.pixels();
        self.next += 1;
        Ok(image)
    }

    fn pass<P: Pixel>(
        &self,
        format: GlzFormat,
        input: &mut Input<'_>,
        pixels: &mut [u8],
    ) -> Result<(), Fault> {
        decode_pass::<P>(input, P::units_mut(pixels), |gap, input, units| {
            let Reference { images, pixels } = Reference::read(gap.first, input)?;
            if images == 0 {
                return gap.repeat::<P>(pixels as usize, units);
            }
            let image = self.images.len().checked_sub(images as usize).and_then(|at| self.images.get(at));
            let image = image.filter(|image| image.format == format).ok_or(Fault::Reference)?;
            let Gap { at, len, .. } = gap;
            let behind = P::units(&image.pixels).get(pixels as usize..).and_then(|behind| behind.get(..len));
            P::copy(behind.ok_or(Fault::Reference)?, units.get_mut(at..at + len).ok_or(Fault::Overrun)?);
            Ok(())
        })
    }
}

impl From<Fault> for GlzError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Truncated => Self::Truncated,
            Fault::Overrun => Self::Overrun,
            Fault::Reference => Self::Reference,
        }
    }
}
