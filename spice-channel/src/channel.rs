//! One channel of the server and its clients.

use std::collections::BTreeMap;

use bytes::Bytes;
use spice_proto::caps::{Capabilities, CapabilitySet, CommonCap};
use spice_proto::{ChannelId, ChannelType, HeaderKind};

use crate::{ChannelError, RedChannelClient, Time, Transmit};

/// One viewer, in the server's own count; never used again once the viewer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

impl core::fmt::Display for ClientId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "viewer {}", self.0)
    }
}

/// What both ends agreed on when a channel was linked.
#[derive(Clone, Debug)]
pub struct ChannelLink {
    /// What the viewer can do on this channel.
    pub caps: Capabilities,
}

impl ChannelLink {
    /// The header of this connection's messages.
    #[must_use]
    pub fn header(&self) -> HeaderKind {
        if self.caps.has_common(CommonCap::MINI_HEADER) { HeaderKind::Mini } else { HeaderKind::Full }
    }
}

/// What every kind of channel does for its owner, who has the sockets and the clock.
///
/// After any `handle_*` the owner asks [`Channel::poll_transmit`] of every client, and sets its timer to
/// [`Channel::poll_timeout`]. An error ends that client's connection and nothing else: the owner calls
/// [`Channel::disconnect`], and the client id is not known here from then on. Calls for a client that is not known
/// do nothing.
pub trait Channel {
    /// What this channel tells viewers at the link that it can do.
    fn caps(&self) -> CapabilitySet;

    /// A viewer has linked this channel.
    fn connect(&mut self, client: ClientId, link: ChannelLink, now: Time);

    /// A viewer's connection is gone.
    fn disconnect(&mut self, client: ClientId, now: Time);

    /// Takes bytes that a viewer sent.
    ///
    /// # Errors
    /// Whatever ends the viewer's connection.
    fn handle_bytes(&mut self, client: ClientId, bytes: &[u8], now: Time) -> Result<(), ChannelError>;

    /// A viewer's socket has taken `len` bytes.
    fn handle_written(&mut self, client: ClientId, len: usize, now: Time);

    /// Time has passed; answers the clients that it ended.
    fn handle_timeout(&mut self, now: Time) -> Vec<(ClientId, ChannelError)>;

    /// Bytes for a viewer's socket, if there are any and there is room.
    fn poll_transmit(&mut self, client: ClientId, now: Time) -> Option<Transmit>;

    /// When [`Channel::handle_timeout`] should be called next.
    fn poll_timeout(&self) -> Option<Time>;
}

/// One channel of the server: its kind and the viewers that have linked it, in the order of their ids.
#[derive(Debug)]
pub struct RedChannel<C> {
    kind: ChannelType,
    id: ChannelId,
    clients: BTreeMap<ClientId, C>,
}

impl<C> RedChannel<C> {
    /// A channel without clients.
    #[must_use]
    pub const fn new(kind: ChannelType, id: ChannelId) -> Self {
        Self { kind, id, clients: BTreeMap::new() }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ChannelType {
        self.kind
    }

    /// Which of its kind.
    #[must_use]
    pub const fn id(&self) -> ChannelId {
        self.id
    }

    /// A viewer joins; in place of itself, if it was here already.
    pub fn attach(&mut self, id: ClientId, client: C) {
        self.clients.insert(id, client);
    }

    /// A viewer leaves.
    pub fn detach(&mut self, id: ClientId) -> Option<C> {
        self.clients.remove(&id)
    }

    /// One viewer's state.
    pub fn client_mut(&mut self, id: ClientId) -> Option<&mut C> {
        self.clients.get_mut(&id)
    }

    /// All viewers, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (ClientId, &C)> {
        self.clients.iter().map(|(id, client)| (*id, client))
    }

    /// All viewers, in the order of their ids.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (ClientId, &mut C)> {
        self.clients.iter_mut().map(|(id, client)| (*id, client))
    }

    /// How many viewers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether nobody is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }
}

/// What the connections of a channel have in common, whatever else it keeps for each viewer.
impl<C: AsRef<RedChannelClient> + AsMut<RedChannelClient>> RedChannel<C> {
    /// A viewer's socket has taken `len` bytes.
    pub fn handle_written(&mut self, id: ClientId, len: usize, now: Time) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.as_mut().handle_written(len, now);
        }
    }

    /// Time has passed; answers the viewers whose connections are over.
    pub fn handle_timeout(&mut self, now: Time) -> Vec<(ClientId, ChannelError)> {
        let clients = self.clients.iter_mut();
        clients.filter_map(|(id, client)| Some((*id, client.as_mut().handle_timeout(now).err()?))).collect()
    }

    /// When [`Self::handle_timeout`] should be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.clients.values().map(|client| client.as_ref().poll_timeout()).min()
    }
}

/// Bytes of a whole transmit in one piece, for tests and for who has no vectored write.
impl Transmit {
    /// All bytes in one piece.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.pieces.concat().into()
    }
}
