//! SPICE channels without I/O: one channel, many clients, each with a bounded pipe of its own.
//!
//! - [`RedChannel`] is one channel of the server, for instance the display of a monitor; it has many clients.
//! - [`RedChannelClient`] is one viewer's connection to it: frames in and out, acknowledgements, pings, liveness.
//! - [`Pipe`] is what a client still has to be sent, as intentions; they become bytes when there is room.
//! - [`RedClient`] is one viewer: the channels that it has.
//!
//! Everything is a deterministic state machine. Bytes and time go in through `handle_*`, intentions through commands;
//! messages, bytes and a deadline come out of `poll_*`. The owner calls the polls after anything that it puts in:
//!
//! ```
//! use spice_channel::{ChannelConfig, Pipe, RedChannelClient, Time};
//! use spice_proto::{Body, HeaderKind};
//!
//! let now = Time::from_millis(5);
//! let mut client = RedChannelClient::new(HeaderKind::Mini, ChannelConfig::default(), now);
//! client.handle_bytes(&b"\x02\x00\x00\x00\x00\x00"[..], now); // an acknowledgement: kept inside
//! assert_eq!(client.poll_message(now)?, None);
//!
//! let mut pipe = Pipe::default();
//! let _ = pipe.enqueue("the newest picture", 18);
//! while client.has_room() && let Some(item) = pipe.pop() {
//!     client.send(302, &Body::from(bytes::Bytes::from(item)));
//! }
//! let to_the_socket = client.poll_transmit(now);
//! # assert!(to_the_socket.is_some());
//! # Ok::<(), spice_channel::ChannelError>(())
//! ```

mod ack;
mod budget;
mod channel;
mod client;
mod delivery;
mod error;
mod incoming;
mod liveness;
mod pipe;
mod red_client;
mod time;

pub use ack::AckWindow;
pub use budget::{BudgetLimits, Rate};
pub use channel::{Channel, ChannelLink, ClientId, RedChannel};
pub use client::{ChannelConfig, DescriptorId, RedChannelClient, Transmit};
pub use delivery::RoomLimits;
pub use error::{ChannelError, Scope};
pub use incoming::IncomingMessage;
pub use pipe::{Full, Pipe, PipeLimits};
pub use red_client::{Attached, RedClient};
pub use time::Time;
