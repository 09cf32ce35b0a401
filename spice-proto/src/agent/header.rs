//! The headers of chunks and of messages.

use bytes::Bytes;

use crate::open_enum;
use crate::wire::{Wire, Writer, record, wire_newtype};

/// Bytes of a message that one chunk may carry towards the guest, and that one piece on the main channel may carry
/// either way (`VD_AGENT_MAX_DATA_SIZE`). A guest may write longer chunks.
pub const MAX_CHUNK: usize = 2048;

/// What every message's header begins with (`VD_AGENT_PROTOCOL`).
pub const PROTOCOL: u32 = 1;

open_enum! {
    /// Whose messages a chunk carries (`VDP_*_PORT`).
    pub enum Port: u32 {
        /// The viewer's: the server passes them on.
        CLIENT = 1,
        /// The server's own.
        SERVER = 2,
    }
}

open_enum! {
    /// What an agent message says (`VD_AGENT_*`).
    pub enum MessageType: u32 {
        /// [`MouseState`](super::MouseState).
        MOUSE_STATE = 1,
        /// [`MonitorsConfig`](super::MonitorsConfig).
        MONITORS_CONFIG = 2,
        /// [`Reply`](super::Reply).
        REPLY = 3,
        /// [`Clipboard`](super::Clipboard).
        CLIPBOARD = 4,
        /// [`DisplayConfig`](super::DisplayConfig).
        DISPLAY_CONFIG = 5,
        /// [`AnnounceCapabilities`](super::AnnounceCapabilities).
        ANNOUNCE_CAPABILITIES = 6,
        /// [`ClipboardGrab`](super::ClipboardGrab).
        CLIPBOARD_GRAB = 7,
        /// [`ClipboardRequest`](super::ClipboardRequest).
        CLIPBOARD_REQUEST = 8,
        /// [`ClipboardRelease`](super::ClipboardRelease).
        CLIPBOARD_RELEASE = 9,
        /// [`FileXferStart`](super::FileXferStart).
        FILE_XFER_START = 10,
        /// [`FileXferStatus`](super::FileXferStatus).
        FILE_XFER_STATUS = 11,
        /// [`FileXferData`](super::FileXferData).
        FILE_XFER_DATA = 12,
        /// Nothing but itself.
        CLIENT_DISCONNECTED = 13,
        /// [`MaxClipboard`](super::MaxClipboard).
        MAX_CLIPBOARD = 14,
        /// [`AudioVolumeSync`](super::AudioVolumeSync).
        AUDIO_VOLUME_SYNC = 15,
        /// [`GraphicsDeviceInfo`](super::GraphicsDeviceInfo).
        GRAPHICS_DEVICE_INFO = 16,
    }
}

wire_newtype!(Port(u32), MessageType(u32));

record! {
    /// What stands before each chunk on the device, and not on the main channel (`VDIChunkHeader`).
    #[derive(Copy, Eq)]
    pub struct ChunkHeader {
        /// Whose messages.
        pub port: Port,
        /// Bytes that follow, this header not among them.
        pub size: u32,
    }
}

record! {
    /// What stands before each message's content (`VDAgentMessage`).
    #[derive(Copy, Eq)]
    pub struct MessageHeader {
        /// [`PROTOCOL`].
        pub protocol: u32,
        /// What the content is.
        pub message_type: MessageType,
        /// The sender's own; 0 by custom.
        pub opaque: u64,
        /// Bytes of content that follow.
        pub size: u32,
    }
}

macro_rules! header {
    ($name:ident, $len:literal) => {
        impl $name {
            /// Bytes that it takes.
            pub const LEN: usize = $len;

            /// The header at the front of `bytes`, or `None` while it is not whole. Its numbers are as they came,
            /// unchecked.
            #[must_use]
            pub fn decode(bytes: &[u8]) -> Option<Self> {
                Self::parse(&Bytes::new(), bytes).ok().map(|(_, header)| header)
            }

            /// Appends it.
            pub fn encode(&self, out: &mut Vec<u8>) {
                let mut writer = Writer::default();
                self.put(&mut writer);
                out.extend_from_slice(&writer.finish().to_bytes());
            }
        }
    };
}

header!(ChunkHeader, 8);
header!(MessageHeader, 20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_headers_lie_as_the_agent_has_them_and_no_truncation_passes() {
        let chunk = ChunkHeader { port: Port::SERVER, size: 0x0102 };
        let message = MessageHeader {
            protocol: PROTOCOL,
            message_type: MessageType::CLIPBOARD_GRAB,
            opaque: 0x1122_3344_5566_7788,
            size: 8,
        };
        let mut bytes = Vec::new();
        chunk.encode(&mut bytes);
        assert_eq!(bytes, *b"\x02\0\0\0\x02\x01\0\0");
        message.encode(&mut bytes);
        let (first, second) = bytes.split_at(ChunkHeader::LEN);
        assert_eq!(second, b"\x01\0\0\0\x07\0\0\0\x88\x77\x66\x55\x44\x33\x22\x11\x08\0\0\0");
        assert_eq!((ChunkHeader::decode(first), MessageHeader::decode(second)), (Some(chunk), Some(message)));
        assert_eq!(second.len(), MessageHeader::LEN);
        for short in 0..second.len() {
            assert_eq!(MessageHeader::decode(&second[..short]), None);
            assert_eq!(ChunkHeader::decode(&first[..short.min(7)]), None);
        }
    }
}
