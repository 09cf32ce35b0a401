//! WebSocket (RFC 6455): SPICE in a browser. Beneath SPICE it is a byte stream, where message boundaries mean nothing.
//!
//! The frames are tungstenite's. The handshake's answers are made here, because that library has none for who is
//! refused, and because a browser lets any page connect to any address: which pages may is for the operator to say.

mod handshake;
mod rules;
mod stream;

pub(crate) use handshake::UpgradeError;
pub(crate) use handshake::accept;
pub use rules::WebSocketRules;
pub(crate) use stream::WebSocket;

#[cfg(test)]
mod tests;
