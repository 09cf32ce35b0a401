//! State of the main channel, which is that of the guest's agent.

use bytes::Bytes;

use super::char_device::{Fixed, put_fixed};
use super::{CharDevice, MigrateMagic, Place, State, parse_bool, put_bytes, size};
use crate::agent::{ChunkHeader, MessageHeader};
use crate::error::DecodeErrorKind;
use crate::open_enum;
use crate::wire::{Fault, In, OffsetSlot, Parsed, Wire, Writer, field, named, record, wire_newtype};

/// The state of a main channel (`SpiceMigrateDataMain`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MainData {
    /// The agent; `None` if there was none.
    pub agent: Option<AgentState>,
}

/// How far an agent's messages have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentState {
    /// The agent's device.
    pub device: CharDevice,
    /// Whether the viewer takes part; where it does not, what it sends is dropped.
    pub client_agent_started: bool,
    /// From the agent to the viewer.
    pub read: AgentReadState,
    /// From the viewer to the agent.
    pub write: AgentWriteState,
}

open_enum! {
    /// What becomes of the message that is on its way.
    pub enum FilterResult: u8 {
        /// It is passed on.
        OK = 0,
        /// It is dropped.
        DISCARD = 1,
        /// It is no message.
        PROTO_ERROR = 2,
        /// The server takes it: it is a monitors-config message.
        MONITORS_CONFIG = 3,
    }
}

wire_newtype!(FilterResult(u8));

/// Where a server is in the agent's byte stream. What is beyond its headers is never kept: it has been passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentReadState {
    /// Between two chunks, or inside a chunk's header; no message is on its way.
    ChunkHeader {
        /// How many bytes of the header have been read, at most 7.
        read: u8,
        /// These bytes; the others mean nothing.
        bytes: [u8; ChunkHeader::LEN],
    },
    /// Inside the header of a message.
    MessageHeader {
        /// The chunk's header. Its size is no guide to where the chunk ends: servers read a chunk in pieces of at most
        /// [`MAX_CHUNK`](crate::agent::MAX_CHUNK) bytes, and those in use count here what lies behind the piece that
        /// they are in, not what is left of it.
        chunk: ChunkHeader,
        /// The bytes of the header that have been read, at most 19.
        partial: Bytes,
    },
    /// Inside the content of a message.
    Message {
        /// The chunk's header; its size is that of the chunk that has not been read.
        chunk: ChunkHeader,
        /// Bytes of content that have not been read.
        remaining: u32,
        /// What becomes of them.
        filter: FilterResult,
    },
}

impl Default for AgentReadState {
    fn default() -> Self {
        Self::ChunkHeader { read: 0, bytes: [0; ChunkHeader::LEN] }
    }
}

record! {
    /// Where a server is in the viewer's messages for the agent.
    #[derive(Copy, Eq)]
    pub struct AgentWriteState {
        /// Bytes of the current message's content that have not come; 0 between two messages.
        pub remaining: u32,
        /// What becomes of them.
        pub filter: FilterResult,
    }
}

/// The fixed part of an [`AgentReadState`].
struct FixedRead<'a> {
    header_at: In<'a>,
    header_size: u32,
    header: [u8; ChunkHeader::LEN],
    done: bool,
    partial_at: In<'a>,
    partial: Place<'a>,
    remaining_at: In<'a>,
    remaining: u32,
    filter: FilterResult,
}

impl<'a> FixedRead<'a> {
    fn parse(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let header_at = input;
        let (input, header_size) = field("chunk_header_size", body, input)?;
        let (input, header) = field("chunk_header", body, input)?;
        let (input, done) = parse_bool("msg_header_done", body, input)?;
        let partial_at = input;
        let (input, partial_len) = field("msg_header_partial_len", body, input)?;
        let (input, partial) = Place::parse("msg_header", partial_len, body, input)?;
        let remaining_at = input;
        let (input, remaining) = field("agent2client.msg_remaining", body, input)?;
        let (input, filter) = field("agent2client.msg_filter_result", body, input)?;
        let fixed = Self {
            header_at,
            header_size,
            header,
            done,
            partial_at,
            partial,
            remaining_at,
            remaining,
            filter,
        };
        Ok((input, fixed))
    }

    /// The state, if the numbers make one; `left` is what follows the whole fixed part.
    fn state(&self, body: &'a Bytes, left: In<'a>) -> Result<AgentReadState, nom::Err<Fault>> {
        let whole = self.header_size as usize == ChunkHeader::LEN;
        if self.header_size as usize > ChunkHeader::LEN || (self.done && !whole) {
            return refuse("chunk_header_size", self.header_at, self.header_size);
        }
        let partial_end = if whole && !self.done { MessageHeader::LEN } else { 1 };
        if self.partial.size as usize >= partial_end {
            return refuse("msg_header_partial_len", self.partial_at, self.partial.size);
        }
        if !self.done && self.remaining != 0 {
            return refuse("agent2client.msg_remaining", self.remaining_at, self.remaining);
        }
        Ok(match ChunkHeader::decode(&self.header) {
            Some(chunk) if self.done => {
                AgentReadState::Message { chunk, remaining: self.remaining, filter: self.filter }
            }
            Some(chunk) if whole => {
                AgentReadState::MessageHeader { chunk, partial: self.partial.bytes(body, left)? }
            }
            _ => AgentReadState::ChunkHeader {
                read: u8::try_from(self.header_size).unwrap_or(u8::MAX),
                bytes: self.header,
            },
        })
    }
}

fn refuse<T>(name: &'static str, at: In<'_>, value: u32) -> Result<T, nom::Err<Fault>> {
    named(name, Err(Fault::at(at, DecodeErrorKind::Value { value: value.into() })))
}

impl AgentReadState {
    /// Appends the fixed part, and gives the bytes that lie behind it and the slot of their place.
    fn put_fixed(&self, writer: &mut Writer) -> (Bytes, OffsetSlot) {
        let (header_size, done, partial, remaining, filter) = match self {
            Self::ChunkHeader { read, .. } => {
                (usize::from(*read).min(ChunkHeader::LEN - 1), false, Bytes::new(), 0, FilterResult::OK)
            }
            Self::MessageHeader { partial, .. } => {
                let partial = partial.slice(..partial.len().min(MessageHeader::LEN - 1));
                (ChunkHeader::LEN, false, partial, 0, FilterResult::OK)
            }
            Self::Message { remaining, filter, .. } => {
                (ChunkHeader::LEN, true, Bytes::new(), *remaining, *filter)
            }
        };
        u32::try_from(header_size).unwrap_or(u32::MAX).put(writer);
        match self {
            Self::ChunkHeader { bytes, .. } => bytes.put(writer),
            Self::MessageHeader { chunk, .. } | Self::Message { chunk, .. } => chunk.put(writer),
        }
        u8::from(done).put(writer);
        size(&partial).put(writer);
        let slot = writer.put_offset();
        remaining.put(writer);
        filter.put(writer);
        (partial, slot)
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(match source.int_in_range(0..=2)? {
            0 => Self::ChunkHeader { read: source.int_in_range(0..=7)?, bytes: source.arbitrary()? },
            1 => {
                let chunk = Wire::arbitrary(source)?;
                let len = source.arbitrary_len::<u8>()?.min(MessageHeader::LEN - 1);
                Self::MessageHeader { chunk, partial: Bytes::copy_from_slice(source.bytes(len)?) }
            }
            _ => Self::Message {
                chunk: Wire::arbitrary(source)?,
                remaining: Wire::arbitrary(source)?,
                filter: Wire::arbitrary(source)?,
            },
        })
    }
}

impl State for MainData {
    const MAGIC: MigrateMagic = MigrateMagic::MAIN;
}

impl Wire for MainData {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, device) = Fixed::parse(body, input)?;
        let (input, client_agent_started) = parse_bool("client_agent_started", body, input)?;
        let (input, read) = FixedRead::parse(body, input)?;
        let (input, remaining) = field("client2agent.msg_remaining", body, input)?;
        let (left, filter) = field("client2agent.msg_filter_result", body, input)?;
        let device = device.device(body, left)?;
        let read = read.state(body, left)?;
        let write = AgentWriteState { remaining, filter };
        let agent = device.map(|device| AgentState { device, client_agent_started, read, write });
        Ok((&[], Self { agent }))
    }

    fn put(&self, writer: &mut Writer) {
        let none = AgentState {
            device: CharDevice::default(),
            client_agent_started: false,
            read: AgentReadState::default(),
            write: AgentWriteState { remaining: 0, filter: FilterResult::OK },
        };
        let device_slot = put_fixed(self.agent.as_ref().map(|agent| &agent.device), writer);
        let agent = self.agent.as_ref().unwrap_or(&none);
        u8::from(agent.client_agent_started).put(writer);
        let (partial, partial_slot) = agent.read.put_fixed(writer);
        agent.write.put(writer);
        put_bytes(&agent.device.write_data, &device_slot, writer);
        put_bytes(&partial, &partial_slot, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        if !source.arbitrary::<bool>()? {
            return Ok(Self { agent: None });
        }
        let agent = AgentState {
            client_agent_started: source.arbitrary()?,
            read: AgentReadState::arbitrary(source)?,
            write: Wire::arbitrary(source)?,
            device: CharDevice::arbitrary(source)?,
        };
        Ok(Self { agent: Some(agent) })
    }
}
