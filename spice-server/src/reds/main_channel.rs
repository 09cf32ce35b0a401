//! The main channel: a viewer's session begins and ends with it.

use core::time::Duration;
use std::collections::BTreeSet;

use bytes::Bytes;
use spice_channel::{
    BudgetLimits, Channel, ChannelConfig, ChannelError, ChannelLink, ClientId, Rate, RedChannel,
    RedChannelClient, RoomLimits, Time, Transmit,
};
use spice_proto::agent::MAX_CHUNK;
use spice_proto::caps::{CapabilitySet, MainCap};
use spice_proto::main::{
    ChannelsList, ClientMessage, Init, MouseMode, MouseModes, MultiMediaTime, Name, OfferedChannel,
    ServerMessage,
};
use spice_proto::{ChannelId, ChannelType, ConnectionId};

use super::agent::{Agent, AgentSeat, Returned, WINDOW};
use super::arrival::ArrivalSeat;
use super::departure::{Departure, DepartureSeat};
use crate::access::Permissions;
use crate::clock;
use crate::devices::{AgentPolicy, NewAgent};
use crate::guest::GuestInput;
use crate::migration::{MigrationSink, MigrationTarget};

/// The main channel of every viewer.
#[derive(Debug)]
pub(crate) struct MainChannel {
    channel: RedChannel<MainClient>,
    config: ChannelConfig,
    offered: BTreeSet<(ChannelType, ChannelId)>,
    name: Option<Bytes>,
    uuid: Option<[u8; 16]>,
    departure: Departure,
    supported: MouseModes,
    current: MouseModes,
    /// The guest has a tablet.
    tablet: bool,
    agent: Agent,
}

/// A viewer's session. What it is to be told waits as a fact that is due, never as a queue: however often it asks, and
/// however little it reads, there is one list and one mouse mode.
#[derive(Debug)]
struct MainClient {
    red: RedChannelClient,
    permissions: Permissions,
    init_due: Option<Init>,
    /// The channels that it has been told of, once it has asked.
    listed: Option<BTreeSet<(ChannelType, ChannelId)>>,
    list_due: bool,
    mode_due: bool,
    names_due: bool,
    clock_due: bool,
    departure: DepartureSeat,
    /// Where it comes from another server, how far it is.
    arrival: ArrivalSeat,
    agent: AgentSeat,
}

impl AsRef<RedChannelClient> for MainClient {
    fn as_ref(&self) -> &RedChannelClient {
        &self.red
    }
}

impl AsMut<RedChannelClient> for MainClient {
    fn as_mut(&mut self) -> &mut RedChannelClient {
        &mut self.red
    }
}

impl MainClient {
    fn send(&mut self, message: &ServerMessage) {
        self.red.send(message.id(), &message.encode());
    }
}

/// The largest message that a viewer may send: an agent's piece with its head, and room.
const MAX_INCOMING: u32 = 4096;

/// What a viewer may send. Pieces for the agent have 2 KiB, so the burst is one of 16 MiB of them; beyond what tokens
/// invite there is no reason for as many.
const BUDGET: BudgetLimits = BudgetLimits {
    messages: Rate { per_second: 10_000, burst: 20_000 },
    bytes: Rate { per_second: 16 << 20, burst: 16 << 20 },
};

/// A viewer can link to another server while it is here.
const SEMI_SEAMLESS: u32 = MainCap::SEMI_SEAMLESS_MIGRATE.0;

/// What viewers are told of the video memory. spice-gtk gives its GLZ window half as many bytes (`spice-session.c`),
/// which is what the dictionaries here have.
const RAM_HINT: u32 = 128 << 20;

impl MainChannel {
    /// The channel of a session without other channels, of a desktop that takes no absolute positions.
    pub(crate) fn new(viewer_timeout: Duration) -> Self {
        Self {
            channel: RedChannel::new(ChannelType::MAIN, ChannelId(0)),
            config: ChannelConfig {
                max_incoming: MAX_INCOMING,
                budget: BUDGET,
                room: RoomLimits::fixed(16 << 10),
                ..ChannelConfig::default()
            }
            .with_stall_limit(viewer_timeout),
            offered: BTreeSet::new(),
            name: None,
            uuid: None,
            departure: Departure::default(),
            supported: MouseModes::SERVER,
            current: MouseModes::SERVER,
            tablet: false,
            agent: Agent::default(),
        }
    }

    /// The session has one more channel. Viewers that know the others are told of this one.
    pub(crate) fn offer(&mut self, kind: ChannelType, id: ChannelId) {
        self.offered.insert((kind, id));
        for (_, client) in self.channel.iter_mut() {
            client.list_due |= client.listed.is_some();
        }
    }

    /// The session has a channel less. Viewers hear of it by its connection's end.
    pub(crate) fn withdraw(&mut self, kind: ChannelType, id: ChannelId) {
        self.offered.remove(&(kind, id));
        for (_, client) in self.channel.iter_mut() {
            if let Some(listed) = &mut client.listed {
                listed.remove(&(kind, id));
            }
        }
    }

    /// Whether the guest takes absolute positions by itself (has a tablet).
    pub(crate) fn set_positions(&mut self, positions: bool) {
        self.tablet = positions;
        self.choose_mouse_mode();
    }

    /// Where the guest takes absolute positions, or its agent does, viewers draw the pointer themselves, until one asks
    /// for the other mode.
    fn choose_mouse_mode(&mut self) {
        let (supported, current) = if self.tablet || self.agent.moves_pointer() {
            (MouseModes::SERVER | MouseModes::CLIENT, MouseModes::CLIENT)
        } else {
            (MouseModes::SERVER, MouseModes::SERVER)
        };
        // What somebody has asked for stays as long as it can be had.
        if self.supported != supported {
            (self.supported, self.current) = (supported, current);
            for (_, client) in self.channel.iter_mut() {
                client.mode_due = true;
            }
        }
    }

    /// The guest's agent is there.
    pub(crate) fn attach_agent(&mut self, agent: NewAgent) {
        self.agent.attach(agent);
        self.elect();
        self.choose_mouse_mode();
    }

    /// The guest's agent is gone.
    pub(crate) fn detach_agent(&mut self) {
        let returned = self.agent.detach();
        self.give_back(returned);
        self.choose_mouse_mode();
    }

    pub(crate) fn set_agent_policy(&mut self, policy: AgentPolicy) {
        self.agent.set_policy(policy);
        self.choose_mouse_mode();
    }

    /// Looks after the agent: what its device is to be given and has taken.
    pub(crate) fn poll_agent(&mut self) {
        let returned = self.agent.poll();
        self.give_back(returned);
        self.choose_mouse_mode();
    }

    /// Takes what a viewer did with its mouse, where the agent moves the pointer.
    pub(crate) fn take_input(&mut self, input: &GuestInput) -> bool {
        self.current == MouseModes::CLIENT && self.agent.take_input(input)
    }

    #[cfg(test)]
    pub(crate) fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Who may share clipboards may have the agent: viewers have come, left, or may do something else than before.
    fn elect(&mut self) {
        let may =
            self.channel.iter().filter(|(_, client)| client.permissions.contains(Permissions::CLIPBOARD));
        let may: Vec<_> = may.map(|(id, _)| id).collect();
        let returned = self.agent.elect(&may);
        self.give_back(returned);
    }

    fn give_back(&mut self, pieces: Returned) {
        for (client, session) in pieces {
            if let Some(client) = self.channel.client_mut(client) {
                client.agent.give_back(session);
            }
        }
    }

    /// A viewer that has just connected is still elsewhere: it is not greeted yet.
    pub(crate) fn expect(&mut self, client: ClientId) {
        if let Some(client) = self.channel.client_mut(client) {
            client.arrival = ArrivalSeat::awaited();
        }
    }

    /// The viewers that were expected and have come. They know which channels there are.
    pub(crate) fn take_arrived(&mut self) -> Vec<ClientId> {
        let mut arrived = Vec::new();
        for (id, client) in self.channel.iter_mut() {
            if client.arrival.take_arrived() {
                client.listed = Some(self.offered.clone());
                arrived.push(id);
            }
        }
        arrived
    }

    /// Viewers that are here go on elsewhere.
    pub(crate) fn switch_host(&mut self, target: MigrationTarget) {
        self.departure.switch(target, departure_seats(&mut self.channel));
    }

    /// The desktop is about to move: viewers that can are to link to the target.
    pub(crate) fn begin_migration(&mut self, target: MigrationTarget, sink: MigrationSink, now: Time) {
        self.departure.begin(target, sink, departure_seats(&mut self.channel), now);
    }

    /// The desktop has moved with its viewers, or it stays after all.
    pub(crate) fn end_migration(&mut self, moved: bool, now: Time) {
        self.departure.end(moved, departure_seats(&mut self.channel), now);
    }

    /// Viewers that should have left with the desktop, and have not.
    pub(crate) fn left_behind(&mut self, now: Time) -> BTreeSet<ClientId> {
        self.departure.handle_timeout(departure_seats(&mut self.channel), now)
    }

    /// What the desktop is called, for viewers that come from now on.
    pub(crate) fn set_name(&mut self, name: Option<String>) {
        self.name = name.map(|name| format!("{name}\0").into());
    }

    /// The desktop's UUID, for viewers that come from now on.
    pub(crate) fn set_uuid(&mut self, uuid: Option<[u8; 16]>) {
        self.uuid = uuid;
    }

    /// Viewers are to go by the server's clock again. While they play sound, they go by that, which they hear late.
    pub(crate) fn tell_clock(&mut self) {
        for (_, client) in self.channel.iter_mut() {
            client.clock_due = true;
        }
    }

    /// The mouse mode in force, the same for every viewer.
    pub(crate) fn mouse_mode(&self) -> MouseModes {
        self.current
    }

    /// Greets a viewer that has just connected.
    pub(crate) fn greet(&mut self, client: ClientId, connection: ConnectionId, now: Time) {
        let init = Init {
            session_id: connection,
            display_channels_hint: self.displays(),
            supported_mouse_modes: self.supported.bits().into(),
            current_mouse_mode: self.current.bits().into(),
            agent_connected: 0,
            agent_tokens: WINDOW,
            multi_media_time: clock::multimedia(now),
            ram_hint: RAM_HINT,
        };
        if let Some(client) = self.channel.client_mut(client) {
            client.init_due = Some(init);
        }
    }

    /// What a viewer may do from now on. One that has joined may do nothing until this says so.
    pub(crate) fn set_permissions(&mut self, client: ClientId, permissions: Permissions) {
        if let Some(client) = self.channel.client_mut(client) {
            client.permissions = permissions;
        }
        self.elect();
    }

    /// Displays that there are, 1 at least: what viewers make room for.
    fn displays(&self) -> u32 {
        let displays = self.offered.iter().filter(|(kind, _)| *kind == ChannelType::DISPLAY).count();
        u32::try_from(displays).unwrap_or(u32::MAX).max(1)
    }

    fn handle_message(&mut self, client: ClientId, message: &ClientMessage) -> Result<(), ChannelError> {
        match message {
            ClientMessage::AttachChannels => {
                if let Some(client) = self.channel.client_mut(client) {
                    client.listed = Some(BTreeSet::new());
                    client.list_due = true;
                }
                Ok(())
            }
            ClientMessage::MouseModeRequest(request) => {
                // One mode for all: who may not move the mouse does not choose how the others do.
                let viewer = self.channel.client_mut(client);
                if viewer.is_some_and(|viewer| viewer.permissions.contains(Permissions::INPUTS)) {
                    self.request_mouse_mode(request.mode);
                }
                Ok(())
            }
            ClientMessage::MigrateConnected => self.handle_departed(
                client,
                true,
                ChannelError::OutOfTurn { message: "main.MigrateConnected" },
            ),
            ClientMessage::MigrateConnectError => self.handle_departed(
                client,
                false,
                ChannelError::OutOfTurn { message: "main.MigrateConnectError" },
            ),
            ClientMessage::MigrateEnd => {
                let viewer = self.channel.client_mut(client);
                if viewer.is_none_or(|viewer| viewer.arrival.handle_end()) {
                    Ok(())
                } else {
                    Err(ChannelError::OutOfTurn { message: "main.MigrateEnd" })
                }
            }
            ClientMessage::MigrateDstDoSeamless(_) => {
                if let Some(viewer) = self.channel.client_mut(client) {
                    viewer.arrival.handle_seamless();
                }
                Ok(())
            }
            ClientMessage::AgentData(piece) if piece.len() > MAX_CHUNK => {
                let size = u32::try_from(piece.len()).unwrap_or(u32::MAX);
                Err(ChannelError::TooLarge { id: message.id(), size, max: MAX_CHUNK as u32 })
            }
            ClientMessage::AgentData(piece) => match self.channel.client_mut(client) {
                Some(viewer) => self.agent.handle_piece(client, &mut viewer.agent, piece.clone()),
                None => Ok(()),
            },
            ClientMessage::AgentStart(tokens) => {
                if let Some(viewer) = self.channel.client_mut(client) {
                    self.agent.handle_start(client, &mut viewer.agent, tokens.num_tokens);
                }
                Ok(())
            }
            ClientMessage::AgentToken(tokens) => {
                if let Some(viewer) = self.channel.client_mut(client) {
                    self.agent.handle_tokens(client, &mut viewer.agent, tokens.num_tokens);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A viewer says whether it is linked to the target.
    fn handle_departed(
        &mut self,
        id: ClientId,
        is_there: bool,
        unasked: ChannelError,
    ) -> Result<(), ChannelError> {
        let asked = self.channel.client_mut(id).is_none_or(|client| client.departure.answer(is_there));
        self.departure.handle_answer(id);
        if asked { Ok(()) } else { Err(unasked) }
    }

    /// One mode for the whole desktop: the last viewer to ask has its way, if the guest can do it.
    fn request_mouse_mode(&mut self, mode: MouseModes) {
        let possible =
            matches!(mode, MouseModes::CLIENT | MouseModes::SERVER) && self.supported.contains(mode);
        if !possible || mode == self.current {
            return;
        }
        self.current = mode;
        for (_, client) in self.channel.iter_mut() {
            client.mode_due = true;
        }
    }
}

fn departure_seats(
    channel: &mut RedChannel<MainClient>,
) -> impl Iterator<Item = (ClientId, &mut DepartureSeat)> {
    channel.iter_mut().map(|(id, client)| (id, &mut client.departure))
}

impl Channel for MainChannel {
    fn caps(&self) -> CapabilitySet {
        CapabilitySet::new([SEMI_SEAMLESS])
    }

    fn connect(&mut self, client: ClientId, link: ChannelLink, now: Time) {
        let red = RedChannelClient::new(link.header(), self.config, now);
        self.channel.attach(
            client,
            MainClient {
                red,
                permissions: Permissions::empty(),
                init_due: None,
                listed: None,
                list_due: false,
                mode_due: false,
                departure: DepartureSeat::new(link.caps.channel.contains(SEMI_SEAMLESS)),
                agent: AgentSeat::new(link.caps.channel.contains(MainCap::AGENT_CONNECTED_TOKENS.0)),
                names_due: link.caps.channel.contains(MainCap::NAME_AND_UUID.0),
                clock_due: false,
                arrival: ArrivalSeat::default(),
            },
        );
    }

    fn disconnect(&mut self, client: ClientId, _: Time) {
        self.channel.detach(client);
        self.departure.handle_left(client);
        self.elect();
    }

    fn handle_bytes(&mut self, id: ClientId, bytes: &[u8], now: Time) -> Result<(), ChannelError> {
        let Some(client) = self.channel.client_mut(id) else { return Ok(()) };
        client.red.handle_bytes(bytes, now);
        while let Some(client) = self.channel.client_mut(id)
            && let Some(message) = client.red.poll_message(now)?
        {
            self.handle_message(id, &ClientMessage::decode(message.id, &message.body)?)?;
        }
        Ok(())
    }

    fn handle_written(&mut self, client: ClientId, len: usize, now: Time) {
        self.channel.handle_written(client, len, now);
    }

    fn handle_timeout(&mut self, now: Time) -> Vec<(ClientId, ChannelError)> {
        let mut over = self.channel.handle_timeout(now);
        // An agent that a viewer leaves waiting stands still for all of them.
        if let Some((client, since)) = self.agent.awaited()
            && now.since(since) >= self.config.stall_limit
            && over.iter().all(|(gone, _)| *gone != client)
        {
            over.push((client, ChannelError::Stalled(now.since(since))));
        }
        over
    }

    fn poll_transmit(&mut self, id: ClientId, now: Time) -> Option<Transmit> {
        let client = self.channel.client_mut(id)?;
        if client.red.has_room() && client.arrival.poll(&mut client.red) {
            if let Some(mut init) = client.init_due.take() {
                let session = self.agent.session(id);
                init.agent_connected = session.is_some().into();
                client.agent.greet(session, &mut client.red);
                client.send(&ServerMessage::Init(init));
                if std::mem::take(&mut client.names_due) {
                    if let Some(name) = &self.name {
                        client.send(&ServerMessage::Name(Name(name.clone())));
                    }
                    if let Some(uuid) = self.uuid {
                        client.send(&ServerMessage::Uuid(uuid));
                    }
                }
            }
            if std::mem::take(&mut client.list_due) {
                let listed = client.listed.get_or_insert_default();
                let new = self.offered.iter().filter(|(kind, id)| {
                    client.permissions.allows_channel(*kind) && listed.insert((*kind, *id))
                });
                let list = new.map(|&(channel_type, channel_id)| OfferedChannel { channel_type, channel_id });
                let list = ChannelsList(list.collect());
                client.send(&ServerMessage::ChannelsList(list));
            }
            self.departure.poll_viewer(&mut client.departure, &mut client.red);
            if std::mem::take(&mut client.mode_due) {
                let mode = MouseMode { supported_modes: self.supported, current_mode: self.current };
                client.send(&ServerMessage::MouseMode(mode));
            }
            if std::mem::take(&mut client.clock_due) {
                let time = clock::multimedia(now);
                client.send(&ServerMessage::MultiMediaTime(MultiMediaTime { time }));
            }
            self.agent.poll_viewer(id, &mut client.agent, &mut client.red, now);
        }
        client.red.poll_transmit(now)
    }

    fn poll_timeout(&self) -> Option<Time> {
        let agent = self.agent.awaited().map(|(_, since)| since + self.config.stall_limit);
        let departure = self.departure.poll_timeout();
        self.channel.poll_timeout().into_iter().chain(agent).chain(departure).min()
    }
}

#[cfg(test)]
mod tests {
    use spice_proto::caps::Capabilities;
    use spice_proto::main::MouseModeRequest;

    use super::*;

    fn say(channel: &mut MainChannel, client: u64, message: &ClientMessage) -> Result<(), ChannelError> {
        let body = message.encode().to_bytes();
        let mut bytes = Vec::new();
        spice_proto::HeaderKind::Full.encode(1, message.id(), u32::try_from(body.len()).unwrap(), &mut bytes);
        bytes.extend_from_slice(&body);
        channel.handle_bytes(ClientId(client), &bytes, Time::ZERO)
    }

    #[test]
    fn who_changes_the_mouse_mode_again_and_again_costs_one_who_does_not_read_a_message() {
        let mut channel = MainChannel::new(Duration::from_secs(30));
        channel.set_positions(true);
        for id in [1, 2] {
            channel.connect(ClientId(id), ChannelLink { caps: Capabilities::default() }, Time::ZERO);
            channel.greet(ClientId(id), ConnectionId(7), Time::ZERO);
            channel.set_permissions(ClientId(id), Permissions::all());
        }
        let greeted = channel.poll_transmit(ClientId(2), Time::ZERO).unwrap().len;
        for _ in 0..5000 {
            for mode in [MouseModes::SERVER, MouseModes::CLIENT] {
                let request = ClientMessage::MouseModeRequest(MouseModeRequest { mode });
                say(&mut channel, 1, &request).unwrap();
            }
        }
        let told = channel.poll_transmit(ClientId(2), Time::ZERO).unwrap().len;
        assert!(told < greeted, "{told} bytes");
        assert_eq!(channel.mouse_mode(), MouseModes::CLIENT);
    }

    #[test]
    fn a_name_ends_with_a_nul_which_viewers_read_up_to() {
        let mut channel = MainChannel::new(Duration::from_secs(30));
        channel.set_name(Some("the desktop".into()));
        let names = CapabilitySet::new([MainCap::NAME_AND_UUID.0]);
        let caps = Capabilities { common: CapabilitySet::default(), channel: names };
        channel.connect(ClientId(1), ChannelLink { caps }, Time::ZERO);
        channel.greet(ClientId(1), ConnectionId(7), Time::ZERO);
        let told = channel.poll_transmit(ClientId(1), Time::ZERO).unwrap().pieces.concat();
        let name = b"\x0c\0\0\0the desktop\0";
        assert!(told.windows(name.len()).any(|window| window == name));
    }
}
