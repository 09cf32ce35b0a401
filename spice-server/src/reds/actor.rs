//! The task that owns the viewers.

mod held;
mod linking;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use spice_channel::{Channel, ClientId, RedClient, Scope, Time};
use spice_proto::inputs::KeyModifiers;
use spice_proto::main::MouseModes;
use spice_proto::{ChannelId, ChannelType};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender};
use tokio::sync::oneshot;
use tokio::time::sleep;

use self::held::{Held, Links};
use super::device::{Device, DeviceChannel};
use super::{InputsChannel, MainChannel};
use crate::access::{Grant, Permissions, Role, TicketId};
use crate::audit::{Audit, AuditEvent};
use crate::clock;
use crate::devices::{AgentPolicy, NewAgent};
use crate::events::{ChannelEvent, ChannelEventSink, ChannelInfo};
use crate::guest::{InputSink, Inputs};
use crate::io::{ChannelDriver, ConnectionEvent, Ended, ReadPermit};
use crate::link::{Admission, LinkedStream};
use crate::migration::{MigrationSink, MigrationTarget};
use crate::stats::Counters;
use crate::transport::{Peer, Transport};
use crate::viewers::{HasDisplay, Reply, Roll, Viewer};
use crate::worker::{WorkerHandle, WorkerMessage};

/// What the viewers' owner is told.
#[derive(Debug)]
pub(crate) enum RedsEvent {
    /// A connection has linked.
    Linked(LinkedStream),
    /// A connection of a viewer that is still arriving has been told that it is linked.
    Held(ClientId, Held),
    /// A connection of the main or the inputs channel says something.
    Connection(ChannelType, ClientId, ConnectionEvent),
    /// A display or cursor connection is over.
    Ended(ChannelType, ChannelId, Ended),
    /// There is a display.
    AddDisplay(ChannelId, WorkerHandle),
    /// There is a display less.
    RemoveDisplay(ChannelId),
    /// There is a device, or it can do something else than before.
    AddDevice(ChannelType, ChannelId, Box<dyn DeviceChannel>),
    /// There is a device less.
    RemoveDevice(ChannelType, ChannelId),
    /// A device's host says something.
    Device(ChannelType, ChannelId),
    /// A connection of a device says something.
    DeviceConnection(ChannelType, ChannelId, ClientId, ConnectionEvent),
    /// Viewers are to go by the server's clock.
    Clock,
    /// The guest's agent is there.
    AttachAgent(NewAgent),
    /// The guest's agent is gone.
    DetachAgent,
    /// What viewers and the agent may do together has changed.
    AgentPolicy(AgentPolicy),
    /// The agent's host says or has taken something.
    Agent,
    /// Whether the guest takes absolute positions from now on.
    Positions(bool),
    /// The desktop is called so.
    Name(Option<String>),
    /// The desktop's UUID.
    Uuid(Option<[u8; 16]>),
    /// The guest's keyboard lights have changed.
    Leds(KeyModifiers),
    /// Somebody asks who is here.
    Viewers(Reply),
    /// Viewers are to go on elsewhere.
    SwitchHost(MigrationTarget),
    /// The desktop is about to move there.
    BeginMigration(MigrationTarget, MigrationSink),
    /// The desktop has moved, or stays after all.
    EndMigration(bool),
    /// Every viewer is to end.
    DisconnectAll,
    /// A viewer is to end; answers whether it was here.
    Disconnect(ClientId, oneshot::Sender<bool>),
    /// A viewer is to do more or less; answers whether it is here.
    SetRole(ClientId, Role, oneshot::Sender<bool>),
    /// A ticket is good for nothing any more; answers how many viewers it had let in, if there was one.
    RevokeTicket(TicketId, oneshot::Sender<Option<usize>>),
}

/// How others reach the viewers' owner. It ends when every handle is gone.
pub(crate) type RedsHandle = UnboundedSender<RedsEvent>;

/// A viewer, where it comes from, since when it is here and what it may do.
#[derive(Debug)]
struct Session {
    client: RedClient,
    peer: Peer,
    transport: Transport,
    since: Time,
    grant: Grant,
    /// The role that it has now.
    role: Role,
    /// Its connections, in the order in which they came.
    connections: Vec<ChannelInfo>,
    /// What waits until the viewer is here, if it is still at the server that it comes from.
    arrival: Option<Links>,
}

impl Session {
    fn permissions(&self) -> Permissions {
        self.role.limit(self.grant.permissions)
    }
}

/// Whom the viewers' owner lets in, and whom it tells.
#[derive(Debug)]
pub(crate) struct Policy {
    /// Viewers at a time.
    pub(crate) max_viewers: usize,
    /// Whether a new one beyond that takes the place of the first.
    pub(crate) displaces: bool,
    pub(crate) admission: Arc<Admission>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) channel_events: Option<ChannelEventSink>,
    /// Who takes the viewers' input; if nobody is named, the guest of display 0.
    pub(crate) inputs: Option<InputSink>,
}

/// The viewers, and the channels that concern the session rather than the screen.
#[derive(Debug)]
pub(crate) struct Reds {
    clients: BTreeMap<ClientId, Session>,
    next_client: u64,
    main: MainChannel,
    main_connections: ChannelDriver,
    inputs: InputsChannel,
    inputs_connections: ChannelDriver,
    displays: BTreeMap<ChannelId, WorkerHandle>,
    devices: BTreeMap<(ChannelType, ChannelId), Device>,
    this: WeakUnboundedSender<RedsEvent>,
    policy: Policy,
    counters: Arc<Counters>,
}

/// Events that are taken before viewers get what they are owed: who never stops talking keeps nobody from it.
const EVENTS: usize = 64;

impl Reds {
    pub(crate) fn new(
        main: MainChannel,
        inputs: InputsChannel,
        this: &RedsHandle,
        policy: Policy,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            clients: BTreeMap::new(),
            next_client: 1,
            main,
            main_connections: ChannelDriver::new(Arc::clone(&counters)),
            inputs,
            inputs_connections: ChannelDriver::new(Arc::clone(&counters)),
            displays: BTreeMap::new(),
            devices: BTreeMap::new(),
            this: this.downgrade(),
            policy,
            counters,
        }
    }

    /// Runs until nobody can tell it anything any more.
    pub(crate) async fn run(mut self, mut events: UnboundedReceiver<RedsEvent>) {
        loop {
            let now = clock::now();
            let until = self.poll_timeout().map_or(Duration::from_secs(3600), |at| at.since(now));
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.handle_event(event, clock::now()),
                    None => return,
                },
                () = sleep(until) => self.handle_timeout(clock::now()),
            }
            for _ in 1..EVENTS {
                let Ok(event) = events.try_recv() else { break };
                self.handle_event(event, clock::now());
            }
            self.flush(clock::now());
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        let devices = self.devices.values().filter_map(|device| device.channel.poll_timeout());
        self.main.poll_timeout().into_iter().chain(self.inputs.poll_timeout()).chain(devices).min()
    }

    fn handle_event(&mut self, event: RedsEvent, now: Time) {
        match event {
            RedsEvent::Linked(linked) => self.handle_linked(linked, now),
            RedsEvent::Held(client, held) => self.handle_held(client, held, now),
            RedsEvent::Connection(ChannelType::MAIN, client, event) => {
                let before = self.main.mouse_mode();
                if let Some(ended) = self.main_connections.handle_event(&mut self.main, client, event, now) {
                    self.handle_ended(ChannelType::MAIN, ChannelId(0), &ended, now);
                }
                self.handle_arrivals(now);
                self.follow_mouse_mode(before);
            }
            RedsEvent::Connection(kind, client, event) => {
                let permit = event.permit();
                if let Some(ended) =
                    self.inputs_connections.handle_event(&mut self.inputs, client, event, now)
                {
                    self.handle_ended(kind, ChannelId(0), &ended, now);
                }
                self.forward_inputs(permit);
            }
            RedsEvent::Ended(kind, id, ended) => self.handle_ended(kind, id, &ended, now),
            RedsEvent::AddDisplay(id, worker) => self.add_display(id, worker),
            RedsEvent::RemoveDisplay(id) => self.remove_display(id),
            RedsEvent::AddDevice(kind, id, channel) => self.add_device(kind, id, channel),
            RedsEvent::RemoveDevice(kind, id) => self.remove_device(kind, id, now),
            RedsEvent::Device(kind, id) => {
                if let Some(device) = self.devices.get_mut(&(kind, id)) {
                    device.channel.poll_host(now);
                }
            }
            RedsEvent::DeviceConnection(kind, id, client, event) => {
                self.handle_device_connection(kind, id, client, event, now);
            }
            RedsEvent::Clock => self.main.tell_clock(),
            RedsEvent::Positions(positions) => self.change_mouse(|main| main.set_positions(positions)),
            RedsEvent::AttachAgent(agent) => self.change_mouse(|main| main.attach_agent(agent)),
            RedsEvent::DetachAgent => self.change_mouse(MainChannel::detach_agent),
            RedsEvent::AgentPolicy(policy) => self.change_mouse(|main| main.set_agent_policy(policy)),
            // The agent is looked after before viewers get what they are owed.
            RedsEvent::Agent => {}
            RedsEvent::Name(name) => self.main.set_name(name),
            RedsEvent::Uuid(uuid) => self.main.set_uuid(uuid),
            RedsEvent::Leds(leds) => self.inputs.set_leds(leds),
            RedsEvent::Viewers(reply) => self.call_roll(reply, now),
            RedsEvent::SwitchHost(target) => self.main.switch_host(target),
            RedsEvent::BeginMigration(target, sink) => self.main.begin_migration(target, sink, now),
            RedsEvent::EndMigration(moved) => self.main.end_migration(moved, now),
            RedsEvent::DisconnectAll => {
                let viewers: Vec<_> = self.clients.keys().copied().collect();
                for id in viewers {
                    self.end_client(id, "everybody was disconnected", now);
                }
            }
            RedsEvent::Disconnect(id, reply) => {
                let _ = reply.send(self.end_client(id, "it was disconnected", now));
            }
            RedsEvent::SetRole(id, role, reply) => {
                let _ = reply.send(self.set_role(id, role, now));
            }
            RedsEvent::RevokeTicket(ticket, reply) => {
                let _ = reply.send(self.revoke_ticket(ticket, now));
            }
        }
    }

    fn handle_timeout(&mut self, now: Time) {
        for id in self.main.left_behind(now) {
            self.end_client(id, "it did not leave with the desktop", now);
        }
        for ended in self.main_connections.handle_timeout(&mut self.main, now) {
            self.handle_ended(ChannelType::MAIN, ChannelId(0), &ended, now);
        }
        for ended in self.inputs_connections.handle_timeout(&mut self.inputs, now) {
            self.handle_ended(ChannelType::INPUTS, ChannelId(0), &ended, now);
        }
        let mut over = Vec::new();
        for ((kind, id), device) in &mut self.devices {
            let ended = device.connections.handle_timeout(device.channel.as_mut(), now);
            over.extend(ended.into_iter().map(|ended| (*kind, *id, ended)));
        }
        for (kind, id, ended) in over {
            self.handle_ended(kind, id, &ended, now);
        }
        self.forward_inputs(None);
    }

    fn flush(&mut self, now: Time) {
        self.change_mouse(MainChannel::poll_agent);
        self.main_connections.flush(&mut self.main, now);
        self.inputs_connections.flush(&mut self.inputs, now);
        for device in self.devices.values_mut() {
            device.connections.flush(device.channel.as_mut(), now);
        }
        self.counters.viewers.store(self.clients.len() as u64, Ordering::Relaxed);
    }

    /// Hands what viewers have done to the guest. The connection that it came from is read on once the guest has it, so
    /// no viewer can pile up input.
    fn forward_inputs(&mut self, permit: Option<ReadPermit>) {
        let mut inputs = self.inputs.take_inputs();
        inputs.retain(|input| !self.main.take_input(input));
        if inputs.is_empty() {
            return;
        }
        if let Some(sink) = &self.policy.inputs {
            sink.take(Inputs::new(inputs, permit));
        } else if let Some(worker) = self.displays.get(&ChannelId(0)) {
            worker.send(WorkerMessage::Inputs(inputs, permit));
        }
    }

    /// Does what may change the mouse mode.
    fn change_mouse(&mut self, change: impl FnOnce(&mut MainChannel)) {
        let before = self.main.mouse_mode();
        change(&mut self.main);
        self.follow_mouse_mode(before);
    }

    /// The mouse mode may have changed: pointers are drawn by viewers in one, and for them in the other.
    fn follow_mouse_mode(&mut self, before: MouseModes) {
        let mode = self.main.mouse_mode();
        if mode != before {
            self.inputs.set_mouse_mode(mode);
            self.counters.positions.store(mode == MouseModes::CLIENT, Ordering::Relaxed);
            for worker in self.displays.values() {
                worker.send(WorkerMessage::PointerIsLocal(mode == MouseModes::CLIENT));
            }
        }
    }

    fn add_display(&mut self, id: ChannelId, worker: WorkerHandle) {
        worker.send(WorkerMessage::PointerIsLocal(self.main.mouse_mode() == MouseModes::CLIENT));
        self.displays.insert(id, worker);
        for kind in [ChannelType::DISPLAY, ChannelType::CURSOR] {
            self.main.offer(kind, id);
        }
    }

    fn remove_display(&mut self, id: ChannelId) {
        self.displays.remove(&id);
        for kind in [ChannelType::DISPLAY, ChannelType::CURSOR] {
            self.main.withdraw(kind, id);
            self.detach_all(kind, id, "there is no such display any more");
        }
    }

    fn add_device(&mut self, kind: ChannelType, id: ChannelId, channel: Box<dyn DeviceChannel>) {
        let connections = ChannelDriver::new(Arc::clone(&self.counters));
        self.devices.insert((kind, id), Device { channel, connections });
        self.main.offer(kind, id);
    }

    fn remove_device(&mut self, kind: ChannelType, id: ChannelId, now: Time) {
        self.main.withdraw(kind, id);
        if let Some(mut device) = self.devices.remove(&(kind, id)) {
            for client in self.clients.keys() {
                device.connections.disconnect(device.channel.as_mut(), *client, now);
            }
        }
        self.detach_all(kind, id, "there is no such device any more");
    }

    fn handle_device_connection(
        &mut self,
        kind: ChannelType,
        id: ChannelId,
        client: ClientId,
        event: ConnectionEvent,
        now: Time,
    ) {
        let Some(device) = self.devices.get_mut(&(kind, id)) else { return };
        device.channel.hold(event.permit());
        let ended = device.connections.handle_event(device.channel.as_mut(), client, event, now);
        device.channel.hold(None);
        if let Some(ended) = ended {
            self.handle_ended(kind, id, &ended, now);
        }
    }

    /// Lets a viewer do what its role allows and its ticket does; answers whether it is here.
    fn set_role(&mut self, id: ClientId, role: Role, now: Time) -> bool {
        let Some(session) = self.clients.get_mut(&id) else { return false };
        let from = std::mem::replace(&mut session.role, role);
        let permissions = session.permissions();
        // Who is still arriving may do nothing yet.
        if session.arrival.is_none() {
            self.inputs.set_permissions(id, permissions);
            self.main.set_permissions(id, permissions);
            self.forward_inputs(None);
        }
        let lost = session_channels(&self.clients, id).filter(|(kind, _)| !permissions.allows_channel(*kind));
        for (kind, channel) in lost.collect::<Vec<_>>() {
            if let Some(device) = self.devices.get_mut(&(kind, channel)) {
                device.connections.disconnect(device.channel.as_mut(), id, now);
                self.detach(id, kind, channel);
            }
        }
        if from != role {
            tracing::info!("{id}: may {role} now");
            self.policy.audit.tell(AuditEvent::RoleChanged { viewer: id, from, to: role });
        }
        true
    }

    fn revoke_ticket(&mut self, ticket: TicketId, now: Time) -> Option<usize> {
        let sessions = self.policy.admission.lock().revoke_ticket(ticket)?;
        let viewers: Vec<_> = sessions.into_iter().filter_map(|name| self.find_client(name)).collect();
        for id in &viewers {
            self.end_client(*id, "its ticket was revoked", now);
        }
        self.policy.audit.tell(AuditEvent::TicketRevoked { ticket, viewers: viewers.len() });
        Some(viewers.len())
    }

    /// Says who is here; the worker adds how they fare, and answers.
    fn call_roll(&self, reply: Reply, now: Time) {
        let viewers = self.clients.iter().map(|(id, session)| Viewer {
            id: *id,
            peer: session.peer,
            transport: session.transport,
            credential: session.grant.credential.clone(),
            role: session.role,
            permissions: session.permissions(),
            connected: now.since(session.since),
            channels: session.client.channels().collect(),
            displays: Vec::new(),
        });
        let displays = self.displays.values().map(|worker| Box::new(worker.clone()) as Box<dyn HasDisplay>);
        Roll::new(viewers.collect(), displays.collect(), reply).send();
    }

    /// A connection is over: the channel of that viewer, or the viewer as a whole.
    fn handle_ended(&mut self, kind: ChannelType, channel: ChannelId, ended: &Ended, now: Time) {
        let id = ended.client;
        if kind == ChannelType::MAIN || ended.scope == Scope::Client {
            self.end_client(id, &ended.reason, now);
        } else {
            tracing::info!("{id}: {kind} channel over: {}", ended.reason);
            self.detach(id, kind, channel);
        }
    }

    /// A viewer has a channel less.
    fn detach(&mut self, id: ClientId, kind: ChannelType, channel: ChannelId) {
        let Some(session) = self.clients.get_mut(&id) else { return };
        session.client.detach(kind, channel);
        let at = session.connections.iter().position(|info| (info.kind, info.id) == (kind, channel));
        if let Some(at) = at {
            let info = session.connections.remove(at);
            if let Some(events) = &self.policy.channel_events {
                events.tell(ChannelEvent::Ended(info));
            }
        }
    }

    /// All viewers have a channel less.
    fn detach_all(&mut self, kind: ChannelType, channel: ChannelId, why: &str) {
        let have = |session: &&Session| session.client.channels().any(|has| has == (kind, channel));
        let clients: Vec<_> = self.clients.values().filter(have).map(|session| session.client.id()).collect();
        for id in clients {
            tracing::info!("{id}: {kind} channel over: {why}");
            self.detach(id, kind, channel);
        }
    }

    /// Ends a viewer; answers whether it was here.
    fn end_client(&mut self, id: ClientId, reason: &str, now: Time) -> bool {
        let Some(session) = self.clients.remove(&id) else { return false };
        let Session { client, peer, since, connections, .. } = session;
        tracing::info!("{id} left: {reason}");
        self.policy.admission.lock().end_session(client.connection());
        let connected = now.since(since);
        self.policy.audit.tell(AuditEvent::Ended { viewer: id, peer, reason: reason.to_owned(), connected });
        for (kind, channel) in client.channels() {
            match kind {
                ChannelType::MAIN => drop(self.main_connections.disconnect(&mut self.main, id, now)),
                ChannelType::INPUTS => drop(self.inputs_connections.disconnect(&mut self.inputs, id, now)),
                ChannelType::DISPLAY | ChannelType::CURSOR => {
                    if let Some(worker) = self.displays.get(&channel) {
                        worker.send(WorkerMessage::Disconnect(kind, id));
                    }
                }
                _ => {
                    if let Some(device) = self.devices.get_mut(&(kind, channel)) {
                        device.connections.disconnect(device.channel.as_mut(), id, now);
                    }
                }
            }
        }
        if let Some(events) = &self.policy.channel_events {
            connections.into_iter().rev().for_each(|info| events.tell(ChannelEvent::Ended(info)));
        }
        self.forward_inputs(None);
        true
    }
}

/// The channels of a viewer.
fn session_channels(
    clients: &BTreeMap<ClientId, Session>,
    id: ClientId,
) -> impl Iterator<Item = (ChannelType, ChannelId)> {
    clients.get(&id).into_iter().flat_map(|session| session.client.channels())
}

/// Viewers that are here when the server ends have an end in the audit, too.
impl Drop for Reds {
    fn drop(&mut self) {
        let now = clock::now();
        let events = self.policy.channel_events.clone();
        let over = self.clients.values().flat_map(|session| &session.connections);
        for (events, info) in over.filter_map(|info| Some((events.as_ref()?, info))) {
            events.tell(ChannelEvent::Ended(*info));
        }
        for (viewer, Session { peer, since, .. }) in &self.clients {
            let (reason, connected) = ("the server ends".to_owned(), now.since(*since));
            self.policy.audit.tell(AuditEvent::Ended { viewer: *viewer, peer: *peer, reason, connected });
        }
    }
}
