//! How the pixels of each format are taken apart and put together.

use super::plane::{Plane, Stream};
use super::{QuicFormat, QuicHeader};

/// The planes of a picture. Colours are in the order red, green, blue.
#[derive(Debug)]
pub(super) enum Planes {
    Gray(Plane<1, 8>),
    Rgb16(Plane<3, 5>),
    Rgb24(Plane<3, 8>),
    Rgb32(Plane<3, 8>),
    Rgba(Plane<3, 8>, Box<Plane<1, 8>>),
}

impl Planes {
    /// The planes of a picture of a column at least.
    pub(super) fn new(header: &QuicHeader) -> Self {
        let width = header.width as usize;
        match header.format {
            QuicFormat::Gray => Self::Gray(Plane::new(width)),
            QuicFormat::Rgb16 => Self::Rgb16(Plane::new(width)),
            QuicFormat::Rgb24 => Self::Rgb24(Plane::new(width)),
            QuicFormat::Rgb32 => Self::Rgb32(Plane::new(width)),
            QuicFormat::Rgba => Self::Rgba(Plane::new(width), Box::new(Plane::new(width))),
        }
    }

    /// Codes a row: the colours of it all, then its alpha.
    pub(super) fn code_row<S: Stream>(&mut self, stream: &mut S) -> Result<(), S::Error> {
        match self {
            Self::Gray(plane) => plane.code_row(stream),
            Self::Rgb16(plane) => plane.code_row(stream),
            Self::Rgb24(plane) | Self::Rgb32(plane) => plane.code_row(stream),
            Self::Rgba(colour, alpha) => {
                colour.code_row(stream)?;
                alpha.code_row(stream)
            }
        }
    }

    /// Takes the pixels of `bytes`, a whole row, to be coded next.
    pub(super) fn load(&mut self, bytes: &[u8]) {
        match self {
            Self::Gray(plane) => {
                for (sample, &byte) in plane.row_mut().iter_mut().zip(bytes) {
                    *sample = [byte];
                }
            }
            Self::Rgb16(plane) => {
                for (colour, &pixel) in plane.row_mut().iter_mut().zip(bytes.as_chunks().0) {
                    let pixel = u16::from_le_bytes(pixel);
                    *colour = [10, 5, 0].map(|shift| ((pixel >> shift) & 0x1f) as u8);
                }
            }
            Self::Rgb24(plane) => {
                for (colour, &[blue, green, red]) in plane.row_mut().iter_mut().zip(bytes.as_chunks().0) {
                    *colour = [red, green, blue];
                }
            }
            Self::Rgb32(plane) => load_colours(plane, bytes),
            Self::Rgba(colours, alpha) => {
                load_colours(colours, bytes);
                for (sample, &[_, _, _, value]) in alpha.row_mut().iter_mut().zip(bytes.as_chunks().0) {
                    *sample = [value];
                }
            }
        }
    }

    /// Puts the pixels of the row that was coded last into `bytes`, a whole row of zeros.
    pub(super) fn store(&self, bytes: &mut [u8]) {
        match self {
            Self::Gray(plane) => {
                for (&[sample], byte) in plane.coded_row().iter().zip(bytes) {
                    *byte = sample;
                }
            }
            Self::Rgb16(plane) => {
                for (&colour, pixel) in plane.coded_row().iter().zip(bytes.as_chunks_mut().0) {
                    let [red, green, blue] = colour.map(u16::from);
                    *pixel = ((red << 10) | (green << 5) | blue).to_le_bytes();
                }
            }
            Self::Rgb24(plane) => {
                for (&[red, green, blue], pixel) in plane.coded_row().iter().zip(bytes.as_chunks_mut().0) {
                    *pixel = [blue, green, red];
                }
            }
            Self::Rgb32(plane) => {
                for (&[red, green, blue], pixel) in plane.coded_row().iter().zip(bytes.as_chunks_mut().0) {
                    *pixel = [blue, green, red, 0];
                }
            }
            Self::Rgba(colours, alpha) => {
                let samples = colours.coded_row().iter().zip(alpha.coded_row());
                for ((&[red, green, blue], &[alpha]), pixel) in samples.zip(bytes.as_chunks_mut().0) {
                    *pixel = [blue, green, red, alpha];
                }
            }
        }
    }
}

fn load_colours(plane: &mut Plane<3, 8>, bytes: &[u8]) {
    for (colour, &[blue, green, red, _]) in plane.row_mut().iter_mut().zip(bytes.as_chunks().0) {
        *colour = [red, green, blue];
    }
}
