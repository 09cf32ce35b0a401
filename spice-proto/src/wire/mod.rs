//! How values lie on the wire: little endian, packed, offsets counted from the start of a message's body.
//!
//! Decoders are nom parsers over the whole body of one message. They never leave this crate: what others see is
//! `decode(id, body)` on a channel's message type.

mod gather;
mod list;
mod macros;
mod number;
mod text;
mod writer;

use bytes::Bytes;
use nom::IResult;
use nom::error::{ErrorKind, ParseError};

pub use writer::Body;

pub(crate) use gather::Gather;
#[cfg(feature = "arbitrary")]
pub(crate) use list::arbitrary_list;
pub(crate) use list::{counted, rest, shared};
pub(crate) use macros::{flags, id, messages, record, wire_newtype};
pub(crate) use text::{parse_nonnull_text, parse_text, put_text, put_text_place};
pub(crate) use writer::{OffsetSlot, Writer};

use crate::error::{DecodeError, DecodeErrorKind};

/// The rest of the body that a parser starts at.
pub(crate) type In<'a> = &'a [u8];

/// What a parser answers.
pub(crate) type Parsed<'a, T> = IResult<In<'a>, T, Fault>;

/// A value that has one place on the wire.
pub(crate) trait Wire: Sized {
    /// Reads it from the front of `input`, which lies in `body`.
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self>;
    /// Appends it.
    fn put(&self, writer: &mut Writer);
    /// Makes one up that comes back from its encoding.
    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut Source<'_>) -> arbitrary::Result<Self>;
}

/// Where made-up values come from.
#[cfg(feature = "arbitrary")]
pub(crate) type Source<'a> = arbitrary::Unstructured<'a>;

/// A parser's failure: where, counted from the end of the body, and why.
#[derive(Debug)]
pub(crate) struct Fault {
    left: usize,
    field: Option<&'static str>,
    kind: DecodeErrorKind,
}

impl Fault {
    pub(crate) fn at(input: In<'_>, kind: DecodeErrorKind) -> nom::Err<Self> {
        nom::Err::Error(Self { left: input.len(), field: None, kind })
    }
}

impl<'a> ParseError<In<'a>> for Fault {
    fn from_error_kind(input: In<'a>, _: ErrorKind) -> Self {
        Self { left: input.len(), field: None, kind: DecodeErrorKind::Truncated { missing: 1 } }
    }

    fn append(_: In<'a>, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// Names the field that a parser reads, unless a field inside it failed and is named already.
pub(crate) fn field<'a, T: Wire>(name: &'static str, body: &'a Bytes, input: In<'a>) -> Parsed<'a, T> {
    named(name, T::parse(body, input))
}

/// [`field`] for a parser that is no [`Wire`] type.
pub(crate) fn named<T>(name: &'static str, parsed: Result<T, nom::Err<Fault>>) -> Result<T, nom::Err<Fault>> {
    parsed.map_err(|error| error.map(|fault| Fault { field: fault.field.or(Some(name)), ..fault }))
}

/// Decodes the whole of `body` as one `T`: bytes left over are an error.
pub(crate) fn decode_all<T: Wire>(message: &'static str, body: &Bytes) -> Result<T, DecodeError> {
    decode_all_with(message, body, T::parse)
}

/// [`decode_all`] for a parser that is no [`Wire`] type.
pub(crate) fn decode_all_with<'a, T>(
    message: &'static str,
    body: &'a Bytes,
    parse: impl FnOnce(&'a Bytes, In<'a>) -> Parsed<'a, T>,
) -> Result<T, DecodeError> {
    let parsed = parse(body, body).and_then(|(left, value)| {
        if left.is_empty() {
            Ok(value)
        } else {
            Err(Fault::at(left, DecodeErrorKind::Trailing { left: left.len() }))
        }
    });
    parsed.map_err(|error| explain(message, body, error))
}

/// Decodes a `T` from the front of `body` and lets be what offsets may point to behind it.
pub(crate) fn decode_front<T: Wire>(message: &'static str, body: &Bytes) -> Result<T, DecodeError> {
    T::parse(body, body).map(|(_, value)| value).map_err(|error| explain(message, body, error))
}

/// Decodes what begins at byte `start` of `body`, and lets be what lies around it.
pub(crate) fn decode_at<'a, T>(
    message: &'static str,
    body: &'a Bytes,
    start: u32,
    parse: impl FnOnce(&'a Bytes, In<'a>) -> Parsed<'a, T>,
) -> Result<T, DecodeError> {
    let parsed = match body.get(start as usize..) {
        Some(input) => parse(body, input).map(|(_, value)| value),
        None => Err(Fault::at(body, DecodeErrorKind::Offset { target: start })),
    };
    parsed.map_err(|error| explain(message, body, error))
}

/// Decodes a `T` from the front of a stream, and says how many bytes it takes; `None` while it is not whole.
pub(crate) fn decode_stream<T: Wire>(
    message: &'static str,
    bytes: &Bytes,
) -> Result<Option<(T, usize)>, DecodeError> {
    match T::parse(bytes, bytes) {
        Ok((left, value)) => Ok(Some((value, bytes.len() - left.len()))),
        Err(error) => match explain(message, bytes, error) {
            DecodeError { kind: DecodeErrorKind::Truncated { .. }, .. } => Ok(None),
            error => Err(error),
        },
    }
}

fn explain(message: &'static str, body: &Bytes, error: nom::Err<Fault>) -> DecodeError {
    let fault = match error {
        nom::Err::Error(fault) | nom::Err::Failure(fault) => fault,
        nom::Err::Incomplete(_) => Fault::from_error_kind(&[], ErrorKind::Eof),
    };
    DecodeError {
        message,
        field: fault.field.unwrap_or("body"),
        offset: body.len().saturating_sub(fault.left),
        kind: fault.kind,
    }
}

/// The content of a message that is only a number.
pub(crate) struct Nothing;

impl Wire for Nothing {
    fn parse<'a>(_: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        Ok((input, Self))
    }

    fn put(&self, _: &mut Writer) {}

    #[cfg(feature = "arbitrary")]
    fn arbitrary(_: &mut Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self)
    }
}

/// Bytes up to the end of the body; they share its memory.
impl Wire for Bytes {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        rest(body, input)
    }

    fn put(&self, writer: &mut Writer) {
        writer.put_bytes(self);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut Source<'_>) -> arbitrary::Result<Self> {
        Ok(source.arbitrary::<Vec<u8>>()?.into())
    }
}
