//! From the agent's device to the viewer that has the agent.

use std::collections::VecDeque;

use bytes::Bytes;
use spice_proto::DecodeError;
use spice_proto::agent::{ChunkReader, MessageHeader, MessageType, Port};

use super::filter::{CapsPatch, passes};
use super::scanner::{Found, Scanner};
use crate::devices::{AgentPolicy, Item, Mailbox};

/// Whose the agent's message is that is being read.
#[derive(Debug, Default)]
enum Fate {
    /// The viewer's of this session: one that comes in the middle of a message does not see the rest.
    Pass(u64),
    #[default]
    Drop,
}

/// What the agent says, as far as it has been read: one chunk of its stream at most, while nobody takes more.
#[derive(Debug, Default)]
pub(crate) struct FromGuest {
    reader: ChunkReader,
    input: Bytes,
    scanner: Scanner,
    fate: Fate,
    patch: Option<CapsPatch>,
    ready: VecDeque<(u64, Bytes)>,
}

impl FromGuest {
    /// The next piece for the viewer of this session; without one everything is read, and dropped.
    ///
    /// # Errors
    /// A stream that is not the agent's protocol.
    pub(crate) fn poll(
        &mut self,
        mailbox: &Mailbox,
        policy: &AgentPolicy,
        session: Option<u64>,
    ) -> Result<Option<Bytes>, DecodeError> {
        loop {
            while let Some((of, piece)) = self.ready.pop_front() {
                if Some(of) == session {
                    return Ok(Some(piece));
                }
            }
            if let Some(chunk) = self.reader.read(&mut self.input)? {
                // What the agent has to say to the server is nothing so far.
                if chunk.port == Port::CLIENT {
                    self.handle_data(chunk.data, policy, session)?;
                }
            } else {
                match mailbox.pop() {
                    Some(Item::Data(data)) => self.input = data,
                    Some(_) => {}
                    None => return Ok(None),
                }
            }
        }
    }

    /// Whether nothing is here that has been read and not been given out.
    pub(crate) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.input.is_empty()
    }

    /// A piece of the agent's stream; each piece that comes of it holds bytes of one message.
    fn handle_data(
        &mut self,
        mut data: Bytes,
        policy: &AgentPolicy,
        session: Option<u64>,
    ) -> Result<(), DecodeError> {
        let mut begun = Vec::new();
        while let Some(found) = self.scanner.read(&mut data)? {
            match found {
                Found::Header(header) => {
                    self.fate = match session {
                        Some(session) if passes(header.message_type, policy) => Fate::Pass(session),
                        _ => Fate::Drop,
                    };
                    let announces = header.message_type == MessageType::ANNOUNCE_CAPABILITIES;
                    self.patch = announces.then(|| CapsPatch::of(policy)).flatten();
                    begun.clear();
                    begun.reserve(MessageHeader::LEN);
                    header.encode(&mut begun);
                }
                Found::Content(content) => {
                    let content =
                        self.patch.as_mut().map_or_else(|| content.clone(), |patch| patch.apply(&content));
                    if begun.is_empty() {
                        self.push(content);
                    } else {
                        begun.extend_from_slice(&content);
                    }
                }
            }
            if self.scanner.left() == 0 && !begun.is_empty() {
                self.push(std::mem::take(&mut begun).into());
            }
        }
        if !begun.is_empty() {
            self.push(begun.into());
        }
        Ok(())
    }

    fn push(&mut self, piece: Bytes) {
        if let Fate::Pass(session) = self.fate {
            self.ready.push_back((session, piece));
        }
    }
}
