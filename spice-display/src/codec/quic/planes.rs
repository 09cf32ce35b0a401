//! How the pixels of each format are put together.

use super::plane::Plane;
use super::reader::{BitReader, Fault};
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

    /// Decodes a row: the colours of it all, then its alpha.
    pub(super) fn decode_row(&mut self, reader: &mut BitReader<'_>) -> Result<(), Fault> {
        match self {
            Self::Gray(plane) => plane.decode_row(reader),
            Self::Rgb16(plane) => plane.decode_row(reader),
            Self::Rgb24(plane) | Self::Rgb32(plane) => plane.decode_row(reader),
            Self::Rgba(colour, alpha) => {
                colour.decode_row(reader)?;
                alpha.decode_row(reader)
            }
        }
    }

    /// Puts the pixels of the row that was decoded last into `bytes`, a whole row of zeros.
    pub(super) fn store(&self, bytes: &mut [u8]) {
        match self {
            Self::Gray(plane) => {
                for (&[sample], byte) in plane.decoded_row().iter().zip(bytes) {
                    *byte = sample;
                }
            }
            Self::Rgb16(plane) => {
                for (&colour, pixel) in plane.decoded_row().iter().zip(bytes.as_chunks_mut().0) {
                    let [red, green, blue] = colour.map(u16::from);
                    *pixel = ((red << 10) | (green << 5) | blue).to_le_bytes();
                }
            }
            Self::Rgb24(plane) => {
                for (&[red, green, blue], pixel) in plane.decoded_row().iter().zip(bytes.as_chunks_mut().0) {
                    *pixel = [blue, green, red];
                }
            }
            Self::Rgb32(plane) => {
                for (&[red, green, blue], pixel) in plane.decoded_row().iter().zip(bytes.as_chunks_mut().0) {
                    *pixel = [blue, green, red, 0];
                }
            }
            Self::Rgba(colours, alpha) => {
                let samples = colours.decoded_row().iter().zip(alpha.decoded_row());
                for ((&[red, green, blue], &[alpha]), pixel) in samples.zip(bytes.as_chunks_mut().0) {
                    *pixel = [blue, green, red, alpha];
                }
            }
        }
    }
}
