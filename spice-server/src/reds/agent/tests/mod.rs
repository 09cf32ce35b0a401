//! The agent through the main channel, by a virtual clock.

mod sequences;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use spice_channel::{Channel, ChannelLink};
use spice_client::ChannelPeer;
use spice_proto::agent::{
    AgentLayout, ChunkReader, ChunkSplitter, FileXferData, MAX_CHUNK, MaxClipboard, Message, MessageHeader,
    MessageType, Monitor, MonitorsConfig, PROTOCOL, Port, Reassembler,
};
use spice_proto::caps::{Capabilities, CapabilitySet, MainCap};
use spice_proto::inputs::MouseButtons;
use spice_proto::main::{AgentTokens, ClientMessage, MouseModes, ServerMessage};
use spice_proto::{ConnectionId, HeaderKind};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::access::Permissions;
use crate::devices::{AgentPort, AgentSink, Bell, Mailbox, MonitorsSink};
use crate::reds::{MainChannel, RedsEvent, RedsHandle};

type Events = Arc<Mutex<Vec<AgentEvent>>>;

struct Bench {
    main: MainChannel,
    now: Time,
    events: Events,
    port: Option<Arc<AgentPort>>,
    session: u64,
    reds: (RedsHandle, UnboundedReceiver<RedsEvent>),
    /// What the device has been given and has not taken, and all that it has taken.
    held: Vec<AgentWrite>,
    taken: Vec<u8>,
    peers: BTreeMap<u64, ChannelPeer>,
    /// Viewers that have left off in the middle of a message.
    torn: BTreeSet<u64>,
}

impl Bench {
    fn new() -> Self {
        Self {
            main: MainChannel::new(Duration::from_secs(30)),
            now: Time::ZERO,
            events: Events::default(),
            port: None,
            session: 1,
            reds: unbounded_channel(),
            held: Vec::new(),
            taken: Vec::new(),
            peers: BTreeMap::new(),
            torn: BTreeSet::new(),
        }
    }

    fn with_agent(policy: AgentPolicy) -> Self {
        let mut bench = Self::new();
        bench.attach(policy);
        bench
    }

    fn attach(&mut self, policy: AgentPolicy) {
        let bell = Bell::new(self.reds.0.downgrade(), || RedsEvent::Agent);
        let port = Arc::new(AgentPort::new(Mailbox::new(bell)));
        self.port = Some(Arc::clone(&port));
        let events = Arc::clone(&self.events);
        let sink = AgentSink::new(move |event| events.lock().unwrap().push(event));
        self.main.attach_agent(NewAgent { port, sink, policy });
    }

    fn join_with(&mut self, client: u64, caps: &[u32], permissions: Permissions) {
        self.peers.remove(&client);
        let channel = CapabilitySet::new(caps.iter().copied());
        let link = ChannelLink { caps: Capabilities { channel, ..Capabilities::default() } };
        self.main.connect(ClientId(client), link, self.now);
        self.main.greet(ClientId(client), ConnectionId(7), self.now);
        self.main.set_permissions(ClientId(client), permissions);
    }

    fn join(&mut self, client: u64) {
        self.join_with(client, &[MainCap::AGENT_CONNECTED_TOKENS.0], Permissions::all());
    }

    fn say(&mut self, client: u64, message: &ClientMessage) -> Result<(), ChannelError> {
        let body = message.encode().to_bytes();
        let mut bytes = Vec::new();
        HeaderKind::Full.encode(1, message.id(), u32::try_from(body.len()).unwrap(), &mut bytes);
        bytes.extend_from_slice(&body);
        self.main.handle_bytes(ClientId(client), &bytes, self.now)
    }

    fn start(&mut self, client: u64, num_tokens: u32) {
        self.say(client, &ClientMessage::AgentStart(AgentTokens { num_tokens })).unwrap();
    }

    fn piece(&mut self, client: u64, piece: impl Into<Bytes>) -> Result<(), ChannelError> {
        self.say(client, &ClientMessage::AgentData(piece.into()))
    }

    /// What the viewer hears of the main channel; it reads everything at once, and answers pings.
    fn hears(&mut self, client: u64) -> Vec<ServerMessage> {
        let mut messages = Vec::new();
        loop {
            self.main.poll_agent();
            let Some(transmit) = self.main.poll_transmit(ClientId(client), self.now) else { return messages };
            self.main.handle_written(ClientId(client), transmit.len, self.now);
            let peer = self.peers.entry(client).or_insert_with(|| ChannelPeer::new(HeaderKind::Full));
            peer.handle_bytes(&transmit.to_bytes());
            while let Some((id, body)) = peer.poll_message().unwrap() {
                messages.push(ServerMessage::decode(id, &body).unwrap());
            }
            let answers = peer.take_answers();
            self.main.handle_bytes(ClientId(client), &answers, self.now).unwrap();
        }
    }

    /// The device takes what it is given; answers how many writes it was given at once at most.
    fn device_takes(&mut self) -> usize {
        let mut most = 0;
        loop {
            self.main.poll_agent();
            for event in self.events.lock().unwrap().drain(..) {
                if let AgentEvent::Write(write) = event {
                    self.held.push(write);
                }
            }
            if self.held.is_empty() {
                return most;
            }
            most = most.max(self.held.len());
            for write in self.held.drain(..) {
                self.taken.extend_from_slice(&write);
            }
        }
    }

    /// What the guest's agent makes of what the device has taken since: whole messages of viewers, and the server's.
    /// It forgets a viewer's message that is not whole when it hears that the viewer is gone.
    fn agent_reads(&mut self) -> Vec<(Port, MessageType, usize)> {
        let mut input = Bytes::from(std::mem::take(&mut self.taken));
        let (mut reader, mut viewer) = (ChunkReader::default(), Reassembler::new(u32::MAX));
        let mut messages = Vec::new();
        while let Some(mut chunk) = reader.read(&mut input).unwrap() {
            let mut server = Reassembler::new(u32::MAX);
            let stream = if chunk.port == Port::CLIENT { &mut viewer } else { &mut server };
            while let Some(message) = stream.read(&mut chunk.data).unwrap() {
                assert!(chunk.data.is_empty(), "a chunk with bytes of two messages");
                if let (MessageType::FILE_XFER_DATA, Some([first, rest @ ..])) =
                    (message.message_type, message.data.get(12..))
                {
                    assert!(rest.iter().all(|byte| byte == first), "a message with bytes of two viewers");
                }
                messages.push((chunk.port, message.message_type, message.data.len()));
            }
            if chunk.port == Port::SERVER && messages.last() == Some(&SERVER_GOODBYE) {
                viewer = Reassembler::new(u32::MAX);
            }
        }
        messages
    }

    fn agent_says(&self, bytes: impl Into<Bytes>) {
        self.port.as_ref().unwrap().mailbox.send(self.session, bytes.into()).unwrap();
    }

    fn room(&self) -> usize {
        self.port.as_ref().unwrap().mailbox.room(self.session)
    }
}

fn on_port(message: &Message) -> Vec<u8> {
    let content = message.encode(AgentLayout::default()).unwrap();
    let chunks = ChunkSplitter::new(message.message_type(), 0, &content).on_port(Port::CLIENT);
    chunks.flat_map(|chunk| chunk.to_bytes()).collect()
}

fn pieces(message: &Message) -> Vec<Bytes> {
    let content = message.encode(AgentLayout::default()).unwrap();
    ChunkSplitter::new(message.message_type(), 0, &content).collect()
}

fn file(len: usize) -> Message {
    Message::FileXferData(FileXferData { id: 1, data: vec![7; len].into() })
}

fn header(message_type: MessageType, size: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    MessageHeader { protocol: PROTOCOL, message_type, opaque: 0, size }.encode(&mut bytes);
    bytes
}

fn small() -> Message {
    Message::MaxClipboard(MaxClipboard { max: 1 })
}

fn tokens(heard: &[ServerMessage]) -> Vec<u32> {
    let tokens = |said: &ServerMessage| match said {
        ServerMessage::AgentToken(tokens) => Some(tokens.num_tokens),
        _ => None,
    };
    heard.iter().filter_map(tokens).collect()
}

fn agent_in_init(heard: &[ServerMessage]) -> u32 {
    let Some(ServerMessage::Init(init)) = heard.first() else { panic!("{heard:?}") };
    init.agent_connected
}

fn told_of_agent(heard: &[ServerMessage]) -> Vec<bool> {
    let told = |said: &ServerMessage| match said {
        ServerMessage::AgentConnectedTokens(_) | ServerMessage::AgentConnected => Some(true),
        ServerMessage::AgentDisconnected(_) => Some(false),
        _ => None,
    };
    heard.iter().filter_map(told).collect()
}

const SERVER_GOODBYE: (Port, MessageType, usize) = (Port::SERVER, MessageType::CLIENT_DISCONNECTED, 0);

#[test]
fn a_message_of_many_pieces_reaches_the_agent_and_its_tokens_come_back_as_the_device_takes_them() {
    let mut bench = Bench::with_agent(AgentPolicy::default());
    bench.join(1);
    assert_eq!(agent_in_init(&bench.hears(1)), 1);
    bench.start(1, u32::MAX);
    let pieces = pieces(&file(60_000));
    let (mut given, mut may_send) = (pieces.iter(), WINDOW);
    for _ in 0..3 {
        for piece in given.by_ref().take(may_send as usize) {
            bench.piece(1, piece.clone()).unwrap();
        }
        assert_eq!(tokens(&bench.hears(1)), [] as [u32; 0], "nothing is taken yet");
        assert_eq!(bench.device_takes(), 5);
        may_send = tokens(&bench.hears(1)).iter().sum();
    }
    assert_eq!((given.len(), pieces.len(), may_send), (0, 30, WINDOW));
    assert_eq!(bench.agent_reads(), [(Port::CLIENT, MessageType::FILE_XFER_DATA, 60_012)]);
}

#[test]
fn a_viewer_that_sends_more_than_it_has_tokens_for_ends_and_nobody_else() {
    let mut bench = Bench::with_agent(AgentPolicy::default());
    bench.join(1);
    bench.join(2);
    bench.hears(1);
    bench.start(1, u32::MAX);
    let pieces = pieces(&file(100_000));
    for piece in &pieces[..WINDOW as usize] {
        bench.piece(1, piece.clone()).unwrap();
    }
    let error = bench.piece(1, pieces[10].clone()).unwrap_err();
    assert_eq!(error, ChannelError::OutOfTurn { message: "main.AgentData without a token" });
    // One that does not have the agent may say what it likes: it may not know yet.
    bench.hears(2);
    for piece in pieces.iter().cycle().take(100) {
        bench.piece(2, piece.clone()).unwrap();
    }
    bench.say(2, &ClientMessage::AgentToken(AgentTokens { num_tokens: 3 })).unwrap();
    bench.start(2, 3);
    assert_eq!(tokens(&bench.hears(2)), [] as [u32; 0]);
    bench.device_takes();
    assert!(bench.agent_reads().is_empty(), "no message is whole");
}

#[test]
fn what_comes_before_the_start_goes_nowhere_and_costs_no_token() {
    let mut bench = Bench::with_agent(AgentPolicy::default());
    bench.join(1);
    bench.hears(1);
    bench.say(1, &ClientMessage::AgentToken(AgentTokens { num_tokens: 9 })).unwrap();
    for _ in 0..100 {
        bench.piece(1, pieces(&small())[0].clone()).unwrap();
    }
    bench.agent_says(on_port(&small()));
    assert!(bench.hears(1).is_empty(), "it does not take part");
    bench.start(1, 1);
    assert!(bench.hears(1).is_empty(), "what was said before it did is gone");
    bench.piece(1, pieces(&small())[0].clone()).unwrap();
    bench.device_takes();
    assert_eq!(bench.agent_reads(), [(Port::CLIENT, MessageType::MAX_CLIPBOARD, 4)]);
}

#[test]
fn the_first_that_may_share_clipboards_has_the_agent_and_the_next_when_it_leaves() {
    let mut bench = Bench::with_agent(AgentPolicy::default());
    bench.join_with(1, &[MainCap::AGENT_CONNECTED_TOKENS.0], Permissions::AUDIO);
    bench.join(2);
    bench.join(3);
    assert_eq!([1, 2, 3].map(|client| agent_in_init(&bench.hears(client))), [0, 1, 0]);
    bench.start(2, u32::MAX);
    // It leaves in the middle of a message, of which the device has a part and a part waits.
    for piece in &pieces(&file(15_000))[..7] {
        bench.piece(2, piece.clone()).unwrap();
    }
    bench.main.poll_agent();
    bench.main.disconnect(ClientId(2), bench.now);
    assert_eq!(told_of_agent(&bench.hears(1)), [] as [bool; 0]);
    assert_eq!(told_of_agent(&bench.hears(3)), [true]);
    bench.start(3, u32::MAX);
    bench.piece(3, pieces(&small())[0].clone()).unwrap();
    bench.device_takes();
    assert_eq!(bench.agent_reads(), [SERVER_GOODBYE, (Port::CLIENT, MessageType::MAX_CLIPBOARD, 4)]);
    // Roles are handed over in the same way, both ways.
    bench.main.set_permissions(ClientId(3), Permissions::AUDIO);
    assert_eq!(told_of_agent(&bench.hears(3)), [false]);
    bench.main.set_permissions(ClientId(1), Permissions::all());
    assert_eq!(told_of_agent(&bench.hears(1)), [true]);
}

#[test]
fn viewers_that_come_and_go_pile_up_nothing_for_an_agent_that_stands_still() {
    let mut bench = Bench::with_agent(AgentPolicy::default());
    let pieces = pieces(&file(100_000));
    for client in 1..=500 {
        bench.join(client);
        bench.hears(client);
        bench.start(client, u32::MAX);
        for piece in &pieces[..WINDOW as usize] {
            bench.piece(client, piece.clone()).unwrap();
        }
        let attached = bench.main.agent().attached.as_ref().unwrap();
        assert!(attached.to_guest.waiting() <= WINDOW as usize);
        bench.main.poll_agent();
        assert!(bench.events.lock().unwrap().len() <= 5);
        if client < 500 {
            bench.main.disconnect(ClientId(client), bench.now);
        }
    }
    bench.device_takes();
    assert_eq!(bench.agent_reads(), [SERVER_GOODBYE], "one goodbye, and no message that is not whole");
}

#[test]
fn one_that_begins_anew_in_the_middle_begins_a_new_message() {
    let mut bench = Bench::with_agent(AgentPolicy::default());
    bench.join(1);
    bench.hears(1);
    for _ in 0..50 {
        bench.start(1, 1);
        bench.piece(1, pieces(&file(5000))[0].clone()).unwrap();
    }
    bench.start(1, 1);
    bench.piece(1, pieces(&small())[0].clone()).unwrap();
    bench.device_takes();
    assert_eq!(bench.agent_reads(), [SERVER_GOODBYE, (Port::CLIENT, MessageType::MAX_CLIPBOARD, 4)]);
}

#[test]
fn pieces_may_be_cut_anywhere_and_hold_several_messages() {
    let stream: Vec<u8> = [small(), file(100), Message::ClientDisconnected, small()]
        .iter()
        .flat_map(pieces)
        .flatten()
        .collect();
    for cut in 1..stream.len() {
        let mut bench = Bench::with_agent(AgentPolicy::default());
        bench.join(1);
        bench.hears(1);
        bench.start(1, u32::MAX);
        for piece in stream.chunks(cut) {
            bench.piece(1, piece.to_vec()).unwrap();
            bench.device_takes();
            bench.hears(1);
        }
        let types: Vec<_> =
            bench.agent_reads().into_iter().map(|(_, message_type, _)| message_type).collect();
        let expected = [
            MessageType::MAX_CLIPBOARD,
            MessageType::FILE_XFER_DATA,
            MessageType::CLIENT_DISCONNECTED,
            MessageType::MAX_CLIPBOARD,
        ];
        assert_eq!(types, expected, "cut at {cut}");
    }
}

#[test]
fn a_stream_that_is_not_the_agents_ends_the_viewer_and_the_agent_goes_on() {
    let mut bench = Bench::with_agent(AgentPolicy::default());
    bench.join(1);
    bench.hears(1);
    bench.start(1, u32::MAX);
    assert!(matches!(bench.piece(1, vec![9; 100]), Err(ChannelError::Decode(_))));
    assert!(matches!(bench.piece(1, vec![9; MAX_CHUNK + 1]), Err(ChannelError::TooLarge { .. })));
    bench.main.disconnect(ClientId(1), bench.now);
    bench.join(2);
    assert_eq!(agent_in_init(&bench.hears(2)), 1);
}

#[test]
fn what_may_not_pass_does_not_either_way_and_its_tokens_come_back() {
    let policy = AgentPolicy { copypaste: false, file_xfer: false, ..AgentPolicy::default() };
    let mut bench = Bench::with_agent(policy);
    bench.join(1);
    bench.hears(1);
    bench.start(1, u32::MAX);
    for round in 0..20 {
        for piece in pieces(&file(8000)) {
            bench.piece(1, piece).unwrap();
        }
        bench.piece(1, header(MessageType::CLIPBOARD_RELEASE, 0)).unwrap();
        let returned: u32 = tokens(&bench.hears(1)).iter().sum();
        assert!(returned >= 5 || round == 0, "{round}");
    }
    bench.piece(1, pieces(&small())[0].clone()).unwrap();
    bench.device_takes();
    assert_eq!(bench.agent_reads(), [(Port::CLIENT, MessageType::MAX_CLIPBOARD, 4)]);

    bench.agent_says(on_port(&file(5000)));
    bench.agent_says(on_port(&small()));
    let heard = bench.hears(1);
    assert_eq!(heard, [ServerMessage::AgentData(pieces(&small()).concat().into())]);
    bench.main.set_agent_policy(AgentPolicy::default());
    bench.agent_says(on_port(&file(5000)));
    assert_eq!(bench.hears(1).len(), 3);
}

#[test]
fn monitors_go_to_the_host_whole_or_not_at_all() {
    let got = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&got);
    let monitors = MonitorsSink::new(move |config| told.lock().unwrap().push(config));
    let mut bench = Bench::with_agent(AgentPolicy { monitors: Some(monitors), ..AgentPolicy::default() });
    bench.join(1);
    bench.hears(1);
    bench.start(1, u32::MAX);
    let config = |count| {
        let monitor = Monitor { width: 800, height: 600, depth: 32, ..Monitor::default() };
        MonitorsConfig { monitors: vec![monitor; count], ..MonitorsConfig::default() }
    };
    for count in [1, 256, 400] {
        for piece in pieces(&Message::MonitorsConfig(config(count))) {
            bench.piece(1, piece).unwrap();
        }
        bench.hears(1);
    }
    // One that says that it has more monitors than it has.
    bench.piece(1, [header(MessageType::MONITORS_CONFIG, 8), vec![9, 0, 0, 0, 0, 0, 0, 0]].concat()).unwrap();
    bench.hears(1);
    assert_eq!(*got.lock().unwrap(), [config(1), config(256)]);
    bench.device_takes();
    assert!(bench.agent_reads().is_empty());
    bench.main.set_agent_policy(AgentPolicy::default());
    bench.piece(1, pieces(&Message::MonitorsConfig(config(1)))[0].clone()).unwrap();
    bench.device_takes();
    assert_eq!(bench.agent_reads(), [(Port::CLIENT, MessageType::MONITORS_CONFIG, 28)]);
}

#[test]
fn a_viewer_is_given_as_many_pieces_as_it_takes_and_the_rest_stays_with_the_agent() {
    let mut bench = Bench::with_agent(AgentPolicy::default());
    bench.join(1);
    bench.hears(1);
    bench.start(1, 3);
    let said = on_port(&file(500_000));
    bench.agent_says(said.clone());
    assert_eq!(bench.hears(1).len(), 3);
    assert!(bench.room() < 1 << 20);
    bench.say(1, &ClientMessage::AgentToken(AgentTokens { num_tokens: 2 })).unwrap();
    assert_eq!(bench.hears(1).len(), 2);
    // It takes nothing more: it ends, and not the others.
    bench.join(2);
    bench.hears(2);
    bench.now += Duration::from_secs(29);
    assert!(bench.main.poll_timeout().is_some_and(|at| at <= Time::ZERO + Duration::from_secs(30)));
    let late = |ended: Vec<(ClientId, ChannelError)>| ended.into_iter().any(|(id, _)| id == ClientId(1));
    assert!(!late(bench.main.handle_timeout(bench.now)));
    bench.now += Duration::from_secs(1);
    assert!(late(bench.main.handle_timeout(bench.now)));
    bench.main.disconnect(ClientId(1), bench.now);
    assert_eq!(told_of_agent(&bench.hears(2)), [true]);
    bench.start(2, u32::MAX);
    bench.agent_says(on_port(&small()));
    let heard = bench.hears(2);
    assert_eq!(
        heard,
        [ServerMessage::AgentData(pieces(&small()).concat().into())],
        "and nothing of the old message"
    );
}

#[test]
fn an_agent_that_is_lost_is_gone_for_viewers_and_another_may_come() {
    let mut bench = Bench::with_agent(AgentPolicy::default());
    bench.join(1);
    bench.hears(1);
    bench.start(1, u32::MAX);
    bench.agent_says(vec![9; 100]);
    bench.hears(1);
    assert!(matches!(bench.events.lock().unwrap().pop(), Some(AgentEvent::Failed)));
    assert!(bench.reds.1.try_recv().is_ok(), "viewers are looked after once more");
    assert_eq!(told_of_agent(&bench.hears(1)), [false]);
    assert_eq!(bench.main.mouse_mode(), MouseModes::SERVER);
    bench.agent_says(vec![9; 1000]);
    bench.main.detach_agent();
    bench.attach(AgentPolicy::default());
    assert_eq!(told_of_agent(&bench.hears(1)), [true]);
    bench.start(1, u32::MAX);
    bench.agent_says(on_port(&small()));
    assert_eq!(bench.hears(1).len(), 1);
}

#[test]
fn an_agent_that_comes_back_at_once_is_told_of_as_another() {
    let mut bench = Bench::with_agent(AgentPolicy::default());
    bench.join(1);
    bench.hears(1);
    bench.start(1, u32::MAX);
    for piece in &pieces(&file(100_000))[..WINDOW as usize] {
        bench.piece(1, piece.clone()).unwrap();
    }
    for _ in 0..100 {
        bench.main.detach_agent();
        bench.attach(AgentPolicy::default());
    }
    assert_eq!(told_of_agent(&bench.hears(1)), [false, true]);
    // What it sent before it knew goes nowhere, then it has all its tokens.
    bench.piece(1, vec![7; 100]).unwrap();
    bench.start(1, u32::MAX);
    for piece in &pieces(&file(100_000))[..WINDOW as usize] {
        bench.piece(1, piece.clone()).unwrap();
    }
}

#[test]
fn one_that_cannot_be_told_of_tokens_keeps_count_over_agents_that_come_and_go() {
    let mut bench = Bench::with_agent(AgentPolicy::default());
    bench.join_with(1, &[], Permissions::all());
    bench.hears(1);
    let mut has = WINDOW;
    for _ in 0..30 {
        bench.start(1, u32::MAX);
        for piece in &pieces(&file(100_000))[..has as usize] {
            bench.piece(1, piece.clone()).unwrap();
        }
        assert!(bench.piece(1, vec![7]).is_err(), "it has no other token");
        bench.main.detach_agent();
        bench.attach(AgentPolicy::default());
        let heard = bench.hears(1);
        assert_eq!(told_of_agent(&heard), [false, true]);
        has = tokens(&heard).iter().sum();
        assert_eq!(has, WINDOW);
    }
}

#[test]
fn the_agent_moves_the_pointer_where_it_may_and_misses_positions_rather_than_pile_them_up() {
    let mut bench = Bench::new();
    assert_eq!(bench.main.mouse_mode(), MouseModes::SERVER);
    bench.attach(AgentPolicy::default());
    assert_eq!(bench.main.mouse_mode(), MouseModes::CLIENT);
    let at = |x| GuestInput::Position { x, y: 2, display: 0, buttons: MouseButtons::empty() };
    assert!(!bench.main.take_input(&GuestInput::ScanCode(1)));
    for x in 0..1000 {
        assert!(bench.main.take_input(&at(x)));
        bench.main.poll_agent();
    }
    assert_eq!(bench.events.lock().unwrap().len(), 1, "one is on its way");
    assert_eq!(bench.device_takes(), 1);
    let mouse = (Port::SERVER, MessageType::MOUSE_STATE, 13);
    assert_eq!(bench.agent_reads(), [mouse, mouse]);
    bench.main.set_agent_policy(AgentPolicy { mouse: false, ..AgentPolicy::default() });
    assert_eq!(bench.main.mouse_mode(), MouseModes::SERVER);
    bench.main.set_positions(true);
    assert!(!bench.main.take_input(&at(1)), "the tablet's");
    bench.main.set_agent_policy(AgentPolicy::default());
    assert!(bench.main.take_input(&at(1)), "the agent comes first");
    bench.main.detach_agent();
    assert_eq!(bench.main.mouse_mode(), MouseModes::CLIENT);
    assert!(!bench.main.take_input(&at(1)));
}

#[test]
fn an_agent_that_is_attached_and_does_not_read_holds_up_nobody() {
    let mut bench = Bench::with_agent(AgentPolicy::default());
    bench.join(1);
    bench.hears(1);
    bench.start(1, u32::MAX);
    for piece in &pieces(&file(100_000))[..WINDOW as usize] {
        bench.piece(1, piece.clone()).unwrap();
    }
    let position = GuestInput::Position { x: 1, y: 2, display: 0, buttons: MouseButtons::empty() };
    for _ in 0..1000 {
        assert!(bench.main.take_input(&position));
        bench.agent_says(on_port(&small()));
        assert_eq!(bench.hears(1).len(), 1);
    }
    assert_eq!(bench.events.lock().unwrap().len(), 5);
}
