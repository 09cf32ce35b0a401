//! What a viewer says on any channel without being asked by its user.

use bytes::Bytes;
use spice_proto::base::{AckSync, ClientMessage, Pong, ServerMessage};
use spice_proto::{DataHeader, HeaderKind};

use crate::error::PeerError;

/// Counts messages, acknowledges them, answers pings, and numbers what is sent.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) header: HeaderKind,
    output: Vec<u8>,
    window: u32,
    until_ack: u32,
    serial: u64,
    received: u64,
}

impl Answers {
    pub(crate) const fn new(header: HeaderKind) -> Self {
        Self { header, output: Vec::new(), window: 0, until_ack: 0, serial: 0, received: 0 }
    }

    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    /// Looks at the header of the next message.
    pub(crate) fn check(&self, header: &DataHeader) -> Result<(), PeerError> {
        let expected = self.received + 1;
        match header.serial.filter(|serial| *serial != expected) {
            Some(serial) => Err(PeerError::Serial { serial, expected }),
            None => Ok(()),
        }
    }

    /// The next message has come as a whole.
    pub(crate) fn count(&mut self) {
        self.received += 1;
        if self.window > 0 {
            self.until_ack -= 1;
            if self.until_ack == 0 {
                self.until_ack = self.window;
                self.answer(&ClientMessage::Ack);
            }
        }
    }

    /// Takes a message that any channel has.
    pub(crate) fn handle(&mut self, id: u16, body: &Bytes) -> Result<(), PeerError> {
        match ServerMessage::decode(id, body)? {
            ServerMessage::SetAck(request) => {
                (self.window, self.until_ack) = (request.window, request.window);
                self.answer(&ClientMessage::AckSync(AckSync { generation: request.generation }));
            }
            ServerMessage::Ping(ping) => {
                self.answer(&ClientMessage::Pong(Pong { id: ping.id, timestamp: ping.timestamp }));
            }
            _ => {}
        }
        Ok(())
    }

    fn answer(&mut self, message: &ClientMessage) {
        self.send(message.id(), &message.encode().to_bytes());
    }

    pub(crate) fn send(&mut self, id: u16, body: &[u8]) {
        self.serial += 1;
        self.header.encode(self.serial, id, u32::try_from(body.len()).unwrap_or(u32::MAX), &mut self.output);
        self.output.extend_from_slice(body);
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.output)
    }
}
