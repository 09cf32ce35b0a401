//! The PROXY protocol, version 2: whom a proxy in front of the server speaks for.
//!
//! After haproxy's `doc/proxy-protocol.txt`, section 2.2. Version 1, a line of text, is refused: it is told from
//! version 2 by its first byte, and every proxy that matters speaks both.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncReadExt};

/// What every header begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// What a header of version 1 begins with.
const SIGNATURE_V1: &[u8] = b"PROXY";

/// Bytes that may follow the first sixteen. Addresses take 216 at most, and the specification wants a header to fit
/// into one segment of 536; a proxy that passes on names of TLS certificates needs some more.
const MAX_BODY: usize = 2048;

/// Why a connection from a trusted proxy has no address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ProxyError {
    /// The connection broke, or ended within the header.
    #[error("the PROXY header is not whole: {0}")]
    Io(#[from] std::io::Error),
    /// Version 1.
    #[error("the PROXY header is of version 1, and only version 2 is spoken here")]
    VersionOne,
    /// Something else than a header.
    #[error("there is no PROXY header, which a trusted proxy has to send first")]
    Signature,
    /// A version that is not 2.
    #[error("the PROXY header is of version {0}, and only version 2 is spoken here")]
    Version(u8),
    /// Neither LOCAL nor PROXY.
    #[error("the PROXY header has the unknown command {0}")]
    Command(u8),
    /// An address family or a protocol that there is not.
    #[error("the PROXY header has the unknown family and protocol {0:#04x}")]
    Family(u8),
    /// Datagrams: there is no connection.
    #[error("the PROXY header speaks of datagrams (family and protocol {0:#04x})")]
    Datagram(u8),
    /// More than a header may have.
    #[error("the PROXY header has {0} bytes after its first 16, more than {MAX_BODY}")]
    TooLong(usize),
    /// Less than its addresses take.
    #[error("the PROXY header has {len} bytes for addresses of {needed}")]
    Addresses {
        /// Bytes there are.
        len: usize,
        /// Bytes that the family takes.
        needed: usize,
    },
    /// An extension that reaches beyond the header's end.
    #[error("the PROXY header has an extension at byte {at} that reaches beyond its end")]
    Extension {
        /// Where, counted from the first byte after the sixteen.
        at: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// The connection is the proxy's own (a health check), or it does not say whose it is.
    Unsaid,
    Inet,
    Inet6,
    Unix,
}

/// The first sixteen bytes, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    family: Family,
    len: usize,
}

impl Header {
    /// Bytes of a header before what it says about itself.
    pub(crate) const LEN: usize = 16;

    /// Understands the first sixteen bytes.
    ///
    /// # Errors
    /// Another protocol, version, command or family; more than 2048 bytes to follow.
    pub(crate) fn parse(bytes: [u8; Self::LEN]) -> Result<Self, ProxyError> {
        let [signature @ .., version_and_command, family, len_high, len_low] = bytes;
        if signature != SIGNATURE {
            let is_v1 = signature.starts_with(SIGNATURE_V1);
            return Err(if is_v1 { ProxyError::VersionOne } else { ProxyError::Signature });
        }
        let (version, command) = (version_and_command >> 4, version_and_command & 0xf);
        if version != 2 {
            return Err(ProxyError::Version(version));
        }
        let family = match (command, family) {
            // Its family means nothing.
            (0, _) | (1, 0x00) => Family::Unsaid,
            (1, 0x11) => Family::Inet,
            (1, 0x21) => Family::Inet6,
            (1, 0x31) => Family::Unix,
            (1, datagram @ (0x12 | 0x22 | 0x32)) => return Err(ProxyError::Datagram(datagram)),
            (1, unknown) => return Err(ProxyError::Family(unknown)),
            (unknown, _) => return Err(ProxyError::Command(unknown)),
        };
        let len = usize::from(u16::from_be_bytes([len_high, len_low]));
        if len > MAX_BODY {
            return Err(ProxyError::TooLong(len));
        }
        Ok(Self { family, len })
    }

    /// Bytes that follow the first sixteen, at most 2048.
    pub(crate) fn body_len(self) -> usize {
        self.len
    }

    /// Understands what follows, of [`Header::body_len`] bytes. `None` is a connection of the proxy itself, or one
    /// whose source is no address of the internet.
    ///
    /// # Errors
    /// Too few bytes for the addresses; an extension that reaches beyond the end. Extensions are not looked into.
    pub(crate) fn source(self, body: &[u8]) -> Result<Option<SocketAddr>, ProxyError> {
        match self.family {
            Family::Unsaid => Ok(None),
            Family::Inet => {
                let [a, b, c, d, _, _, _, _, high, low, _, _] = addresses(body)?;
                let ip = Ipv4Addr::new(a, b, c, d);
                Ok(Some((ip, u16::from_be_bytes([high, low])).into()))
            }
            Family::Inet6 => {
                let all: [u8; 36] = addresses(body)?;
                let (ip, rest) = all.split_at(16);
                let ip: [u8; 16] = ip.try_into().unwrap_or_default();
                let port = match rest {
                    [.., high, low, _, _] => u16::from_be_bytes([*high, *low]),
                    _ => 0,
                };
                Ok(Some((Ipv6Addr::from(ip), port).into()))
            }
            Family::Unix => {
                let _: [u8; 216] = addresses(body)?;
                Ok(None)
            }
        }
    }
}

/// The first `N` bytes; the others are extensions, each of them whole.
fn addresses<const N: usize>(body: &[u8]) -> Result<[u8; N], ProxyError> {
    let Some((addresses, mut extensions)) = body.split_first_chunk() else {
        return Err(ProxyError::Addresses { len: body.len(), needed: N });
    };
    while !extensions.is_empty() {
        let at = body.len() - extensions.len();
        extensions = match extensions {
            [_kind, high, low, rest @ ..] => rest.get(usize::from(u16::from_be_bytes([*high, *low]))..),
            _ => None,
        }
        .ok_or(ProxyError::Extension { at })?;
    }
    Ok(*addresses)
}

/// Reads a header and not a byte beyond it, and gives the address of whom the proxy speaks for. `None` is a connection
/// of the proxy itself, or one whose source is no address of the internet. Takes as long as the peer does: the caller
/// has the deadline.
///
/// # Errors
/// See [`ProxyError`]; the connection can only be closed then.
pub(crate) async fn read_from(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<Option<SocketAddr>, ProxyError> {
    let mut first = [0; Header::LEN];
    stream.read_exact(&mut first).await?;
    let header = Header::parse(first)?;
    let mut body = vec![0; header.body_len()];
    stream.read_exact(&mut body).await?;
    header.source(&body)
}

/// From which addresses a connection has to begin with a PROXY header, which is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyRules {
    trusted: Vec<TrustedNetwork>,
}

impl ProxyRules {
    /// Whether `peer` is a trusted proxy. An IPv4 address that is written as IPv6 counts as IPv4.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(peer))
    }
}

impl FromIterator<TrustedNetwork> for ProxyRules {
    fn from_iter<I: IntoIterator<Item = TrustedNetwork>>(networks: I) -> Self {
        Self { trusted: networks.into_iter().collect() }
    }
}

/// An address, or a network of them: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. Bits after the prefix mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedNetwork {
    addr: IpAddr,
    prefix: u8,
}

/// What is written where a network should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedNetworkError {
    /// No address before the slash.
    #[error("{0:?} is no address and no network (like 192.0.2.7 or 10.0.0.0/8)")]
    Address(String),
    /// No number after the slash, or one beyond the bits of an address.
    #[error("the prefix of {text:?} is no number from 0 to {bits}")]
    Prefix {
        /// What was written.
        text: String,
        /// Bits of an address of its family.
        bits: u8,
    },
}

impl TrustedNetwork {
    fn contains(&self, peer: IpAddr) -> bool {
        match (self.addr, peer.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(peer)) => {
                let differ = network.to_bits() ^ peer.to_bits();
                differ.leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(peer)) => {
                let differ = network.to_bits() ^ peer.to_bits();
                differ.leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }
}

impl FromStr for TrustedNetwork {
    type Err = TrustedNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (addr, prefix) = match text.split_once('/') {
            Some((addr, prefix)) => (addr, Some(prefix)),
            None => (text, None),
        };
        let addr: IpAddr = addr.parse().map_err(|_| TrustedNetworkError::Address(text.into()))?;
        let bits = if addr.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            // Digits only: a number of Rust may have a sign.
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                let prefix = digits.parse().ok().filter(|prefix| *prefix <= bits);
                prefix.ok_or_else(|| TrustedNetworkError::Prefix { text: text.into(), bits })?
            }
            Some(_) => return Err(TrustedNetworkError::Prefix { text: text.into(), bits }),
        };
        match (addr, addr.to_canonical(), prefix) {
            (IpAddr::V6(_), mapped @ IpAddr::V4(_), 96..) => Ok(Self { addr: mapped, prefix: prefix - 96 }),
            _ => Ok(Self { addr, prefix }),
        }
    }
}

impl fmt::Display for TrustedNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.prefix)
    }
}

#[cfg(test)]
mod tests;
