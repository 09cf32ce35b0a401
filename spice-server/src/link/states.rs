//! The handshake, without I/O: each state is a type that its step consumes.
//!
//! ```text
//! AwaitHeader -> AwaitMess -> AwaitMechanism -> AwaitTicket -> Linked
//!                    \____________________________^  a viewer without AUTH_SELECTION
//! ```
//!
//! A step that fails leaves a [`Refusal`]: what to tell the peer before the connection closes. The key of a link lives
//! in the states, and dies with the last of them.

use bytes::Bytes;
use spice_proto::caps::{Capabilities, CapabilitySet, CommonCap};
use spice_proto::link::{
    AuthMechanism, LinkHeader, LinkMess, LinkReply, MAGIC, MAX_LINK_BODY, TICKET_LEN, VERSION_MAJOR,
};
use spice_proto::{ChannelId, ChannelType, DecodeError, LinkError};

use super::keys::{KeyPool, LinkKey};
use crate::config::Auth;

/// Why a link ends before it is one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error("the first bytes are not SPICE")]
    Magic,
    #[error("protocol version {0} is not {VERSION_MAJOR}")]
    Version(u32),
    #[error("a link message of {0} bytes is not possible")]
    Size(u32),
    #[error("bad link message: {0}")]
    Decode(#[from] DecodeError),
    #[error("there is no {kind} channel {id}")]
    NoChannel { kind: ChannelType, id: ChannelId },
    #[error("the viewer cannot authenticate with a ticket")]
    Mechanism,
    #[error("wrong ticket")]
    Ticket,
    #[error("no key is left for now")]
    NoKey,
}

/// What to tell a peer whose link is refused, and the reason for the log.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pub(crate) answer: Vec<u8>,
}

impl Refusal {
    /// In place of the link reply.
    fn reply(reason: Reason, error: LinkError) -> Self {
        let mut answer = Vec::new();
        LinkReply::refusal(error).encode(&mut answer);
        Self { reason, answer }
    }

    /// In place of the result at the end.
    fn result(reason: Reason, error: LinkError) -> Self {
        Self { reason, answer: result(error) }
    }
}

/// The last answer of a link (`SpiceLinkErr`).
pub(crate) fn result(error: LinkError) -> Vec<u8> {
    error.0.to_le_bytes().to_vec()
}

/// The channels that can be linked to, and what each can do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offer(Vec<(ChannelType, ChannelId, CapabilitySet)>);

impl Offer {
    pub(crate) fn add(&mut self, kind: ChannelType, id: ChannelId, caps: CapabilitySet) {
        self.0.push((kind, id, caps));
    }

    pub(crate) fn channels(&self) -> impl Iterator<Item = (ChannelType, ChannelId)> {
        self.0.iter().map(|(kind, id, _)| (*kind, *id))
    }

    fn caps(&self, kind: ChannelType, id: ChannelId) -> Option<&CapabilitySet> {
        self.0.iter().find(|offered| (offered.0, offered.1) == (kind, id)).map(|offered| &offered.2)
    }
}

/// Nothing has come yet.
#[derive(Debug)]
pub(crate) struct AwaitHeader;

/// The length of the link message is known.
#[derive(Debug)]
pub(crate) struct AwaitMess {
    size: u32,
}

/// The viewer has a key and chooses how to authenticate.
#[derive(Debug)]
pub(crate) struct AwaitMechanism(AwaitTicket);

/// The viewer has a key and sends its ticket.
#[derive(Debug)]
pub(crate) struct AwaitTicket {
    mess: LinkMess,
    key: LinkKey,
}

/// What follows the link message.
#[derive(Debug)]
pub(crate) enum Authentication {
    Mechanism(AwaitMechanism),
    Ticket(AwaitTicket),
}

impl AwaitHeader {
    /// Bytes that the step takes; the first four alone tell a peer that speaks something else.
    pub(crate) const LEN: usize = LinkHeader::LEN;

    pub(crate) fn step(self, bytes: [u8; Self::LEN]) -> Result<AwaitMess, Refusal> {
        let header = LinkHeader::decode(bytes);
        if header.magic != MAGIC {
            return Err(Refusal::reply(Reason::Magic, LinkError::INVALID_MAGIC));
        }
        if header.major != VERSION_MAJOR {
            return Err(Refusal::reply(Reason::Version(header.major), LinkError::VERSION_MISMATCH));
        }
        if header.size > MAX_LINK_BODY {
            return Err(Refusal::reply(Reason::Size(header.size), LinkError::INVALID_DATA));
        }
        Ok(AwaitMess { size: header.size })
    }
}

impl AwaitMess {
    /// Bytes that the step takes.
    pub(crate) fn len(&self) -> usize {
        self.size as usize
    }

    /// Answers the link message with a key of its own.
    pub(crate) fn step(
        self,
        body: &Bytes,
        offer: &Offer,
        keys: &KeyPool,
        out: &mut Vec<u8>,
    ) -> Result<Authentication, Refusal> {
        let mess =
            LinkMess::decode(body).map_err(|error| Refusal::reply(error.into(), LinkError::INVALID_DATA))?;
        let (kind, id) = (mess.channel_type, mess.channel_id);
        let Some(channel) = offer.caps(kind, id) else {
            return Err(Refusal::reply(Reason::NoChannel { kind, id }, LinkError::CHANNEL_NOT_AVAILABLE));
        };
        let Some(key) = keys.take() else {
            return Err(Refusal::reply(Reason::NoKey, LinkError::ERROR));
        };
        let common = [CommonCap::PROTOCOL_AUTH_SELECTION, CommonCap::AUTH_SPICE, CommonCap::MINI_HEADER];
        LinkReply {
            error: LinkError::OK,
            public_key: *key.public_der(),
            caps: Capabilities {
                common: CapabilitySet::new(common.map(|cap| cap.0)),
                channel: channel.clone(),
            },
        }
        .encode(out);
        let selects = mess.caps.has_common(CommonCap::PROTOCOL_AUTH_SELECTION);
        let ticket = AwaitTicket { mess, key };
        Ok(if selects {
            Authentication::Mechanism(AwaitMechanism(ticket))
        } else {
            Authentication::Ticket(ticket)
        })
    }
}

impl AwaitMechanism {
    /// Bytes that the step takes.
    pub(crate) const LEN: usize = 4;

    pub(crate) fn step(self, bytes: [u8; Self::LEN]) -> Result<AwaitTicket, Refusal> {
        match AuthMechanism(u32::from_le_bytes(bytes)) {
            AuthMechanism::SPICE => Ok(self.0),
            _ => Err(Refusal::result(Reason::Mechanism, LinkError::INVALID_DATA)),
        }
    }
}

impl AwaitTicket {
    /// Bytes that the step takes.
    pub(crate) const LEN: usize = TICKET_LEN;

    /// Lets the viewer in or not. The result, when it is in, is sent by who admits it.
    pub(crate) fn step(self, ticket: &[u8; Self::LEN], auth: &Auth) -> Result<LinkMess, Refusal> {
        let admitted = match auth {
            Auth::Open => true,
            Auth::Ticket(expected) => {
                self.key.decrypt(ticket).is_some_and(|offered| expected.matches(&offered))
            }
        };
        if admitted {
            Ok(self.mess)
        } else {
            Err(Refusal::result(Reason::Ticket, LinkError::PERMISSION_DENIED))
        }
    }
}

#[cfg(test)]
mod tests {
    use spice_proto::ConnectionId;

    use super::*;
    use crate::config::Ticket;

    fn offer() -> Offer {
        let mut offer = Offer::default();
        offer.add(ChannelType::MAIN, ChannelId(0), CapabilitySet::default());
        offer
    }

    fn header(magic: [u8; 4], major: u32, size: u32) -> [u8; 16] {
        let mut bytes = Vec::new();
        LinkHeader { magic, major, minor: 2, size }.encode(&mut bytes);
        bytes.try_into().unwrap()
    }

    fn mess(kind: ChannelType, selects: bool) -> Bytes {
        let caps = if selects { CapabilitySet::new([0]) } else { CapabilitySet::default() };
        let mess = LinkMess {
            connection_id: ConnectionId(0),
            channel_type: kind,
            channel_id: ChannelId(0),
            caps: Capabilities { common: caps, channel: CapabilitySet::default() },
        };
        let mut bytes = Vec::new();
        mess.encode(&mut bytes);
        Bytes::from(bytes).slice(LinkHeader::LEN..)
    }

    fn refused_with(refusal: &Refusal) -> LinkError {
        let reply = LinkReply::decode(&Bytes::copy_from_slice(&refusal.answer[LinkHeader::LEN..])).unwrap();
        assert_eq!(reply, LinkReply::refusal(reply.error));
        reply.error
    }

    #[test]
    fn headers_are_refused_with_the_protocols_error() {
        for (bytes, error) in [
            (header(*b"RFB ", 2, 18), LinkError::INVALID_MAGIC),
            (header(MAGIC, 1, 18), LinkError::VERSION_MISMATCH),
            (header(MAGIC, u32::MAX, 18), LinkError::VERSION_MISMATCH),
            (header(MAGIC, 2, 4097), LinkError::INVALID_DATA),
            (header(MAGIC, 2, u32::MAX), LinkError::INVALID_DATA),
        ] {
            assert_eq!(refused_with(&AwaitHeader.step(bytes).unwrap_err()), error);
        }
        assert_eq!(AwaitHeader.step(header(MAGIC, 2, 4096)).unwrap().len(), 4096);
    }

    #[test]
    fn messages_are_refused_with_the_protocols_error() {
        let keys = KeyPool::open().unwrap();
        let step = |body: &Bytes| AwaitMess { size: 0 }.step(body, &offer(), &keys, &mut Vec::new());
        let full = mess(ChannelType::MAIN, true);
        for short in 0..full.len() {
            assert_eq!(refused_with(&step(&full.slice(..short)).unwrap_err()), LinkError::INVALID_DATA);
        }
        for kind in [ChannelType::DISPLAY, ChannelType(0), ChannelType(200)] {
            let refusal = step(&mess(kind, true)).unwrap_err();
            assert_eq!(refused_with(&refusal), LinkError::CHANNEL_NOT_AVAILABLE);
        }
    }

    #[test]
    fn a_viewer_that_does_not_select_goes_straight_to_its_ticket() {
        let keys = KeyPool::open().unwrap();
        let mut out = Vec::new();
        let state = AwaitMess { size: 0 }.step(&mess(ChannelType::MAIN, false), &offer(), &keys, &mut out);
        assert!(matches!(state, Ok(Authentication::Ticket(_))));
        assert!(LinkReply::decode(&Bytes::from(out).slice(LinkHeader::LEN..)).is_ok());
    }

    #[test]
    fn only_the_ticket_mechanism_is_known() {
        let keys = KeyPool::open().unwrap();
        for number in [0_u32, 2, u32::MAX] {
            let body = mess(ChannelType::MAIN, true);
            let Ok(Authentication::Mechanism(state)) =
                (AwaitMess { size: 0 }).step(&body, &offer(), &keys, &mut Vec::new())
            else {
                panic!("no choice of mechanism")
            };
            let refusal = state.step(number.to_le_bytes()).unwrap_err();
            assert_eq!(refusal.answer, result(LinkError::INVALID_DATA));
        }
    }

    #[test]
    fn a_ticket_that_is_wrong_or_no_ciphertext_at_all_is_refused_alike() {
        let keys = KeyPool::open().unwrap();
        let auth = Auth::Ticket(Ticket::new(b"secret").unwrap());
        for ticket in [[0; TICKET_LEN], [0xff; TICKET_LEN]] {
            let mut out = Vec::new();
            let body = mess(ChannelType::MAIN, false);
            let Ok(Authentication::Ticket(state)) =
                (AwaitMess { size: 0 }).step(&body, &offer(), &keys, &mut out)
            else {
                panic!("no ticket")
            };
            let refusal = state.step(&ticket, &auth).unwrap_err();
            assert_eq!(refusal.answer, result(LinkError::PERMISSION_DENIED));
        }
    }
}
