//! Texts that lie elsewhere in the body: a length, an offset, and bytes that end in a NUL.

use bytes::Bytes;

use super::{Fault, In, OffsetSlot, Parsed, Wire, Writer, shared};
use crate::error::DecodeErrorKind;

/// Reads a length and an offset, and the text that they mean, without the NUL that ends it. Offset 0 means none.
pub(crate) fn parse_text<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Option<Bytes>> {
    let (input, len) = u32::parse(body, input)?;
    let at = input;
    let (left, target) = u32::parse(body, input)?;
    if target == 0 {
        return Ok((left, None));
    }
    let behind = body.len() - left.len();
    let Some(place) = (target as usize >= behind).then(|| body.get(target as usize..)).flatten() else {
        return Err(Fault::at(at, DecodeErrorKind::Offset { target }));
    };
    let (_, mut text) = shared(body, place, len as usize)?;
    if text.last() == Some(&0) {
        text.truncate(text.len() - 1);
    }
    Ok((left, Some(text)))
}

/// [`parse_text`] where there must be one.
pub(crate) fn parse_nonnull_text<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Bytes> {
    let (left, text) = parse_text(body, input)?;
    let offset_at = input.get(4..).unwrap_or_default();
    text.map(|text| (left, text)).ok_or(Fault::at(offset_at, DecodeErrorKind::Offset { target: 0 }))
}

/// Appends the length of a text and leaves room for its offset.
pub(crate) fn put_text_place(text: Option<&Bytes>, writer: &mut Writer) -> OffsetSlot {
    let len = text.map_or(0, |text| text.len().saturating_add(1));
    u32::try_from(len).unwrap_or(u32::MAX).put(writer);
    writer.put_offset()
}

/// Appends a text and its NUL, and fills in the offset that points to it; without a text the offset stays 0.
pub(crate) fn put_text(text: Option<&Bytes>, slot: &OffsetSlot, writer: &mut Writer) {
    if let Some(text) = text {
        writer.point_here(slot);
        writer.put_bytes(text);
        0_u8.put(writer);
    }
}
