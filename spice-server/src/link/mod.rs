//! How a connection becomes a channel of a viewer: one type for each state, the keys for tickets, and who may come in.

mod acceptor;
mod admission;
mod checks;
mod keys;
mod security;
mod states;

pub(crate) use acceptor::{Acceptor, LinkedStream};
pub(crate) use admission::{Admission, Linking};
pub(crate) use checks::Checks;
pub use keys::KeyError;
pub(crate) use keys::KeyPool;
pub use security::{ChannelSecurity, ChannelSecurityError, Security};
pub(crate) use states::{Linked, Rules, SharedOffer, result};
