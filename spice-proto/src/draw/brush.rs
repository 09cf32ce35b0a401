//! What fills, and what masks.

use bytes::Bytes;

use super::Image;
use super::pointer::{Behind, Part, Pointee, required};
use crate::error::DecodeErrorKind;
use crate::geometry::Point;
use crate::wire::{Fault, In, Parsed, Wire, Writer, field, flags, named};

/// What fills an area (`SpiceBrush`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Brush {
    /// Nothing.
    None,
    /// One colour, in the surface's format.
    Solid(u32),
    /// An image over and over.
    Pattern(Box<Pattern>),
}

/// An image that is repeated in both directions (`SpicePattern`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The image.
    pub image: Image,
    /// A place on the surface where a copy's top left corner lies.
    pub pos: Point,
}

impl Part for Brush {
    fn parse_part<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let at = input;
        let (input, kind) = field::<u8>("brush.type", body, input)?;
        match kind {
            0 => Ok((input, Self::None)),
            1 => {
                let (input, color) = field("brush.color", body, input)?;
                Ok((input, Self::Solid(color)))
            }
            2 => {
                let (input, image) = named("brush.pattern", required(body, input, Image::parse))?;
                let (input, pos) = field("brush.pos", body, input)?;
                Ok((input, Self::Pattern(Box::new(Pattern { image, pos }))))
            }
            other => named("brush.type", Err(Fault::at(at, DecodeErrorKind::Value { value: other.into() }))),
        }
    }

    fn put_part<'a>(&'a self, writer: &mut Writer, behind: &mut Behind<'a>) {
        match self {
            Self::None => 0_u8.put(writer),
            Self::Solid(color) => {
                1_u8.put(writer);
                color.put(writer);
            }
            Self::Pattern(pattern) => {
                2_u8.put(writer);
                behind.point(writer, Pointee::Image(&pattern.image));
                pattern.pos.put(writer);
            }
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary_part(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(match source.int_in_range(0..=2)? {
            0 => Self::None,
            1 => Self::Solid(Wire::arbitrary(source)?),
            _ => Self::Pattern(Box::new(Pattern {
                image: Image::arbitrary(source)?,
                pos: Wire::arbitrary(source)?,
            })),
        })
    }
}

flags! {
    /// `SPICE_MASK_FLAGS_*`.
    pub struct MaskFlags: u8 {
        /// What the mask leaves out is drawn instead.
        const INVERS = 1;
    }
}

/// A one-bit mask over a draw (`SpiceQMask`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mask {
    /// How it is used.
    pub flags: MaskFlags,
    /// The place in the mask that lies over the box's corner.
    pub pos: Point,
    /// The mask; without one, all is drawn.
    pub bitmap: Option<Image>,
}

impl Part for Mask {
    fn parse_part<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, flags) = field("mask.flags", body, input)?;
        let (input, pos) = field("mask.pos", body, input)?;
        let (input, bitmap) = named("mask.bitmap", Part::parse_part(body, input))?;
        Ok((input, Self { flags, pos, bitmap }))
    }

    fn put_part<'a>(&'a self, writer: &mut Writer, behind: &mut Behind<'a>) {
        self.flags.put(writer);
        self.pos.put(writer);
        self.bitmap.put_part(writer, behind);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary_part(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            flags: Wire::arbitrary(source)?,
            pos: Wire::arbitrary(source)?,
            bitmap: Part::arbitrary_part(source)?,
        })
    }
}
