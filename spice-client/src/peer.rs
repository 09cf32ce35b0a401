//! The viewer's end of one channel: frames, acknowledgements, pongs.

use bytes::{Bytes, BytesMut};
use spice_proto::base::{AckSync, ClientMessage, Pong, ServerMessage};
use spice_proto::{HeaderKind, LAST_BASE_ID};

use crate::error::PeerError;

/// Takes the server's bytes and answers what any viewer has to; the channel's own messages come out.
#[derive(Debug)]
pub struct ChannelPeer {
    header: HeaderKind,
    buffer: BytesMut,
    answers: Vec<u8>,
    window: u32,
    until_ack: u32,
    serial: u64,
    received: u64,
}

impl ChannelPeer {
    /// The end of a channel that has been linked with this header.
    #[must_use]
    pub fn new(header: HeaderKind) -> Self {
        Self {
            header,
            buffer: BytesMut::new(),
            answers: Vec::new(),
            window: 0,
            until_ack: 0,
            serial: 0,
            received: 0,
        }
    }

    /// Takes bytes from the server.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// How many messages have come, base messages among them.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The next whole message that is the channel's own.
    ///
    /// # Errors
    /// A base message that does not decode; a serial that is not the next one.
    pub fn poll_message(&mut self) -> Result<Option<(u16, Bytes)>, PeerError> {
        loop {
            let Some(header) = self.header.decode(&self.buffer) else { return Ok(None) };
            let end = self.header.len() + header.size as usize;
            if self.buffer.len() < end {
                return Ok(None);
            }
            let body = self.buffer.split_to(end).freeze().slice(self.header.len()..);
            self.received += 1;
            if let Some(serial) = header.serial.filter(|serial| *serial != self.received) {
                return Err(PeerError::Serial { serial, expected: self.received });
            }
            if self.window > 0 {
                self.until_ack -= 1;
                if self.until_ack == 0 {
                    self.until_ack = self.window;
                    self.send(&ClientMessage::Ack);
                }
            }
            if header.id > LAST_BASE_ID {
                return Ok(Some((header.id, body)));
            }
            match ServerMessage::decode(header.id, &body)? {
                ServerMessage::SetAck(request) => {
                    (self.window, self.until_ack) = (request.window, request.window);
                    self.send(&ClientMessage::AckSync(AckSync { generation: request.generation }));
                }
                ServerMessage::Ping(ping) => {
                    self.send(&ClientMessage::Pong(Pong { id: ping.id, timestamp: ping.timestamp }));
                }
                _ => {}
            }
        }
    }

    fn send(&mut self, message: &ClientMessage) {
        self.send_message(message.id(), &message.encode().to_bytes());
    }

    /// Queues a message of the channel's own.
    pub fn send_message(&mut self, id: u16, body: &[u8]) {
        self.serial += 1;
        self.header.encode(self.serial, id, u32::try_from(body.len()).unwrap_or(u32::MAX), &mut self.answers);
        self.answers.extend_from_slice(body);
    }

    /// What is to be sent to the server.
    pub fn take_answers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.answers)
    }
}
