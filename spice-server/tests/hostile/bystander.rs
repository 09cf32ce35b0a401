//! A whole server in its own threads, a well-behaved viewer that counts the frames that it sees, and links by hand.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use spice_client::{ChannelPeer, DisplayModel, link};
use spice_proto::caps::{Capabilities, CapabilitySet, CommonCap};
use spice_proto::link::{LinkHeader, LinkMess, TICKET_LEN};
use spice_proto::main::ServerMessage;
use spice_proto::{ChannelId, ChannelType, ConnectionId, HeaderKind, Rect, SurfaceId, display};
use spice_server::guest::bench::BenchGuest;
use spice_server::{Auth, ListenAt, Server, ServerConfig, Stats};
use tokio::sync::oneshot;

/// No wait of these tests is longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A server whose guest draws the bench's mixed scene, 30 frames a second.
pub(crate) struct TestServer {
    pub(crate) addr: SocketAddr,
    pub(crate) stats: Box<dyn Fn() -> Stats + Send + Sync>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        let (end, ended) = oneshot::channel();
        let (sender, receiver) = channel();
        let thread = std::thread::spawn(move || {
            tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async move {
                let config = ServerConfig::new("127.0.0.1:0".parse().unwrap(), Auth::Open);
                let guest = BenchGuest::new("mixed?fps=30&size=320x240".parse().unwrap());
                let server = Server::bind(config, Box::new(guest)).await.unwrap();
                let stats: Box<dyn Fn() -> Stats + Send + Sync> = Box::new(server.stats());
                let ListenAt::Tcp(addr) = server.local_addrs()[0] else { panic!("no address") };
                sender.send((addr, stats)).unwrap();
                server.run(async { drop(ended.await) }).await;
            });
        });
        let (addr, stats) = receiver.recv_timeout(PATIENCE).unwrap();
        Self { addr, stats, end: Some(end), thread: Some(thread) }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let _ = self.end.take().unwrap().send(());
        let joined = self.thread.take().unwrap().join();
        assert!(joined.is_ok() || std::thread::panicking());
    }
}

pub(crate) fn dial(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The link message that asks for a channel.
pub(crate) fn link_message(connection: ConnectionId, kind: ChannelType, header: HeaderKind) -> Vec<u8> {
    let mini = (header == HeaderKind::Mini).then_some(CommonCap::MINI_HEADER.0);
    let common = [CommonCap::PROTOCOL_AUTH_SELECTION.0, CommonCap::AUTH_SPICE.0].into_iter().chain(mini);
    let caps = Capabilities { common: CapabilitySet::new(common), channel: CapabilitySet::new([1, 5]) };
    let mut out = Vec::new();
    LinkMess { connection_id: connection, channel_type: kind, channel_id: ChannelId(0), caps }
        .encode(&mut out);
    out
}

/// Links a channel of a server that lets anybody in, whatever the ticket: this one is no ciphertext, which spares the
/// test the encryption. `None` when it is refused, or the connection breaks.
pub(crate) fn link_by_hand(
    stream: &mut TcpStream,
    connection: ConnectionId,
    kind: ChannelType,
    header: HeaderKind,
) -> Option<()> {
    let mut said = link_message(connection, kind, header);
    said.extend_from_slice(&1_u32.to_le_bytes());
    said.extend_from_slice(&[0x5a; TICKET_LEN]);
    stream.write_all(&said).ok()?;
    let mut head = [0; LinkHeader::LEN];
    stream.read_exact(&mut head).ok()?;
    let mut reply = vec![0; LinkHeader::decode(head).size as usize];
    stream.read_exact(&mut reply).ok()?;
    let mut result = [0; 4];
    stream.read_exact(&mut result).ok()?;
    (result == [0; 4]).then_some(())
}

/// One channel of a viewer that speaks as it should.
pub(crate) struct Speaker {
    stream: TcpStream,
    peer: ChannelPeer,
}

impl Speaker {
    pub(crate) fn link(addr: SocketAddr, connection: ConnectionId, kind: ChannelType) -> Self {
        let mut stream = dial(addr);
        let linked = link(&mut stream, connection, kind, CapabilitySet::new([1, 5]), "").unwrap();
        Self { stream, peer: ChannelPeer::new(linked.header) }
    }

    pub(crate) fn send(&mut self, id: u16, body: &[u8]) {
        self.peer.send_message(id, body);
        self.stream.write_all(&self.peer.take_answers()).unwrap();
    }

    /// The next message, or none before a while has gone by. That the server closes is an error.
    pub(crate) fn receive(&mut self) -> Option<(u16, Bytes)> {
        loop {
            if let Some(message) = self.peer.poll_message().unwrap() {
                return Some(message);
            }
            self.stream.write_all(&self.peer.take_answers()).unwrap();
            let mut buffer = [0; 65_536];
            match self.stream.read(&mut buffer) {
                Ok(0) => panic!("the server has closed the connection of a viewer that has done nothing"),
                Ok(len) => self.peer.handle_bytes(&buffer[..len]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return None;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// The well-behaved viewer: every channel there is, each in a thread that takes what comes.
pub(crate) struct Bystander {
    pub(crate) connection: ConnectionId,
    over: Arc<AtomicBool>,
    others: Vec<JoinHandle<Speaker>>,
    display: JoinHandle<Frames>,
}

impl Bystander {
    /// Joins, and goes on until [`Self::leave`].
    pub(crate) fn join(addr: SocketAddr) -> Self {
        let mut main = Speaker::link(addr, ConnectionId(0), ChannelType::MAIN);
        let (id, body) = main.receive().unwrap();
        let ServerMessage::Init(init) = ServerMessage::decode(id, &body).unwrap() else { panic!("{id}") };
        let connection = init.session_id;
        let display = Speaker::link(addr, connection, ChannelType::DISPLAY);
        let others =
            [ChannelType::CURSOR, ChannelType::INPUTS].map(|kind| Speaker::link(addr, connection, kind));
        let over = Arc::new(AtomicBool::new(false));
        let others = others.into_iter().chain([main]).map(|mut channel| {
            let over = Arc::clone(&over);
            channel.stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    channel.receive();
                }
                channel
            })
        });
        let others = others.collect();
        let ends = Arc::clone(&over);
        let display = std::thread::spawn(move || Frames::watch(display, |_| ends.load(Ordering::Relaxed)));
        Self { connection, over, others, display }
    }

    /// What it has seen.
    pub(crate) fn leave(self) -> Frames {
        self.over.store(true, Ordering::Relaxed);
        // The main channel is closed last: the others would end with it.
        let _others: Vec<Speaker> = self.others.into_iter().map(|channel| channel.join().unwrap()).collect();
        self.display.join().unwrap()
    }
}

/// Where the scene says which moment it shows; it is drawn last in each frame.
const MARKER: Rect = Rect::new(0, 0, 16, 16);

/// The frames that a viewer has seen: when each was whole, its moment, and what the screen was then.
#[derive(Debug, Default)]
pub(crate) struct Frames(Vec<(Instant, u32, u64)>);

impl Frames {
    /// Looks until `enough` have come.
    pub(crate) fn watch(mut display: Speaker, enough: impl Fn(usize) -> bool) -> Self {
        let mut model = DisplayModel::default();
        let init = model.init();
        display.send(init.id(), &init.encode().to_bytes());
        let mut frames = Self::default();
        while !enough(frames.0.len()) {
            let (id, body) = display.receive().unwrap();
            model.handle(id, &body).unwrap();
            let Ok(display::ServerMessage::DrawFill(fill)) = display::ServerMessage::decode(id, &body) else {
                continue;
            };
            if let (MARKER, display::Brush::Solid(moment)) = (fill.base.bbox, fill.brush) {
                let screen = model.surface(SurfaceId::PRIMARY).unwrap();
                let mut hash = DefaultHasher::new();
                screen.read(screen.bounds()).hash(&mut hash);
                frames.0.push((Instant::now(), moment, hash.finish()));
            }
        }
        frames
    }

    /// Frames a second from one moment to another.
    pub(crate) fn rate(&self, start: Instant, end: Instant) -> f64 {
        let seen = self.0.iter().filter(|frame| (start..=end).contains(&frame.0)).count();
        seen as f64 / (end - start).as_secs_f64()
    }

    /// How many frames of the same moment both have seen, and how many of these they saw otherwise.
    pub(crate) fn compare(&self, other: &Self) -> (usize, usize) {
        let theirs: BTreeMap<u32, u64> =
            other.0.iter().map(|(_, moment, picture)| (*moment, *picture)).collect();
        let both: Vec<bool> =
            self.0.iter().filter_map(|(_, moment, picture)| Some(theirs.get(moment)? == picture)).collect();
        (both.len(), both.iter().filter(|same| !**same).count())
    }
}
