//! The stream device: a guest that encodes its screen by itself hands the video over here.
//!
//! Either side sends frames: a [`FrameHeader`] and a message. The host begins with its capabilities, the guest answers
//! with its own. The host then names the codecs that the viewers know; the guest names a format and sends the data of
//! that stream, until the host says otherwise.
//!
//! ```
//! use spice_proto::stream_device::{FrameDecoder, GuestMessage, Sender, StreamMove};
//!
//! let message = GuestMessage::CursorMove(StreamMove { x: 3, y: -1 });
//! let mut bytes = message.to_frame().to_bytes();
//!
//! let mut decoder = FrameDecoder::new(Sender::Guest);
//! while let Some(frame) = decoder.read(&mut bytes)? {
//!     assert_eq!(GuestMessage::decode(frame.id, &frame.body)?, message);
//! }
//! # Ok::<(), spice_proto::DecodeError>(())
//! ```
//!
//! Facts are those of `spice/stream-device.h`, limits those of servers and guests in use.

mod frame;
mod message;

pub use frame::{Frame, FrameDecoder, FrameHeader, PROTOCOL_VERSION, Sender};
pub use message::{
    CursorSet, GuestMessage, HostMessage, MAX_CURSOR_SIDE, NotifyError, StartStop, StreamCap,
    StreamCapabilities, StreamDisplayInfo, StreamFormat, StreamMove,
};
