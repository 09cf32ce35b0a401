//! Runs of bytes that arrive in pieces.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes that have come, of a run that is not whole yet.
///
/// Nothing is allocated for bytes that have not come: a length that was only announced costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gather {
    kept: BytesMut,
}

impl Gather {
    /// The next `len` bytes, once they have all come; until then takes all of `input` and keeps it.
    ///
    /// A run that lies in one input is a slice of it, any other is a copy.
    pub(crate) fn take(&mut self, input: &mut Bytes, len: usize) -> Option<Bytes> {
        if self.kept.is_empty() && input.len() >= len {
            return Some(input.split_to(len));
        }
        let more = len.saturating_sub(self.kept.len()).min(input.len());
        self.kept.extend_from_slice(&input[..more]);
        input.advance(more);
        (self.kept.len() >= len).then(|| std::mem::take(&mut self.kept).freeze())
    }

    /// What is kept.
    pub(crate) fn kept(&self) -> &[u8] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_in_one_input_is_shared_and_any_other_is_copied() {
        let whole = Bytes::from_static(b"abcdef");
        let mut gather = Gather::default();
        let mut input = whole.clone();
        let run = gather.take(&mut input, 4).unwrap();
        assert_eq!((run.as_ptr(), &run[..], &input[..]), (whole.as_ptr(), &b"abcd"[..], &b"ef"[..]));
        assert_eq!(gather.take(&mut input, 3), None);
        assert_eq!((input.len(), gather.kept()), (0, &b"ef"[..]));
        assert_eq!(gather.take(&mut whole.clone(), 3).as_deref(), Some(&b"efa"[..]));
        assert_eq!(gather, Gather::default());
    }
}
