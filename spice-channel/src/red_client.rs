//! One viewer: the channels that it has.

use std::collections::BTreeSet;

use spice_proto::{ChannelId, ChannelType, ConnectionId};

use crate::ClientId;

/// The viewer has this channel already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the viewer has this channel already")]
pub struct Attached;

/// The channels of one viewer. It begins with its main channel and ends with it.
#[derive(Clone, Debug)]
pub struct RedClient {
    id: ClientId,
    connection: ConnectionId,
    channels: BTreeSet<(ChannelType, ChannelId)>,
}

impl RedClient {
    /// A viewer that its other channels name by `connection`.
    #[must_use]
    pub const fn new(id: ClientId, connection: ConnectionId) -> Self {
        Self { id, connection, channels: BTreeSet::new() }
    }

    /// The server's own name for it.
    #[must_use]
    pub const fn id(&self) -> ClientId {
        self.id
    }

    /// The name by which its channels find it.
    #[must_use]
    pub const fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// The viewer links a channel.
    ///
    /// # Errors
    /// [`Attached`] when it has that channel already: the second link is refused and the first stays.
    pub fn attach(&mut self, kind: ChannelType, id: ChannelId) -> Result<(), Attached> {
        if self.channels.insert((kind, id)) { Ok(()) } else { Err(Attached) }
    }

    /// A channel of the viewer is gone; answers whether it was there.
    pub fn detach(&mut self, kind: ChannelType, id: ChannelId) -> bool {
        self.channels.remove(&(kind, id))
    }

    /// Its channels, in the order of type and id.
    pub fn channels(&self) -> impl Iterator<Item = (ChannelType, ChannelId)> {
        self.channels.iter().copied()
    }
}
