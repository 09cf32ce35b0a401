//! Frames: headers, and how large a message of each kind may be.

use core::ops::RangeInclusive;

use bytes::Bytes;

use super::{GuestMessage, HostMessage};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::wire::{Body, Gather, Wire, Writer, record};

/// The version that every frame names (`STREAM_DEVICE_PROTOCOL`).
pub const PROTOCOL_VERSION: u8 = 1;

record! {
    /// What stands before each message (`StreamDevHeader`).
    #[derive(Copy, Eq)]
    pub struct FrameHeader {
        /// [`PROTOCOL_VERSION`].
        pub protocol_version: u8,
        /// Nothing; 0 by custom.
        pub padding: u8,
        /// The message's number.
        pub id: u16,
        /// Bytes of message that follow.
        pub size: u32,
    }
}

impl FrameHeader {
    /// Bytes that it takes.
    pub const LEN: usize = 8;

    /// The header at the front of `bytes`, or `None` while it is not whole. Its numbers are as they came, unchecked.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        Self::parse(&Bytes::new(), bytes).ok().map(|(_, header)| header)
    }
}

/// Who sends: guest and host have different messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The guest, whose frames hold a [`GuestMessage`].
    Guest,
    /// The host, whose frames hold a [`HostMessage`].
    Host,
}

impl Sender {
    /// The sizes that a message with this number may have, in bytes; `None` if this side has no such message.
    ///
    /// A quality indicator's limit is this library's own: its format is open.
    #[must_use]
    pub const fn sizes(self, id: u16) -> Option<RangeInclusive<u32>> {
        /// Pixels of 32 bits and a mask of one bit.
        const MAX_CURSOR: u32 = (1024 * 4 + 1024 / 8) * 1024;
        Some(match (self, id) {
            (Self::Guest | Self::Host, 1) => 0..=1024,
            (Self::Guest, 2) => 12..=12,
            (Self::Guest, 3) => 0..=(32 << 20),
            (Self::Host, 4) => 1..=(1 + 255),
            (Self::Host, 5) => 4..=(4 + 1024),
            (Self::Guest, 6) => 12..=(12 + MAX_CURSOR),
            (Self::Guest, 7) => 8..=8,
            (Self::Guest, 8) => 12..=(12 + 256),
            (Self::Guest, 9) => 0..=1024,
            _ => return None,
        })
    }
}

/// A whole message, not looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The message's number.
    pub id: u16,
    /// The message, for `decode`. It shares the memory of the bytes that it came in, if it came at once.
    pub body: Bytes,
}

/// Reads frames off the device, in whatever pieces its bytes come.
///
/// A message that is only announced takes no memory: what is kept is what has come, at most twice over, and less than
/// [`Sender::sizes`] allows.
#[derive(Clone, Debug)]
pub struct FrameDecoder {
    sender: Sender,
    gather: Gather,
    header: Option<FrameHeader>,
    failed: Option<DecodeError>,
}

impl FrameDecoder {
    /// One that reads what this side sends.
    #[must_use]
    pub fn new(sender: Sender) -> Self {
        Self { sender, gather: Gather::default(), header: None, failed: None }
    }

    /// The next frame, once it is whole; takes from the front of `input` what it needs. `None`: all of `input` is
    /// taken, and more is needed.
    ///
    /// # Errors
    /// Another version, a message that this side does not have, a size that this message cannot have: nothing can be
    /// read from then on, and every later call says so again. What a body of possible size says is not looked into.
    pub fn read(&mut self, input: &mut Bytes) -> Result<Option<Frame>, DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let header = match self.header {
            Some(header) => header,
            None => {
                let Some(bytes) = self.gather.take(input, FrameHeader::LEN) else { return Ok(None) };
                let Some(header) = FrameHeader::decode(&bytes) else { return Ok(None) };
                if let Err(error) = self.check(&header) {
                    return Err(self.failed.insert(error).clone());
                }
                *self.header.insert(header)
            }
        };
        let Some(body) = self.gather.take(input, header.size as usize) else { return Ok(None) };
        self.header = None;
        Ok(Some(Frame { id: header.id, body }))
    }

    fn check(&self, header: &FrameHeader) -> Result<(), DecodeError> {
        let fault = |field, offset, kind| DecodeError { message: "stream.FrameHeader", field, offset, kind };
        if header.protocol_version != PROTOCOL_VERSION {
            let kind = DecodeErrorKind::Value { value: header.protocol_version.into() };
            return Err(fault("protocol_version", 0, kind));
        }
        let Some(sizes) = self.sender.sizes(header.id) else {
            return Err(fault("type", 2, DecodeErrorKind::Unknown { id: header.id }));
        };
        if let Some(missing) = sizes.start().checked_sub(header.size).filter(|missing| *missing > 0) {
            return Err(fault("size", 4, DecodeErrorKind::Truncated { missing: missing as usize }));
        }
        if header.size > *sizes.end() {
            let kind = DecodeErrorKind::TooMany { count: header.size.into(), max: (*sizes.end()).into() };
            return Err(fault("size", 4, kind));
        }
        Ok(())
    }
}

macro_rules! frames {
    ($($message:ident,)*) => {$(
        impl $message {
            /// The message as it goes on the device: behind its header.
            #[must_use]
            pub fn to_frame(&self) -> Body {
                let body = self.encode();
                let header = FrameHeader {
                    protocol_version: PROTOCOL_VERSION,
                    padding: 0,
                    id: self.id(),
                    size: u32::try_from(body.len()).unwrap_or(u32::MAX),
                };
                let mut writer = Writer::default();
                header.put(&mut writer);
                for piece in body.pieces() {
                    writer.put_bytes(piece);
                }
                writer.finish()
            }
        }
    )*};
}

frames! { GuestMessage, HostMessage, }
