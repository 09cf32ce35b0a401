//! Real bytes on real sockets: whoever sends them is told in the protocol's words and cut off, and a viewer that is
//! connected all the while sees every frame.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use libtest_mimic::Trial;
use spice_proto::link::{LinkHeader, LinkReply};
use spice_proto::{ChannelType, ConnectionId, LinkError, Point, SurfaceId};
use testkit::LinkFailure;

use crate::needs::trial;
use crate::scratch::Scratch;
use crate::server::Server;
use crate::viewer::{Channel, Viewer, dial};

const TICKET: &str = "open sesame";

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("hostile_links_and_messages_end_alone", &[], end_alone)]
}

fn end_alone() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let file = scratch.write("ticket", TICKET)?;
    let server = Server::start(&["--guest", "bench:mixed", "--ticket-file", &file.display().to_string()])?;
    let addr = server.addr();
    let viewer = Viewer::connect(addr, TICKET)?;
    let mut display = viewer.display()?;
    display.paint_first()?;

    let (done, stop) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let attack = scope.spawn(move || {
            let result = attack(addr);
            let _ = done.send(());
            result
        });
        // Each frame ends with a fill of the corner in another colour.
        let (mut frames, start) = (0_u32, Instant::now());
        let mut marker = None;
        display.paint_until("the end of the attack", Duration::from_secs(60), |model, _, _| {
            let colour = model.surface(SurfaceId::PRIMARY).and_then(|it| it.pixel(Point::new(3, 3)));
            if colour != marker {
                marker = colour;
                frames += 1;
            }
            start.elapsed() > Duration::from_secs(3) && stop.try_recv().is_ok()
        })?;
        let rate = f64::from(frames) / start.elapsed().as_secs_f64();
        attack.join().map_err(|_| "the attack panicked".to_owned())??;
        if rate < 25.0 {
            return Err(format!("the viewer saw {rate:.1} frames a second of 30"));
        }
        Ok(())
    })
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
        ("another protocol", header(b"GET ", 2, 18), LinkError::INVALID_MAGIC),
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
        Err(LinkFailure::Refused(LinkError::BAD_CONNECTION_ID)) => Ok(()),
        other => Err(format!("a connection id that nobody has: {other:?}")),
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

/// Strings of random bytes, from a fixed seed; half of them begin as a link does.
fn noise(addr: SocketAddr) -> Result<(), String> {
    let mut state = 0x1234_5678_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    for number in 0..200 {
        let len = (random() % 400) as usize;
        let mut bytes: Vec<u8> = (0..len).map(|_| random() as u8).collect();
        if number % 2 == 0 {
            bytes = [header(b"REDQ", 2, random() % 64), bytes].concat();
        }
        talk(addr, &bytes)?;
    }
    let _ = TcpStream::connect(addr).map_err(|error| error.to_string())?;
    Ok(())
}
