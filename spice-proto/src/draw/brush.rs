//! What fills, and what masks.

use bytes::Bytes;

use super::{Image, parse_image};
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
}

impl Wire for Brush {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let at = input;
        let (input, kind) = field::<u8>("brush.type", body, input)?;
        match kind {
            0 => Ok((input, Self::None)),
            1 => {
                let (input, color) = field("brush.color", body, input)?;
                Ok((input, Self::Solid(color)))
            }
            other => named("brush.type", Err(Fault::at(at, DecodeErrorKind::Value { value: other.into() }))),
        }
    }

    fn put(&self, writer: &mut Writer) {
        match self {
            Self::None => 0_u8.put(writer),
            Self::Solid(color) => {
                1_u8.put(writer);
                color.put(writer);
            }
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(if source.arbitrary()? { Self::Solid(Wire::arbitrary(source)?) } else { Self::None })
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

impl Mask {
    /// Reads the fixed part and the image that its offset points to.
    pub(crate) fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, flags) = field("mask.flags", body, input)?;
        let (input, pos) = field("mask.pos", body, input)?;
        let (input, bitmap) = named("mask.bitmap", parse_image(body, input))?;
        Ok((input, Self { flags, pos, bitmap }))
    }

    /// Appends the fixed part; the image's place is filled in by who appends the image.
    pub(crate) fn put_fixed(&self, writer: &mut Writer) -> crate::wire::OffsetSlot {
        self.flags.put(writer);
        self.pos.put(writer);
        writer.put_offset()
    }

    #[cfg(feature = "arbitrary")]
    pub(crate) fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            flags: Wire::arbitrary(source)?,
            pos: Wire::arbitrary(source)?,
            bitmap: super::arbitrary_image(source)?,
        })
    }
}
