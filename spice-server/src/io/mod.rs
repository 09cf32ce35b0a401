//! Connections: bytes, not meaning.

mod beside;
mod connection;
mod driver;

pub(crate) use connection::{Connection, ConnectionEvent, Opening, ReadPermit, connect};
pub(crate) use driver::{ChannelDriver, Ended};
