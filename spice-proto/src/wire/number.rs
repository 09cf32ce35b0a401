//! Integers, flags and fixed arrays.

use bytes::Bytes;
use nom::Parser;
use nom::bytes::complete::take;
use nom::number::complete::{le_i16, le_i32, le_i64, le_u8, le_u16, le_u32, le_u64};

#[cfg(feature = "arbitrary")]
use super::Source;
use super::{Fault, In, Parsed, Wire, Writer};
use crate::error::DecodeErrorKind;

macro_rules! number {
    ($($number:ty: $parser:ident,)*) => {$(
        impl Wire for $number {
            fn parse<'a>(_: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
                $parser.parse(input).map_err(|_: nom::Err<Fault>| short(input, size_of::<Self>()))
            }

            fn put(&self, writer: &mut Writer) {
                writer.put_slice(&self.to_le_bytes());
            }

            #[cfg(feature = "arbitrary")]
            fn arbitrary(source: &mut Source<'_>) -> arbitrary::Result<Self> {
                source.arbitrary()
            }
        }
    )*};
}

number! {
    i16: le_i16,
    i32: le_i32,
    i64: le_i64,
    u8: le_u8,
    u16: le_u16,
    u32: le_u32,
    u64: le_u64,
}

impl<const N: usize> Wire for [u8; N] {
    fn parse<'a>(_: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (left, bytes) = bytes(input, N)?;
        let mut array = [0; N];
        array.copy_from_slice(bytes);
        Ok((left, array))
    }

    fn put(&self, writer: &mut Writer) {
        writer.put_slice(self);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut Source<'_>) -> arbitrary::Result<Self> {
        source.arbitrary()
    }
}

/// The next `len` bytes.
pub(super) fn bytes(input: In<'_>, len: usize) -> Parsed<'_, &[u8]> {
    take(len).parse(input).map_err(|_: nom::Err<Fault>| short(input, len))
}

fn short(input: In<'_>, needed: usize) -> nom::Err<Fault> {
    Fault::at(input, DecodeErrorKind::Truncated { missing: needed.saturating_sub(input.len()) })
}
