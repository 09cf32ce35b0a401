//! Where a drawing message draws.

use bytes::Bytes;

use crate::error::DecodeErrorKind;
use crate::geometry::Rect;
use crate::ids::SurfaceId;
use crate::wire::{Fault, In, Parsed, Wire, Writer, counted, field, named, record};

/// The part of a box that is drawn (`SpiceClip`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clip {
    /// All of it.
    #[default]
    None,
    /// What lies in one of these.
    Rects(Vec<Rect>),
}

impl Wire for Clip {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let at = input;
        let (input, kind) = field::<u8>("clip.type", body, input)?;
        match kind {
            0 => Ok((input, Self::None)),
            1 => {
                let (input, count) = field::<u32>("clip.num_rects", body, input)?;
                let (input, rects) = named("clip.rects", counted(body, input, count as usize, 16))?;
                Ok((input, Self::Rects(rects)))
            }
            other => named("clip.type", Err(Fault::at(at, DecodeErrorKind::Value { value: other.into() }))),
        }
    }

    fn put(&self, writer: &mut Writer) {
        match self {
            Self::None => 0_u8.put(writer),
            Self::Rects(rects) => {
                1_u8.put(writer);
                u32::try_from(rects.len()).unwrap_or(u32::MAX).put(writer);
                for rect in rects {
                    rect.put(writer);
                }
            }
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(match source.arbitrary()? {
            true => Self::Rects(crate::wire::arbitrary_list(source, 8)?),
            false => Self::None,
        })
    }
}

record! {
    /// What every drawing message begins with (`SpiceMsgDisplayBase`).
    #[derive(Eq)]
    pub struct DisplayBase {
        /// The surface that is drawn on.
        pub surface_id: SurfaceId,
        /// The box that is drawn.
        pub bbox: Rect,
        /// Which part of the box.
        pub clip: Clip,
    }
}
