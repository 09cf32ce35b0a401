//! One channel and the connections of its viewers.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use spice_channel::{Channel, ChannelError, ChannelLink, ClientId, DescriptorId, Scope, Time};

use super::connection::Happened;
use super::{Connection, ConnectionEvent};
use crate::stats::Counters;

/// A viewer's connection to a channel is over.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) client: ClientId,
    /// Whether the viewer ends with it.
    pub(crate) scope: Scope,
    /// Why, in words.
    pub(crate) reason: String,
}

/// The connections of a channel's viewers: moves bytes between them and the channel, whose owner owns this too.
#[derive(Debug)]
pub(crate) struct ChannelDriver {
    connections: BTreeMap<ClientId, Connection>,
    counters: Arc<Counters>,
    /// The descriptor that messages may have beside them.
    descriptor: Option<(DescriptorId, Arc<OwnedFd>)>,
}

impl ChannelDriver {
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        Self { connections: BTreeMap::new(), counters, descriptor: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.connections.len()
    }

    pub(crate) fn connect(
        &mut self,
        channel: &mut (impl Channel + ?Sized),
        client: ClientId,
        link: ChannelLink,
        connection: Connection,
        now: Time,
    ) {
        self.connections.insert(client, connection);
        channel.connect(client, link, now);
    }

    /// Ends a viewer's connection; answers whether it had one.
    pub(crate) fn disconnect(
        &mut self,
        channel: &mut (impl Channel + ?Sized),
        client: ClientId,
        now: Time,
    ) -> bool {
        channel.disconnect(client, now);
        self.connections.remove(&client).is_some()
    }

    /// Takes what a connection says. An event of a connection that is gone counts for nothing.
    pub(crate) fn handle_event(
        &mut self,
        channel: &mut (impl Channel + ?Sized),
        client: ClientId,
        event: ConnectionEvent,
        now: Time,
    ) -> Option<Ended> {
        if !self.connections.get(&client).is_some_and(|connection| connection.has_said(&event)) {
            return None;
        }
        match event.what {
            Happened::Read(bytes, _permit) => {
                let error = channel.handle_bytes(client, &bytes, now).err()?;
                Some(self.end(channel, client, &error, now))
            }
            Happened::Written(len) => {
                self.counters.bytes.fetch_add(len as u64, Ordering::Relaxed);
                channel.handle_written(client, len, now);
                None
            }
            Happened::Closed(end) => {
                self.disconnect(channel, client, now);
                let reason = end.map_or_else(|error| error.to_string(), |()| "the viewer closed it".into());
                Some(Ended { client, scope: Scope::ChannelClient, reason })
            }
        }
    }

    pub(crate) fn handle_timeout(&mut self, channel: &mut (impl Channel + ?Sized), now: Time) -> Vec<Ended> {
        let errors = channel.handle_timeout(now);
        errors.into_iter().map(|(client, error)| self.end(channel, client, &error, now)).collect()
    }

    fn end(
        &mut self,
        channel: &mut (impl Channel + ?Sized),
        client: ClientId,
        error: &ChannelError,
        now: Time,
    ) -> Ended {
        self.disconnect(channel, client, now);
        Ended { client, scope: error.scope(), reason: error.to_string() }
    }

    /// Messages go with this descriptor from now on, and with no other.
    pub(crate) fn set_descriptor(&mut self, descriptor: Option<(DescriptorId, Arc<OwnedFd>)>) {
        self.descriptor = descriptor;
    }

    fn descriptor(&self, id: DescriptorId) -> Option<Arc<OwnedFd>> {
        self.descriptor
            .as_ref()
            .filter(|(known, _)| *known == id)
            .map(|(_, descriptor)| Arc::clone(descriptor))
    }

    /// Gives every connection what its viewer has room for.
    pub(crate) fn flush(&self, channel: &mut (impl Channel + ?Sized), now: Time) {
        for (client, connection) in &self.connections {
            while let Some(transmit) = channel.poll_transmit(*client, now) {
                connection.send(transmit, |id| self.descriptor(id));
            }
        }
    }
}
