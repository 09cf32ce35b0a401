//! A running server in the hands of its owner: who is here, who may come, how good the picture is.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};
use std::time::Duration;

use spice_channel::ClientId;
use spice_proto::ChannelId;
use spice_proto::inputs::KeyModifiers;
use tokio::sync::mpsc::WeakUnboundedSender;
use tokio::sync::{oneshot, watch};

use crate::access::{AddTicketError, Role, Ticket, TicketId, TicketInfo};
use crate::audit::{Audit, AuditEvent};
use crate::clock;
use crate::devices::{
    AddDeviceError, AgentHandle, AgentPolicy, AgentSink, AttachAgentError, DeviceHandle, DeviceKind,
    DeviceSink, Devices,
};
use crate::displays::{AddDisplayError, Displays};
use crate::front::Front;
use crate::guest::Guest;
use crate::link::{Admission, ChannelSecurity, KeyError};
use crate::migration::{MigrationSink, MigrationTarget};
use crate::quality::Quality;
use crate::reds::{RedsEvent, RedsHandle};
use crate::sound::{AddSoundError, Playback, Record};
use crate::transport::{Listen, ListenAt, Opened};
use crate::viewers::{Viewer, Viewers};

/// Looks after a server. It is cheap to clone, may be used from any task, and does not keep the server running: once the
/// server has ended, nothing that it says changes anything.
#[derive(Clone, Debug)]
pub struct Control {
    viewers: Viewers,
    reds: WeakUnboundedSender<RedsEvent>,
    admission: Arc<Admission>,
    audit: Arc<Audit>,
    displays: Arc<Displays>,
    devices: Arc<Devices>,
    front: Weak<Front>,
}

impl Control {
    pub(crate) fn new(
        reds: &RedsHandle,
        front: &Arc<Front>,
        displays: &Arc<Displays>,
        devices: &Arc<Devices>,
    ) -> Self {
        Self {
            viewers: Viewers::new(reds),
            reds: reds.downgrade(),
            admission: Arc::clone(&front.acceptor.admission),
            audit: Arc::clone(&front.acceptor.audit),
            displays: Arc::clone(displays),
            devices: Arc::clone(devices),
            front: Arc::downgrade(front),
        }
    }

    /// The viewers that are here now, in the order in which they came; none when the server has ended.
    pub async fn viewers(&self) -> Option<Vec<Viewer>> {
        self.viewers.list().await
    }

    /// Asks the viewers' owner, and waits for what it says.
    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> RedsEvent) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.reds.upgrade()?.send(question(reply)).ok()?;
        answer.await.ok()
    }

    /// Sends every viewer to another server, which has the desktop from now on. They link there anew, each when it reads
    /// this, and leave.
    pub fn switch_host(&self, target: MigrationTarget) {
        self.tell(RedsEvent::SwitchHost(target));
    }

    /// Says that the desktop is about to move to another server. Viewers that can link to it beforehand (semi-seamless
    /// migration), and stay here too; the others will be sent there by [`Control::end_migration`]. `sink` hears of
    /// [`MigrationEvent::Connected`] when they have, or after 10 seconds.
    ///
    /// [`MigrationEvent::Connected`]: crate::MigrationEvent::Connected
    pub fn begin_migration(&self, target: MigrationTarget, sink: MigrationSink) {
        self.tell(RedsEvent::BeginMigration(target, sink));
    }

    /// Says that the desktop has moved to where [`Control::begin_migration`] has said: viewers leave for it, and those
    /// that have not after 10 seconds are ended. If it has not `moved`, they stay. The migration's sink hears of
    /// [`MigrationEvent::Ended`] in the end.
    ///
    /// [`MigrationEvent::Ended`]: crate::MigrationEvent::Ended
    pub fn end_migration(&self, moved: bool) {
        self.tell(RedsEvent::EndMigration(moved));
    }

    /// Ends every viewer that is here.
    pub fn disconnect_all(&self) {
        self.tell(RedsEvent::DisconnectAll);
    }

    /// Ends a viewer; answers whether it was here.
    pub async fn disconnect(&self, viewer: ClientId) -> bool {
        self.ask(|reply| RedsEvent::Disconnect(viewer, reply)).await.unwrap_or(false)
    }

    /// Lets a viewer do more or less, at once and as far as its ticket goes; answers whether it is here. What a viewer
    /// holds down that may not type any more is released.
    pub async fn set_role(&self, viewer: ClientId, role: Role) -> bool {
        self.ask(|reply| RedsEvent::SetRole(viewer, role, reply)).await.unwrap_or(false)
    }

    /// Makes a ticket good from now on.
    ///
    /// # Errors
    /// A secret that another ticket has, too many tickets, a server that lets in anybody.
    pub fn add_ticket(&self, ticket: Ticket) -> Result<TicketId, AddTicketError> {
        let name = ticket.name.clone();
        let id = self.admission.lock().add_ticket(ticket, clock::now())?;
        self.audit.tell(AuditEvent::TicketAdded { ticket: id, name });
        Ok(id)
    }

    /// Lets a ticket expire after this time from now; answers whether there is such a ticket. Viewers that it has let
    /// in stay.
    #[must_use]
    pub fn expire_ticket(&self, ticket: TicketId, after: Duration) -> bool {
        self.admission.lock().expire_ticket(ticket, after, clock::now())
    }

    /// Makes a ticket good for nothing, and ends the viewers that it has let in; answers how many, or nothing when there
    /// is no such ticket.
    pub async fn revoke_ticket(&self, ticket: TicketId) -> Option<usize> {
        self.ask(|reply| RedsEvent::RevokeTicket(ticket, reply)).await.flatten()
    }

    /// The tickets that there are, in the order in which they were added. Their secrets are told to nobody.
    #[must_use]
    pub fn tickets(&self) -> Vec<TicketInfo> {
        self.admission.lock().tickets(clock::now())
    }

    /// How viewers get their pictures.
    #[must_use]
    pub fn quality(&self) -> Quality {
        self.displays.quality()
    }

    /// Changes how viewers get their pictures, those that are here too.
    pub fn set_quality(&self, quality: Quality) {
        self.displays.set_quality(quality);
    }

    /// Gives the desktop one more display, whose guest has a thread of its own. Viewers that are here are told of it.
    /// Answers what turns true when the guest has ended, if it ever does, and its last picture is with every viewer that
    /// keeps up. May be called from any thread.
    ///
    /// # Errors
    /// An id that is taken, a thread that cannot be had, a server that has ended.
    pub fn add_display(
        &self,
        id: ChannelId,
        guest: Box<dyn Guest>,
    ) -> Result<watch::Receiver<bool>, AddDisplayError> {
        self.displays.add(id, guest)
    }

    /// Takes a display from the desktop. Its guest is gone when this returns, which waits for nothing but what the guest
    /// itself is busy with. Answers whether there was one. May be called from any thread.
    #[must_use]
    pub fn remove_display(&self, id: ChannelId) -> bool {
        self.displays.remove(id)
    }

    /// Gives viewers something to hear, those that are here too. May be called from any thread.
    ///
    /// # Errors
    /// A server that has ended; 256 of them.
    pub fn add_playback(&self) -> Result<Playback, AddSoundError> {
        Playback::new(&*self.front.upgrade().ok_or(AddSoundError::Ended)?)
    }

    /// Lets the guest hear a viewer. May be called from any thread.
    ///
    /// # Errors
    /// As [`Control::add_playback`].
    pub fn add_record(&self) -> Result<Record, AddSoundError> {
        Record::new(&*self.front.upgrade().ok_or(AddSoundError::Ended)?)
    }

    /// Gives the server a device, under the lowest number of its kind that is free. Viewers that are here are told of
    /// it; the first to link its channel has it, until it leaves. May be called from any thread.
    ///
    /// # Errors
    /// 256 devices of this kind already; a server that has ended.
    pub fn add_device(&self, kind: DeviceKind, sink: DeviceSink) -> Result<DeviceHandle, AddDeviceError> {
        self.devices.add(kind, sink)
    }

    /// Attaches the guest's agent. One viewer has it: the first that may share clipboards, until it leaves. May be called
    /// from any thread.
    ///
    /// # Errors
    /// An agent that is attached already; a server that has ended.
    pub fn attach_agent(
        &self,
        sink: AgentSink,
        policy: AgentPolicy,
    ) -> Result<AgentHandle, AttachAgentError> {
        self.devices.attach_agent(sink, policy)
    }

    fn tell(&self, event: RedsEvent) {
        if let Some(reds) = self.reds.upgrade() {
            let _ = reds.send(event);
        }
    }

    /// Says whether the guest takes absolute positions (has a tablet). If it does, viewers draw the pointer themselves.
    pub fn set_positions(&self, positions: bool) {
        self.tell(RedsEvent::Positions(positions));
    }

    /// Whether viewers say where their pointers are, rather than how they move: the mouse mode, as of what was changed
    /// last.
    #[must_use]
    pub fn takes_positions(&self) -> bool {
        self.displays.positions()
    }

    /// Says which lights of the keyboard are on.
    pub fn set_leds(&self, leds: KeyModifiers) {
        self.tell(RedsEvent::Leds(leds));
    }

    /// Says what the desktop is called, to viewers that come from now on.
    pub fn set_name(&self, name: Option<String>) {
        self.tell(RedsEvent::Name(name));
    }

    /// Says which UUID the desktop has, to viewers that come from now on.
    pub fn set_uuid(&self, uuid: Option<[u8; 16]>) {
        self.tell(RedsEvent::Uuid(uuid));
    }

    /// Lets in anybody who can connect from now on, or only who shows a ticket or which user it is. A server that was
    /// started open has neither, until [`Control::add_ticket`]; the first time that it is closed takes milliseconds, for
    /// a key. A viewer that links meanwhile is refused and may come again.
    ///
    /// # Errors
    /// There is no key for tickets: the server is closed, but nobody comes in.
    pub fn set_open(&self, open: bool) -> Result<(), KeyError> {
        self.admission.lock().set_open(open);
        match self.front.upgrade() {
            Some(front) if !open => front.acceptor.rules.keys.start(),
            _ => Ok(()),
        }
    }

    /// Which channels want TLS, of connections that come from now on.
    pub fn set_security(&self, security: ChannelSecurity) {
        if let Some(front) = self.front.upgrade() {
            front.acceptor.rules.security.store(Arc::new(security));
        }
    }

    /// Connections that are not in yet.
    #[must_use]
    pub fn linking(&self) -> usize {
        self.front.upgrade().map_or(0, |front| front.linking.len())
    }

    /// Serves a connection that somebody else has accepted, as if it had come in here. May be called from any thread. The
    /// first one of a server that does not listen takes milliseconds, for a key.
    ///
    /// # Errors
    /// A descriptor that is no connection; a server that has ended; no key for tickets.
    pub fn serve(&self, connection: OwnedFd, insecure: bool) -> io::Result<()> {
        self.receive(connection, |listen, _| listen.insecure = insecure)
    }

    /// The same for a host that answers for the connection. With `vouched` it has made sure who it is, and no ticket is
    /// asked for; with `tls` the connection has to speak that, else it may be in the clear.
    ///
    /// # Errors
    /// As [`Control::serve`].
    pub fn serve_for_host(&self, connection: OwnedFd, vouched: bool, tls: bool) -> io::Result<()> {
        self.receive(connection, |listen, is_vouched| {
            (listen.insecure, listen.tls_only, *is_vouched) = (true, tls, vouched);
        })
    }

    fn receive(&self, connection: OwnedFd, how: impl FnOnce(&mut Listen, &mut bool)) -> io::Result<()> {
        let mut listen = Listen::new(ListenAt::Open(Arc::new(connection)));
        let mut vouched = false;
        how(&mut listen, &mut vouched);
        let front = self.front.upgrade().ok_or(io::ErrorKind::NotConnected)?;
        if !vouched && !self.admission.lock().is_open() {
            front.acceptor.rules.keys.start().map_err(io::Error::other)?;
        }
        // Its bytes are the server's to wait for, whoever calls.
        let _runtime = front.runtime.enter();
        match Opened::open(&listen)? {
            Opened::Connection(mut incoming) => {
                incoming.vouched = vouched;
                front.receive(incoming);
                Ok(())
            }
            Opened::Listener(_) => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket listens: it is no connection"))
            }
        }
    }

    /// Reads the files of the certificate and its key again, for connections that come from now on. A bad file leaves the
    /// old ones in force.
    ///
    /// # Errors
    /// Files that cannot be read or do not belong together.
    pub fn reload_tls(&self) -> Result<(), crate::transport::TlsError> {
        let front = self.front.upgrade();
        front.and_then(|front| front.acceptor.opener.tls.clone()).map_or(Ok(()), |tls| tls.reload())
    }
}
