//! How a linked connection comes to its viewer and to its channel.

use std::time::Duration;

use rand::RngExt;
use spice_channel::{ChannelLink, ClientId, RedClient, Time};
use spice_proto::{ChannelId, ChannelType, ConnectionId, LinkError};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::held::Links;
use super::{Reds, RedsEvent, Session};
use crate::access::Grant;
use crate::audit::AuditEvent;
use crate::events::{ChannelEvent, ChannelInfo};
use crate::io::{Connection, Opening, connect};
use crate::link::{Linked, LinkedStream, result};
use crate::transport::{Peer, Stream, Transport};
use crate::worker::WorkerMessage;

impl Reds {
    /// Gives a linked connection to its viewer: a new one for a main channel, the one it names for any other.
    pub(super) fn handle_linked(&mut self, linked: LinkedStream, now: Time) {
        let LinkedStream { stream, peer, local, transport, linked: Linked { mess, grant } } = linked;
        let (kind, channel_id) = (mess.channel_type, mess.channel_id);
        let admitted = if kind == ChannelType::MAIN {
            self.new_client(peer, transport, grant, mess.connection_id, now)
        } else {
            self.find_client(mess.connection_id).ok_or(NotAttached::NoViewer)
        };
        let attached = admitted.and_then(|id| {
            let session = self.clients.get_mut(&id).ok_or(NotAttached::NoViewer)?;
            let permissions = session.permissions();
            if !permissions.allows_channel(kind) {
                return Err(NotAttached::NotAllowed);
            }
            let device = self.devices.get(&(kind, channel_id));
            if device.is_some_and(|device| !device.channel.admits()) {
                return Err(NotAttached::InUse);
            }
            session.client.attach(kind, channel_id).map_err(|_| NotAttached::Twice)?;
            let connection = session.client.connection();
            let info = ChannelInfo { connection, kind, id: channel_id, transport, peer, local };
            session.connections.push(info);
            if let Some(events) = &self.policy.channel_events {
                events.tell(ChannelEvent::Linked(info));
            }
            Ok((id, session.arrival.is_some()))
        });
        let (id, arrives) = match attached {
            Ok(attached) => attached,
            Err(reason) => {
                self.policy.audit.refused(peer, &format_args!("the {kind} channel: {reason}"));
                refuse(stream, reason.error());
                return;
            }
        };
        tracing::info!(%peer, "{id}: {kind} channel");
        let link = ChannelLink { caps: mess.caps };
        if arrives && kind != ChannelType::MAIN {
            return self.hold(id, kind, channel_id, link, stream);
        }
        let opening = Opening { stream, greeting: result(LinkError::OK) };
        self.open(kind, channel_id, id, link, opening, now);
    }

    /// Gives a connection to its channel.
    pub(super) fn open(
        &mut self,
        kind: ChannelType,
        channel: ChannelId,
        id: ClientId,
        link: ChannelLink,
        opening: Opening,
        now: Time,
    ) {
        let Some(session) = self.clients.get(&id) else { return };
        let (permissions, arrives) = (session.permissions(), session.arrival.is_some());
        match kind {
            ChannelType::MAIN => {
                let connection = self.connect(opening, kind, id);
                self.main_connections.connect(&mut self.main, id, link, connection, now);
                if arrives { self.main.expect(id) } else { self.greet(id, now) }
            }
            ChannelType::INPUTS => {
                let connection = self.connect(opening, kind, id);
                self.inputs_connections.connect(&mut self.inputs, id, link, connection, now);
                self.inputs.set_permissions(id, permissions);
            }
            ChannelType::DISPLAY | ChannelType::CURSOR => match self.displays.get(&channel) {
                Some(worker) => worker.send(WorkerMessage::Connect(kind, id, link, opening)),
                None => self.detach(id, kind, channel),
            },
            _ => self.connect_device(kind, channel, id, link, opening, now),
        }
    }

    /// Begins a viewer's session.
    pub(super) fn greet(&mut self, id: ClientId, now: Time) {
        let Some(session) = self.clients.get(&id) else { return };
        self.main.greet(id, session.client.connection(), now);
        self.main.set_permissions(id, session.permissions());
    }

    fn connect_device(
        &mut self,
        kind: ChannelType,
        id: ChannelId,
        client: ClientId,
        link: ChannelLink,
        opening: Opening,
        now: Time,
    ) {
        let this = self.this.clone();
        let device = self.devices.get_mut(&(kind, id)).filter(|device| device.channel.admits());
        let Some(device) = device else { return self.detach(client, kind, id) };
        device.channel.handle_local(matches!(opening.stream, Stream::Unix(_)));
        let connection = connect(opening, move |event| {
            if let Some(this) = this.upgrade() {
                let _ = this.send(RedsEvent::DeviceConnection(kind, id, client, event));
            }
        });
        device.connections.connect(device.channel.as_mut(), client, link, connection, now);
    }

    fn connect(&self, opening: Opening, kind: ChannelType, id: ClientId) -> Connection {
        let this = self.this.clone();
        connect(opening, move |event| {
            if let Some(this) = this.upgrade() {
                let _ = this.send(RedsEvent::Connection(kind, id, event));
            }
        })
    }

    /// A viewer that begins, or one that arrives from another server: then it asks for the name that its session has
    /// there. All other names are drawn at random, so that no viewer can guess another's.
    fn new_client(
        &mut self,
        peer: Peer,
        transport: Transport,
        grant: Grant,
        asked: ConnectionId,
        now: Time,
    ) -> Result<ClientId, NotAttached> {
        if self.policy.displaces && self.clients.len() >= self.policy.max_viewers {
            let first = self.clients.keys().next().copied();
            first.map(|first| self.end_client(first, "another viewer took its place", now));
        }
        let mut access = self.policy.admission.lock();
        if self.clients.len() >= self.policy.max_viewers {
            access.give_back(&grant);
            return Err(NotAttached::Full);
        }
        // Hosts keep names in a C int.
        let is_free = |name: ConnectionId| {
            name.0 != 0
                && name.0 <= u32::MAX >> 1
                && self.clients.values().all(|session| session.client.connection() != name)
        };
        let arrives = asked.0 != 0;
        let connection = if !arrives {
            loop {
                let drawn = ConnectionId(rand::rng().random());
                if is_free(drawn) {
                    break drawn;
                }
            }
        } else if is_free(asked) {
            asked
        } else {
            access.give_back(&grant);
            return Err(NotAttached::Taken);
        };
        if !access.open_session(connection, grant.clone(), peer.origin()) {
            return Err(NotAttached::Revoked);
        }
        drop(access);
        let id = ClientId(self.next_client);
        self.next_client += 1;
        let (credential, role) = (grant.credential.clone(), grant.role);
        let client = RedClient::new(id, connection);
        let session = Session {
            client,
            peer,
            transport,
            since: now,
            grant,
            role,
            connections: Vec::new(),
            arrival: arrives.then(Links::default),
        };
        self.clients.insert(id, session);
        self.policy.audit.tell(AuditEvent::Connected { viewer: id, peer, transport, credential, role });
        Ok(id)
    }

    pub(super) fn find_client(&self, connection: ConnectionId) -> Option<ClientId> {
        let mut clients = self.clients.values().map(|session| &session.client);
        clients.find(|client| client.connection() == connection).map(RedClient::id)
    }
}

/// Why a link that was let in gets no channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum NotAttached {
    #[error("as many viewers are here as may be")]
    Full,
    #[error("its ticket was revoked")]
    Revoked,
    #[error("it names no viewer")]
    NoViewer,
    #[error("the viewer has it already")]
    Twice,
    #[error("the viewer may not have it")]
    NotAllowed,
    #[error("another viewer has it")]
    InUse,
    #[error("the session that it comes from cannot go on here under its name")]
    Taken,
}

impl NotAttached {
    /// The protocol's word for it.
    fn error(self) -> LinkError {
        match self {
            Self::Full => LinkError::ERROR,
            Self::Revoked | Self::NotAllowed => LinkError::PERMISSION_DENIED,
            Self::NoViewer | Self::Taken => LinkError::BAD_CONNECTION_ID,
            Self::Twice | Self::InUse => LinkError::CHANNEL_NOT_AVAILABLE,
        }
    }
}

/// How long a viewer may take to hear whether it is let in.
pub(super) const GOODBYE: Duration = Duration::from_secs(10);

/// Tells a viewer that it does not get the channel, and closes.
fn refuse(mut stream: Stream, error: LinkError) {
    tokio::spawn(timeout(GOODBYE, async move {
        let _ = stream.write_all(&result(error)).await;
        let _ = stream.shutdown().await;
    }));
}
