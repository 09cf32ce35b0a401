//! A picture that refers to no other.

use super::super::lz::parse::{History, encode_pass};
use super::super::lz::pixel::{Alpha, Pixel, Rgb16, Rgb24, Rgb32, common};
use super::super::lz::places::Places;
use super::reference::Reference;
use super::{Encoded, GlzError, GlzFormat, GlzSource, MAX_WINDOW};

/// Encodes a picture for a viewer that lacks some of the pictures a dictionary would refer to.
///
/// The viewer can refer to it afterwards, as if it had been encoded with the dictionary.
///
/// # Errors
/// A picture without a pixel or of more than [`MAX_WINDOW`], a stride below the length of a row, fewer bytes than the
/// rows take.
pub fn encode_alone(source: &GlzSource) -> Result<Encoded, GlzError> {
    let GlzSource { format, width, height, top_down, .. } = *source;
    source.pixels(MAX_WINDOW)?;
    let rows = source.rows()?;
    let mut out = Vec::new();
    match format {
        GlzFormat::Rgb16 => pass::<Rgb16>(&rows, width, &mut out),
        GlzFormat::Rgb24 => pass::<Rgb24>(&rows, width, &mut out),
        GlzFormat::Rgb32 => pass::<Rgb32>(&rows, width, &mut out),
        GlzFormat::Rgba => {
            pass::<Rgb32>(&rows, width, &mut out);
            pass::<Alpha>(&rows, width, &mut out);
        }
    }
    let body = out.into_boxed_slice().into();
    Ok(Encoded { format, width, height, top_down, before: 0, farthest: 0, body })
}

fn pass<P: Pixel>(rows: &[u8], line: u32, out: &mut Vec<u8>) {
    let units = P::units(rows);
    encode_pass::<P, _>(units, &mut Own::new(units.len(), line), out);
}

/// Where pixels were last seen, and where the next are expected.
#[derive(Debug)]
struct Own {
    places: Places,
    /// How many pixels back the track is.
    track: u32,
}

impl Own {
    /// Places to suit a picture of so many pixels, in lines of so many.
    fn new(pixels: usize, line: u32) -> Self {
        const MOST: u32 = 16;
        Self { places: Places::new(pixels, MOST), track: line }
    }
}

impl<P: Pixel> History<P> for Own {
    type Reference = Reference;

    const PREVIOUS: Reference = Reference { images: 0, pixels: 1 };

    #[inline]
    fn beside(&self, units: &[P::Unit], at: usize) -> Option<(Reference, usize)> {
        let behind = units.get(at.checked_sub(self.track as usize)?..)?;
        let reference = Reference { images: 0, pixels: self.track };
        Some((reference, common::<P>(behind, units.get(at..)?)))
    }

    fn lay_track(&mut self, reference: Reference, _: usize) {
        self.track = reference.pixels;
    }

    #[inline]
    fn find(&mut self, units: &[P::Unit], at: usize) -> Option<(Reference, usize)> {
        let ahead = units.get(at..)?;
        let from = self.places.swap::<P>(*ahead.first_chunk()?, at);
        let behind = units.get(from..)?;
        let pixels = at.checked_sub(from).filter(|back| *back > 0)? as u32;
        let reference = Reference { images: 0, pixels };
        let len = common::<P>(behind, ahead);
        (len > P::BIAS && len * P::BYTES > reference.cost()).then_some((reference, len))
    }

    #[inline]
    fn write(&mut self, reference: Reference, len: usize, out: &mut Vec<u8>) {
        reference.write::<P>(len, out);
    }
}
