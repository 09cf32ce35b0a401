//! A viewer in forty lines: connects to a SPICE server, authenticates, and prints what it is sent on its main channel.
//!
//!     cargo run -p spice-proto --example viewer -- 127.0.0.1:5900 [ticket]

#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the crate does no I/O; who uses it does"
)]

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;

use rsa::{Oaep, PublicKey, pkcs8::DecodePublicKey};
use spice_proto::caps::{Capabilities, CapabilitySet, CommonCap};
use spice_proto::link::{AuthMechanism, LinkHeader, LinkMess, LinkReply};
use spice_proto::{
    ChannelId, ChannelType, ConnectionId, HeaderKind, LAST_BASE_ID, LinkError, base, main as session,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut server = TcpStream::connect(args.next().unwrap_or_else(|| "127.0.0.1:5900".into()))?;
    let common = [CommonCap::PROTOCOL_AUTH_SELECTION, CommonCap::AUTH_SPICE, CommonCap::MINI_HEADER];
    let caps = Capabilities {
        common: CapabilitySet::new(common.map(|cap| cap.0)),
        channel: CapabilitySet::default(),
    };
    let (connection_id, channel_type, channel_id) = (ConnectionId(0), ChannelType::MAIN, ChannelId(0));
    let mut out = Vec::new();
    LinkMess { connection_id, channel_type, channel_id, caps }.encode(&mut out);
    server.write_all(&out)?;

    let size = LinkHeader::decode(read(&mut server, LinkHeader::LEN)?.as_slice().try_into()?).size;
    let reply = LinkReply::decode(&read(&mut server, size as usize)?.into())?;
    println!("link: {}, server capabilities {:?}", reply.error, reply.caps);
    let key = PublicKey::from_public_key_der(&reply.public_key)?;
    let ticket = format!("{}\0", args.next().unwrap_or_default());
    server.write_all(&AuthMechanism::SPICE.0.to_le_bytes())?;
    server.write_all(&key.encrypt(&mut rand::rng(), Oaep::<sha1::Sha1>::new(), ticket.as_bytes())?)?;
    let result = LinkError(u32::from_le_bytes(read(&mut server, 4)?.as_slice().try_into()?));
    println!("authentication: {result}");

    let header =
        if reply.caps.has_common(CommonCap::MINI_HEADER) { HeaderKind::Mini } else { HeaderKind::Full };
    loop {
        let head = header.decode(&read(&mut server, header.len())?).ok_or("short header")?;
        let body = read(&mut server, head.size as usize)?.into();
        if head.id <= LAST_BASE_ID {
            println!("{:?}", base::ServerMessage::decode(head.id, &body)?);
        } else {
            println!("{:?}", session::ServerMessage::decode(head.id, &body)?);
        }
    }
}

fn read(server: &mut TcpStream, len: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    server.read_exact(&mut bytes).map(|()| bytes)
}
