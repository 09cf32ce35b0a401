//! The viewer's end of one channel: frames, acknowledgements, pongs.

use bytes::{Bytes, BytesMut};
use spice_proto::{HeaderKind, LAST_BASE_ID};

use crate::answers::Answers;
use crate::error::PeerError;

/// Takes the server's bytes and answers what any viewer has to; the channel's own messages come out.
///
/// It keeps a message until it is whole, however long that is. Who can do without most of them takes a
/// [`Skimmer`](crate::Skimmer).
#[derive(Debug)]
pub struct ChannelPeer {
    buffer: BytesMut,
    answers: Answers,
}

impl ChannelPeer {
    /// The end of a channel that has been linked with this header.
    #[must_use]
    pub fn new(header: HeaderKind) -> Self {
        Self { buffer: BytesMut::new(), answers: Answers::new(header) }
    }

    /// Takes bytes from the server.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// How many messages have come, base messages among them.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.answers.received()
    }

    /// The next whole message that is the channel's own.
    ///
    /// # Errors
    /// A base message that does not decode; a serial that is not the next one.
    pub fn poll_message(&mut self) -> Result<Option<(u16, Bytes)>, PeerError> {
        let kind = self.answers.header;
        loop {
            let Some(header) = kind.decode(&self.buffer) else { return Ok(None) };
            let end = kind.len() + header.size as usize;
            if self.buffer.len() < end {
                return Ok(None);
            }
            let body = self.buffer.split_to(end).freeze().slice(kind.len()..);
            self.answers.check(&header)?;
            self.answers.count();
            if header.id > LAST_BASE_ID {
                return Ok(Some((header.id, body)));
            }
            self.answers.handle(header.id, &body)?;
        }
    }

    /// Queues a message of the channel's own.
    pub fn send_message(&mut self, id: u16, body: &[u8]) {
        self.answers.send(id, body);
    }

    /// What is to be sent to the server.
    pub fn take_answers(&mut self) -> Vec<u8> {
        self.answers.take()
    }
}
