//! Drives the handshake over a socket, with a deadline.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use spice_proto::link::{LinkMess, MAGIC};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::keys::KeyPool;
use super::states::{Authentication, AwaitHeader, AwaitMechanism, AwaitTicket, Offer, Refusal};
use crate::config::Auth;

/// A connection whose viewer has said what it wants and may have it; only the result is still to be sent.
#[derive(Debug)]
pub(crate) struct LinkedStream {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) mess: LinkMess,
}

/// What every handshake needs.
#[derive(Debug)]
pub(crate) struct Acceptor {
    pub(crate) offer: Offer,
    pub(crate) keys: KeyPool,
    pub(crate) auth: Auth,
    pub(crate) deadline: Duration,
}

enum Failure {
    Io(io::Error),
    Refused(Refusal),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Acceptor {
    /// Runs the handshake of one connection. One that fails is told why, in the protocol's words, and closed.
    pub(crate) async fn link(
        self: Arc<Self>,
        mut stream: TcpStream,
        peer: SocketAddr,
    ) -> Option<LinkedStream> {
        match timeout(self.deadline, self.handshake(&mut stream)).await {
            Ok(Ok(mess)) => return Some(LinkedStream { stream, peer, mess }),
            Ok(Err(Failure::Io(error))) => tracing::debug!(%peer, "link broken: {error}"),
            Ok(Err(Failure::Refused(refusal))) => {
                tracing::info!(%peer, "link refused: {}", refusal.reason);
                let _ = timeout(self.deadline, say_goodbye(&mut stream, &refusal.answer)).await;
            }
            Err(_) => tracing::info!(%peer, "link not finished in {} s", self.deadline.as_secs()),
        }
        None
    }

    async fn handshake(&self, stream: &mut TcpStream) -> Result<LinkMess, Failure> {
        let mut header = [0; AwaitHeader::LEN];
        let (magic, rest) = header.split_at_mut(MAGIC.len());
        stream.read_exact(magic).await?;
        if *magic == MAGIC {
            stream.read_exact(rest).await?;
        }
        let state = AwaitHeader.step(header)?;

        let mut body = vec![0; state.len()];
        stream.read_exact(&mut body).await?;
        let mut out = Vec::new();
        let state = state.step(&Bytes::from(body), &self.offer, &self.keys, &mut out)?;
        stream.write_all(&out).await?;

        let state = match state {
            Authentication::Mechanism(state) => {
                let mut mechanism = [0; AwaitMechanism::LEN];
                stream.read_exact(&mut mechanism).await?;
                state.step(mechanism)?
            }
            Authentication::Ticket(state) => state,
        };
        let mut ticket = [0; AwaitTicket::LEN];
        stream.read_exact(&mut ticket).await?;
        Ok(state.step(&ticket, &self.auth)?)
    }
}

/// Sends a last answer and waits for the peer to close, so that what it still sends does not reset the connection
/// before it has read the answer.
async fn say_goodbye(stream: &mut TcpStream, answer: &[u8]) -> io::Result<()> {
    stream.write_all(answer).await?;
    stream.shutdown().await?;
    let mut ignored = [0; 1024];
    let mut budget = 64;
    while budget > 0 && stream.read(&mut ignored).await? > 0 {
        budget -= 1;
    }
    Ok(())
}
