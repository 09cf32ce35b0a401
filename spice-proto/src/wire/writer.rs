//! Message bodies as they are built: a few owned pieces with shared payloads between them.

use bytes::{Bytes, BytesMut};

/// The encoded body of a message, in pieces, so that a large payload is sent from where it lies.
///
/// Cloning is cheap: the pieces are shared. Bodies of the same bytes are equal, however they are cut.
#[derive(Clone, Debug, Default)]
pub struct Body {
    pieces: Vec<Bytes>,
    len: usize,
}

impl Body {
    /// Bytes in all pieces.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no byte at all, as in many messages that are only a number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The pieces in order, none of them empty.
    #[must_use]
    pub fn pieces(&self) -> &[Bytes] {
        &self.pieces
    }

    /// All bytes in one piece; copies them unless they are one already.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match self.pieces.as_slice() {
            [] => Bytes::new(),
            [one] => one.clone(),
            many => {
                let mut all = BytesMut::with_capacity(self.len);
                for piece in many {
                    all.extend_from_slice(piece);
                }
                all.freeze()
            }
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::from_iter([bytes])
    }
}

impl FromIterator<Bytes> for Body {
    fn from_iter<I: IntoIterator<Item = Bytes>>(pieces: I) -> Self {
        let pieces: Vec<Bytes> = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        let len = pieces.iter().map(Bytes::len).sum();
        Self { pieces, len }
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.pieces.iter().flatten().eq(other.pieces.iter().flatten())
    }
}

impl Eq for Body {}

/// Payloads below this many bytes are copied: a piece of their own would cost more.
const SHARE_FROM: usize = 512;

#[derive(Debug)]
enum Piece {
    Owned(Vec<u8>),
    Shared(Bytes),
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Owned(bytes) => bytes.len(),
            Self::Shared(bytes) => bytes.len(),
        }
    }
}

/// Appends values to a body; an offset can be filled in once it is known.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    done: Vec<Piece>,
    tail: Vec<u8>,
    done_len: usize,
}

/// The place of an offset that is not known yet.
#[derive(Debug)]
#[must_use]
pub(crate) struct OffsetSlot(usize);

impl Writer {
    /// Bytes so far, which is where the next one lands.
    pub(crate) fn position(&self) -> usize {
        self.done_len + self.tail.len()
    }

    pub(crate) fn put_slice(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
    }

    /// Appends a payload, sharing its memory when it is large.
    pub(crate) fn put_bytes(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARE_FROM {
            self.put_slice(bytes);
            return;
        }
        if !self.tail.is_empty() {
            let tail = std::mem::take(&mut self.tail);
            self.done_len += tail.len();
            self.done.push(Piece::Owned(tail));
        }
        self.done_len += bytes.len();
        self.done.push(Piece::Shared(bytes.clone()));
    }

    /// Leaves room for the offset of something that follows; 0 until it is filled in.
    pub(crate) fn put_offset(&mut self) -> OffsetSlot {
        let slot = OffsetSlot(self.position());
        self.put_slice(&[0; 4]);
        slot
    }

    /// Fills in an offset with the place where the next byte lands.
    pub(crate) fn point_here(&mut self, slot: &OffsetSlot) {
        let target = u32::try_from(self.position()).unwrap_or(u32::MAX).to_le_bytes();
        let mut start = 0;
        for piece in &mut self.done {
            let end = start + piece.len();
            if slot.0 < end {
                if let Piece::Owned(bytes) = piece {
                    bytes[slot.0 - start..][..4].copy_from_slice(&target);
                }
                return;
            }
            start = end;
        }
        self.tail[slot.0 - start..][..4].copy_from_slice(&target);
    }

    pub(crate) fn finish(self) -> Body {
        let len = self.position();
        let mut pieces: Vec<Bytes> = Vec::with_capacity(self.done.len() + 1);
        pieces.extend(self.done.into_iter().map(|piece| match piece {
            Piece::Owned(bytes) => bytes.into(),
            Piece::Shared(bytes) => bytes,
        }));
        if !self.tail.is_empty() {
            pieces.push(self.tail.into());
        }
        Body { pieces, len }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_payload_is_shared_and_offsets_before_it_are_filled_in() {
        let payload = Bytes::from(vec![7; 4096]);
        let mut writer = Writer::default();
        let first = writer.put_offset();
        let second = writer.put_offset();
        writer.point_here(&first);
        writer.put_bytes(&payload);
        writer.point_here(&second);
        writer.put_slice(&[1, 2]);
        let body = writer.finish();
        assert_eq!(body.len(), 8 + 4096 + 2);
        assert_eq!(body.pieces()[1].as_ptr(), payload.as_ptr());
        let flat = body.to_bytes();
        assert_eq!(&flat[..8], [8, 0, 0, 0, 8, 16, 0, 0]);
    }
}
