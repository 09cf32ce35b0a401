//! Hostile viewers on real sockets, a few at a time, against a whole server: the link itself and every channel.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use spice_client::ChannelPeer;
use spice_proto::link::LinkHeader;
use spice_proto::main::ServerMessage;
use spice_proto::{ChannelType, ConnectionId, HeaderKind};

use crate::bystander::{Bystander, Frames, PATIENCE, Speaker, TestServer, dial, link_by_hand, link_message};
use crate::panics;
use crate::steps::{Ending, Random, Sequence, Step, Witness, seed_of, share};

const PART: u64 = 9;
/// Hostile viewers at a time.
const ATTACKERS: usize = 4;
/// Frames a second that the well-behaved viewer sees at least, of 30.
const LEAST_RATE: f64 = 25.0;
/// Frames that are compared at the end.
const LATE_FRAMES: usize = 20;
/// What the process may grow by once it has run for a while.
const MOST_GROWTH: u64 = 48 << 20;

const KINDS: [ChannelType; 4] =
    [ChannelType::MAIN, ChannelType::DISPLAY, ChannelType::CURSOR, ChannelType::INPUTS];

/// A session that lends its id to channels, until the server has had enough of it.
struct Session {
    main: TcpStream,
    peer: ChannelPeer,
    connection: ConnectionId,
}

impl Session {
    fn begin(addr: SocketAddr, header: HeaderKind) -> Option<Self> {
        let mut main = dial(addr);
        link_by_hand(&mut main, ConnectionId(0), ChannelType::MAIN, header)?;
        let mut peer = ChannelPeer::new(header);
        loop {
            if let Some((id, body)) = peer.poll_message().unwrap() {
                let Ok(ServerMessage::Init(init)) = ServerMessage::decode(id, &body) else { return None };
                return Some(Self { main, peer, connection: init.session_id });
            }
            let mut buffer = [0; 4096];
            match main.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(len) => peer.handle_bytes(&buffer[..len]),
            }
        }
    }
}

struct Attacker {
    addr: SocketAddr,
    /// A viewer whose id it knows, though it should not.
    other: ConnectionId,
    session: Option<Session>,
}

impl Attacker {
    fn run(&mut self, index: u64) {
        let mut random = Random::new(seed_of(PART, index));
        if random.one_in(5) {
            return self.link(&mut random, index);
        }
        let sequence = Sequence::new(random.next(), random.pick(&KINDS));
        let going_on = [&sequence];
        let _witness = Witness(&going_on);
        let Some((mut stream, peer)) = self.channel(&sequence) else { return };
        speak(&mut stream, peer, &sequence);
        leave(stream, sequence.ending);
    }

    /// A new channel of the attacker's session, or a new session.
    fn channel(&mut self, sequence: &Sequence) -> Option<(TcpStream, ChannelPeer)> {
        if sequence.channel == ChannelType::MAIN {
            let session = Session::begin(self.addr, sequence.header);
            assert!(session.is_some(), "a session does not begin");
            return session.map(|session| (session.main, session.peer));
        }
        for _ in 0..100 {
            let session = match self.session.take() {
                Some(session) => session,
                None => Session::begin(self.addr, HeaderKind::Mini)?,
            };
            let mut stream = dial(self.addr);
            let linked = link_by_hand(&mut stream, session.connection, sequence.channel, sequence.header);
            if linked.is_some() {
                self.session = Some(session);
                return Some((stream, ChannelPeer::new(sequence.header)));
            }
            // The session has been ended, or the channel before this one is not yet known to be over.
            thread::sleep(Duration::from_millis(1));
            if is_open(&session.main) {
                self.session = Some(session);
            }
        }
        panic!("{} channels cannot be linked any more", sequence.channel);
    }

    /// Links that lie, break off, or name the sessions of others.
    fn link(&self, random: &mut Random, index: u64) {
        let kind = ChannelType(random.pick(&[0, 1, 1, 2, 3, 4, 5, 8, 200]));
        let names = [
            ConnectionId(0),
            ConnectionId(random.next() as u32),
            ConnectionId(self.other.0.wrapping_add(1)),
            self.other,
        ];
        let connection = random.pick(&names);
        let mut message = link_message(connection, kind, HeaderKind::Mini);
        match random.below(6) {
            // A word of the link message: its size, the counts and the offset of the capabilities among them.
            0..3 => {
                let at = random.below(message.len() / 4) * 4;
                message[at..at + 4].copy_from_slice(&random.word().to_le_bytes());
            }
            3 => message.truncate(random.below(message.len())),
            4 => {
                let len = random.below(200);
                let noise = random.bytes(len);
                let keep = random.pick(&[0, 4, LinkHeader::LEN]);
                message.truncate(keep);
                message.extend(noise);
            }
            _ => {}
        }
        // A mechanism and a ticket, or something of another length.
        if random.one_in(2) {
            message.extend_from_slice(&random.pick(&[0, 1, 1, 1, 2, u32::MAX]).to_le_bytes());
            let len = random.pick(&[0, 1, 127, 128, 128, 129, 400]);
            message.extend(random.bytes(len));
        }
        let mut stream = dial(self.addr);
        let _ = stream.write_all(&message);
        let ending = random.pick(&[Ending::Close, Ending::HalfClose, Ending::Reset]);
        if ending == Ending::HalfClose {
            let answer = hear_out(stream);
            assert!(answer.is_ok(), "link {index}: {answer:?}");
            return;
        }
        leave(stream, ending);
    }
}

/// Whether the server has not closed.
fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4096];
    let read = (&mut &*stream).read(&mut buffer);
    stream.set_nonblocking(false).unwrap();
    read.map_or_else(|error| error.kind() == std::io::ErrorKind::WouldBlock, |len| len > 0)
}

fn speak(stream: &mut TcpStream, mut peer: ChannelPeer, sequence: &Sequence) {
    let mut listens = true;
    for step in &sequence.steps {
        match step {
            // Enough for the server to have its turn.
            Step::Wait(millis) => thread::sleep(Duration::from_millis((*millis).min(2).into())),
            Step::Listen(on) => listens = *on,
            _ if stream.write_all(&step.bytes(sequence.header)).is_err() => return,
            _ => {}
        }
        if listens && !answer(stream, &mut peer) {
            return;
        }
    }
}

/// Takes what is there, and answers it as any viewer; says whether the connection is still one.
fn answer(stream: &mut TcpStream, peer: &mut ChannelPeer) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut buffer = [0; 65_536];
    let open = match stream.read(&mut buffer) {
        Ok(0) => false,
        Ok(len) => {
            peer.handle_bytes(&buffer[..len]);
            true
        }
        Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
    };
    stream.set_nonblocking(false).unwrap();
    while peer.poll_message().unwrap().is_some() {}
    open && stream.write_all(&peer.take_answers()).is_ok()
}

fn leave(stream: TcpStream, ending: Ending) {
    match ending {
        Ending::Close => {}
        Ending::HalfClose => {
            let heard = hear_out(stream);
            assert!(heard.is_ok(), "{heard:?}");
        }
        // What is closed with nothing left to wait for is reset.
        Ending::Reset => {
            let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        }
    }
}

/// Closes one half, and takes what comes until the server closes the other; a server that does not is an error.
fn hear_out(mut stream: TcpStream) -> std::io::Result<()> {
    let _ = stream.shutdown(Shutdown::Write);
    let mut buffer = [0; 65_536];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Bytes of memory that the process has, and its open descriptors.
fn held() -> (u64, usize) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    (kib << 10, std::fs::read_dir("/proc/self/fd").unwrap().count())
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs these sequences, some at a time.
fn attack(addr: SocketAddr, other: ConnectionId, from: u64, to: u64) {
    let next = AtomicU64::new(from);
    thread::scope(|scope| {
        for _ in 0..ATTACKERS {
            scope.spawn(|| {
                let mut attacker = Attacker { addr, other, session: None };
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= to {
                        return;
                    }
                    attacker.run(index);
                }
            });
        }
    });
}

/// A viewer that comes late, and sees some frames.
fn late_frames(addr: SocketAddr) -> Frames {
    let mut main = Speaker::link(addr, ConnectionId(0), ChannelType::MAIN);
    let (id, body): (u16, Bytes) = main.receive().unwrap();
    let Ok(ServerMessage::Init(init)) = ServerMessage::decode(id, &body) else { panic!("{id}") };
    let display = Speaker::link(addr, init.session_id, ChannelType::DISPLAY);
    Frames::watch(display, |frames| frames >= LATE_FRAMES)
}

#[test]
fn requirement_hostile_viewers_on_sockets_end_alone_and_leave_nothing_behind() {
    panics::watch();
    let _alone = panics::ALONE.write().unwrap_or_else(PoisonError::into_inner);
    let server = TestServer::start();
    let addr = server.addr;
    let bystander = Bystander::join(addr);
    let sequences = share(10_000);
    let start = Instant::now();
    // What caches and pools take once is no growth.
    attack(addr, bystander.connection, 0, sequences / 5);
    wait_for("the end of all hostile viewers", || (server.stats)().viewers == 1);
    let before = held();
    attack(addr, bystander.connection, sequences / 5, sequences);
    let end = Instant::now();
    wait_for("the end of all hostile viewers", || (server.stats)().viewers == 1);
    let after = held();
    let late = late_frames(addr);
    let seen = bystander.leave();
    wait_for("the end of all viewers", || (server.stats)().viewers == 0);

    assert_eq!(panics::seen(), Vec::<String>::new());
    let rate = seen.rate(start, end);
    println!(
        "{sequences} sequences in {:?}; {rate:.1} frames a second; {before:?} -> {after:?}",
        end - start
    );
    assert!(rate >= LEAST_RATE, "the well-behaved viewer saw {rate:.1} frames a second of 30");
    let (both, different) = seen.compare(&late);
    assert!(both >= LATE_FRAMES / 2 && different == 0, "{different} of {both} frames differ");
    assert!(after.0 <= before.0 + MOST_GROWTH, "from {} to {} bytes", before.0, after.0);
    assert!(after.1 <= before.1 + 8, "from {} to {} descriptors", before.1, after.1);
}
