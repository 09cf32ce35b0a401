//! From a connection to SPICE: a proxy's word first, then whatever its first bytes say that it is wrapped in.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::AsyncReadExt;

use super::proxy::{self, ProxyError, ProxyRules};
use super::websocket::{self, UpgradeError, WebSocketRules};
use super::{Incoming, Peer, Prefixed, Stream, Tls, Transport};

/// Bytes that say what a connection speaks.
pub(crate) const FIRST: usize = 4;

/// What TLS begins with: a handshake record (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// What a browser begins with.
const HTTP_GET: [u8; FIRST] = *b"GET ";

/// A connection that speaks SPICE from here on, or something that is not known.
#[derive(Debug)]
pub(crate) struct Spice {
    pub(crate) stream: Stream,
    /// The bytes that have been read of it.
    pub(crate) first: [u8; FIRST],
    pub(crate) peer: Peer,
    /// This end, where it has an address.
    pub(crate) local: Option<SocketAddr>,
    pub(crate) transport: Transport,
    /// Whether what is not encrypted may be let in.
    pub(crate) plain_allowed: bool,
    /// Whether somebody else has made sure who it is.
    pub(crate) vouched: bool,
}

/// Why a connection does not get as far as SPICE.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Proxy(#[from] ProxyError),
    #[error("TLS is spoken, and there is no certificate here")]
    NoTls,
    #[error("only TLS is spoken here")]
    TlsOnly,
    #[error("TLS: {0}")]
    Tls(io::Error),
    #[error("WebSocket: {0}")]
    WebSocket(#[from] UpgradeError),
}

/// What is accepted around SPICE.
#[derive(Debug)]
pub(crate) struct Opener {
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) websocket: WebSocketRules,
    pub(crate) proxies: ProxyRules,
}

impl Opener {
    /// Unwraps a connection. It takes as long as the peer likes: the caller has the deadline. `peer` is told who is
    /// there as soon as a proxy has said so.
    pub(crate) async fn open(&self, incoming: Incoming, peer: &mut Peer) -> Result<Spice, OpenError> {
        let Incoming { mut stream, tls_only, plain_allowed, vouched, .. } = incoming;
        let local = stream.local_addr();
        if let Peer::Ip(from) = *peer
            && self.proxies.trusts(from.ip())
            && let Some(source) = proxy::read_from(&mut stream).await?
        {
            *peer = Peer::Ip(source);
        }
        let mut first = read_first(&mut stream).await?;
        let mut secure = false;
        if first[0] == TLS_HANDSHAKE {
            let tls = self.tls.as_ref().ok_or(OpenError::NoTls)?;
            let inner = tls
                .accept(Prefixed::new(Bytes::copy_from_slice(&first), stream))
                .await
                .map_err(OpenError::Tls)?;
            stream = Stream::layered(inner);
            first = read_first(&mut stream).await?;
            secure = true;
        } else if tls_only {
            return Err(OpenError::TlsOnly);
        }
        let websocket = first == HTTP_GET;
        if websocket {
            let inner =
                websocket::accept(Prefixed::new(Bytes::copy_from_slice(&first), stream), &self.websocket)
                    .await?;
            stream = Stream::layered(inner);
            first = read_first(&mut stream).await?;
        }
        let transport = match (secure, websocket) {
            (false, false) => Transport::Plain,
            (true, false) => Transport::Tls,
            (false, true) => Transport::WebSocket,
            (true, true) => Transport::SecureWebSocket,
        };
        Ok(Spice { stream, first, peer: *peer, local, transport, plain_allowed, vouched })
    }
}

async fn read_first(stream: &mut Stream) -> io::Result<[u8; FIRST]> {
    let mut first = [0; FIRST];
    stream.read_exact(&mut first).await?;
    Ok(first)
}
