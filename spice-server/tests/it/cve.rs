//! What viewers have done to the C server: here it costs them their connection, at most.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use rsa::pkcs8::DecodePublicKey;
use rsa::{Oaep, PublicKey};
use spice_channel::{Channel, ChannelError, ChannelLink, ClientId, Time};
use spice_client::{ChannelPeer, DisplayModel};
use spice_display::qxl::{
    Bitmap, BitmapFormat, Clip, Command, CursorCommand, DeviceEvent, DrawCopy, DrawFill, DrawOp, Drawable,
    Effect, GuestEvent, Image, PrimarySurface, SurfaceCommand,
};
use spice_display::{RedWorker, WorkerConfig};
use spice_proto::caps::{Capabilities, CapabilitySet, CommonCap, DisplayCap};
use spice_proto::display::SurfaceFormat;
use spice_proto::link::{LinkHeader, LinkMess, LinkReply, TICKET_LEN};
use spice_proto::{ChannelId, ChannelType, ConnectionId, HeaderKind, LinkError, Point16, Rect, SurfaceId};
use spice_server::{Auth, Secret};

use crate::support::{TestServer, TestViewer, scripted, wait_for};

const VIEWERS: u64 = 4;
const SIDE: u32 = 64;

fn link(header: HeaderKind) -> ChannelLink {
    let mini = (header == HeaderKind::Mini).then_some(CommonCap::MINI_HEADER.0);
    let channel = CapabilitySet::new([DisplayCap::MONITORS_CONFIG.0]);
    ChannelLink { caps: Capabilities { common: CapabilitySet::new(mini), channel } }
}

/// A worker and its viewers, each with a display and a cursor channel.
struct Desktop {
    worker: RedWorker,
    peers: BTreeMap<u64, [ChannelPeer; 2]>,
}

impl Desktop {
    /// Everybody has been shown the first picture.
    fn new() -> Self {
        let worker = RedWorker::new(&WorkerConfig::default());
        let mut desktop = Self { worker, peers: BTreeMap::new() };
        desktop.event(primary());
        for id in 0..VIEWERS {
            let (display, cursor) = desktop.worker.channels_mut();
            display.connect(ClientId(id), link(HeaderKind::Mini), Time::ZERO);
            cursor.connect(ClientId(id), link(HeaderKind::Mini), Time::ZERO);
            let mut peer = ChannelPeer::new(HeaderKind::Mini);
            let init = DisplayModel::default().init();
            peer.send_message(init.id(), &init.encode().to_bytes());
            display.handle_bytes(ClientId(id), &peer.take_answers(), Time::ZERO).unwrap();
            desktop.peers.insert(id, [peer, ChannelPeer::new(HeaderKind::Mini)]);
        }
        desktop.settle();
        desktop
    }

    fn event(&mut self, event: GuestEvent) {
        self.worker.handle_event(event).unwrap();
    }

    /// The numbers of the messages that a viewer is sent now, of both channels.
    fn told(&mut self, id: u64) -> Vec<u16> {
        let (display, cursor) = self.worker.channels_mut();
        let channels: [&mut dyn Channel; 2] = [display, cursor];
        let Some(peers) = self.peers.get_mut(&id) else { return Vec::new() };
        let mut told = Vec::new();
        for (channel, peer) in channels.into_iter().zip(peers) {
            while let Some(transmit) = channel.poll_transmit(ClientId(id), Time::ZERO) {
                channel.handle_written(ClientId(id), transmit.len, Time::ZERO);
                peer.handle_bytes(&transmit.to_bytes());
                while let Some((message, _)) = peer.poll_message().unwrap() {
                    told.push(message);
                }
                channel.handle_bytes(ClientId(id), &peer.take_answers(), Time::ZERO).unwrap();
            }
        }
        told
    }

    /// What everybody is told until nothing is left.
    fn settle(&mut self) -> BTreeMap<u64, Vec<u16>> {
        let mut told: BTreeMap<u64, Vec<u16>> = BTreeMap::new();
        loop {
            let mut any = false;
            for id in 0..VIEWERS {
                let more = self.told(id);
                any |= !more.is_empty();
                told.entry(id).or_default().extend(more);
            }
            let display = self.worker.display_mut();
            while let Some(job) = display.poll_encode(true).or_else(|| display.poll_encode(false)) {
                display.handle_encoded(job.run());
                any = true;
            }
            if !any {
                return told;
            }
        }
    }

    /// The viewer's connections break; with `errs` because of what it says.
    fn leave(&mut self, id: u64, errs: bool) {
        let (display, cursor) = self.worker.channels_mut();
        if errs {
            assert!(display.handle_bytes(ClientId(id), &[9; 64], Time::ZERO).is_err());
            assert!(cursor.handle_bytes(ClientId(id), &[9; 64], Time::ZERO).is_err());
        }
        display.disconnect(ClientId(id), Time::ZERO);
        cursor.disconnect(ClientId(id), Time::ZERO);
        self.peers.remove(&id);
    }
}

fn primary() -> GuestEvent {
    let primary = PrimarySurface { width: SIDE, height: SIDE, format: SurfaceFormat::RGB32, content: None };
    GuestEvent::Device(DeviceEvent::CreatePrimary(primary))
}

fn draw(op: DrawOp) -> GuestEvent {
    let (surface, bbox, effect) = (SurfaceId::PRIMARY, Rect::new(0, 0, 32, 32), Effect::OPAQUE);
    GuestEvent::Command(Command::Draw(Drawable { surface, bbox, clip: Clip::None, effect, mm_time: 0, op }))
}

/// A thing that every viewer is told of, by what it is.
fn broadcasts() -> [(&'static str, GuestEvent); 8] {
    let pixels: Vec<u8> =
        (0..32 * 32_u32).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let bitmap = Bitmap::new(BitmapFormat::RGB32, (32, 32), 32 * 4, true, pixels.into()).unwrap();
    let picture = DrawCopy::put(Image::bitmap(5, Arc::new(bitmap)), Rect::new(0, 0, 32, 32));
    let surface = |command| GuestEvent::Command(Command::Surface(command));
    let (width, height, format) = (SIDE, SIDE, SurfaceFormat::ARGB32);
    let other = SurfaceId(3);
    [
        ("a draw", draw(DrawOp::Fill(DrawFill::solid(7)))),
        ("a draw with a picture", draw(DrawOp::Copy(picture))),
        (
            "a surface that begins",
            surface(SurfaceCommand::Create { surface: other, width, height, format, content: None }),
        ),
        // It is made before.
        ("a surface that ends", surface(SurfaceCommand::Destroy { surface: other })),
        (
            "a pointer that moves",
            GuestEvent::Command(Command::Cursor(CursorCommand::Move(Point16 { x: 1, y: 2 }))),
        ),
        ("a pointer that hides", GuestEvent::Command(Command::Cursor(CursorCommand::Hide))),
        ("another primary surface, and its monitors", primary()),
        ("all surfaces that end", GuestEvent::Device(DeviceEvent::DestroySurfaces)),
    ]
}

/// Viewers were walked through while one of them was removed: the server ended.
#[test]
fn cve_2013_4130_a_viewer_that_is_gone_in_the_middle_of_a_broadcast_changes_nothing_for_the_others() {
    let begin = || {
        let mut desktop = Desktop::new();
        let shown = CursorCommand::Move(Point16 { x: 9, y: 9 });
        desktop.event(GuestEvent::Command(Command::Cursor(shown)));
        desktop
    };
    for which in 0..broadcasts().len() {
        let ready = |desktop: &mut Desktop| {
            let [.., create, _, _, _, _, _] = &broadcasts();
            if which == 3 {
                desktop.event(create.1.clone());
            }
            desktop.settle();
            desktop.event(broadcasts()[which].1.clone());
        };
        let (what, _) = broadcasts()[which];
        let mut quiet = begin();
        ready(&mut quiet);
        let expected = quiet.settle();
        for gone in 0..VIEWERS {
            for after in 0..=VIEWERS {
                let mut desktop = begin();
                ready(&mut desktop);
                let mut told: Vec<(u64, Vec<u16>)> = (0..after).map(|id| (id, desktop.told(id))).collect();
                // A picture that is asked for by then is packed while it leaves.
                let job = desktop.worker.display_mut().poll_encode(true);
                desktop.leave(gone, after % 2 == 0);
                if let Some(job) = job {
                    desktop.worker.display_mut().handle_encoded(job.run());
                }
                let later = desktop.settle();
                for (id, first) in &mut told {
                    first.extend_from_slice(&later[id]);
                }
                let told: BTreeMap<u64, Vec<u16>> = later.into_iter().chain(told).collect();
                for id in (0..VIEWERS).filter(|id| *id != gone) {
                    assert_eq!(told[&id], expected[&id], "{what}: {gone} gone after {after}");
                }
                assert_eq!(desktop.worker.display().stats().viewers as u64, VIEWERS - 1);
                assert_eq!(desktop.worker.display().stats().queued, 0);
            }
        }
    }
}

/// The same with real connections, which break at any time.
#[test]
fn cve_2013_4130_viewers_that_break_off_while_others_draw_the_servers_attention_leave_the_rest() {
    let (guest, _script) = scripted(true);
    let server = TestServer::start(Auth::Open, guest);
    let viewer = TestViewer::join(&server, "").unwrap();
    let mut display = viewer.display(&server, "");
    display.until(DisplayModel::is_marked);
    for round in 0..20 {
        let mut others: Vec<_> = (0..6).map(|_| TestViewer::join(&server, "").unwrap()).collect();
        let displays: Vec<_> = others.iter().map(|other| other.display(&server, "")).collect();
        // The mouse mode is told to everybody while half of them go.
        for (at, other) in others.iter_mut().enumerate() {
            other.main.send(105, &[1 + ((round + at) % 2) as u8, 0]);
        }
        drop(others.drain(..3));
        drop(displays);
        drop(others);
    }
    wait_for("the others are gone", || (server.stats)().viewers == 1);
    let mut late = TestViewer::join(&server, "").unwrap();
    assert_eq!(late.channels().0.len(), 3);
    late.display(&server, "").until(DisplayModel::is_marked);
}

/// What the server answers to a link with this ticket, which is no text or has no end.
fn answer(server: &TestServer, ticket: impl FnOnce(&PublicKey) -> [u8; TICKET_LEN]) -> LinkError {
    // Each from an address of its own: who guesses from one is locked out.
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let mut stream = server.connect_from(Ipv4Addr::new(127, 0, 1, NEXT.fetch_add(1, Ordering::Relaxed)));
    let mut out = Vec::new();
    let caps = Capabilities { common: CapabilitySet::new([0, 1]), channel: CapabilitySet::default() };
    let (channel_type, channel_id) = (ChannelType::MAIN, ChannelId(0));
    LinkMess { connection_id: ConnectionId(0), channel_type, channel_id, caps }.encode(&mut out);
    out.extend_from_slice(&1_u32.to_le_bytes());
    stream.write_all(&out).unwrap();
    let mut head = [0; LinkHeader::LEN];
    stream.read_exact(&mut head).unwrap();
    let mut reply = vec![0; LinkHeader::decode(head).size as usize];
    stream.read_exact(&mut reply).unwrap();
    let reply = LinkReply::decode(&Bytes::from(reply)).unwrap();
    assert_eq!(reply.error, LinkError::OK);
    let key = PublicKey::from_public_key_der(&reply.public_key).unwrap();
    stream.write_all(&ticket(&key)).unwrap();
    let mut result = [0; 4];
    stream.read_exact(&mut result).unwrap();
    LinkError(u32::from_le_bytes(result))
}

fn encrypted(key: &PublicKey, plain: &[u8]) -> [u8; TICKET_LEN] {
    key.encrypt(&mut rand::rng(), Oaep::<sha1::Sha1>::new(), plain).unwrap().try_into().unwrap()
}

/// A ticket was copied to where 60 bytes fit, up to a NUL that need not be there.
#[test]
fn cve_2013_4282_tickets_of_every_length_and_without_an_end_are_wrong_tickets() {
    let (guest, _script) = scripted(true);
    let secret = [b'x'; Secret::MAX_LEN];
    let server = TestServer::start(Auth::ticket(Secret::new(&secret).unwrap()), guest);
    for len in 0..=86 {
        let result = answer(&server, |key| encrypted(key, &vec![b'x'; len]));
        // Without a NUL it is all of the bytes.
        let expected = if len == secret.len() { LinkError::OK } else { LinkError::PERMISSION_DENIED };
        assert_eq!(result, expected, "{len} bytes");
    }
    let nuls = [vec![0; 86], [&secret[..59], &[0; 27]].concat(), [&secret[..], &[0], &[b'y'; 25]].concat()];
    let expected = [LinkError::PERMISSION_DENIED, LinkError::PERMISSION_DENIED, LinkError::OK];
    for (plain, expected) in nuls.iter().zip(expected) {
        assert_eq!(answer(&server, |key| encrypted(key, plain)), expected);
    }
    for byte in [0, 1, 0x7f, 0xff] {
        assert_eq!(
            answer(&server, |_| [byte; TICKET_LEN]),
            LinkError::PERMISSION_DENIED,
            "{byte:#x} all over"
        );
    }
    assert_eq!(answer(&server, |key| encrypted(key, &secret)), LinkError::OK);
}

/// A message was read into a buffer that was as large as most messages are.
#[test]
fn cve_2016_9577_messages_of_display_and_cursor_are_measured_at_their_header() {
    let sizes = [4097, 65_537, (1 << 31) - 1, 1 << 31, (1 << 31) + 1, u32::MAX - 18, u32::MAX - 6, u32::MAX];
    for header in [HeaderKind::Full, HeaderKind::Mini] {
        for size in sizes {
            for id in (0..130).chain([u16::MAX]) {
                let mut head = Vec::new();
                header.encode(1, id, size, &mut head);
                let mut worker = RedWorker::new(&WorkerConfig::default());
                let (display, cursor) = worker.channels_mut();
                let channels: [&mut dyn Channel; 2] = [display, cursor];
                for channel in channels {
                    channel.connect(ClientId(1), link(header), Time::ZERO);
                    let taken = channel.handle_bytes(ClientId(1), &head, Time::ZERO);
                    assert_eq!(taken, Err(ChannelError::TooLarge { id, size, max: 4096 }));
                }
            }
        }
    }
}

/// All sources of the workspace.
fn sources(under: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

/// The table says which test stands for what; a test that goes takes its row along.
#[test]
fn the_table_of_security_tests_names_tests_that_there_are_and_all_of_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let table = std::fs::read_to_string(root.join("docs/security-tests.md")).unwrap();
    let named: BTreeSet<&str> = table
        .lines()
        .filter(|line| line.starts_with('|'))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter(|word| word.contains('_') && !word.contains(['/', ':', '.']))
        .collect();
    assert!(named.len() > 40, "{named:?}");
    let mut files = Vec::new();
    sources(root, &mut files);
    let texts: Vec<String> = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let functions: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.trim_start().trim_start_matches("async ").strip_prefix("fn "))
        .filter_map(|rest| rest.split(['(', '<']).next())
        .collect();
    let missing: Vec<_> = named.iter().filter(|name| !functions.contains(*name)).collect();
    assert!(missing.is_empty(), "no test has the name of {missing:#?}");
    let beginnings = ["cve_", "requirement_"];
    let of_security = functions.iter().filter(|name| beginnings.iter().any(|begin| name.starts_with(begin)));
    let unnamed: Vec<_> = of_security.filter(|name| !named.contains(*name)).collect();
    assert!(unnamed.is_empty(), "docs/security-tests.md does not name {unnamed:#?}");
}
