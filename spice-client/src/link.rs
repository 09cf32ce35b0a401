//! The viewer's side of the link.

use std::io::{self, Read, Write};

use bytes::Bytes;
use rsa::pkcs8::DecodePublicKey;
use rsa::{Oaep, PublicKey};
use spice_proto::caps::{Capabilities, CapabilitySet, CommonCap};
use spice_proto::link::{
    AuthMechanism, LinkHeader, LinkMess, LinkReply, MAGIC, MAX_LINK_BODY, TICKET_LEN, VERSION_MAJOR,
};
use spice_proto::{ChannelId, ChannelType, ConnectionId, DecodeError, HeaderKind, LinkError};
use zeroize::Zeroizing;

/// What a viewer can do on any channel.
const COMMON: [CommonCap; 3] =
    [CommonCap::PROTOCOL_AUTH_SELECTION, CommonCap::AUTH_SPICE, CommonCap::MINI_HEADER];

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
#[non_exhaustive]
pub enum LinkFailure {
    /// The connection broke. Only [`link`] and [`link_and_send`], which have one, say so.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The server said no.
    #[error("refused: {0}")]
    Refused(LinkError),
    /// What answers does not speak SPICE.
    #[error("the answer is not SPICE's: it begins with {0:02x?}")]
    Magic([u8; 4]),
    /// The server speaks another major version of the protocol.
    #[error("the server speaks version {0} of SPICE")]
    Version(u32),
    /// The server's answer is longer than any that makes sense.
    #[error("an answer of {0} bytes")]
    TooLong(u32),
    /// The server's answer does not decode.
    #[error("bad answer: {0}")]
    Reply(#[from] DecodeError),
    /// The ticket cannot be encrypted: the server's key is none, or the ticket is too long for it.
    #[error("no ticket can be made with the server's key: {0}")]
    Key(String),
}

/// What the server has to say next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Header,
    Reply(u32),
    Result,
    Done,
}

/// The handshake of one channel, without I/O: what is to be sent comes out of [`Self::take_output`], what the server
/// says goes into [`Self::handle_bytes`], until there is [`Self::linked`].
pub struct ViewerLink {
    step: Step,
    ticket: Zeroizing<Vec<u8>>,
    /// The beginning of what the server says next.
    inbox: Vec<u8>,
    output: Vec<u8>,
    agreed: Option<Linked>,
}

impl core::fmt::Debug for ViewerLink {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ViewerLink").field("step", &self.step).field("agreed", &self.agreed).finish()
    }
}

impl ViewerLink {
    /// Asks for a channel, with the mini header where the server has it, and a ticket, which is empty for a server that
    /// lets anybody in. A main channel begins a session with the connection id 0; all others name one.
    #[must_use]
    pub fn new(
        connection: ConnectionId,
        kind: ChannelType,
        id: ChannelId,
        channel_caps: CapabilitySet,
        ticket: &[u8],
    ) -> Self {
        let caps =
            Capabilities { common: CapabilitySet::new(COMMON.map(|cap| cap.0)), channel: channel_caps };
        let mut output = Vec::new();
        LinkMess { connection_id: connection, channel_type: kind, channel_id: id, caps }.encode(&mut output);
        let mut plain = Zeroizing::new(Vec::with_capacity(ticket.len() + 1));
        plain.extend_from_slice(ticket);
        plain.push(0);
        Self { step: Step::Header, ticket: plain, inbox: Vec::new(), output, agreed: None }
    }

    /// How many more bytes the server has to send before anything happens; 0 when the channel is linked. Who reads no
    /// more than this reads nothing that belongs to the channel.
    #[must_use]
    pub fn wants(&self) -> usize {
        let whole = match self.step {
            Step::Header => LinkHeader::LEN,
            Step::Reply(len) => len as usize,
            Step::Result => size_of::<u32>(),
            Step::Done => 0,
        };
        whole.saturating_sub(self.inbox.len())
    }

    /// Takes bytes from the server, and says how many of them were the link's: the rest is the channel's.
    ///
    /// # Errors
    /// A refusal, an answer that makes no sense. There is nothing more to be said to such a server.
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> Result<usize, LinkFailure> {
        let mut left = bytes;
        while self.step != Step::Done {
            let Some((taken, rest)) = left.split_at_checked(self.wants()) else {
                self.inbox.extend_from_slice(left);
                return Ok(bytes.len());
            };
            self.inbox.extend_from_slice(taken);
            left = rest;
            let whole = core::mem::take(&mut self.inbox);
            self.step = match self.step {
                Step::Header => header(&whole)?,
                Step::Reply(_) => self.reply(&whole.into())?,
                Step::Result | Step::Done => result(&whole)?,
            };
        }
        Ok(bytes.len() - left.len())
    }

    fn reply(&mut self, body: &Bytes) -> Result<Step, LinkFailure> {
        let LinkReply { error, public_key, caps } = LinkReply::decode(body)?;
        if error != LinkError::OK {
            return Err(LinkFailure::Refused(error));
        }
        if caps.has_common(CommonCap::PROTOCOL_AUTH_SELECTION) {
            self.output.extend_from_slice(&AuthMechanism::SPICE.0.to_le_bytes());
        }
        self.output.extend_from_slice(&encrypt(&public_key, &self.ticket).map_err(LinkFailure::Key)?);
        let mini = caps.has_common(CommonCap::MINI_HEADER);
        let header = if mini { HeaderKind::Mini } else { HeaderKind::Full };
        self.agreed = Some(Linked { header, caps });
        Ok(Step::Result)
    }

    /// What is to be sent to the server.
    pub fn take_output(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.output)
    }

    /// The header that the channel's messages will have, from the server's answer on: a viewer in a hurry may send some
    /// right behind its ticket.
    #[must_use]
    pub fn header(&self) -> Option<HeaderKind> {
        self.agreed.as_ref().map(|agreed| agreed.header)
    }

    /// The channel, once the server has let the viewer in.
    #[must_use]
    pub fn linked(&self) -> Option<&Linked> {
        self.agreed.as_ref().filter(|_| self.step == Step::Done)
    }
}

fn header(bytes: &[u8]) -> Result<Step, LinkFailure> {
    let bytes = bytes.first_chunk().copied().unwrap_or_default();
    let LinkHeader { magic, major, size, .. } = LinkHeader::decode(bytes);
    if magic != MAGIC {
        return Err(LinkFailure::Magic(magic));
    }
    if major != VERSION_MAJOR {
        return Err(LinkFailure::Version(major));
    }
    if size > MAX_LINK_BODY {
        return Err(LinkFailure::TooLong(size));
    }
    Ok(Step::Reply(size))
}

fn result(bytes: &[u8]) -> Result<Step, LinkFailure> {
    match LinkError(u32::from_le_bytes(bytes.first_chunk().copied().unwrap_or_default())) {
        LinkError::OK => Ok(Step::Done),
        refused => Err(LinkFailure::Refused(refused)),
    }
}

fn encrypt(key: &[u8], plain: &[u8]) -> Result<[u8; TICKET_LEN], String> {
    let key = PublicKey::from_public_key_der(key).map_err(|error| error.to_string())?;
    let padding = Oaep::<sha1::Sha1>::new();
    let encrypted = key.encrypt(&mut rand::rng(), padding, plain).map_err(|error| error.to_string())?;
    encrypted.try_into().map_err(|_| "a ticket of another length".into())
}

/// Links one channel over a blocking stream: [`ViewerLink`], with the first channel of its kind.
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
    let mut link = ViewerLink::new(connection, kind, ChannelId(0), channel_caps, ticket.as_bytes());
    let mut first = Some(first);
    loop {
        let mut output = link.take_output();
        if let Some(header) = link.header()
            && let Some(first) = first.take()
        {
            output.extend(first(header));
        }
        stream.write_all(&output)?;
        if let Some(linked) = link.linked() {
            return Ok(linked.clone());
        }
        let mut bytes = vec![0; link.wants()];
        stream.read_exact(&mut bytes)?;
        link.handle_bytes(&bytes)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer() -> ViewerLink {
        let caps = CapabilitySet::default();
        ViewerLink::new(ConnectionId(0), ChannelType::MAIN, ChannelId(0), caps, b"secret")
    }

    #[test]
    fn a_refusal_says_why_however_the_bytes_come() {
        let mut reply = Vec::new();
        LinkReply::refusal(LinkError::NEED_SECURED).encode(&mut reply);
        for size in [1, 7, reply.len()] {
            let mut link = viewer();
            let output = link.take_output();
            assert_eq!(output.get(..4), Some(&MAGIC[..]));
            let failed = reply.chunks(size).find_map(|bytes| link.handle_bytes(bytes).err());
            assert!(matches!(failed, Some(LinkFailure::Refused(LinkError::NEED_SECURED))), "{failed:?}");
            assert!(link.linked().is_none());
        }
    }

    #[test]
    fn what_is_not_spice_is_told_by_its_first_bytes() {
        let failed = viewer().handle_bytes(b"HTTP/1.1 400 Bad Request");
        assert!(matches!(failed, Err(LinkFailure::Magic([b'H', b'T', b'T', b'P']))), "{failed:?}");
        let long = LinkHeader::new(MAX_LINK_BODY + 1);
        for (header, expected) in [
            (LinkHeader { major: 1, ..long }, "version 1"),
            (long, "4097 bytes"),
            (LinkHeader::new(3), "missing"),
        ] {
            let mut bytes = Vec::new();
            header.encode(&mut bytes);
            bytes.extend([0; 64]);
            let failed = viewer().handle_bytes(&bytes).unwrap_err().to_string();
            assert!(failed.contains(expected), "{failed}");
        }
    }

    #[test]
    fn bytes_behind_the_link_are_the_channels() {
        use rsa::pkcs8::EncodePublicKey;
        let key = rsa::PrivateKey::new(&mut rand::rng(), 1024).unwrap();
        let public_key = key.to_public_key().to_public_key_der().unwrap().as_bytes().try_into().unwrap();
        let common = CapabilitySet::new([CommonCap::PROTOCOL_AUTH_SELECTION.0]);
        let caps = Capabilities { common, channel: CapabilitySet::default() };
        let mut said = Vec::new();
        LinkReply { error: LinkError::OK, public_key, caps }.encode(&mut said);
        let mut link = viewer();
        link.take_output();
        assert_eq!(link.handle_bytes(&said).unwrap(), said.len());
        assert_eq!((link.header(), link.wants()), (Some(HeaderKind::Full), 4));
        assert!(link.linked().is_none());
        let ticket = link.take_output();
        assert_eq!(ticket.len(), 4 + TICKET_LEN);
        let plain = key.decrypt(Oaep::<sha1::Sha1>::new(), &ticket[4..]).unwrap();
        assert_eq!(plain, b"secret\0");
        assert_eq!(link.handle_bytes(&[0, 0, 0, 0, 7, 7]).unwrap(), 4);
        assert_eq!(link.linked().map(|linked| linked.header), Some(HeaderKind::Full));
        assert_eq!((link.wants(), link.handle_bytes(&[7]).unwrap()), (0, 0));
    }
}
