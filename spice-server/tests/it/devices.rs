//! Devices of a host, and the viewers that have them.

use std::sync::mpsc::{Receiver, channel};

use bytes::Bytes;
use spice_client::LinkFailure;
use spice_proto::agent::{
    AgentButtons, AgentLayout, ChunkHeader, ChunkSplitter, FileXferData, Message, MessageHeader, MessageType,
    MouseState, Port,
};
use spice_proto::inputs::{ClientMessage as InputsMessage, MouseButtons, MousePosition};
use spice_proto::main::{AgentTokens, ClientMessage as MainClientMessage, ServerMessage as MainMessage};
use spice_proto::port::{ClientMessage, Event, Init, PortEvent, ServerMessage};
use spice_proto::smartcard::{
    ClientMessage as CardMessage, Payload, ReaderId, ServerMessage as CardServerMessage, VscMessage,
};
use spice_proto::{ChannelId, ChannelType, LinkError};
use spice_server::devices::{
    AgentEvent, AgentHandle, AgentPolicy, AgentSink, AgentWrite, AttachAgentError, DeviceData, DeviceEvent,
    DeviceHandle, DeviceKind, DeviceLink, DeviceSink,
};
use spice_server::{Auth, ClientId, Role};

use crate::support::{PATIENCE, TestChannel, TestServer, TestViewer, block_on, scripted, wait_for};

/// A device whose host notes what happens.
struct TestDevice {
    handle: DeviceHandle,
    events: Receiver<DeviceEvent>,
}

impl TestDevice {
    fn add(server: &TestServer, kind: DeviceKind) -> Self {
        let (sender, events) = channel();
        let sink = DeviceSink::new(move |event| drop(sender.send(event)));
        Self { handle: server.control.add_device(kind, sink).unwrap(), events }
    }

    fn next(&self) -> DeviceEvent {
        self.events.recv_timeout(PATIENCE).unwrap()
    }

    fn connected(&self) -> DeviceLink {
        match self.next() {
            DeviceEvent::Connected(link) => link,
            other => panic!("{other:?}"),
        }
    }

    fn data(&self) -> DeviceData {
        match self.next() {
            DeviceEvent::Data(data) => data,
            other => panic!("{other:?}"),
        }
    }
}

fn port() -> DeviceKind {
    DeviceKind::Port { name: "org.example.port".to_owned() }
}

fn server() -> (TestServer, crate::support::Script) {
    let (guest, script) = scripted(true);
    (TestServer::start(Auth::Open, guest), script)
}

fn link(server: &TestServer, viewer: &TestViewer, kind: ChannelType) -> Result<TestChannel, LinkFailure> {
    TestChannel::link(server, viewer.connection, kind, "")
}

fn hears(channel: &mut TestChannel) -> ServerMessage {
    let (id, body) = channel.receive().unwrap();
    ServerMessage::decode(id, &body).unwrap()
}

fn say(channel: &mut TestChannel, message: &ClientMessage) {
    channel.send(message.id(), &message.encode().to_bytes());
}

#[test]
fn a_port_of_the_guest_speaks_with_the_viewer_that_has_it() {
    let (server, _script) = server();
    let device = TestDevice::add(&server, port());
    assert_eq!(device.handle.channel(), (ChannelType::PORT, ChannelId(0)));
    let mut viewer = TestViewer::join(&server, "").unwrap();
    assert!(viewer.channels().0.iter().any(|offered| offered.channel_type == ChannelType::PORT));
    let mut channel = link(&server, &viewer, ChannelType::PORT).unwrap();
    let host = device.connected();
    let name = Bytes::from_static(b"org.example.port");
    assert_eq!(hears(&mut channel), ServerMessage::Init(Init { name, opened: 0 }));
    device.handle.port_event(PortEvent::OPENED.0);
    host.send(Bytes::from_static(b"from the guest")).unwrap();
    assert_eq!(hears(&mut channel), ServerMessage::Event(Event { event: PortEvent::OPENED }));
    assert_eq!(hears(&mut channel), ServerMessage::Data(Bytes::from_static(b"from the guest")));
    say(&mut channel, &ClientMessage::Data(Bytes::from_static(b"from the viewer")));
    say(&mut channel, &ClientMessage::Event(Event { event: PortEvent::BREAK }));
    assert_eq!(device.data()[..], *b"from the viewer");
    assert!(matches!(device.next(), DeviceEvent::PortEvent(2)));

    let second = TestViewer::join(&server, "").unwrap();
    let refused = link(&server, &second, ChannelType::PORT).err();
    assert!(matches!(refused, Some(LinkFailure::Refused(LinkError::CHANNEL_NOT_AVAILABLE))), "{refused:?}");
    drop(channel);
    assert!(matches!(device.next(), DeviceEvent::Disconnected));
    let mut channel = link(&server, &second, ChannelType::PORT).unwrap();
    assert!(matches!(hears(&mut channel), ServerMessage::Init(Init { opened: 1, .. })));
    drop(device);
    assert!(channel.drains_to_its_end());
    assert!(link(&server, &second, ChannelType::PORT).is_err());
}

#[test]
fn devices_have_the_lowest_numbers_that_are_free() {
    let (server, _script) = server();
    let mut devices: Vec<_> = (0..3).map(|_| TestDevice::add(&server, DeviceKind::UsbRedir)).collect();
    let numbers = |devices: &[TestDevice]| -> Vec<u8> {
        devices.iter().map(|device| device.handle.channel().1.0).collect()
    };
    assert_eq!(numbers(&devices), [0, 1, 2]);
    devices.remove(1).handle.remove();
    devices.push(TestDevice::add(&server, DeviceKind::UsbRedir));
    assert_eq!(numbers(&devices), [0, 2, 1]);
    assert_eq!(TestDevice::add(&server, DeviceKind::WebDav).handle.channel().1, ChannelId(0));
}

#[test]
fn a_device_that_is_slow_holds_its_viewer_back_and_loses_nothing() {
    const PIECE: usize = 50_000;
    const PIECES: usize = 400;
    let (server, _script) = server();
    let device = TestDevice::add(&server, DeviceKind::UsbRedir);
    let viewer = TestViewer::join(&server, "").unwrap();
    let mut channel = link(&server, &viewer, ChannelType::USBREDIR).unwrap();
    let _host = device.connected();
    let sender = std::thread::spawn(move || {
        for number in 0..PIECES {
            let piece = vec![u8::try_from(number % 251).unwrap(); PIECE];
            say(&mut channel, &ClientMessage::Data(piece.into()));
        }
        channel
    });
    // The host holds on to what comes: it stops coming, far before all of it has.
    let mut held = vec![device.data()];
    while let Ok(event) = device.events.recv_timeout(std::time::Duration::from_millis(500)) {
        let DeviceEvent::Data(data) = event else { panic!("{event:?}") };
        held.push(data);
    }
    assert!(held.len() * PIECE <= (256 << 10) + (64 << 10) + 2 * PIECE, "{}", held.len());
    // Others go on meanwhile.
    let mut bystander = TestViewer::join(&server, "").unwrap();
    assert!(!bystander.channels().0.is_empty());
    let seen = held.len();
    drop(held);
    for number in seen..PIECES {
        let data = device.data();
        assert!(data.len() == PIECE && data[0] == u8::try_from(number % 251).unwrap(), "{number}");
    }
    drop(sender.join().unwrap());
    assert!(matches!(device.next(), DeviceEvent::Disconnected));
}

#[test]
fn who_may_only_look_has_no_device_and_loses_the_one_it_has() {
    let (server, _script) = server();
    let device = TestDevice::add(&server, port());
    let viewer = TestViewer::join(&server, "").unwrap();
    let channel = link(&server, &viewer, ChannelType::PORT).unwrap();
    let _host = device.connected();
    assert!(block_on(server.control.set_role(ClientId(1), Role::View)));
    assert!(matches!(device.next(), DeviceEvent::Disconnected));
    assert!(channel.drains_to_its_end());
    let refused = link(&server, &viewer, ChannelType::PORT).err();
    assert!(matches!(refused, Some(LinkFailure::Refused(LinkError::PERMISSION_DENIED))), "{refused:?}");
    assert!(block_on(server.control.set_role(ClientId(1), Role::Control)));
    wait_for("the device", || link(&server, &viewer, ChannelType::PORT).is_ok());
}

#[test]
fn a_reader_of_a_viewer_is_in_the_guest_until_the_viewer_leaves() {
    let (server, _script) = server();
    let device = TestDevice::add(&server, DeviceKind::SmartCard);
    let viewer = TestViewer::join(&server, "").unwrap();
    let mut channel = link(&server, &viewer, ChannelType::SMARTCARD).unwrap();
    let host = device.connected();
    let message = |reader_id, payload| VscMessage { reader_id, payload };
    let mut say = |message| {
        let message = CardMessage::Data(message);
        channel.send(message.id(), &message.encode().to_bytes());
    };
    say(message(ReaderId::UNDEFINED, Payload::ReaderAdd(Bytes::from_static(b"reader"))));
    say(message(ReaderId(0), Payload::Atr(Bytes::from_static(b"\x3b\x00"))));
    let read = |data: DeviceData| VscMessage::decode_from_device(&data.bytes()).unwrap().unwrap().0.payload;
    assert_eq!(read(device.data()), Payload::ReaderAdd(Bytes::new()));
    assert_eq!(read(device.data()), Payload::Atr(Bytes::from_static(b"\x3b\x00")));
    let command = message(ReaderId(0), Payload::Apdu(Bytes::from_static(&[0, 0xa4, 4, 0])));
    let mut bytes = Vec::new();
    command.encode_for_device(&mut bytes);
    for byte in bytes {
        host.send(Bytes::copy_from_slice(&[byte])).unwrap();
    }
    let (id, body) = channel.receive().unwrap();
    assert_eq!(CardServerMessage::decode(id, &body).unwrap(), CardServerMessage::Data(command));
    drop(channel);
    assert!(matches!(device.next(), DeviceEvent::Disconnected));
    assert_eq!(read(device.data()), Payload::ReaderRemove);
}

/// The guest's agent, whose host notes what is written to its device.
struct TestAgent {
    handle: AgentHandle,
    events: Receiver<AgentEvent>,
}

impl TestAgent {
    fn attach(server: &TestServer) -> Self {
        let (sender, events) = channel();
        let sink = AgentSink::new(move |event| drop(sender.send(event)));
        Self { handle: server.control.attach_agent(sink, AgentPolicy::default()).unwrap(), events }
    }

    fn written(&self) -> AgentWrite {
        match self.events.recv_timeout(PATIENCE).unwrap() {
            AgentEvent::Write(write) => write,
            other => panic!("{other:?}"),
        }
    }
}

/// The next message of the main channel that is none of the mouse mode's.
fn hears_of_main(main: &mut TestChannel) -> MainMessage {
    loop {
        let (id, body) = main.receive().unwrap();
        let message = MainMessage::decode(id, &body).unwrap();
        if !matches!(message, MainMessage::MouseMode(_)) {
            return message;
        }
    }
}

fn say_to_main(main: &mut TestChannel, message: &MainClientMessage) {
    main.send(message.id(), &message.encode().to_bytes());
}

#[test]
fn the_agent_of_the_guest_speaks_with_the_first_viewer_and_then_with_the_next() {
    let (guest, script) = scripted(false);
    let server = TestServer::start(Auth::Open, guest);
    let mut first = TestViewer::join(&server, "").unwrap();
    let mut second = TestViewer::join(&server, "").unwrap();
    let agent = TestAgent::attach(&server);
    let again = server.control.attach_agent(AgentSink::new(drop), AgentPolicy::default());
    assert!(matches!(again, Err(AttachAgentError::Taken)));
    assert!(matches!(hears_of_main(&mut first.main), MainMessage::AgentConnected));

    let message = Message::FileXferData(FileXferData { id: 1, data: vec![7; 20_000].into() });
    let content = message.encode(AgentLayout::default()).unwrap();
    let pieces: Vec<_> = ChunkSplitter::new(message.message_type(), 0, &content).collect();
    say_to_main(&mut first.main, &MainClientMessage::AgentStart(AgentTokens { num_tokens: u32::MAX }));
    for piece in &pieces[..5] {
        say_to_main(&mut first.main, &MainClientMessage::AgentData(piece.clone()));
    }
    let mut got = Vec::new();
    for _ in 0..5 {
        let write = agent.written();
        assert_eq!(ChunkHeader::decode(&write).unwrap().port, Port::CLIENT);
        got.extend_from_slice(&write[ChunkHeader::LEN..]);
    }
    assert_eq!(got, pieces[..5].concat());
    assert!(
        matches!(hears_of_main(&mut first.main), MainMessage::AgentToken(AgentTokens { num_tokens: 5 })),
        "the device has taken them"
    );

    let said: Vec<u8> = ChunkSplitter::new(message.message_type(), 0, &content)
        .on_port(Port::CLIENT)
        .flat_map(|chunk| chunk.to_bytes())
        .collect();
    for part in said.chunks(777) {
        agent.handle.send(Bytes::copy_from_slice(part)).unwrap();
    }
    for piece in &pieces {
        assert_eq!(hears_of_main(&mut first.main), MainMessage::AgentData(piece.clone()));
    }

    // It goes in the middle of its message: the agent is told, and the next one's is whole.
    drop(first);
    let goodbye = agent.written();
    assert_eq!(ChunkHeader::decode(&goodbye).unwrap().port, Port::SERVER);
    let header = MessageHeader::decode(&goodbye[ChunkHeader::LEN..]).unwrap();
    assert_eq!(header.message_type, MessageType::CLIENT_DISCONNECTED);
    drop(goodbye);
    assert!(matches!(hears_of_main(&mut second.main), MainMessage::AgentConnected));

    // The agent moves the pointer, of a guest without a tablet.
    let mut inputs = link(&server, &second, ChannelType::INPUTS).unwrap();
    let at = MousePosition { x: 3, y: 4, buttons_state: MouseButtons::empty(), display_id: 0 };
    let position = InputsMessage::MousePosition(at);
    inputs.send(position.id(), &position.encode().to_bytes());
    let state = MouseState { x: 3, y: 4, buttons: AgentButtons::empty(), display_id: 0 };
    let written = agent.written();
    let content = Bytes::copy_from_slice(&written[ChunkHeader::LEN + MessageHeader::LEN..]);
    let message = Message::decode(MessageType::MOUSE_STATE, &content, AgentLayout::default());
    assert_eq!(message.unwrap(), Message::MouseState(state));
    drop(agent);
    assert!(matches!(hears_of_main(&mut second.main), MainMessage::AgentDisconnected(_)));
    assert_eq!(script.inputs.try_iter().count(), 0);
    drop(TestAgent::attach(&server));
}
