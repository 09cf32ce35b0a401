//! Drives the handshake over a connection, with a deadline.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use spice_proto::DecodeError;
use spice_proto::link::sasl;
use spice_proto::link::{LinkHeader, MAGIC};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::admission::{Admission, Place};
use super::checks::Checks;
use super::states::{
    Authentication, AwaitHeader, AwaitMechanism, AwaitStart, AwaitTicket, Chosen, Linked, Refusal, Rules,
    Stepped, Visit,
};
use crate::access::MAX_SASL_DATA;
use crate::audit::Audit;
use crate::clock;
use crate::transport::{FIRST, Incoming, OpenError, Opener, Peer, Spice, Stream, Transport};

/// A connection whose viewer has said what it wants and may have it; only the result is still to be sent.
#[derive(Debug)]
pub(crate) struct LinkedStream {
    pub(crate) stream: Stream,
    pub(crate) peer: Peer,
    /// This end, where it has an address.
    pub(crate) local: Option<SocketAddr>,
    pub(crate) transport: Transport,
    pub(crate) linked: Linked,
}

/// What every connection that comes in meets.
#[derive(Debug)]
pub(crate) struct Acceptor {
    pub(crate) opener: Opener,
    pub(crate) rules: Rules,
    pub(crate) admission: Arc<Admission>,
    pub(crate) audit: Arc<Audit>,
    /// From the first byte that could come to the last that must.
    pub(crate) deadline: Duration,
    pub(crate) checks: Checks,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    #[error("bad SASL message: {0}")]
    Sasl(#[from] DecodeError),
    #[error("{}", .0.reason)]
    Refused(Refusal),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Acceptor {
    /// Runs the handshake of one connection. One that fails is told why, in the protocol's words, and closed.
    pub(crate) async fn link(self: Arc<Self>, incoming: Incoming, mut place: Place) -> Option<LinkedStream> {
        let deadline = Instant::now() + self.deadline;
        let from = incoming.peer;
        let mut peer = from;
        let opened = timeout_at(deadline, self.opener.open(incoming, &mut peer)).await;
        let mut spice = match opened {
            Ok(Ok(spice)) => spice,
            Ok(Err(OpenError::Io(error))) => {
                tracing::debug!(%peer, "link broken: {error}");
                return None;
            }
            Ok(Err(error)) => {
                self.audit.refused(peer, &error);
                return None;
            }
            Err(_) => {
                self.late(peer);
                return None;
            }
        };
        if peer != from {
            place.move_to(peer.origin());
        }
        match timeout_at(deadline, self.handshake(&mut spice, &place)).await {
            Ok(Ok(linked)) => {
                let Spice { stream, local, transport, .. } = spice;
                return Some(LinkedStream { stream, peer, local, transport, linked });
            }
            Ok(Err(Failure::Io(error))) => tracing::debug!(%peer, "link broken: {error}"),
            Ok(Err(failure)) => {
                self.audit.refused(peer, &failure);
                if let Failure::Refused(refusal) = failure {
                    let _ = timeout(self.deadline, say_goodbye(&mut spice.stream, &refusal.answer)).await;
                }
            }
            Err(_) => self.late(peer),
        }
        None
    }

    fn late(&self, peer: Peer) {
        self.audit.refused(peer, &format_args!("the link was not finished in {} s", self.deadline.as_secs()));
    }

    async fn handshake(&self, spice: &mut Spice, place: &Place) -> Result<Linked, Failure> {
        let Spice { stream, first, peer, transport, plain_allowed, vouched, .. } = spice;
        let visit = || Visit {
            rules: &self.rules,
            admission: &self.admission,
            peer: *peer,
            transport: *transport,
            plain_allowed: *plain_allowed,
            vouched: *vouched,
            now: clock::now(),
        };
        let mut header = [0; AwaitHeader::LEN];
        header[..FIRST].copy_from_slice(first);
        if *first == MAGIC {
            stream.read_exact(&mut header[FIRST..]).await?;
        }
        let state = AwaitHeader.step(header)?;

        let mut body = vec![0; state.len()];
        stream.read_exact(&mut body).await?;
        let mut out = Vec::new();
        let state = state.step(&Bytes::from(body), &visit(), &mut out)?;
        place.prove();
        send(stream, &mut out).await?;

        let chosen = match state {
            Authentication::Mechanism(state) => {
                let mut mechanism = [0; AwaitMechanism::LEN];
                stream.read_exact(&mut mechanism).await?;
                state.step(mechanism, &visit(), &mut out)?
            }
            Authentication::Ticket(state) => Chosen::Ticket(state),
        };
        let state = match chosen {
            Chosen::Ticket(state) => state,
            Chosen::Sasl(state) => return self.sasl(stream, state, out, visit).await,
        };
        let mut ticket = [0; AwaitTicket::LEN];
        stream.read_exact(&mut ticket).await?;
        let offered = self.checks.run(move || state.step(&ticket)).await?;
        Ok(offered.step(&visit())?)
    }

    async fn sasl<'v>(
        &self,
        stream: &mut Stream,
        state: AwaitStart,
        mut out: Vec<u8>,
        visit: impl Fn() -> Visit<'v>,
    ) -> Result<Linked, Failure> {
        send(stream, &mut out).await?;
        let mut message = Vec::new();
        read_sized(stream, &mut message).await?;
        read_sized(stream, &mut message).await?;
        let (start, _) = sasl::Start::decode(&message.into())?.ok_or_else(cut_short)?;
        let mut answered = self.checks.run(move || state.step(&start)).await?;
        loop {
            let stepped = answered.step(&visit(), &mut out)?;
            send(stream, &mut out).await?;
            let state = match stepped {
                Stepped::Linked(linked) => return Ok(linked),
                Stepped::More(state) => state,
            };
            let mut message = Vec::new();
            read_sized(stream, &mut message).await?;
            let (step, _) = sasl::Step::decode(&message.into())?.ok_or_else(cut_short)?;
            answered = self.checks.run(move || state.step(&step)).await?;
        }
    }
}

fn cut_short() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

async fn send(stream: &mut Stream, out: &mut Vec<u8>) -> io::Result<()> {
    stream.write_all(out).await?;
    out.clear();
    stream.flush().await
}

/// Appends a length and as many bytes to a message: no more is read than belongs to it. A length above what any
/// mechanism needs is read without its bytes, and the message is refused for it.
async fn read_sized(stream: &mut Stream, message: &mut Vec<u8>) -> io::Result<()> {
    let mut len = [0; 4];
    stream.read_exact(&mut len).await?;
    message.extend_from_slice(&len);
    let len = u32::from_le_bytes(len) as usize;
    if len > MAX_SASL_DATA {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{len} bytes of SASL are too many")));
    }
    let start = message.len();
    message.resize(start + len, 0);
    stream.read_exact(message.get_mut(start..).unwrap_or_default()).await?;
    Ok(())
}

/// Sends a last answer and waits for the peer to close, so that what it still sends does not reset the connection
/// before it has read the answer.
async fn say_goodbye(stream: &mut Stream, answer: &[u8]) -> io::Result<()> {
    stream.write_all(answer).await?;
    stream.shutdown().await?;
    let mut ignored = [0; 1024];
    let mut budget = 64;
    while budget > 0 && stream.read(&mut ignored).await? > 0 {
        budget -= 1;
    }
    Ok(())
}

const _: () = assert!(FIRST == MAGIC.len() && FIRST < LinkHeader::LEN);
