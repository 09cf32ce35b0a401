//! Viewers for tests: a SPICE client that paints what it is sent, written against `spice-proto` alone, so that it is
//! an oracle for the server and shares no code with its painter.

mod display;
mod link;
mod peer;
mod picture;

pub use display::DisplayModel;
pub use link::{LinkFailure, Linked, link, link_and_send};
pub use peer::ChannelPeer;
pub use picture::Picture;
