//! Who is at the other end of a connection, and how it got here.

use core::fmt;
use std::net::SocketAddr;

use crate::access::Origin;

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// An address, by the word of a trusted proxy if one stands between.
    Ip(SocketAddr),
    /// A process of this machine, at a Unix socket.
    Unix {
        /// The user that it runs as, where the kernel says so.
        uid: Option<u32>,
    },
}

impl Peer {
    /// Whose attempts count together.
    pub(crate) fn origin(self) -> Origin {
        match self {
            Self::Ip(addr) => Origin::of_ip(addr.ip()),
            Self::Unix { uid } => Origin::Local(uid),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(addr) => addr.fmt(f),
            Self::Unix { uid: Some(uid) } => write!(f, "unix:uid={uid}"),
            Self::Unix { uid: None } => f.write_str("unix"),
        }
    }
}

/// What a connection's SPICE is wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// Nothing.
    Plain,
    /// TLS.
    Tls,
    /// WebSocket.
    WebSocket,
    /// WebSocket in TLS.
    SecureWebSocket,
}

impl Transport {
    /// Whether nobody between can read or change it.
    #[must_use]
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::SecureWebSocket)
    }

    /// The word for it in addresses and logs: `plain`, `tls`, `ws`, `wss`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tls => "tls",
            Self::WebSocket => "ws",
            Self::SecureWebSocket => "wss",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
