//! Messages, whole again.

use bytes::Bytes;

use super::{MessageHeader, MessageType, PROTOCOL};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::wire::Gather;

/// A whole message with its content not looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawMessage {
    /// What it says.
    pub message_type: MessageType,
    /// The sender's own.
    pub opaque: u64,
    /// Its content, for [`Message::decode`](super::Message::decode). It shares the memory of the piece that it came
    /// in, if it came in one.
    pub data: Bytes,
}

/// Puts messages together again from pieces of any length: those of agent-data messages on the main channel, or those
/// that a [`ChunkReader`](super::ChunkReader) gives out for one port.
///
/// A message that is only announced takes no memory: what is kept is what has come, at most twice over.
#[derive(Clone, Debug)]
pub struct Reassembler {
    max_size: u32,
    gather: Gather,
    header: Option<MessageHeader>,
    failed: Option<DecodeError>,
}

impl Reassembler {
    /// One that takes messages of at most `max_size` bytes of content.
    #[must_use]
    pub fn new(max_size: u32) -> Self {
        Self { max_size, gather: Gather::default(), header: None, failed: None }
    }

    /// The next message, once it is whole; takes from the front of `input` what it needs. `None`: all of `input` is
    /// taken, and more is needed.
    ///
    /// # Errors
    /// A header of another protocol, or of a message that is too large: nothing can be read from then on, and every
    /// later call says so again.
    pub fn read(&mut self, input: &mut Bytes) -> Result<Option<RawMessage>, DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let header = match self.header {
            Some(header) => header,
            None => {
                let Some(bytes) = self.gather.take(input, MessageHeader::LEN) else { return Ok(None) };
                let Some(header) = MessageHeader::decode(&bytes) else { return Ok(None) };
                if let Err(error) = self.check(&header) {
                    return Err(self.failed.insert(error).clone());
                }
                *self.header.insert(header)
            }
        };
        let Some(data) = self.gather.take(input, header.size as usize) else { return Ok(None) };
        self.header = None;
        Ok(Some(RawMessage { message_type: header.message_type, opaque: header.opaque, data }))
    }

    /// Bytes of the current message's content that have not come; `None` between two messages and inside a header.
    #[must_use]
    pub fn missing(&self) -> Option<usize> {
        self.header.map(|header| (header.size as usize).saturating_sub(self.gather.kept().len()))
    }

    fn check(&self, header: &MessageHeader) -> Result<(), DecodeError> {
        let fault = |field, offset, kind| DecodeError { message: "agent.MessageHeader", field, offset, kind };
        if header.protocol != PROTOCOL {
            return Err(fault("protocol", 0, DecodeErrorKind::Value { value: header.protocol.into() }));
        }
        if header.size > self.max_size {
            let kind = DecodeErrorKind::TooMany { count: header.size.into(), max: self.max_size.into() };
            return Err(fault("size", 16, kind));
        }
        Ok(())
    }
}
