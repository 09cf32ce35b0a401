//! How a connection becomes a channel of a viewer: one type for each state, and the keys for tickets.

mod acceptor;
mod keys;
mod states;

pub(crate) use acceptor::{Acceptor, LinkedStream};
pub use keys::KeyError;
pub(crate) use keys::KeyPool;
pub(crate) use states::{Offer, result};
