//! The viewer's side of the link, over any stream.

use std::io::{self, Read, Write};

use rsa::pkcs8::DecodePublicKey;
use rsa::{Oaep, PublicKey};
use spice_proto::caps::{Capabilities, CapabilitySet, CommonCap};
use spice_proto::link::{AuthMechanism, LinkHeader, LinkMess, LinkReply, TICKET_LEN};
use spice_proto::{ChannelId, ChannelType, ConnectionId, HeaderKind, LinkError};

/// A channel that has been linked.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The header of its messages.
    pub header: HeaderKind,
    /// What the server can do.
    pub caps: Capabilities,
}

/// Why a link failed.
#[derive(Debug, thiserror::Error)]
pub enum LinkFailure {
    /// The connection broke.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The server said no.
    #[error("refused: {0}")]
    Refused(LinkError),
    /// The server's answer makes no sense.
    #[error("bad answer: {0}")]
    Bad(String),
}

/// Links one channel with the mini header and a ticket.
///
/// # Errors
/// A broken connection, a refusal, an answer that makes no sense.
pub fn link(
    stream: &mut (impl Read + Write),
    connection: ConnectionId,
    kind: ChannelType,
    channel_caps: CapabilitySet,
    ticket: &str,
) -> Result<Linked, LinkFailure> {
    link_and_send(stream, connection, kind, channel_caps, ticket, |_| Vec::new())
}

/// [`link`], with bytes for the channel right behind the ticket, before the server has let the viewer in: a viewer in a
/// hurry. `first` makes them for the header that the channel will have.
///
/// # Errors
/// Those of [`link`].
pub fn link_and_send(
    stream: &mut (impl Read + Write),
    connection: ConnectionId,
    kind: ChannelType,
    channel_caps: CapabilitySet,
    ticket: &str,
    first: impl FnOnce(HeaderKind) -> Vec<u8>,
) -> Result<Linked, LinkFailure> {
    let common = [CommonCap::PROTOCOL_AUTH_SELECTION, CommonCap::AUTH_SPICE, CommonCap::MINI_HEADER];
    let caps = Capabilities { common: CapabilitySet::new(common.map(|cap| cap.0)), channel: channel_caps };
    let mess = LinkMess { connection_id: connection, channel_type: kind, channel_id: ChannelId(0), caps };
    let mut out = Vec::new();
    mess.encode(&mut out);
    stream.write_all(&out)?;

    let mut header = [0; LinkHeader::LEN];
    stream.read_exact(&mut header)?;
    let mut body = vec![0; LinkHeader::decode(header).size.min(4096) as usize];
    stream.read_exact(&mut body)?;
    let reply = LinkReply::decode(&body.into()).map_err(|error| LinkFailure::Bad(error.to_string()))?;
    if reply.error != LinkError::OK {
        return Err(LinkFailure::Refused(reply.error));
    }

    let mut out = AuthMechanism::SPICE.0.to_le_bytes().to_vec();
    out.extend_from_slice(&encrypt(&reply.public_key, ticket).map_err(LinkFailure::Bad)?);
    let mini = reply.caps.has_common(CommonCap::MINI_HEADER);
    let header = if mini { HeaderKind::Mini } else { HeaderKind::Full };
    out.extend_from_slice(&first(header));
    stream.write_all(&out)?;
    let mut result = [0; 4];
    stream.read_exact(&mut result)?;
    match LinkError(u32::from_le_bytes(result)) {
        LinkError::OK => Ok(Linked { header, caps: reply.caps }),
        refused => Err(LinkFailure::Refused(refused)),
    }
}

fn encrypt(key: &[u8], ticket: &str) -> Result<[u8; TICKET_LEN], String> {
    let key = PublicKey::from_public_key_der(key).map_err(|error| error.to_string())?;
    let mut plain = ticket.as_bytes().to_vec();
    plain.push(0);
    let padding = Oaep::<sha1::Sha1>::new();
    let encrypted = key.encrypt(&mut rand::rng(), padding, &plain).map_err(|error| error.to_string())?;
    encrypted.try_into().map_err(|_| "a ticket of another length".into())
}
