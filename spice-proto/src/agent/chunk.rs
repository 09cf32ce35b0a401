//! Messages in pieces: towards the other end, and off the device.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{ChunkHeader, MAX_CHUNK, MessageHeader, MessageType, PROTOCOL, Port};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::wire::{Body, Gather, Wire, Writer};

/// Cuts a message into pieces of at most [`MAX_CHUNK`] bytes, in order; the first holds the message's header.
///
/// As an iterator it yields what the main channel's agent-data messages carry, each of which costs a token. No piece
/// holds bytes of two messages: an agent takes that for a loss of synchronization.
#[derive(Clone, Debug)]
pub struct ChunkSplitter {
    pieces: VecDeque<Bytes>,
    left: usize,
}

impl ChunkSplitter {
    /// The pieces of a message with this content. Content beyond 4 GiB is left out.
    #[must_use]
    pub fn new(message_type: MessageType, opaque: u64, content: &Body) -> Self {
        let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let mut header = Vec::with_capacity(MessageHeader::LEN);
        MessageHeader { protocol: PROTOCOL, message_type, opaque, size }.encode(&mut header);
        let left = MessageHeader::LEN.saturating_add(size as usize);
        let pieces = std::iter::once(Bytes::from(header)).chain(content.pieces().iter().cloned()).collect();
        Self { pieces, left }
    }

    /// The same pieces as the device carries them, each behind its chunk header.
    pub fn on_port(self, port: Port) -> impl ExactSizeIterator<Item = Body> {
        self.map(move |data| {
            let mut writer = Writer::default();
            ChunkHeader { port, size: u32::try_from(data.len()).unwrap_or(u32::MAX) }.put(&mut writer);
            data.put(&mut writer);
            writer.finish()
        })
    }
}

impl Iterator for ChunkSplitter {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let len = self.left.min(MAX_CHUNK);
        if len == 0 {
            return None;
        }
        let mut gather = Gather::default();
        while let Some(front) = self.pieces.front_mut() {
            if let Some(piece) = gather.take(front, len) {
                self.left -= len;
                return Some(piece);
            }
            self.pieces.pop_front();
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let pieces = self.left.div_ceil(MAX_CHUNK);
        (pieces, Some(pieces))
    }
}

impl ExactSizeIterator for ChunkSplitter {}

/// A piece of the byte stream that one port's messages are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Whose messages.
    pub port: Port,
    /// The bytes: at most [`MAX_CHUNK`], at least one.
    pub data: Bytes,
}

/// Reads chunks off the device, in whatever pieces its bytes come.
///
/// A longer chunk than [`MAX_CHUNK`] comes out in several pieces, as the main channel carries it; an empty one does
/// not come out. At most [`MAX_CHUNK`] bytes are kept.
#[derive(Clone, Debug, Default)]
pub struct ChunkReader {
    gather: Gather,
    /// The header of the chunk that is being read; its size is what has not come out of it.
    chunk: Option<ChunkHeader>,
    failed: Option<DecodeError>,
}

/// What a [`ChunkReader`] has read and not given out: what a migrating server hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending<'a> {
    /// The first bytes of a chunk's header, or none between two chunks.
    Header(&'a [u8]),
    /// The first bytes of a piece.
    Piece {
        /// Whose messages the chunk carries.
        port: Port,
        /// Bytes of the chunk that have not come out, those of `data` among them.
        left: u32,
        /// The bytes that are there.
        data: &'a [u8],
    },
}

impl ChunkReader {
    /// The next piece, once it is whole; takes from the front of `input` what it needs. `None`: all of `input` is
    /// taken, and more is needed.
    ///
    /// # Errors
    /// A port that does not exist: the stream has lost its synchronization, and every later call says so again.
    pub fn read(&mut self, input: &mut Bytes) -> Result<Option<Chunk>, DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        loop {
            let Some(chunk) = &mut self.chunk else {
                let Some(bytes) = self.gather.take(input, ChunkHeader::LEN) else { return Ok(None) };
                let Some(header) = ChunkHeader::decode(&bytes) else { return Ok(None) };
                if !matches!(header.port, Port::CLIENT | Port::SERVER) {
                    let kind = DecodeErrorKind::Value { value: header.port.0.into() };
                    let error = DecodeError { message: "agent.ChunkHeader", field: "port", offset: 0, kind };
                    return Err(self.failed.insert(error).clone());
                }
                self.chunk = (header.size > 0).then_some(header);
                continue;
            };
            let len = (chunk.size as usize).min(MAX_CHUNK);
            let Some(data) = self.gather.take(input, len) else { return Ok(None) };
            let port = chunk.port;
            chunk.size = chunk.size.saturating_sub(u32::try_from(len).unwrap_or(u32::MAX));
            if chunk.size == 0 {
                self.chunk = None;
            }
            return Ok(Some(Chunk { port, data }));
        }
    }

    /// What has been read and not given out. A new reader goes on from there when it reads the same again: these
    /// bytes, behind a header of `left` bytes where there is a piece.
    #[must_use]
    pub fn pending(&self) -> Pending<'_> {
        match &self.chunk {
            None => Pending::Header(self.gather.kept()),
            Some(chunk) => Pending::Piece { port: chunk.port, left: chunk.size, data: self.gather.kept() },
        }
    }
}
