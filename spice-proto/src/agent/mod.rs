//! The agent's protocol: what server, viewer and an agent in the guest say to each other.
//!
//! A message is a [`MessageHeader`] and its content. Between viewer and server it is cut into pieces of at most
//! [`MAX_CHUNK`] bytes, which the main channel's agent-data messages carry. Between server and guest the same pieces lie
//! on a device, each behind a [`ChunkHeader`] that says whose message it belongs to.
//!
//! ```text
//! viewer                      server                       guest
//! AgentData(piece)      ->    ChunkHeader, piece     ->    ChunkReader, Reassembler
//! Reassembler           <-    AgentData(piece)       <-    ChunkHeader, bytes
//! ```
//!
//! ```
//! use spice_proto::agent::{AgentLayout, ChunkSplitter, MaxClipboard, Message, Reassembler};
//!
//! let layout = AgentLayout::default();
//! let message = Message::MaxClipboard(MaxClipboard { max: 1 << 20 });
//! let content = message.encode(layout).unwrap();
//!
//! let mut reassembler = Reassembler::new(1 << 20);
//! for mut piece in ChunkSplitter::new(message.message_type(), 0, &content) {
//!     while let Some(raw) = reassembler.read(&mut piece)? {
//!         assert_eq!(Message::decode(raw.message_type, &raw.data, layout)?, message);
//!     }
//! }
//! # Ok::<(), spice_proto::DecodeError>(())
//! ```
//!
//! Facts are those of `spice/vd_agent.h`.

mod caps;
mod chunk;
mod clipboard;
mod devices;
mod file_xfer;
mod header;
mod message;
mod reassemble;

pub use caps::{AgentCap, AgentLayout, AnnounceCapabilities};
pub use chunk::{Chunk, ChunkReader, ChunkSplitter, Pending};
pub use clipboard::{
    Clipboard, ClipboardGrab, ClipboardRelease, ClipboardRequest, ClipboardSelection, ClipboardType,
    MaxClipboard,
};
pub use devices::{
    AgentButtons, AudioVolumeSync, DeviceDisplayInfo, DisplayConfig, DisplayConfigFlags, GraphicsDeviceInfo,
    Monitor, MonitorsConfig, MonitorsFlags, MouseState, PhysicalSize, Reply, ReplyError,
};
pub use file_xfer::{
    FileXferData, FileXferDetail, FileXferErrorKind, FileXferResult, FileXferStart, FileXferStatus,
};
pub use header::{ChunkHeader, MAX_CHUNK, MessageHeader, MessageType, PROTOCOL, Port};
pub use message::Message;
pub use reassemble::{RawMessage, Reassembler};
