//! Where messages begin and end in the agent's byte stream, without keeping them.

use bytes::{Buf, Bytes, BytesMut};
use spice_proto::agent::{MessageHeader, PROTOCOL};
use spice_proto::{DecodeError, DecodeErrorKind};

/// Something of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A message begins.
    Header(MessageHeader),
    /// A part of its content, never empty.
    Content(Bytes),
}

/// Reads a stream of messages in whatever pieces it comes; keeps a part of a header at most.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    header: BytesMut,
    /// Bytes of content that have not come.
    left: u32,
}

impl Scanner {
    /// The next thing in `input`, from whose front it is taken; `None` when all of it is.
    ///
    /// # Errors
    /// A message of another protocol.
    pub(crate) fn read(&mut self, input: &mut Bytes) -> Result<Option<Found>, DecodeError> {
        if input.is_empty() {
            return Ok(None);
        }
        if self.left > 0 {
            let len = input.len().min(self.left as usize);
            self.left -= u32::try_from(len).unwrap_or(self.left);
            return Ok(Some(Found::Content(input.split_to(len))));
        }
        let missing = MessageHeader::LEN.saturating_sub(self.header.len());
        let len = missing.min(input.len());
        self.header.extend_from_slice(&input.split_to(len));
        let Some(header) = MessageHeader::decode(&self.header) else { return Ok(None) };
        self.header.advance(self.header.len());
        if header.protocol != PROTOCOL {
            let kind = DecodeErrorKind::Value { value: header.protocol.into() };
            let message = "agent.MessageHeader";
            return Err(DecodeError { message, field: "protocol", offset: 0, kind });
        }
        self.left = header.size;
        Ok(Some(Found::Header(header)))
    }

    /// Bytes of the current message's content that have not come.
    pub(crate) fn left(&self) -> u32 {
        self.left
    }
}
