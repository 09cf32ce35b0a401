//! Real bytes on real sockets: whoever sends them is told in the protocol's words and cut off, and a viewer that is
//! connected all the while sees every frame.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use libtest_mimic::Trial;
use spice_client::LinkFailure;
use spice_proto::caps::CapabilitySet;
use spice_proto::link::{LinkHeader, LinkReply};
use spice_proto::{ChannelType, ConnectionId, LinkError, Rect, SurfaceId, display};

use crate::json;
use crate::needs::trial_alone;
use crate::scratch::Scratch;
use crate::server::Server;
use crate::viewer::{Channel, Display, Viewer, dial};
use crate::wait;

const TICKET: &str = "open sesame";
/// Where the bench scene says which frame it is.
const MARKER: Rect = Rect::new(0, 0, 16, 16);
/// Frames a second that a viewer sees at least, of 30, and how long it may see none.
const LEAST_RATE: f64 = 25.0;
const LONGEST_GAP: Duration = Duration::from_millis(500);
/// Strings of random bytes.
const NOISES: u32 = 200;
/// Frames that are compared at the end.
const LATE_FRAMES: usize = 20;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial_alone("hostile_links_and_messages_end_alone", &[], end_alone)]
}

fn end_alone() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let file = scratch.write("ticket", TICKET)?;
    let mut server =
        Server::start(&["--guest", "bench:mixed", "--ticket-file", &file.display().to_string()])?;
    let addr = server.addr();
    let viewer = Viewer::connect(addr, TICKET)?;
    let mut display = viewer.display()?;
    display.paint_first()?;

    let (start, over) = (Instant::now(), AtomicBool::new(false));
    thread::scope(|scope| {
        let attack = scope.spawn(|| {
            let attacked = attack(addr);
            let end = Instant::now();
            let late = attacked.and_then(|()| late_frames(addr));
            over.store(true, Ordering::Relaxed);
            Ok::<_, String>((end, late?))
        });
        let seen = watch(&mut display, |_| over.load(Ordering::Relaxed));
        let (end, late) = attack.join().map_err(|_| "the attack panicked".to_owned())??;
        let seen = seen?;
        seen.keep_pace(start, end)?;
        seen.same_pictures(&late)
    })?;
    wait::until("the end of all other viewers", Duration::from_secs(10), || {
        let viewers = server.stats().last().and_then(|line| json::number(line, "viewers"));
        Ok((viewers == Some(1.0)).then_some(()))
    })?;
    if server.is_running()? { Ok(()) } else { Err("the server has ended".into()) }
}

/// What a viewer has seen of the scene: each frame ends with a fill of the corner in the colour of its moment.
#[derive(Debug, Default)]
struct Frames {
    /// When each came, and what the screen was then: its moment, and the hash of all pixels.
    seen: Vec<(Instant, u32, u64)>,
}

impl Frames {
    /// Whether they came as they should from one moment to another.
    fn keep_pace(&self, start: Instant, end: Instant) -> Result<(), String> {
        let mut times: Vec<Instant> = self.seen.iter().map(|frame| frame.0).filter(|at| *at <= end).collect();
        let rate = times.len() as f64 / (end - start).as_secs_f64();
        times.extend([start, end]);
        times.sort();
        let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
        if rate < LEAST_RATE || gap > LONGEST_GAP {
            return Err(format!("the viewer saw {rate:.1} frames a second of 30, and none for {gap:?}"));
        }
        Ok(())
    }

    /// Whether frames of the same moment are the same, in every pixel, and there are some.
    fn same_pictures(&self, other: &Self) -> Result<(), String> {
        let theirs: BTreeMap<u32, u64> =
            other.seen.iter().map(|(_, moment, picture)| (*moment, *picture)).collect();
        let both = self.seen.iter().filter_map(|(_, moment, picture)| Some((picture, theirs.get(moment)?)));
        let (same, different): (Vec<_>, Vec<_>) = both.partition(|(ours, theirs)| ours == theirs);
        if same.len() >= LATE_FRAMES / 2 && different.is_empty() {
            return Ok(());
        }
        Err(format!(
            "a viewer that comes late sees {} frames alike, {} otherwise",
            same.len(),
            different.len()
        ))
    }
}

/// Looks at frames until `enough` have come.
fn watch(display: &mut Display, enough: impl Fn(usize) -> bool) -> Result<Frames, String> {
    let mut frames = Frames::default();
    display.paint_until("frames", Duration::from_secs(120), |model, id, body| {
        let message = display::ServerMessage::decode(id, body);
        let (Ok(display::ServerMessage::DrawFill(fill)), Some(screen)) =
            (message, model.surface(SurfaceId::PRIMARY))
        else {
            return false;
        };
        if let (MARKER, display::Brush::Solid(moment)) = (fill.base.bbox, fill.brush) {
            let mut hash = DefaultHasher::new();
            screen.read(screen.bounds()).hash(&mut hash);
            frames.seen.push((Instant::now(), moment, hash.finish()));
        }
        enough(frames.seen.len())
    })?;
    Ok(frames)
}

/// Frames that a viewer sees which has just come.
fn late_frames(addr: SocketAddr) -> Result<Frames, String> {
    let viewer = Viewer::connect(addr, TICKET)?;
    watch(&mut viewer.display()?, |frames| frames >= LATE_FRAMES)
}

fn attack(addr: SocketAddr) -> Result<(), String> {
    links(addr)?;
    tickets(addr)?;
    messages(addr)?;
    noise(addr)
}

/// A header of a link message.
fn header(magic: &[u8; 4], major: u32, size: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    LinkHeader { magic: *magic, major, minor: 2, size }.encode(&mut bytes);
    bytes
}

/// Sends bytes and answers all that comes back until the server closes.
fn talk(addr: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut stream = dial(addr)?;
    // The server may have had enough before it has them all.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => Ok(answer),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(answer),
        Err(error) => Err(format!("the server does not close: {error}")),
    }
}

fn links(addr: SocketAddr) -> Result<(), String> {
    let refused = [
        ("another protocol", header(b"RFB ", 2, 18), LinkError::INVALID_MAGIC),
        ("another version", header(b"REDQ", 3, 18), LinkError::VERSION_MISMATCH),
        ("a body above the limit", header(b"REDQ", 2, 4097), LinkError::INVALID_DATA),
        ("the largest body", header(b"REDQ", 2, u32::MAX), LinkError::INVALID_DATA),
        ("a body that is too short", [header(b"REDQ", 2, 5), vec![0; 5]].concat(), LinkError::INVALID_DATA),
        ("capabilities outside", [header(b"REDQ", 2, 18), vec![0xff; 18]].concat(), LinkError::INVALID_DATA),
    ];
    for (what, bytes, error) in refused {
        let answer = Bytes::from(talk(addr, &bytes)?);
        let reply =
            answer.get(LinkHeader::LEN..).map(|_| LinkReply::decode(&answer.slice(LinkHeader::LEN..)));
        match reply {
            Some(Ok(reply)) if reply.error == error => {}
            other => return Err(format!("{what}: {other:?} instead of {error}")),
        }
    }
    let truncated = [header(b"REDQ", 2, 26), vec![0; 10]].concat();
    for len in 0..truncated.len() {
        let answer = talk(addr, &truncated[..len])?;
        if !answer.is_empty() {
            return Err(format!("a link cut to {len} bytes is answered with {} bytes", answer.len()));
        }
    }
    Ok(())
}

fn tickets(addr: SocketAddr) -> Result<(), String> {
    for wrong in ["", "open sesam", "open sesame!"] {
        match Channel::link(addr, ConnectionId(0), ChannelType::MAIN, wrong) {
            Err(LinkFailure::Refused(LinkError::PERMISSION_DENIED)) => {}
            other => return Err(format!("the ticket `{wrong}`: {other:?}")),
        }
    }
    match Channel::link(addr, ConnectionId(77), ChannelType::DISPLAY, TICKET) {
        Err(LinkFailure::Refused(LinkError::BAD_CONNECTION_ID)) => {}
        other => return Err(format!("a connection id that nobody has: {other:?}")),
    }
    match Channel::link(addr, ConnectionId(0), ChannelType::SMARTCARD, TICKET) {
        Err(LinkFailure::Refused(LinkError::CHANNEL_NOT_AVAILABLE)) => {}
        other => return Err(format!("a channel that is not offered: {other:?}")),
    }
    // After a refusal nothing follows but the end.
    let mut stream = dial(addr)?;
    let caps = CapabilitySet::default();
    let refused = spice_client::link(&mut stream, ConnectionId(0), ChannelType::MAIN, caps, "wrong");
    let mut rest = Vec::new();
    match (refused, stream.read_to_end(&mut rest)) {
        (Err(LinkFailure::Refused(LinkError::PERMISSION_DENIED)), Ok(0)) => Ok(()),
        other => Err(format!("a wrong ticket, and then: {other:?}")),
    }
}

fn messages(addr: SocketAddr) -> Result<(), String> {
    let kinds = [ChannelType::DISPLAY, ChannelType::CURSOR, ChannelType::INPUTS];
    let bodies: [(u16, Vec<u8>); 4] =
        [(101, vec![0; 70_000]), (u16::MAX, Vec::new()), (5, vec![1; 64]), (4, Vec::new())];
    for kind in kinds {
        for (id, body) in &bodies {
            let viewer = Viewer::connect(addr, TICKET)?;
            let channel = viewer.channel(kind)?;
            // The server may have closed before all of it is sent.
            let _ = channel.send(*id, body);
            channel.wait_closed().map_err(|error| format!("{kind} message {id}: {error}"))?;
        }
    }
    // Only a header, with sizes around the ends of its range; and a message that breaks off.
    for size in [4097, 1 << 31, u32::MAX] {
        let viewer = Viewer::connect(addr, TICKET)?;
        let channel = viewer.channel(ChannelType::INPUTS)?;
        channel.send_raw(&[&101_u16.to_le_bytes()[..], &u32::to_le_bytes(size)].concat())?;
        channel.wait_closed().map_err(|error| format!("a message of {size} bytes: {error}"))?;
        let channel = viewer.channel(ChannelType::CURSOR)?;
        channel.send_raw(&[3, 0, 12, 0, 0, 0, 1, 2])?;
        channel.hang_up();
        channel.wait_closed().map_err(|error| format!("a message that breaks off: {error}"))?;
    }
    let viewer = Viewer::connect(addr, TICKET)?;
    let display = viewer.display()?;
    let _ = viewer.main.send(999, b"");
    viewer.main.wait_closed()?;
    drop(display);
    Ok(())
}

/// Strings of random bytes, from a fixed seed: bare, behind a link header, and as messages of a channel.
fn noise(addr: SocketAddr) -> Result<(), String> {
    let mut state = 0x1234_5678_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    for number in 0..NOISES {
        let len = random() % 400;
        let bytes: Vec<u8> = (0..len).map(|_| random().to_le_bytes()[0]).collect();
        match number % 4 {
            0 => expect_magic_refused(addr, &bytes)?,
            1 => drop(talk(addr, &[&b"REDQ"[..], &bytes].concat())?),
            2 => drop(talk(addr, &[header(b"REDQ", 2, random() % 64), bytes].concat())?),
            _ => {
                let viewer = Viewer::connect(addr, TICKET)?;
                let linked = match random() % 4 {
                    0 => None,
                    1 => Some(viewer.channel(ChannelType::INPUTS)?),
                    2 => Some(viewer.channel(ChannelType::CURSOR)?),
                    _ => Some(viewer.channel(ChannelType::DISPLAY)?),
                };
                let channel = linked.as_ref().unwrap_or(&viewer.main);
                // A header that may be one, so that not all of it fails at the size.
                let (id, size) = (random() % 130, random() % 40);
                let head = [id.to_le_bytes()[0], 0, size.to_le_bytes()[0], 0, 0, 0];
                let _ = channel.send_raw(&[&head[..], &bytes].concat());
                channel.hang_up();
                channel.wait_closed().map_err(|error| format!("noise {number}: {error}"))?;
            }
        }
    }
    Ok(())
}

fn expect_magic_refused(addr: SocketAddr, bytes: &[u8]) -> Result<(), String> {
    let answer = Bytes::from(talk(addr, bytes)?);
    if bytes.len() < 4 || bytes.starts_with(b"REDQ") {
        return Ok(());
    }
    match answer.get(LinkHeader::LEN..).map(|_| LinkReply::decode(&answer.slice(LinkHeader::LEN..))) {
        Some(Ok(reply)) if reply.error == LinkError::INVALID_MAGIC => Ok(()),
        other => Err(format!("{} random bytes: {other:?}", bytes.len())),
    }
}
