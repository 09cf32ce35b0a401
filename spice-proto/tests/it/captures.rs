//! Real traffic: what the C server and spice-gtk said to each other. Every message decodes, and comes back to the byte.
//!
//! Each file is one direction of one connection, from the first byte of the link. The stored ones are cut short;
//! `SPICE_CAPTURES` names a folder of whole ones.

#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::panic,
    reason = "tests read the captures that are kept beside them, and say what they found"
)]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use spice_proto::caps::CommonCap;
use spice_proto::link::{AuthMechanism, LinkHeader, LinkMess, LinkReply, MAGIC, TICKET_LEN};
use spice_proto::{ChannelType, HeaderKind, LAST_BASE_ID, LinkError};
use spice_proto::{base, cursor, display, inputs, main, playback, port, record, smartcard, vmc};

#[test]
fn every_message_of_every_capture_comes_back_to_the_byte() {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/captures");
    let folder = std::env::var_os("SPICE_CAPTURES").map_or(stored, PathBuf::from);
    let mut seen = BTreeMap::new();
    for session in folders(&folder) {
        for client in files(&session, ".c2s.xz") {
            let server =
                client.with_file_name(client.file_name().unwrap().to_str().unwrap().replace("c2s", "s2c"));
            connection(&client, &server, &mut seen);
        }
    }
    let messages: u64 = seen.values().sum();
    println!("{messages} messages of {} kinds in {}", seen.len(), folder.display());
    assert!(seen.len() > 40, "only {seen:?}");
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn files(path: &Path, end: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_str().unwrap().ends_with(end));
    files.sort();
    files
}

fn unpack(path: &Path) -> Bytes {
    let packed = std::fs::read(path).unwrap();
    let mut bytes = Vec::new();
    lzma_rust2::XzReader::new(&packed[..], true).read_to_end(&mut bytes).unwrap();
    bytes.into()
}

/// A stream that is read from its front.
struct Stream<'a> {
    path: &'a Path,
    bytes: Bytes,
    at: usize,
}

impl Stream<'_> {
    fn take(&mut self, len: usize) -> Option<Bytes> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.bytes.len())?;
        let taken = self.bytes.slice(self.at..end);
        self.at = end;
        Some(taken)
    }

    fn link_message(&mut self) -> Bytes {
        let header = LinkHeader::decode(*self.take(LinkHeader::LEN).unwrap().first_chunk().unwrap());
        assert_eq!(header.magic, MAGIC, "{:?}", self.path);
        self.take(header.size as usize).unwrap()
    }
}

fn connection(client: &Path, server: &Path, seen: &mut BTreeMap<(ChannelType, &'static str, u16), u64>) {
    let mut from_client = Stream { path: client, bytes: unpack(client), at: 0 };
    let mut from_server = Stream { path: server, bytes: unpack(server), at: 0 };

    let body = from_client.link_message();
    let mess = LinkMess::decode(&body).unwrap();
    let mut again = Vec::new();
    mess.encode(&mut again);
    assert_eq!(again[LinkHeader::LEN..], body[..], "{client:?}");

    let body = from_server.link_message();
    let reply = LinkReply::decode(&body).unwrap();
    let mut again = Vec::new();
    reply.encode(&mut again);
    assert_eq!(again[LinkHeader::LEN..], body[..], "{server:?}");
    assert_eq!(reply.error, LinkError::OK);

    let both = |cap: CommonCap| mess.caps.has_common(cap) && reply.caps.has_common(cap);
    if both(CommonCap::PROTOCOL_AUTH_SELECTION) {
        let mechanism = from_client.take(4).unwrap();
        assert_eq!(mechanism[..], AuthMechanism::SPICE.0.to_le_bytes());
    }
    from_client.take(TICKET_LEN).unwrap();
    assert_eq!(from_server.take(4).unwrap()[..], LinkError::OK.0.to_le_bytes());

    let header = if both(CommonCap::MINI_HEADER) { HeaderKind::Mini } else { HeaderKind::Full };
    let kind = mess.channel_type;
    for (direction, stream) in [("server", &mut from_server), ("client", &mut from_client)] {
        while let Some(head) = stream.take(header.len()) {
            let head = header.decode(&head).unwrap();
            // A capture may end inside a message.
            let Some(body) = stream.take(head.size as usize) else { break };
            let again = round_trip(kind, direction, head.id, &body).unwrap_or_else(|error| {
                panic!("{:?} at {}: {kind} {}: {error}", stream.path, stream.at, head.id)
            });
            if again != body {
                let at = again.iter().zip(&body).position(|(ours, theirs)| ours != theirs);
                panic!(
                    "{:?}: {kind} {}: {} bytes for {}, first at {at:?}",
                    stream.path,
                    head.id,
                    again.len(),
                    body.len()
                );
            }
            *seen.entry((kind, direction, head.id)).or_default() += 1;
        }
    }
}

/// Decodes a message and encodes it again.
fn round_trip(kind: ChannelType, direction: &str, id: u16, body: &Bytes) -> Result<Bytes, String> {
    macro_rules! through {
        ($message:ty) => {
            <$message>::decode(id, body).map(|message| {
                assert_eq!(message.id(), id);
                message.encode().to_bytes()
            })
        };
    }
    let server = direction == "server";
    let again = match (kind, server) {
        (_, true) if id <= LAST_BASE_ID => through!(base::ServerMessage),
        (_, false) if id <= LAST_BASE_ID => through!(base::ClientMessage),
        (ChannelType::MAIN, true) => through!(main::ServerMessage),
        (ChannelType::MAIN, false) => through!(main::ClientMessage),
        (ChannelType::DISPLAY, true) => through!(display::ServerMessage),
        (ChannelType::DISPLAY, false) => through!(display::ClientMessage),
        (ChannelType::CURSOR, true) => through!(cursor::ServerMessage),
        (ChannelType::INPUTS, true) => through!(inputs::ServerMessage),
        (ChannelType::INPUTS, false) => through!(inputs::ClientMessage),
        (ChannelType::PLAYBACK, true) => through!(playback::ServerMessage),
        (ChannelType::RECORD, true) => through!(record::ServerMessage),
        (ChannelType::RECORD, false) => through!(record::ClientMessage),
        (ChannelType::SMARTCARD, true) => through!(smartcard::ServerMessage),
        (ChannelType::SMARTCARD, false) => through!(smartcard::ClientMessage),
        (ChannelType::USBREDIR | ChannelType::WEBDAV, true) => through!(vmc::ServerMessage),
        (ChannelType::USBREDIR | ChannelType::WEBDAV, false) => through!(vmc::ClientMessage),
        (ChannelType::PORT, true) => through!(port::ServerMessage),
        (ChannelType::PORT, false) => through!(port::ClientMessage),
        _ => return Err("no message of its own".into()),
    };
    again.map_err(|error| error.to_string())
}
