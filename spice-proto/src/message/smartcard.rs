//! The smartcard channel: readers and cards at the viewer, used by the guest.
//!
//! Each message carries one message of the virtual smartcard protocol (`vscard_common.h` of libcacard), whose host is
//! the guest's reader device and whose client is the viewer:
//!
//! ```text
//! viewer                          server
//! ReaderAdd                   ->
//!                             <-  Error SUCCESS, with the reader's id
//! Atr (a card is put in)      ->
//!                             <-  Error SUCCESS
//!                             <-  Apdu (a command)
//! Apdu (the answer)           ->
//! CardRemove, ReaderRemove    ->
//!                             <-  Error SUCCESS, for each
//! ```
//!
//! The header is little endian on the channel and big endian towards the device ([`VscMessage::encode_for_device`]).
//! The server passes a payload on as it is.

use bytes::Bytes;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::open_enum;
use crate::wire::{Fault, In, Parsed, Wire, Writer, field, id, messages, named, shared, wire_newtype};

messages! {
    /// From the server (`SpiceMsgSmartcard`).
    pub enum ServerMessage in "smartcard" {
        /// A message of the virtual smartcard protocol.
        101 Data(VscMessage, all),
    }
}

messages! {
    /// From the viewer (`VSCMsgHeader`).
    pub enum ClientMessage in "smartcard" {
        /// A message of the virtual smartcard protocol.
        101 Data(VscMessage, all),
    }
}

id! {
    /// Which reader. The server gives the numbers out, from 0.
    pub struct ReaderId(u32);
}

impl ReaderId {
    /// No reader, or one that has no number yet (`VSCARD_UNDEFINED_READER_ID`).
    pub const UNDEFINED: Self = Self(u32::MAX);
}

open_enum! {
    /// What a message is (`VSC_*`, `SPICE_VSC_MESSAGE_TYPE_*`).
    pub enum VscType: u32 {
        /// Version and capabilities.
        INIT = 1,
        /// How an earlier message fared.
        ERROR = 2,
        /// The viewer has a reader.
        READER_ADD = 3,
        /// The viewer has a reader no longer.
        READER_REMOVE = 4,
        /// A card is in a reader, or has been reset: its answer to reset.
        ATR = 5,
        /// A card has left a reader.
        CARD_REMOVE = 6,
        /// A command to a card, or its answer.
        APDU = 7,
        /// The viewer is to say when all commands are answered.
        FLUSH = 8,
        /// All commands are answered.
        FLUSH_COMPLETE = 9,
    }
}

open_enum! {
    /// How an earlier message fared (`VSCErrorCode`, and from a viewer libcacard's `VReaderStatus`).
    ///
    /// The server's own codes and a viewer's are little endian, and are read so. A code of the guest's device passes
    /// through the server unchanged and is big endian, so that there [`Self::GENERAL_ERROR`] arrives as
    /// `0x0100_0000`; [`Self::SUCCESS`] is the same either way.
    pub enum ErrorCode: u32 {
        /// Well.
        SUCCESS = 0,
        /// Not, for whatever reason.
        GENERAL_ERROR = 1,
        /// There is no place for a reader.
        CANNOT_ADD_MORE_READERS = 2,
        /// There is a card already (`VSC_CARD_ALREAY_INSERTED`, in this spelling).
        CARD_ALREADY_INSERTED = 3,
    }
}

wire_newtype!(VscType(u32), ErrorCode(u32));

/// What [`Payload::Init`] begins with (`VSCARD_MAGIC`).
const MAGIC: [u8; 4] = *b"VSCD";

/// The protocol's version in [`Init::version`]: 0.0.2, in 11, 11 and 10 bits (`VSCARD_VERSION`).
pub const VERSION: u32 = 2;

/// The most bytes of payload that [`VscMessage::decode_from_device`] waits for, which is what QEMU's reader can hold.
pub const MAX_DEVICE_PAYLOAD: u32 = 64 << 10;

/// `VSCMsgInit`. Servers drop it from both sides: on a SPICE channel nobody needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// The sender's version; [`VERSION`] is the only one so far.
    pub version: u32,
    /// Capabilities in words; none is defined so far, and one word of 0 is sent.
    pub capabilities: Vec<u32>,
}

/// One message of the virtual smartcard protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VscMessage {
    /// The reader that it is about.
    pub reader_id: ReaderId,
    /// What it says.
    pub payload: Payload,
}

/// What a message of the virtual smartcard protocol says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload {
    /// Version and capabilities.
    Init(Init),
    /// How an earlier message fared (`VSCMsgError`). To [`Self::ReaderAdd`] the answer's reader id is the new one.
    Error(ErrorCode),
    /// The viewer has a reader of this name, UTF-8 and without a NUL (`VSCMsgReaderAdd`).
    ReaderAdd(Bytes),
    /// The viewer has the reader no longer.
    ReaderRemove,
    /// A card is in the reader, or has been reset: its answer to reset (`VSCMsgATR`). QEMU takes 40 bytes at most.
    Atr(Bytes),
    /// The card has left the reader.
    CardRemove,
    /// A command to the card, or its answer (`VSCMsgAPDU`).
    Apdu(Bytes),
    /// The viewer is to say when all commands are answered.
    Flush,
    /// All commands are answered.
    FlushComplete,
    /// A message that has no name here.
    Other {
        /// Its number. One that has a name makes a message that decodes as something else.
        kind: VscType,
        /// Its content.
        data: Bytes,
    },
}

impl Payload {
    /// What the message is.
    #[must_use]
    pub const fn kind(&self) -> VscType {
        match self {
            Self::Init(_) => VscType::INIT,
            Self::Error(_) => VscType::ERROR,
            Self::ReaderAdd(_) => VscType::READER_ADD,
            Self::ReaderRemove => VscType::READER_REMOVE,
            Self::Atr(_) => VscType::ATR,
            Self::CardRemove => VscType::CARD_REMOVE,
            Self::Apdu(_) => VscType::APDU,
            Self::Flush => VscType::FLUSH,
            Self::FlushComplete => VscType::FLUSH_COMPLETE,
            Self::Other { kind, .. } => *kind,
        }
    }

    fn from_bytes(kind: VscType, data: Bytes) -> Result<Self, DecodeErrorKind> {
        let empty = |payload| match data.len() {
            0 => Ok(payload),
            left => Err(DecodeErrorKind::Trailing { left }),
        };
        match kind {
            VscType::INIT => Init::from_bytes(&data).map(Self::Init),
            VscType::ERROR => match *data {
                [a, b, c, d] => Ok(Self::Error(ErrorCode(u32::from_le_bytes([a, b, c, d])))),
                _ if data.len() < 4 => Err(DecodeErrorKind::Truncated { missing: 4 - data.len() }),
                _ => Err(DecodeErrorKind::Trailing { left: data.len() - 4 }),
            },
            VscType::READER_ADD => Ok(Self::ReaderAdd(data)),
            VscType::READER_REMOVE => empty(Self::ReaderRemove),
            VscType::ATR => Ok(Self::Atr(data)),
            VscType::CARD_REMOVE => empty(Self::CardRemove),
            VscType::APDU => Ok(Self::Apdu(data)),
            VscType::FLUSH => empty(Self::Flush),
            VscType::FLUSH_COMPLETE => empty(Self::FlushComplete),
            kind => Ok(Self::Other { kind, data }),
        }
    }

    fn to_bytes(&self) -> Bytes {
        match self {
            Self::Init(init) => init.to_bytes(),
            Self::Error(code) => Bytes::copy_from_slice(&code.0.to_le_bytes()),
            Self::ReaderAdd(data) | Self::Atr(data) | Self::Apdu(data) | Self::Other { data, .. } => {
                data.clone()
            }
            Self::ReaderRemove | Self::CardRemove | Self::Flush | Self::FlushComplete => Bytes::new(),
        }
    }
}

impl Init {
    fn from_bytes(data: &[u8]) -> Result<Self, DecodeErrorKind> {
        let (words, odd) = data.as_chunks::<4>();
        let [magic, version, capabilities @ ..] = words else {
            return Err(DecodeErrorKind::Truncated { missing: 8 - data.len() });
        };
        if *magic != MAGIC {
            return Err(DecodeErrorKind::Value { value: u32::from_le_bytes(*magic).into() });
        }
        if !odd.is_empty() {
            return Err(DecodeErrorKind::Trailing { left: odd.len() });
        }
        Ok(Self {
            version: u32::from_be_bytes(*version),
            capabilities: capabilities.iter().copied().map(u32::from_be_bytes).collect(),
        })
    }

    fn to_bytes(&self) -> Bytes {
        let mut bytes = Vec::with_capacity(8 + 4 * self.capabilities.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.version.to_be_bytes());
        for word in &self.capabilities {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        bytes.into()
    }
}

/// Bytes of a header: type, reader id, length of the payload.
const HEADER_LEN: usize = 12;

impl VscMessage {
    /// Appends the message as the guest's device takes it: its header is big endian.
    pub fn encode_for_device(&self, out: &mut Vec<u8>) {
        let data = self.payload.to_bytes();
        let len = u32::try_from(data.len()).unwrap_or(u32::MAX);
        for number in [self.payload.kind().0, self.reader_id.0, len] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&data);
    }

    /// The message at the front of what the guest's device has written, and how many bytes it takes; `None` while it
    /// is not whole. A device knows one reader, number 0; the server puts in the number that the viewer knows.
    ///
    /// # Errors
    /// A payload of more than [`MAX_DEVICE_PAYLOAD`] bytes, or one that its type cannot have. There is no way to go
    /// on with the device's stream after the former.
    pub fn decode_from_device(bytes: &Bytes) -> Result<Option<(Self, usize)>, DecodeError> {
        let Some([kind, reader_id, len]) = bytes.as_chunks::<4>().0.first_chunk::<3>() else {
            return Ok(None);
        };
        let [kind, reader_id, len] = [kind, reader_id, len].map(|word| u32::from_be_bytes(*word));
        let error = |field, offset, kind| DecodeError { message: "smartcard.Device", field, offset, kind };
        if len > MAX_DEVICE_PAYLOAD {
            let kind = DecodeErrorKind::TooMany { count: len.into(), max: MAX_DEVICE_PAYLOAD.into() };
            return Err(error("length", 8, kind));
        }
        let end = HEADER_LEN + len as usize;
        if bytes.len() < end {
            return Ok(None);
        }
        let payload = Payload::from_bytes(VscType(kind), bytes.slice(HEADER_LEN..end))
            .map_err(|kind| error("data", HEADER_LEN, kind))?;
        Ok(Some((Self { reader_id: ReaderId(reader_id), payload }, end)))
    }
}

impl Wire for VscMessage {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, kind) = field("type", body, input)?;
        let (input, reader_id) = field("reader_id", body, input)?;
        let (input, len) = field::<u32>("length", body, input)?;
        let (left, data) = named("data", shared(body, input, len as usize))?;
        match Payload::from_bytes(kind, data) {
            Ok(payload) => Ok((left, Self { reader_id, payload })),
            Err(kind) => named("data", Err(Fault::at(input, kind))),
        }
    }

    fn put(&self, writer: &mut Writer) {
        let data = self.payload.to_bytes();
        self.payload.kind().put(writer);
        self.reader_id.put(writer);
        u32::try_from(data.len()).unwrap_or(u32::MAX).put(writer);
        data.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let reader_id = Wire::arbitrary(source)?;
        let payload = match source.int_in_range(1..=10)? {
            1 => Payload::Init(Init {
                version: Wire::arbitrary(source)?,
                capabilities: crate::wire::arbitrary_list(source, 4)?,
            }),
            2 => Payload::Error(Wire::arbitrary(source)?),
            3 => Payload::ReaderAdd(Wire::arbitrary(source)?),
            4 => Payload::ReaderRemove,
            5 => Payload::Atr(Wire::arbitrary(source)?),
            6 => Payload::CardRemove,
            7 => Payload::Apdu(Wire::arbitrary(source)?),
            8 => Payload::Flush,
            9 => Payload::FlushComplete,
            _ => Payload::Other {
                kind: VscType(source.int_in_range(10..=u32::MAX)?),
                data: Wire::arbitrary(source)?,
            },
        };
        Ok(Self { reader_id, payload })
    }
}
