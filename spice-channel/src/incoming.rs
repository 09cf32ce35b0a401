//! Frames out of a byte stream.

use bytes::{Bytes, BytesMut};
use spice_proto::HeaderKind;

use crate::ChannelError;

/// One message as it came: a number and a body that is not understood yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingMessage {
    /// The message's number.
    pub id: u16,
    /// Its body.
    pub body: Bytes,
}

/// Collects bytes until a message is whole. A message's size is checked against the cap as soon as its header is
/// there, so no more than one message below the cap and one read beyond it are ever held.
#[derive(Debug)]
pub(crate) struct Incoming {
    header: HeaderKind,
    max_size: u32,
    buffer: BytesMut,
}

impl Incoming {
    pub(crate) fn new(header: HeaderKind, max_size: u32) -> Self {
        Self { header, max_size, buffer: BytesMut::new() }
    }

    pub(crate) fn handle_bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, if there is one.
    pub(crate) fn poll_message(&mut self) -> Result<Option<IncomingMessage>, ChannelError> {
        let Some(header) = self.header.decode(&self.buffer) else {
            return Ok(None);
        };
        if header.size > self.max_size {
            return Err(ChannelError::TooLarge { id: header.id, size: header.size, max: self.max_size });
        }
        let start = self.header.len();
        let end = start + header.size as usize;
        if self.buffer.len() < end {
            // What is only announced takes no memory.
            return Ok(None);
        }
        let body = self.buffer.split_to(end).freeze().slice(start..);
        Ok(Some(IncomingMessage { id: header.id, body }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        HeaderKind::Mini.encode(0, id, u32::try_from(body.len()).unwrap(), &mut bytes);
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn messages_come_whole_however_the_bytes_are_cut() {
        let stream = [message(101, b"abc"), message(102, b""), message(103, b"defgh")].concat();
        for cut in 1..=stream.len() {
            let mut incoming = Incoming::new(HeaderKind::Mini, 16);
            let mut got = Vec::new();
            for piece in stream.chunks(cut) {
                incoming.handle_bytes(piece);
                while let Some(message) = incoming.poll_message().unwrap() {
                    got.push((message.id, message.body));
                }
            }
            assert_eq!(got, [(101, "abc".into()), (102, "".into()), (103, "defgh".into())]);
        }
    }

    #[test]
    fn a_message_that_is_only_announced_takes_no_memory() {
        let mut incoming = Incoming::new(HeaderKind::Mini, u32::MAX);
        incoming.handle_bytes(&[101, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
        assert_eq!(incoming.poll_message(), Ok(None));
        assert!(incoming.buffer.capacity() < 1024, "{}", incoming.buffer.capacity());
    }

    #[test]
    fn a_message_above_the_cap_is_refused_at_its_header() {
        for size in [17, 1 << 31, u32::MAX] {
            let mut header = Vec::new();
            HeaderKind::Full.encode(1, 110, size, &mut header);
            let mut incoming = Incoming::new(HeaderKind::Full, 16);
            incoming.handle_bytes(&header);
            assert_eq!(incoming.poll_message(), Err(ChannelError::TooLarge { id: 110, size, max: 16 }));
        }
    }
}
