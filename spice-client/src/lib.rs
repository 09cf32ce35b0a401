//! A SPICE viewer without I/O: bytes from a server in, answers and pictures out.
//!
//! Channel by channel: [`ViewerLink`] shakes hands, [`ChannelPeer`] takes the stream apart and answers what any viewer
//! has to, [`DisplayModel`] and [`CursorModel`] are what a viewer shows. Who only wants to know what stands in a
//! corner of the screen, for many viewers at little cost, takes a [`Skimmer`] and a [`CornerModel`] instead. Messages are
//! taken apart by `spice_proto` and painted with `spice_display`'s canvas, which is held against the C server's.
//!
//! The models are strict: where a real viewer would warn, wait or leave something out, they err. That is what tests and
//! measurements want of them.
//!
//! ```no_run
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use spice_client::{ChannelPeer, link};
//! use spice_proto::caps::CapabilitySet;
//! use spice_proto::{ChannelType, ConnectionId};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut stream = TcpStream::connect("127.0.0.1:5900")?;
//! let linked = link(&mut stream, ConnectionId(0), ChannelType::MAIN, CapabilitySet::default(), "")?;
//! let mut peer = ChannelPeer::new(linked.header);
//! let mut bytes = [0; 4096];
//! loop {
//!     let len = stream.read(&mut bytes)?;
//!     peer.handle_bytes(&bytes[..len]);
//!     while let Some((id, body)) = peer.poll_message()? {
//!         println!("message {id} of {} bytes", body.len());
//!     }
//!     stream.write_all(&peer.take_answers())?;
//! }
//! # }
//! ```

mod answers;
mod corner;
mod cursor;
mod display;
mod error;
mod images;
mod kept;
mod link;
mod peer;
mod skim;
mod translate;

pub use corner::CornerModel;
pub use cursor::CursorModel;
pub use display::DisplayModel;
pub use error::{ModelError, PeerError};
pub use link::{LinkFailure, Linked, ViewerLink, link, link_and_send};
pub use peer::ChannelPeer;
pub use skim::Skimmer;
