//! A server in its own thread, a viewer on sockets, a guest that remembers.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use socket2::{Domain, Socket, Type};
use spice_channel::Time;
use spice_client::{ChannelPeer, DisplayModel, LinkFailure, link, link_and_send};
use spice_display::qxl::{DeviceEvent, GuestEvent, PrimarySurface};
use spice_proto::caps::CapabilitySet;
use spice_proto::display::SurfaceFormat;
use spice_proto::inputs::KeyModifiers;
use spice_proto::main::{ChannelsList, ClientMessage, ServerMessage};
use spice_proto::{ChannelType, ConnectionId};
use spice_server::guest::{Guest, GuestInput};
use spice_server::{Auth, Control, ListenAt, Server, ServerConfig, Stats, Viewers};
use tokio::sync::oneshot;

/// No wait in these tests is longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct TestServer {
    pub(crate) addr: SocketAddr,
    pub(crate) stats: Box<dyn Fn() -> Stats>,
    pub(crate) viewers: Viewers,
    pub(crate) control: Control,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TestServer {
    pub(crate) fn start(auth: Auth, guest: Box<dyn Guest>) -> Self {
        Self::with_config(ServerConfig::new("127.0.0.1:0".parse().unwrap(), auth), guest)
    }

    pub(crate) fn with_config(config: ServerConfig, guest: Box<dyn Guest>) -> Self {
        let (end, ended) = oneshot::channel();
        let (sender, receiver) = channel();
        let thread = std::thread::spawn(move || {
            tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async move {
                let server = Server::bind(config, guest).await.unwrap();
                let stats: Box<dyn Fn() -> Stats + Send> = Box::new(server.stats());
                let ListenAt::Tcp(addr) = server.local_addrs()[0] else { panic!("no address") };
                sender.send((addr, stats, server.viewers(), server.control())).unwrap();
                server.run(async { drop(ended.await) }).await;
            });
        });
        let (addr, stats, viewers, control) = receiver.recv_timeout(PATIENCE).unwrap();
        Self { addr, stats, viewers, control, end: Some(end), thread: Some(thread) }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        self.connect_from(Ipv4Addr::LOCALHOST)
    }

    /// From another of this machine's own addresses, 127.0.0.0/8.
    pub(crate) fn connect_from(&self, from: Ipv4Addr) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&self.addr.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let _ = self.end.take().unwrap().send(());
        let joined = self.thread.take().unwrap().join();
        assert!(joined.is_ok() || std::thread::panicking());
    }
}

/// Waits for what a running server answers.
pub(crate) fn block_on<T>(answer: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(answer)
}

/// Waits until `done` answers true.
pub(crate) fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// One channel of a viewer.
pub(crate) struct TestChannel {
    stream: TcpStream,
    peer: ChannelPeer,
}

impl TestChannel {
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    pub(crate) fn link(
        server: &TestServer,
        connection: ConnectionId,
        kind: ChannelType,
        ticket: &str,
    ) -> Result<Self, LinkFailure> {
        Self::link_with(server, connection, kind, CapabilitySet::new([1, 5]), ticket)
    }

    pub(crate) fn link_with(
        server: &TestServer,
        connection: ConnectionId,
        kind: ChannelType,
        caps: CapabilitySet,
        ticket: &str,
    ) -> Result<Self, LinkFailure> {
        let mut stream = server.connect();
        let linked = link(&mut stream, connection, kind, caps, ticket)?;
        Ok(Self { stream, peer: ChannelPeer::new(linked.header) })
    }

    pub(crate) fn send(&mut self, id: u16, body: &[u8]) {
        self.peer.send_message(id, body);
        self.stream.write_all(&self.peer.take_answers()).unwrap();
    }

    /// A thread that sends well-formed acknowledgements as fast as the server takes them, until the server has had enough.
    pub(crate) fn flood(&self) {
        let mut stream = self.stream.try_clone().unwrap();
        let acknowledgements = [2_u8, 0, 0, 0, 0, 0].repeat(20_000);
        std::thread::spawn(move || while stream.write_all(&acknowledgements).is_ok() {});
    }

    /// The next message; `None` when the server has closed the connection.
    pub(crate) fn receive(&mut self) -> Option<(u16, Bytes)> {
        loop {
            if let Some(message) = self.peer.poll_message().unwrap() {
                return Some(message);
            }
            self.stream.write_all(&self.peer.take_answers()).ok()?;
            let mut buffer = [0; 65_536];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(len) => self.peer.handle_bytes(&buffer[..len]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Takes messages until the server closes the connection; a server that does not is an error of the read.
    pub(crate) fn drains_to_its_end(mut self) -> bool {
        while self.receive().is_some() {}
        true
    }
}

/// A viewer with its main channel.
pub(crate) struct TestViewer {
    pub(crate) main: TestChannel,
    pub(crate) connection: ConnectionId,
}

impl TestViewer {
    pub(crate) fn join(server: &TestServer, ticket: &str) -> Result<Self, LinkFailure> {
        let mut main = TestChannel::link(server, ConnectionId(0), ChannelType::MAIN, ticket)?;
        let (id, body) = main.receive().unwrap();
        let ServerMessage::Init(init) = ServerMessage::decode(id, &body).unwrap() else { panic!("{id}") };
        Ok(Self { main, connection: init.session_id })
    }

    pub(crate) fn channels(&mut self) -> ChannelsList {
        self.main.send(ClientMessage::AttachChannels.id(), &[]);
        let (id, body) = self.main.receive().unwrap();
        let ServerMessage::ChannelsList(list) = ServerMessage::decode(id, &body).unwrap() else {
            panic!("{id}")
        };
        list
    }

    pub(crate) fn display(&self, server: &TestServer, ticket: &str) -> TestDisplay {
        let mut channel = TestChannel::link(server, self.connection, ChannelType::DISPLAY, ticket).unwrap();
        let init = DisplayModel::default().init();
        channel.send(init.id(), &init.encode().to_bytes());
        TestDisplay { channel, model: DisplayModel::default() }
    }

    /// A display whose first message comes right behind the ticket.
    pub(crate) fn display_in_a_hurry(&self, server: &TestServer) -> TestDisplay {
        let mut stream = server.connect();
        let (kind, caps) = (ChannelType::DISPLAY, CapabilitySet::new([1, 5]));
        let linked = link_and_send(&mut stream, self.connection, kind, caps, "", |header| {
            let mut peer = ChannelPeer::new(header);
            let init = DisplayModel::default().init();
            peer.send_message(init.id(), &init.encode().to_bytes());
            peer.take_answers()
        });
        let channel = TestChannel { stream, peer: ChannelPeer::new(linked.unwrap().header) };
        TestDisplay { channel, model: DisplayModel::default() }
    }
}

pub(crate) struct TestDisplay {
    pub(crate) channel: TestChannel,
    pub(crate) model: DisplayModel,
}

impl TestDisplay {
    /// Takes messages until the picture is as wanted.
    pub(crate) fn until(&mut self, mut wanted: impl FnMut(&DisplayModel) -> bool) {
        let start = Instant::now();
        while !wanted(&self.model) {
            assert!(start.elapsed() < PATIENCE);
            let (id, body) = self.channel.receive().unwrap();
            self.model.handle(id, &body).unwrap();
        }
    }
}

/// A guest that draws what it is told to and reports its input.
pub(crate) struct Scripted {
    events: Receiver<GuestEvent>,
    inputs: Sender<GuestInput>,
    leds: KeyModifiers,
    positions: bool,
}

pub(crate) struct Script {
    pub(crate) inputs: Receiver<GuestInput>,
    /// Kept, so that the guest does not end.
    _events: Sender<GuestEvent>,
}

pub(crate) fn scripted(positions: bool) -> (Box<dyn Guest>, Script) {
    let (events, events_receiver) = channel();
    let (inputs, inputs_receiver) = channel();
    let primary = PrimarySurface { width: 64, height: 64, format: SurfaceFormat::RGB32, content: None };
    events.send(GuestEvent::Device(DeviceEvent::CreatePrimary(primary))).unwrap();
    let guest = Scripted { events: events_receiver, inputs, leds: KeyModifiers::empty(), positions };
    (Box::new(guest), Script { inputs: inputs_receiver, _events: events })
}

impl Guest for Scripted {
    fn takes_positions(&self) -> bool {
        self.positions
    }

    fn poll(&mut self, _: Time) -> Option<GuestEvent> {
        self.events.try_recv().ok()
    }

    fn poll_timeout(&self) -> Option<Time> {
        None
    }

    fn handle_input(&mut self, input: GuestInput, _: Time) {
        if let GuestInput::Modifiers(modifiers) = input {
            self.leds = modifiers;
        }
        let _ = self.inputs.send(input);
    }

    fn leds(&self) -> KeyModifiers {
        self.leds
    }
}
