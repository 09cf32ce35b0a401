//! What drawing messages point to. The fixed part of a message holds offsets, and behind it lies, in the order of the
//! offsets, what they name; offsets inside of that name what comes after all of it. So an image's palette stands
//! behind every image of its message.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Fixed28_4, Glyphs, Image, Palette, Path};
use crate::error::DecodeErrorKind;
use crate::wire::{Fault, In, OffsetSlot, Parsed, Wire, Writer};

/// A part of a message's fixed part, which may hold offsets.
pub(crate) trait Part: Sized {
    /// Reads it from the front of `input`, and what its offsets point to from elsewhere in `body`.
    fn parse_part<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self>;
    /// Appends it; what it points to goes to `behind`.
    fn put_part<'a>(&'a self, writer: &mut Writer, behind: &mut Behind<'a>);
    /// Makes one up that comes back from its encoding.
    #[cfg(feature = "arbitrary")]
    fn arbitrary_part(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self>;
}

/// What has one place points to nothing.
impl<T: Wire> Part for T {
    fn parse_part<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        Self::parse(body, input)
    }

    fn put_part<'a>(&'a self, writer: &mut Writer, _: &mut Behind<'a>) {
        self.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary_part(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Self::arbitrary(source)
    }
}

/// What an offset names.
pub(crate) enum Pointee<'a> {
    Image(&'a Image),
    Palette(&'a Palette),
    Path(&'a Path),
    Style(&'a [Fixed28_4]),
    Glyphs(&'a Glyphs),
}

/// What still has to be appended behind a fixed part, first come first served.
#[derive(Default)]
pub(crate) struct Behind<'a>(VecDeque<(OffsetSlot, Pointee<'a>)>);

impl<'a> Behind<'a> {
    /// Leaves room for an offset, and appends what it names once it is its turn.
    pub(crate) fn point(&mut self, writer: &mut Writer, pointee: Pointee<'a>) {
        self.0.push_back((writer.put_offset(), pointee));
    }

    /// Appends everything, with what it points to in turn, and fills in the offsets.
    pub(crate) fn put(mut self, writer: &mut Writer) {
        while let Some((slot, pointee)) = self.0.pop_front() {
            writer.point_here(&slot);
            match pointee {
                Pointee::Image(image) => image.put(writer, &mut self),
                Pointee::Palette(palette) => palette.put(writer),
                Pointee::Path(path) => path.put(writer),
                Pointee::Style(lengths) => lengths.iter().for_each(|length| length.put(writer)),
                Pointee::Glyphs(glyphs) => glyphs.put(writer),
            }
        }
    }
}

/// Reads an offset and what it points to with `parse`; 0 points to nothing.
pub(crate) fn optional<'a, T>(
    body: &'a Bytes,
    input: In<'a>,
    parse: impl FnOnce(&'a Bytes, In<'a>) -> Parsed<'a, T>,
) -> Parsed<'a, Option<T>> {
    let (left, target) = u32::parse(body, input)?;
    if target == 0 {
        return Ok((left, None));
    }
    let behind = body.len() - left.len();
    let Some(place) = (target as usize >= behind).then(|| body.get(target as usize..)).flatten() else {
        return Err(Fault::at(input, DecodeErrorKind::Offset { target }));
    };
    let (_, value) = parse(body, place)?;
    Ok((left, Some(value)))
}

/// [`optional`], where pointing to nothing is an error.
pub(crate) fn required<'a, T>(
    body: &'a Bytes,
    input: In<'a>,
    parse: impl FnOnce(&'a Bytes, In<'a>) -> Parsed<'a, T>,
) -> Parsed<'a, T> {
    match optional(body, input, parse)? {
        (left, Some(value)) => Ok((left, value)),
        (_, None) => Err(Fault::at(input, DecodeErrorKind::Offset { target: 0 })),
    }
}

/// A drawing message: its fixed part, each field with its name in `spice.proto`, then what that points to.
macro_rules! drawing {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty = $wire_name:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::wire::Wire for $name {
            fn parse<'a>(body: &'a ::bytes::Bytes, input: $crate::wire::In<'a>) -> $crate::wire::Parsed<'a, Self> {
                $(let (input, $field) =
                    $crate::wire::named($wire_name, <$type as $crate::draw::Part>::parse_part(body, input))?;)*
                Ok((input, Self { $($field),* }))
            }

            fn put(&self, writer: &mut $crate::wire::Writer) {
                let mut behind = $crate::draw::Behind::default();
                $($crate::draw::Part::put_part(&self.$field, writer, &mut behind);)*
                behind.put(writer);
            }

            #[cfg(feature = "arbitrary")]
            fn arbitrary(source: &mut $crate::wire::Source<'_>) -> ::arbitrary::Result<Self> {
                Ok(Self { $($field: $crate::draw::Part::arbitrary_part(source)?,)* })
            }
        }
    };
}

pub(crate) use drawing;
