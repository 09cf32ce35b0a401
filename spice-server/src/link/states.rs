//! The handshake, without I/O: each state is a type that its step consumes.
//!
//! ```text
//! AwaitHeader -> AwaitMess -> AwaitMechanism -> AwaitTicket -> Offered -> Linked
//!                    |               \------> AwaitStart -> AwaitStep ------^
//!                    \____________________________^  a viewer without AUTH_SELECTION
//! ```
//!
//! A step that fails leaves a [`Refusal`]: what to tell the peer before the connection closes. The key of a link lives
//! in the states, and dies with the last of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use spice_channel::Time;
use spice_proto::caps::{Capabilities, CapabilitySet, CommonCap};
use spice_proto::link::sasl;
use spice_proto::link::{
    AuthMechanism, LinkHeader, LinkMess, LinkReply, MAGIC, MAX_LINK_BODY, TICKET_LEN, VERSION_MAJOR,
};
use spice_proto::{ChannelId, ChannelType, DecodeError, LinkError};
use zeroize::Zeroizing;

use super::admission::Admission;
use super::keys::{KeyPool, LinkKey};
use super::security::ChannelSecurity;
use crate::access::{Auth, DecoyKey, Denied, Door, Grant, LockedOut, Progress, SaslExchange, SaslFailure};
use crate::transport::{Peer, Transport};

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
    #[error("the {kind} channel: {error}")]
    Security { kind: ChannelType, error: LinkError },
    #[error("the viewer cannot authenticate as it would")]
    Mechanism,
    #[error("{0}")]
    Locked(#[from] LockedOut),
    #[error("{0}")]
    Denied(#[from] Denied),
    #[error("SASL: {0}")]
    Sasl(#[from] SaslFailure),
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
    fn reply(reason: impl Into<Reason>, error: LinkError) -> Self {
        let mut answer = Vec::new();
        LinkReply::refusal(error).encode(&mut answer);
        Self { reason: reason.into(), answer }
    }

    /// In place of the result at the end.
    fn result(reason: impl Into<Reason>, error: LinkError) -> Self {
        Self { reason: reason.into(), answer: result(error) }
    }
}

/// The last answer of a link (`SpiceLinkErr`).
pub(crate) fn result(error: LinkError) -> Vec<u8> {
    error.0.to_le_bytes().to_vec()
}

/// The channels that can be linked to, and what each can do.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedOffer(Arc<ArcSwap<BTreeMap<(ChannelType, ChannelId), CapabilitySet>>>);

impl SharedOffer {
    /// A channel can be linked to from now on, or can do something else than before.
    pub(crate) fn add(&self, kind: ChannelType, id: ChannelId, caps: &CapabilitySet) {
        self.0.rcu(|offered| {
            let mut offered = BTreeMap::clone(offered);
            offered.insert((kind, id), caps.clone());
            offered
        });
    }

    /// Adds a channel under the first number that is free, if there is one.
    pub(crate) fn add_next(&self, kind: ChannelType, caps: &CapabilitySet) -> Option<ChannelId> {
        let mut next = None;
        self.0.rcu(|offered| {
            let mut offered = BTreeMap::clone(offered);
            next = (0..=u8::MAX).map(ChannelId).find(|id| !offered.contains_key(&(kind, *id)));
            if let Some(id) = next {
                offered.insert((kind, id), caps.clone());
            }
            offered
        });
        next
    }

    pub(crate) fn remove(&self, kind: ChannelType, id: ChannelId) {
        self.0.rcu(|offered| {
            let mut offered = BTreeMap::clone(offered);
            offered.remove(&(kind, id));
            offered
        });
    }

    fn caps(&self, kind: ChannelType, id: ChannelId) -> Option<CapabilitySet> {
        self.0.load().get(&(kind, id)).cloned()
    }
}

/// What every handshake needs.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) offer: SharedOffer,
    pub(crate) keys: KeyPool,
    pub(crate) auth: Auth,
    pub(crate) security: Arc<ArcSwap<ChannelSecurity>>,
    /// From what is made up what users show that do not exist.
    pub(crate) decoys: DecoyKey,
}

impl Rules {
    /// Whether a viewer that comes this way may show which user it is. Viewers take SASL when they can, and it alone
    /// then, and those of the C project take none without TLS: so where there are tickets too, SASL is what is spoken
    /// over TLS.
    fn has_sasl(&self, transport: Transport) -> bool {
        let Auth::Required(credentials) = &self.auth else { return false };
        credentials.users.is_some() && (transport.is_secure() || credentials.tickets.is_empty())
    }
}

/// One connection that links.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) admission: &'a Admission,
    pub(crate) peer: Peer,
    pub(crate) transport: Transport,
    /// Whether what is not encrypted may be let in.
    pub(crate) plain_allowed: bool,
    /// Whether somebody else has made sure who it is.
    pub(crate) vouched: bool,
    pub(crate) now: Time,
}

/// A link that is let in.
#[derive(Debug)]
pub(crate) struct Linked {
    pub(crate) mess: LinkMess,
    pub(crate) grant: Grant,
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
    /// None where nobody looks at the ticket.
    key: Option<LinkKey>,
}

/// The viewer knows the mechanisms of SASL and chooses one.
#[derive(Debug)]
pub(crate) struct AwaitStart(AwaitStep);

/// The viewer has been challenged.
#[derive(Debug)]
pub(crate) struct AwaitStep {
    mess: LinkMess,
    exchange: SaslExchange,
}

/// What follows the link message.
#[derive(Debug)]
pub(crate) enum Authentication {
    Mechanism(AwaitMechanism),
    Ticket(AwaitTicket),
}

/// What follows the choice of how to authenticate.
#[derive(Debug)]
pub(crate) enum Chosen {
    Ticket(AwaitTicket),
    Sasl(AwaitStart),
}

/// What follows a message of SASL.
#[derive(Debug)]
pub(crate) enum Stepped {
    More(AwaitStep),
    Linked(Linked),
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

    /// Answers the link message with a key of its own. Who is locked out costs none.
    pub(crate) fn step(
        self,
        body: &Bytes,
        visit: &Visit<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Authentication, Refusal> {
        let rules = visit.rules;
        let mess = LinkMess::decode(body).map_err(|error| Refusal::reply(error, LinkError::INVALID_DATA))?;
        let (kind, id) = (mess.channel_type, mess.channel_id);
        let Some(channel) = rules.offer.caps(kind, id) else {
            return Err(Refusal::reply(Reason::NoChannel { kind, id }, LinkError::CHANNEL_NOT_AVAILABLE));
        };
        let demand = rules.security.load().refuses(kind, visit.transport, visit.peer, visit.plain_allowed);
        if let Some(error) = demand {
            return Err(Refusal::reply(Reason::Security { kind, error }, error));
        }
        visit
            .admission
            .lock()
            .may_try(visit.peer.origin(), &door(&mess), visit.now)
            .map_err(|locked| Refusal::reply(locked, LinkError::PERMISSION_DENIED))?;
        let key = if visit.vouched || visit.admission.lock().is_open() {
            None
        } else {
            let key = rules.keys.take();
            Some(key.ok_or_else(|| Refusal::reply(Reason::NoKey, LinkError::ERROR))?)
        };
        let mut common =
            vec![CommonCap::PROTOCOL_AUTH_SELECTION, CommonCap::AUTH_SPICE, CommonCap::MINI_HEADER];
        if rules.has_sasl(visit.transport) {
            common.push(CommonCap::AUTH_SASL);
        }
        LinkReply {
            error: LinkError::OK,
            public_key: *key.as_ref().map_or_else(|| rules.keys.unread(), LinkKey::public_der),
            caps: Capabilities { common: CapabilitySet::new(common.into_iter().map(|cap| cap.0)), channel },
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

    pub(crate) fn step(
        self,
        bytes: [u8; Self::LEN],
        visit: &Visit<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Chosen, Refusal> {
        let rules = visit.rules;
        let mess = match AuthMechanism(u32::from_le_bytes(bytes)) {
            AuthMechanism::SPICE => return Ok(Chosen::Ticket(self.0)),
            AuthMechanism::SASL if rules.has_sasl(visit.transport) => self.0.mess,
            _ => return Err(Refusal::result(Reason::Mechanism, LinkError::INVALID_DATA)),
        };
        let access = visit.admission.lock();
        let exchange = access.sasl(&door(&mess), visit.transport.is_secure(), &rules.decoys);
        let exchange = exchange.ok_or_else(|| Refusal::result(Reason::Mechanism, LinkError::INVALID_DATA))?;
        out.extend_from_slice(&exchange.mechanisms().encode().to_bytes());
        Ok(Chosen::Sasl(AwaitStart(AwaitStep { mess, exchange })))
    }
}

impl AwaitTicket {
    /// Bytes that the step takes.
    pub(crate) const LEN: usize = TICKET_LEN;

    /// Reads what is offered, which costs a decryption where anybody looks at it.
    pub(crate) fn step(self, ticket: &[u8; Self::LEN]) -> Offered {
        let secret = self.key.and_then(|key| key.decrypt(ticket));
        Offered { mess: self.mess, secret }
    }
}

/// What a viewer has offered to be let in; nothing where it was not encrypted as it should.
pub(crate) struct Offered {
    mess: LinkMess,
    secret: Option<Zeroizing<Vec<u8>>>,
}

impl Offered {
    /// Lets the viewer in or not. The result, when it is in, is sent by who gives it its channel.
    pub(crate) fn step(self, visit: &Visit<'_>) -> Result<Linked, Refusal> {
        let offered = self.secret.as_ref().map(|secret| secret.as_slice());
        if visit.vouched {
            return Ok(Linked { mess: self.mess, grant: Grant::open() });
        }
        let mut access = visit.admission.lock();
        match access.admit_ticket(visit.peer.origin(), &door(&self.mess), offered, visit.now) {
            Ok(grant) => Ok(Linked { mess: self.mess, grant }),
            Err(denied) => Err(Refusal::result(denied, LinkError::PERMISSION_DENIED)),
        }
    }
}

impl AwaitStart {
    /// Works out the answer, which may cost thousands of hashes.
    pub(crate) fn step(self, start: &sasl::Start) -> Answered {
        let AwaitStep { mess, mut exchange } = self.0;
        let progress = exchange.start(start);
        Answered { state: AwaitStep { mess, exchange }, progress }
    }
}

impl AwaitStep {
    /// Works out the answer, which may cost thousands of hashes.
    pub(crate) fn step(mut self, step: &sasl::Step) -> Answered {
        let progress = self.exchange.step(step);
        Answered { state: self, progress }
    }
}

/// What a message of SASL has led to.
#[derive(Debug)]
pub(crate) struct Answered {
    state: AwaitStep,
    progress: Result<Progress, SaslFailure>,
}

impl Answered {
    /// Lets the viewer in, or not, or asks for more.
    pub(crate) fn step(self, visit: &Visit<'_>, out: &mut Vec<u8>) -> Result<Stepped, Refusal> {
        let Self { state, progress } = self;
        let origin = visit.peer.origin();
        // The protocol has no word for a refusal before the exchange is complete: the connection just ends.
        let silent = |reason: Reason| Refusal { reason, answer: Vec::new() };
        match progress {
            Ok(Progress::Continue(challenge)) => {
                out.extend_from_slice(&challenge.encode().to_bytes());
                Ok(Stepped::More(state))
            }
            Ok(Progress::Done { challenge, user }) => {
                let mess = state.mess;
                let admitted = visit.admission.lock().admit_user(origin, &door(&mess), &user, visit.now);
                let grant = admitted.map_err(|denied| silent(denied.into()))?;
                out.extend_from_slice(&challenge.encode().to_bytes());
                out.extend_from_slice(&sasl::Outcome::Accepted.encode().to_bytes());
                Ok(Stepped::Linked(Linked { mess, grant }))
            }
            Err(failure) => {
                visit.admission.lock().fail(origin, &door(&state.mess), visit.now);
                Err(silent(failure.into()))
            }
        }
    }
}

/// What a link asks to be let into.
fn door(mess: &LinkMess) -> Door {
    if mess.channel_type == ChannelType::MAIN { Door::Main } else { Door::Channel(mess.connection_id) }
}

#[cfg(test)]
mod tests {
    use spice_proto::ConnectionId;

    use super::*;
    use crate::access::{Secret, Users};

    fn keys() -> KeyPool {
        let keys = KeyPool::new().unwrap();
        keys.start().unwrap();
        keys
    }

    fn rules(auth: Auth) -> Rules {
        let offer = SharedOffer::default();
        offer.add(ChannelType::MAIN, ChannelId(0), &CapabilitySet::default());
        Rules { offer, keys: keys(), auth, security: Arc::default(), decoys: DecoyKey::new([7; 32]) }
    }

    /// What a connection from this machine meets.
    struct Desk {
        rules: Rules,
        admission: Admission,
        transport: Transport,
        plain_allowed: bool,
    }

    impl Desk {
        fn new(auth: Auth) -> Self {
            let admission = Admission::new(&auth, false).unwrap();
            Self { rules: rules(auth), admission, transport: Transport::Plain, plain_allowed: true }
        }

        fn visit(&self, now: Time) -> Visit<'_> {
            Visit {
                rules: &self.rules,
                admission: &self.admission,
                peer: Peer::Ip("192.0.2.1:1000".parse().unwrap()),
                transport: self.transport,
                plain_allowed: self.plain_allowed,
                vouched: false,
                now,
            }
        }

        fn step(&self, body: &Bytes, out: &mut Vec<u8>) -> Result<Authentication, Refusal> {
            AwaitMess { size: 0 }.step(body, &self.visit(Time::ZERO), out)
        }

        fn mechanism(&self) -> AwaitMechanism {
            match self.step(&mess(ChannelType::MAIN, true), &mut Vec::new()) {
                Ok(Authentication::Mechanism(state)) => state,
                other => panic!("no choice of mechanism: {other:?}"),
            }
        }

        fn ticket(&self, ticket: &[u8; TICKET_LEN], now: Time) -> Result<Linked, Refusal> {
            let (await_mess, body) = (AwaitMess { size: 0 }, mess(ChannelType::MAIN, false));
            match await_mess.step(&body, &self.visit(now), &mut Vec::new())? {
                Authentication::Ticket(state) => state.step(ticket).step(&self.visit(now)),
                Authentication::Mechanism(_) => panic!("no ticket"),
            }
        }
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

    fn users() -> Auth {
        let line = format!("ann:{}\n", crate::access::verifier(b"pw", b"0123456789abcdef", 4096));
        let users = Users::parse(&line).unwrap();
        Auth::Required(crate::access::Credentials { tickets: Vec::new(), users: Some(users) })
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
        let desk = Desk::new(Auth::Open);
        let full = mess(ChannelType::MAIN, true);
        for short in 0..full.len() {
            let refusal = desk.step(&full.slice(..short), &mut Vec::new()).unwrap_err();
            assert_eq!(refused_with(&refusal), LinkError::INVALID_DATA);
        }
        for kind in [ChannelType::DISPLAY, ChannelType(0), ChannelType(200)] {
            let refusal = desk.step(&mess(kind, true), &mut Vec::new()).unwrap_err();
            assert_eq!(refused_with(&refusal), LinkError::CHANNEL_NOT_AVAILABLE);
        }
    }

    #[test]
    fn a_viewer_that_comes_plain_where_tls_is_wanted_is_told_so() {
        let mut desk = Desk::new(Auth::Open);
        let step = |desk: &Desk| {
            desk.step(&mess(ChannelType::MAIN, true), &mut Vec::new()).err().map(|it| refused_with(&it))
        };
        assert_eq!(step(&desk), None);
        desk.plain_allowed = false;
        assert_eq!(step(&desk), Some(LinkError::NEED_SECURED));
        desk.transport = Transport::Tls;
        assert_eq!(step(&desk), None);
        desk.plain_allowed = true;
        desk.rules.security.store(Arc::new("default=plain".parse().unwrap()));
        assert_eq!(step(&desk), Some(LinkError::NEED_UNSECURED));
    }

    #[test]
    fn a_viewer_that_does_not_select_goes_straight_to_its_ticket() {
        let mut out = Vec::new();
        let state = Desk::new(Auth::Open).step(&mess(ChannelType::MAIN, false), &mut out);
        assert!(matches!(state, Ok(Authentication::Ticket(_))));
        assert!(LinkReply::decode(&Bytes::from(out).slice(LinkHeader::LEN..)).is_ok());
    }

    #[test]
    fn sasl_is_known_where_there_are_users_and_nothing_else_ever() {
        let sasl = AuthMechanism::SASL.0;
        for (auth, numbers) in [(Auth::Open, vec![0, sasl, 3, u32::MAX]), (users(), vec![0, 3, u32::MAX])] {
            let desk = Desk::new(auth);
            for number in numbers {
                let visit = desk.visit(Time::ZERO);
                let refusal =
                    desk.mechanism().step(u32::to_le_bytes(number), &visit, &mut Vec::new()).unwrap_err();
                assert_eq!(refusal.answer, result(LinkError::INVALID_DATA));
            }
        }
        let desk = Desk::new(users());
        let mut out = Vec::new();
        let chosen = desk.mechanism().step(sasl.to_le_bytes(), &desk.visit(Time::ZERO), &mut out);
        assert!(matches!(chosen, Ok(Chosen::Sasl(_))));
        let (mechanisms, _) = sasl::Mechanisms::decode(&out.into()).unwrap().unwrap();
        assert!(mechanisms.contains(b"SCRAM-SHA-256") && !mechanisms.contains(b"PLAIN"));
    }

    #[test]
    fn where_there_are_tickets_too_sasl_is_for_tls() {
        let Auth::Required(mut credentials) = users() else { panic!("no users") };
        credentials.tickets.push(crate::access::Ticket::new(Secret::new(b"secret").unwrap()));
        let mut desk = Desk::new(Auth::Required(credentials));
        let offers_sasl = |desk: &Desk| {
            let mut out = Vec::new();
            desk.step(&mess(ChannelType::MAIN, true), &mut out).unwrap();
            let reply = LinkReply::decode(&Bytes::from(out).slice(LinkHeader::LEN..)).unwrap();
            reply.caps.has_common(CommonCap::AUTH_SASL)
        };
        assert!(!offers_sasl(&desk));
        desk.transport = Transport::Tls;
        assert!(offers_sasl(&desk));
    }

    #[test]
    fn a_ticket_that_is_wrong_or_no_ciphertext_at_all_is_refused_alike() {
        let desk = Desk::new(Auth::ticket(Secret::new(b"secret").unwrap()));
        for ticket in [[0; TICKET_LEN], [0xff; TICKET_LEN]] {
            let refusal = desk.ticket(&ticket, Time::ZERO).unwrap_err();
            assert_eq!(refusal.answer, result(LinkError::PERMISSION_DENIED));
        }
    }

    #[test]
    fn who_guesses_is_refused_before_it_costs_a_key_and_may_try_again_later() {
        let desk = Desk::new(Auth::ticket(Secret::new(b"secret").unwrap()));
        for _ in 0..5 {
            assert!(desk.ticket(&[0; TICKET_LEN], Time::ZERO).is_err());
        }
        let refusal = desk.ticket(&[0; TICKET_LEN], Time::from_millis(9_999)).unwrap_err();
        assert!(matches!(refusal.reason, Reason::Locked(_)), "{refusal:?}");
        assert_eq!(refused_with(&refusal), LinkError::PERMISSION_DENIED);
        let refusal = desk.ticket(&[0; TICKET_LEN], Time::from_millis(10_001)).unwrap_err();
        assert!(matches!(refusal.reason, Reason::Denied(_)), "{refusal:?}");
    }
}
