//! Viewers for tests: a SPICE client without I/O that paints what it is sent. It takes messages apart by itself, and
//! paints with `spice_display`'s canvas, which is held against the C server's. And guests for tests: [`torture`] draws
//! with every operation and every kind of operand.

mod cursor;
mod display;
mod images;
mod link;
mod peer;
pub mod torture;
mod translate;

pub use cursor::CursorModel;
pub use display::DisplayModel;
pub use link::{LinkFailure, Linked, link, link_and_send};
pub use peer::ChannelPeer;
