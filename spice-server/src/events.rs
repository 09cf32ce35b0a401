//! What a host is told of every connection, as it happens.

use core::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use spice_proto::{ChannelId, ChannelType, ConnectionId};

use crate::transport::{Peer, Transport};

/// A connection that has linked a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelInfo {
    /// The session: what all connections of a viewer have in common.
    pub connection: ConnectionId,
    /// Which kind of channel.
    pub kind: ChannelType,
    /// Which of that kind.
    pub id: ChannelId,
    /// What it is wrapped in.
    pub transport: Transport,
    /// The other end.
    pub peer: Peer,
    /// This end, where it has an address.
    pub local: Option<SocketAddr>,
}

/// What has happened to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelEvent {
    /// A viewer has it now.
    Linked(ChannelInfo),
    /// It is over. Said once for each that has linked.
    Ended(ChannelInfo),
}

/// Where channel events go: called from the task that owns the viewers, so it must not wait.
#[derive(Clone)]
pub struct ChannelEventSink(Arc<dyn Fn(ChannelEvent) + Send + Sync>);

impl ChannelEventSink {
    /// A sink that hands events to `tell`.
    pub fn new(tell: impl Fn(ChannelEvent) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn tell(&self, event: ChannelEvent) {
        (self.0)(event);
    }
}

impl fmt::Debug for ChannelEventSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChannelEventSink")
    }
}
