//! The SPICE remote desktop protocol on the wire, and nothing else: no socket, no clock, no thread.
//!
//! Every message of a channel is a variant of that channel's `ServerMessage` or `ClientMessage`; both directions can
//! be decoded and encoded, so a client can be written on this crate as well as a server, a proxy or a recorder.
//!
//! ```
//! use bytes::Bytes;
//! use spice_proto::base::{ServerMessage, SetAck};
//!
//! let message = ServerMessage::SetAck(SetAck { generation: 1, window: 20 });
//! let body = message.encode().to_bytes();
//! assert_eq!(ServerMessage::decode(message.id(), &body), Ok(message));
//!
//! let error = ServerMessage::decode(3, &Bytes::from_static(&[1, 0, 0, 0, 20])).unwrap_err();
//! assert_eq!(error.to_string(), "base.SetAck.window at 4: 3 bytes missing");
//! ```
//!
//! Decoders are total: the whole body or an error that names the message, the field and the byte. They allocate at
//! most a constant times their input, and payloads are slices of it. Numbers that the protocol enumerates stay open:
//! a value without a name here survives, and prints.
//!
//! Facts are those of `spice/protocol.h`, `spice/enums.h` and `spice.proto`; names follow them.

mod device_address;
mod draw;
mod error;
mod geometry;
mod header;
mod ids;
mod message;
mod wire;

pub mod agent;
pub mod caps;
pub mod link;
pub mod migration;
pub mod stream_device;
pub mod vv;

pub use device_address::DeviceAddress;
pub use error::{DecodeError, DecodeErrorKind};
pub use geometry::{Point, Point16, Rect};
pub use header::{DataHeader, HeaderKind};
pub use ids::{ChannelId, ChannelType, ConnectionId, LinkError, SurfaceId, UnknownChannelName};
pub use message::{
    LAST_BASE_ID, base, cursor, display, inputs, main, playback, port, record, smartcard, tunnel, vmc,
};
pub use wire::Body;
