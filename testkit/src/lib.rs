//! Viewers for tests: a SPICE client that paints what it is sent, written against `spice-proto` alone, so that it is
//! an oracle for the server and shares no code with its painter. And guests for tests: [`torture`] draws with every
//! operation and every kind of operand.

mod display;
mod link;
mod peer;
mod picture;
pub mod torture;

pub use display::DisplayModel;
pub use link::{LinkFailure, Linked, link, link_and_send};
pub use peer::ChannelPeer;
pub use picture::Picture;
