//! Lists and byte runs, checked against what is left before anything is allocated.

use bytes::Bytes;

use super::number::bytes;
use super::{Fault, In, Parsed, Wire};
use crate::error::DecodeErrorKind;

/// `count` values of at least `size` bytes each. A count that cannot fit into what is left is refused first, so a
/// list never takes more memory than a constant times its input.
pub(crate) fn counted<'a, T: Wire>(
    body: &'a Bytes,
    input: In<'a>,
    count: usize,
    size: usize,
) -> Parsed<'a, Vec<T>> {
    let needed = count.saturating_mul(size);
    if needed > input.len() {
        return Err(Fault::at(input, DecodeErrorKind::Truncated { missing: needed - input.len() }));
    }
    let mut list = Vec::with_capacity(count);
    let mut left = input;
    for _ in 0..count {
        let (rest, value) = T::parse(body, left)?;
        list.push(value);
        left = rest;
    }
    Ok((left, list))
}

/// At most `max` made-up values.
#[cfg(feature = "arbitrary")]
pub(crate) fn arbitrary_list<T: Wire>(
    source: &mut super::Source<'_>,
    max: usize,
) -> arbitrary::Result<Vec<T>> {
    let len = source.int_in_range(0..=max.min(8))?;
    (0..len).map(|_| T::arbitrary(source)).collect()
}

/// The next `len` bytes, as a slice of `body` that shares its memory.
pub(crate) fn shared<'a>(body: &'a Bytes, input: In<'a>, len: usize) -> Parsed<'a, Bytes> {
    let (left, slice) = bytes(input, len)?;
    Ok((left, body.slice_ref(slice)))
}

/// All that is left, as a slice of `body` that shares its memory.
pub(crate) fn rest<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Bytes> {
    shared(body, input, input.len())
}
