//! Files from the viewer to the guest.

use bytes::Bytes;

use crate::error::DecodeErrorKind;
use crate::open_enum;
use crate::wire::{Fault, In, Parsed, Wire, Writer, field, named, record, rest, wire_newtype};

open_enum! {
    /// How a transfer stands (`VD_AGENT_FILE_XFER_STATUS_*`).
    pub enum FileXferResult: u32 {
        /// The file's content may be sent.
        CAN_SEND_DATA = 0,
        /// Called off, by either end.
        CANCELLED = 1,
        /// Failed.
        ERROR = 2,
        /// The file is there.
        SUCCESS = 3,
        /// No room for it.
        NOT_ENOUGH_SPACE = 4,
        /// The guest's session is locked.
        SESSION_LOCKED = 5,
        /// The agent of the guest's session is not there.
        VDAGENT_NOT_CONNECTED = 6,
        /// The guest takes no files.
        DISABLED = 7,
    }
}

open_enum! {
    /// Whose error codes these are (`VD_AGENT_FILE_XFER_STATUS_ERROR_*`).
    pub enum FileXferErrorKind: u8 {
        /// GLib's `GIOErrorEnum`.
        GLIB_IO = 0,
    }
}

wire_newtype!(FileXferResult(u32), FileXferErrorKind(u8));

record! {
    /// A file is to be sent (`VDAgentFileXferStartMessage`).
    #[derive(Eq)]
    pub struct FileXferStart {
        /// Names the transfer.
        pub id: u32,
        /// A GLib key file with `name` and `size` in its group `vdagent-file-xfer`, with the NUL that ends it on the
        /// wire.
        pub data: Bytes,
    }
}

/// A part of a file's content (`VDAgentFileXferDataMessage`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileXferData {
    /// Which transfer.
    pub id: u32,
    /// The next bytes; none for an empty file.
    pub data: Bytes,
}

impl Wire for FileXferData {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, id) = field("id", body, input)?;
        let at = input;
        let (input, size) = field::<u64>("size", body, input)?;
        let (left, data) = named("data", rest(body, input))?;
        let here = data.len() as u64;
        let kind = match size.checked_sub(here) {
            Some(0) => return Ok((left, Self { id, data })),
            Some(missing) => {
                DecodeErrorKind::Truncated { missing: usize::try_from(missing).unwrap_or(usize::MAX) }
            }
            None => DecodeErrorKind::Trailing { left: data.len() - usize::try_from(size).unwrap_or(0) },
        };
        named("size", Err(Fault::at(at, kind)))
    }

    fn put(&self, writer: &mut Writer) {
        self.id.put(writer);
        (self.data.len() as u64).put(writer);
        self.data.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self { id: Wire::arbitrary(source)?, data: Wire::arbitrary(source)? })
    }
}

/// How a transfer stands (`VDAgentFileXferStatusMessage`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileXferStatus {
    /// Which transfer.
    pub id: u32,
    /// How it stands.
    pub result: FileXferResult,
    /// More about it. Only an agent that has
    /// [`FILE_XFER_DETAILED_ERRORS`](super::AgentCap::FILE_XFER_DETAILED_ERRORS) says more, to a viewer that has it as
    /// well, and even then it need not.
    pub detail: FileXferDetail,
}

/// What a status says beyond its result. One that does not belong to the result comes back as [`Self::Other`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileXferDetail {
    /// Nothing.
    None,
    /// To [`FileXferResult::ERROR`] (`VDAgentFileXferStatusError`).
    Error {
        /// Whose codes.
        kind: FileXferErrorKind,
        /// The code.
        code: u32,
    },
    /// To [`FileXferResult::NOT_ENOUGH_SPACE`] (`VDAgentFileXferStatusNotEnoughSpace`).
    NotEnoughSpace {
        /// Bytes that are free.
        disk_free_space: u64,
    },
    /// Bytes that have no meaning here.
    Other(Bytes),
}

impl Wire for FileXferStatus {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, id) = field("id", body, input)?;
        let (input, result) = field("result", body, input)?;
        let (input, detail) = match (result, input.len()) {
            (_, 0) => (input, FileXferDetail::None),
            (FileXferResult::ERROR, 5) => {
                let (input, kind) = field("error_type", body, input)?;
                let (input, code) = field("error_code", body, input)?;
                (input, FileXferDetail::Error { kind, code })
            }
            (FileXferResult::NOT_ENOUGH_SPACE, 8) => {
                let (input, disk_free_space) = field("disk_free_space", body, input)?;
                (input, FileXferDetail::NotEnoughSpace { disk_free_space })
            }
            _ => {
                let (input, data) = named("data", rest(body, input))?;
                (input, FileXferDetail::Other(data))
            }
        };
        Ok((input, Self { id, result, detail }))
    }

    fn put(&self, writer: &mut Writer) {
        self.id.put(writer);
        self.result.put(writer);
        match &self.detail {
            FileXferDetail::None => {}
            FileXferDetail::Error { kind, code } => {
                kind.put(writer);
                code.put(writer);
            }
            FileXferDetail::NotEnoughSpace { disk_free_space } => disk_free_space.put(writer),
            FileXferDetail::Other(data) => data.put(writer),
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let id = Wire::arbitrary(source)?;
        let (result, detail) = match source.int_in_range(0..=3)? {
            0 => {
                let detail =
                    FileXferDetail::Error { kind: Wire::arbitrary(source)?, code: Wire::arbitrary(source)? };
                (FileXferResult::ERROR, detail)
            }
            1 => {
                let detail = FileXferDetail::NotEnoughSpace { disk_free_space: Wire::arbitrary(source)? };
                (FileXferResult::NOT_ENOUGH_SPACE, detail)
            }
            2 => {
                let data = Bytes::copy_from_slice(source.bytes(source.len().min(3))?);
                let detail = if data.is_empty() { FileXferDetail::None } else { FileXferDetail::Other(data) };
                (Wire::arbitrary(source)?, detail)
            }
            _ => (Wire::arbitrary(source)?, FileXferDetail::None),
        };
        Ok(Self { id, result, detail })
    }
}
