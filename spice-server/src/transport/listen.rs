//! Where viewers come in: TCP, Unix sockets with or without a file, and sockets that somebody else has opened.

use core::fmt;
use core::str::FromStr;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr as UnixSocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::{OwnSocket, Peer, Stream};

/// Connections that the kernel holds for a server that is busy.
const BACKLOG: usize = 1024;

/// Unsent bytes that the kernel may hold. What waits beyond it waits in a pipe, where it can still be replaced.
const NOTSENT_LOWAT: u32 = 128 << 10;

/// A place to listen at, and what may come in there.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Where.
    pub at: ListenAt,
    /// Nothing but TLS is spoken there, from the first byte on.
    pub tls_only: bool,
    /// Plain connections from other machines are let in. Without it they are told to come with TLS, at every address but
    /// loopback's and at Unix sockets.
    pub insecure: bool,
}

impl Listen {
    /// A place where TLS and, from this machine, plain connections may come in.
    #[must_use]
    pub fn new(at: ListenAt) -> Self {
        Self { at, tls_only: false, insecure: false }
    }
}

/// A place to listen at: `127.0.0.1:5900`, `unix:PATH`, `unix:@NAME`.
#[derive(Clone, Debug)]
pub enum ListenAt {
    /// An address. Port 0 takes any free one.
    Tcp(SocketAddr),
    /// A socket with a file, made for this user alone and removed with the server. It takes the place of one that
    /// nobody listens on.
    Unix(PathBuf),
    /// A socket with a name in the abstract namespace, without a file (`unix(7)`). Any user of this machine may connect.
    Abstract(String),
    /// A socket that is open already: one that listens, or a single connection that somebody has accepted.
    Open(Arc<OwnedFd>),
}

/// A place that cannot be listened at, by its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no ADDR:PORT, unix:PATH or unix:@NAME")]
pub struct ListenAtError(String);

impl FromStr for ListenAt {
    type Err = ListenAtError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let bad = || ListenAtError(name.to_owned());
        match name.strip_prefix("unix:") {
            Some(path) => match path.strip_prefix('@') {
                Some("") => Err(bad()),
                Some(name) => Ok(Self::Abstract(name.to_owned())),
                None if path.is_empty() => Err(bad()),
                None => Ok(Self::Unix(path.into())),
            },
            None => name.parse().map(Self::Tcp).map_err(|_| bad()),
        }
    }
}

impl fmt::Display for ListenAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(addr) => addr.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Abstract(name) => write!(f, "unix:@{name}"),
            Self::Open(_) => f.write_str("an inherited socket"),
        }
    }
}

/// A connection that has come in, and nothing has been read of it.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) stream: Stream,
    pub(crate) peer: Peer,
    /// Only TLS is spoken here.
    pub(crate) tls_only: bool,
    /// Whether what is not encrypted may be let in.
    pub(crate) plain_allowed: bool,
    /// Whether somebody else has made sure who it is.
    pub(crate) vouched: bool,
}

/// A place that is listened at.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: ListenerSocket,
    /// Where, with the port that was taken.
    at: ListenAt,
    tls_only: bool,
    insecure: bool,
    /// The file of its socket goes with it.
    _file: Option<OwnSocket>,
}

#[derive(Debug)]
enum ListenerSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// What a place turned out to be.
#[derive(Debug)]
pub(crate) enum Opened {
    Listener(Listener),
    /// A connection that somebody else has accepted.
    Connection(Incoming),
}

impl Opened {
    /// Opens a place. Must be called on the runtime.
    pub(crate) fn open(listen: &Listen) -> io::Result<Self> {
        let (socket, file) = match &listen.at {
            ListenAt::Tcp(addr) => (tcp(*addr)?, None),
            ListenAt::Unix(path) => {
                let own = OwnSocket::bind(path, BACKLOG)?;
                (Socket::from(OwnedFd::from(own.try_clone()?)), Some(own))
            }
            ListenAt::Abstract(name) => (abstract_unix(name)?, None),
            ListenAt::Open(descriptor) => (Socket::from(descriptor.try_clone()?), None),
        };
        socket.set_nonblocking(true)?;
        if !socket.is_listener()? {
            return Incoming::accepted(socket, listen).map(Self::Connection);
        }
        let addr = socket.local_addr()?;
        let at = addr.as_socket().map_or_else(|| listen.at.clone(), ListenAt::Tcp);
        let socket = match addr.as_socket() {
            Some(_) => ListenerSocket::Tcp(TcpListener::from_std(socket.into())?),
            None => ListenerSocket::Unix(UnixListener::from_std(OwnedFd::from(socket).into())?),
        };
        let (tls_only, insecure) = (listen.tls_only, listen.insecure);
        Ok(Self::Listener(Listener { socket, at, tls_only, insecure, _file: file }))
    }
}

impl Listener {
    /// Where it listens.
    pub(crate) fn at(&self) -> &ListenAt {
        &self.at
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> io::Result<Incoming> {
        let (stream, peer) = match &self.socket {
            ListenerSocket::Tcp(listener) => {
                let (stream, addr) = listener.accept().await?;
                (tcp_stream(stream), Peer::Ip(addr))
            }
            ListenerSocket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                unix_stream(stream)
            }
        };
        Ok(Incoming {
            plain_allowed: self.insecure || is_this_machine(&stream, peer),
            stream,
            peer,
            tls_only: self.tls_only,
            vouched: false,
        })
    }
}

impl Incoming {
    /// A connection that somebody else has accepted.
    fn accepted(socket: Socket, listen: &Listen) -> io::Result<Self> {
        let (stream, peer) = match socket.peer_addr()?.as_socket() {
            Some(addr) => (tcp_stream(TcpStream::from_std(socket.into())?), Peer::Ip(addr)),
            None => unix_stream(UnixStream::from_std(OwnedFd::from(socket).into())?),
        };
        let plain_allowed = listen.insecure || is_this_machine(&stream, peer);
        Ok(Self { stream, peer, tls_only: listen.tls_only, plain_allowed, vouched: false })
    }
}

/// Whether the bytes never leave this machine: the address that was connected to counts, not what a proxy will say.
fn is_this_machine(stream: &Stream, peer: Peer) -> bool {
    let (Stream::Tcp(stream), Peer::Ip(peer)) = (stream, peer) else { return true };
    peer.ip().to_canonical().is_loopback()
        && stream.local_addr().is_ok_and(|addr| addr.ip().to_canonical().is_loopback())
}

fn tcp_stream(stream: TcpStream) -> Stream {
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_tcp_notsent_lowat(NOTSENT_LOWAT);
    Stream::Tcp(stream)
}

fn unix_stream(stream: UnixStream) -> (Stream, Peer) {
    let uid = stream.peer_cred().ok().map(|credentials| credentials.uid());
    (Stream::Unix(stream), Peer::Unix { uid })
}

fn tcp(addr: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG as i32)?;
    Ok(socket)
}

fn abstract_unix(name: &str) -> io::Result<Socket> {
    let addr = UnixSocketAddr::from_abstract_name(name)?;
    Ok(Socket::from(OwnedFd::from(std::os::unix::net::UnixListener::bind_addr(&addr)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_names() {
        for name in ["127.0.0.1:5900", "[::1]:0", "unix:/run/spice.sock", "unix:@spice"] {
            assert_eq!(name.parse::<ListenAt>().unwrap().to_string(), name);
        }
        for name in ["", "5900", "localhost:5900", "unix:", "unix:@", "/run/spice.sock"] {
            let error = name.parse::<ListenAt>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}`")), "{error}");
        }
    }
}
