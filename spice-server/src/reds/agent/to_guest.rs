//! From viewers and the server to the agent's device.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use spice_channel::ClientId;
use spice_proto::DecodeError;
use spice_proto::agent::{
    AgentLayout, ChunkHeader, ChunkSplitter, Message, MessageHeader, MessageType, Port,
};

use super::filter::passes;
use super::mouse::Pointer;
use super::scanner::{Found, Scanner};
use crate::devices::AgentPolicy;

/// Writes that the device is given at a time.
const WRITES: usize = 5;

/// The largest message about monitors: 256 of them, with their physical sizes.
const MAX_MONITORS: u32 = 8 + 256 * (20 + 4);

/// Whose write it is, and so who may send another piece once the device has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credit {
    /// A viewer's, of that session with the agent.
    Viewer(ClientId, u64),
    /// The server's own.
    Server,
    /// The pointer's, of which there is one at a time.
    Pointer,
}

/// What becomes of the viewer's message that is being read.
#[derive(Debug, Default)]
enum Fate {
    Pass,
    #[default]
    Drop,
    /// The host takes it.
    Monitors(BytesMut),
}

#[derive(Debug)]
struct Write {
    bytes: Bytes,
    credit: Credit,
}

/// What waits for the agent's device. It is bounded by the tokens of one viewer, whatever viewers come and go.
#[derive(Debug, Default)]
pub(crate) struct ToGuest {
    scanner: Scanner,
    fate: Fate,
    waiting: VecDeque<Write>,
    given: VecDeque<Credit>,
    /// The agent is to be told that the viewer is gone.
    goodbye_due: bool,
    pub(crate) pointer: Pointer,
}

impl ToGuest {
    /// Takes a piece of the viewer's stream; answers whether it goes to the device, and its token with it.
    ///
    /// # Errors
    /// A stream that is not the agent's protocol.
    pub(crate) fn handle_piece(
        &mut self,
        mut piece: Bytes,
        credit: Credit,
        policy: &AgentPolicy,
    ) -> Result<bool, DecodeError> {
        let mut bytes = Vec::new();
        let mut begun: Option<Vec<u8>> = None;
        while let Some(found) = self.scanner.read(&mut piece)? {
            match found {
                Found::Header(header) => {
                    self.fate = fate(&header, policy);
                    if matches!(self.fate, Fate::Pass) {
                        let mut head = Vec::with_capacity(MessageHeader::LEN);
                        header.encode(&mut head);
                        begun = Some(head);
                    }
                }
                Found::Content(content) => match &mut self.fate {
                    Fate::Drop => {}
                    Fate::Monitors(kept) => kept.extend_from_slice(&content),
                    // A chunk never holds bytes of two messages: agents take that for a loss of synchronization.
                    Fate::Pass => {
                        let head = begun.take().unwrap_or_default();
                        chunk(&[&head, &content], Port::CLIENT, &mut bytes);
                    }
                },
            }
            if self.scanner.left() == 0 {
                if let Some(head) = begun.take() {
                    chunk(&[&head], Port::CLIENT, &mut bytes);
                }
                self.end_message(policy);
            }
        }
        if let Some(head) = begun {
            chunk(&[&head], Port::CLIENT, &mut bytes);
        }
        if bytes.is_empty() {
            return Ok(false);
        }
        self.waiting.push_back(Write { bytes: bytes.into(), credit });
        Ok(true)
    }

    fn end_message(&mut self, policy: &AgentPolicy) {
        if let Fate::Monitors(kept) = std::mem::take(&mut self.fate) {
            match Message::decode(MessageType::MONITORS_CONFIG, &kept.freeze(), AgentLayout::default()) {
                Ok(Message::MonitorsConfig(config)) => {
                    if let Some(sink) = &policy.monitors {
                        sink.take(config);
                    }
                }
                Ok(_) => {}
                Err(error) => tracing::info!("monitors that mean nothing: {error}"),
            }
        }
    }

    /// The viewer's stream ends here, wherever it is, and another may begin: what waits of it is dropped, and the agent
    /// is told that the viewer is gone, at which it forgets what has come of a message. Answers whose pieces were
    /// dropped.
    pub(crate) fn cut(&mut self) -> impl Iterator<Item = Credit> + use<> {
        self.scanner = Scanner::default();
        self.fate = Fate::Drop;
        self.goodbye_due = true;
        std::mem::take(&mut self.waiting).into_iter().map(|write| write.credit)
    }

    /// What the device is to be given next.
    pub(crate) fn poll_write(&mut self) -> Option<Bytes> {
        if self.given.len() >= WRITES {
            return None;
        }
        if std::mem::take(&mut self.goodbye_due) {
            return Some(self.give(Credit::Server, &Message::ClientDisconnected));
        }
        if !self.given.contains(&Credit::Pointer)
            && let Some(state) = self.pointer.pop()
        {
            return Some(self.give(Credit::Pointer, &Message::MouseState(state)));
        }
        let write = self.waiting.pop_front()?;
        self.given.push_back(write.credit);
        Some(write.bytes)
    }

    /// The device has so many writes that it has not taken; answers whose were taken since the last call.
    pub(crate) fn handle_taken(&mut self, outstanding: usize) -> impl Iterator<Item = Credit> + use<> {
        let taken = self.given.len().saturating_sub(outstanding);
        self.given.drain(..taken).collect::<Vec<_>>().into_iter()
    }

    fn give(&mut self, credit: Credit, message: &Message) -> Bytes {
        self.given.push_back(credit);
        let content = message.encode(AgentLayout::default()).unwrap_or_default();
        let pieces = ChunkSplitter::new(message.message_type(), 0, &content).on_port(Port::SERVER);
        pieces.flat_map(|piece| piece.to_bytes()).collect()
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

fn fate(header: &MessageHeader, policy: &AgentPolicy) -> Fate {
    match header.message_type {
        MessageType::MONITORS_CONFIG if policy.monitors.is_some() => {
            if header.size <= MAX_MONITORS {
                Fate::Monitors(BytesMut::new())
            } else {
                Fate::Drop
            }
        }
        message_type if passes(message_type, policy) => Fate::Pass,
        _ => Fate::Drop,
    }
}

fn chunk(parts: &[&[u8]], port: Port, out: &mut Vec<u8>) {
    let size = parts.iter().map(|part| part.len()).sum::<usize>();
    ChunkHeader { port, size: u32::try_from(size).unwrap_or(u32::MAX) }.encode(out);
    parts.iter().for_each(|part| out.extend_from_slice(part));
}
