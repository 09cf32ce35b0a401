//! WebSockets over the server's real port, frame by frame: what RFC 6455 wants of it, and what no browser sends.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use libtest_mimic::Trial;
use spice_client::{ChannelPeer, LinkFailure, link};
use spice_proto::caps::{CapabilitySet, MainCap};
use spice_proto::{ChannelType, ConnectionId, main};

use crate::needs::trial;
use crate::scratch::Scratch;
use crate::server::Server;
use crate::viewer::{Viewer, dial};

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FIN: u8 = 0x80;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("websocket_links_over_the_port_however_it_is_fragmented", &[], links),
        trial("websocket_over_the_port_tells_who_errs_and_ends_it_alone", &[], errors),
        trial("websocket_over_the_port_answers_what_is_no_websocket", &[], requests),
    ]
}

/// The key of RFC 6455, section 1.3, and its answer.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn request(headers: &str) -> String {
    format!(
        "GET /websockify HTTP/1.1\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{headers}\r\n"
    )
}

/// A WebSocket of a client that masks, fragments and pings as much as it may.
struct Client {
    stream: TcpStream,
    /// Bytes in a fragment.
    fragment: usize,
    /// Pings that are not answered yet.
    pings: Vec<Vec<u8>>,
    sent_pings: u32,
    /// What was not read yet of the last message.
    rest: Vec<u8>,
    /// How the server has closed.
    closed: Option<Vec<u8>>,
}

impl Client {
    fn open(addr: SocketAddr, fragment: usize) -> Result<Self, String> {
        let mut stream = dial(addr)?;
        let asked = request(&format!("Host: {addr}\r\nSec-WebSocket-Protocol: chat, binary\r\n"));
        stream.write_all(asked.as_bytes()).map_err(|error| error.to_string())?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).map_err(|error| format!("no answer: {error}"))?;
            head.extend(byte);
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let accept = format!("sec-websocket-accept: {}", ACCEPT.to_lowercase());
        for line in ["http/1.1 101 ", &accept, "sec-websocket-protocol: binary\r\n", "upgrade: websocket"] {
            if !head.contains(line) {
                return Err(format!("no `{line}` in {head}"));
            }
        }
        Ok(Self { stream, fragment, pings: Vec::new(), sent_pings: 0, rest: Vec::new(), closed: None })
    }

    /// Sends a frame. Its mask is another each time.
    fn frame(&mut self, first: u8, payload: &[u8]) -> io::Result<()> {
        let mask = (self.sent_pings.wrapping_mul(2_654_435_761) | 1).to_be_bytes();
        let mut frame = vec![first];
        match payload.len() {
            len @ 0..=125 => frame.push(0x80 | u8::try_from(len).unwrap_or_default()),
            len => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(len).map_err(io::Error::other)?.to_be_bytes());
            }
        }
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.write_all(&frame)
    }

    /// Reads a frame of the server.
    fn read_frame(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head)?;
        let [first, len] = head;
        let len = match len {
            masked @ 0x80.. => return Err(io::Error::other(format!("a length of {masked:#x}: masked"))),
            126 => {
                let mut len = [0; 2];
                self.stream.read_exact(&mut len)?;
                u16::from_be_bytes(len).into()
            }
            127 => return Err(io::Error::other("a frame of more than 64 KiB")),
            short => usize::from(short),
        };
        let mut payload = vec![0; len];
        self.stream.read_exact(&mut payload)?;
        Ok((first, payload))
    }

    /// How the server ends the connection.
    fn read_close(&mut self) -> Result<Option<u16>, String> {
        loop {
            match self.read_frame() {
                Ok((first, payload)) if first == FIN | CLOSE => {
                    return match self.stream.read(&mut [0]) {
                        Ok(0) => Ok(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
                        // What the server has not read resets what it closes.
                        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                            Ok(payload.first_chunk().map(|code| u16::from_be_bytes(*code)))
                        }
                        other => Err(format!("after the close frame: {other:?}")),
                    };
                }
                Ok(_) => {}
                Err(error) => return Err(format!("no close frame: {error}")),
            }
        }
    }
}

impl Write for Client {
    /// A message in fragments, the last of which is empty, with a ping between two of them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut opcode = BINARY;
        for piece in bytes.chunks(self.fragment) {
            self.frame(opcode, piece)?;
            opcode = CONTINUATION;
            self.sent_pings += 1;
            let ping = format!("ping {}", self.sent_pings).into_bytes();
            self.frame(FIN | PING, &ping)?;
            self.pings.push(ping);
        }
        self.frame(FIN | opcode, &[])?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Client {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() && self.closed.is_none() {
            match self.read_frame()? {
                (first, payload) if first == FIN | BINARY => self.rest = payload,
                (first, payload) if first == FIN | PONG => {
                    // One that answers a later ping answers those before it.
                    let Some(at) = self.pings.iter().position(|ping| *ping == payload) else {
                        return Err(io::Error::other(format!("a pong for no ping: {payload:?}")));
                    };
                    self.pings.drain(..=at);
                }
                (first, payload) if first == FIN | CLOSE => self.closed = Some(payload),
                (first, _) => return Err(io::Error::other(format!("a frame that begins with {first:#04x}"))),
            }
        }
        let len = buffer.len().min(self.rest.len());
        buffer[..len].copy_from_slice(&self.rest[..len]);
        self.rest.drain(..len);
        Ok(len)
    }
}

/// A viewer links by fragments of one byte, of seven and of as many as there are, with a ping behind each; every ping is
/// answered, the server says who the viewer is, and a close is answered with its own code.
fn links() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let ticket = scratch.write("ticket", "open sesame\n")?.display().to_string();
    let server = Server::start(&["--ticket-file", &ticket])?;
    for fragment in [1, 7, 4096] {
        let mut client = Client::open(server.addr(), fragment)?;
        let caps = || CapabilitySet::new([MainCap::AGENT_CONNECTED_TOKENS.0]);
        let linked = link(&mut client, ConnectionId(0), ChannelType::MAIN, caps(), "open sesame");
        let linked = linked.map_err(|error| format!("fragments of {fragment}: {error}"))?;
        let mut peer = ChannelPeer::new(linked.header);
        let (id, body) = loop {
            if let Some(message) = peer.poll_message()? {
                break message;
            }
            let mut buffer = [0; 4096];
            let len = client.read(&mut buffer).map_err(|error| format!("the first message: {error}"))?;
            if len == 0 {
                return Err(format!("the server has closed: {:?}", client.closed));
            }
            peer.handle_bytes(&buffer[..len]);
        };
        match main::ServerMessage::decode(id, &body).map_err(|error| error.to_string())? {
            main::ServerMessage::Init(_) => {}
            other => return Err(format!("the first message is {other:?}")),
        }
        let closing = [&1000_u16.to_be_bytes()[..], b"enough"].concat();
        client.frame(FIN | CLOSE, &closing).map_err(|error| error.to_string())?;
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).map_err(|error| format!("after closing: {error}"))?;
        let code = client.closed.as_deref().and_then(|payload| payload.first_chunk().copied());
        if code.map(u16::from_be_bytes) != Some(1000) {
            return Err(format!("a close with 1000 is answered with {:?}", client.closed));
        }
        if !client.pings.is_empty() {
            return Err(format!("fragments of {fragment}: {} pings have no answer", client.pings.len()));
        }

        let mut client = Client::open(server.addr(), fragment)?;
        match link(&mut client, ConnectionId(0), ChannelType::MAIN, caps(), "open simsim") {
            Err(LinkFailure::Refused(_)) => {}
            other => return Err(format!("the wrong ticket: {other:?}")),
        }
    }
    Ok(())
}

/// Who breaks the rules is told which, and is gone; who keeps to them stays.
fn errors() -> Result<(), String> {
    let server = Server::start(&[])?;
    let bystander = Viewer::connect(server.addr(), "")?;
    let masked = |first: u8, payload: &[u8]| {
        let len = 0x80 | u8::try_from(payload.len()).unwrap_or(125);
        [&[first, len, 0, 0, 0, 0][..], payload].concat()
    };
    let cases: [(&str, Vec<u8>, u16); 9] = [
        ("a frame without mask", vec![FIN | BINARY, 4, b'R', b'E', b'D', b'Q'], 1002),
        ("a reserved bit", masked(FIN | 0x40 | BINARY, b"REDQ"), 1002),
        ("an opcode that there is not", masked(FIN | 3, b"REDQ"), 1002),
        ("a continuation of nothing", masked(FIN | CONTINUATION, b"REDQ"), 1002),
        ("a message within a message", [masked(BINARY, b"RE"), masked(FIN | BINARY, b"DQ")].concat(), 1002),
        ("a ping in fragments", masked(PING, b"?"), 1002),
        ("a close with half a code", masked(FIN | CLOSE, &[3]), 1002),
        ("text", masked(FIN | TEXT, b"REDQ"), 1003),
        (
            "a frame of 2^62 bytes",
            [&[FIN | BINARY, 0x80 | 127][..], &(1_u64 << 62).to_be_bytes(), &[0; 4]].concat(),
            1009,
        ),
    ];
    let mut failures = Vec::new();
    for (what, bytes, code) in cases {
        let mut client = Client::open(server.addr(), 1)?;
        client.stream.write_all(&bytes).map_err(|error| error.to_string())?;
        match client.read_close() {
            Ok(Some(said)) if said == code => {}
            other => failures.push(format!("{what}: {other:?}, not {code}")),
        }
    }
    bystander.display()?.paint_first()?;
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// What is no WebSocket, or not from where it may be, gets an answer of HTTP and the end of the connection.
fn requests() -> Result<(), String> {
    let server = Server::start(&[])?;
    let addr = server.addr();
    let host = format!("Host: {addr}\r\n");
    let long = format!("{host}X-Long: {}\r\n", "x".repeat(9000));
    let cases = [
        ("a page", format!("GET / HTTP/1.1\r\n{host}\r\n"), "426"),
        ("another host", request("Host: evil.example\r\n"), "403"),
        ("another origin", request(&format!("{host}Origin: https://evil.example\r\n")), "403"),
        ("no origin that one could name", request(&format!("{host}Origin: null\r\n")), "403"),
        ("no host", request(""), "400"),
        ("another subprotocol", request(&format!("{host}Sec-WebSocket-Protocol: chat\r\n")), "400"),
        ("a long head", request(&long), "431"),
        ("the server's own host", request(&format!("{host}Origin: http://{addr}\r\n")), "101"),
        ("localhost", request("Host: localhost\r\nOrigin: http://localhost:8080\r\n"), "101"),
    ];
    let mut failures = Vec::new();
    for (what, request, status) in cases {
        let mut stream = dial(addr)?;
        stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        let mut answer = Vec::new();
        if status == "101" {
            let mut start = [0; 12];
            stream.read_exact(&mut start).map_err(|error| format!("{what}: {error}"))?;
            answer.extend(start);
        } else {
            stream.read_to_end(&mut answer).map_err(|error| format!("{what}: {error}"))?;
        }
        if !answer.starts_with(format!("HTTP/1.1 {status}").as_bytes()) {
            failures.push(format!("{what}: {}, not {status}", String::from_utf8_lossy(&answer)));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}
