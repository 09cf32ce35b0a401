//! Connections that are read into one buffer, whoever they belong to.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Poll, ready};

use spice_client::ViewerLink;
use spice_proto::caps::CapabilitySet;
use spice_proto::{ChannelId, ChannelType, ConnectionId, HeaderKind};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf, Ready};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::tls::Trust;

/// What is read at once at most.
const BUFFER: usize = 256 << 10;

/// Bytes that have just come, until they are handled.
#[derive(Debug)]
pub(super) struct Buffer(RefCell<Box<[u8]>>);

impl Default for Buffer {
    fn default() -> Self {
        Self(RefCell::new(vec![0; BUFFER].into()))
    }
}

/// A server, whom to trust there, and the ticket it asks for.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) addr: SocketAddr,
    /// Without, nothing is encrypted.
    pub(super) tls: Option<Trust>,
    pub(super) ticket: Vec<u8>,
}

/// A channel that is linked.
#[derive(Debug)]
pub(super) struct Channel {
    stream: Stream,
    pub(super) header: HeaderKind,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Duplex for S {}

impl Stream {
    async fn connect(server: &Server) -> Result<Self, String> {
        let stream = TcpStream::connect(server.addr).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(match &server.tls {
            Some(trust) => Self::Encrypted(Box::new(trust.connect(stream).await?)),
            None => Self::Plain(stream),
        })
    }

    fn bytes(&mut self) -> &mut dyn Duplex {
        match self {
            Self::Plain(stream) => stream,
            Self::Encrypted(stream) => stream,
        }
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Encrypted(stream) => stream.get_ref().0,
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let stream = self.bytes();
        stream.write_all(bytes).await.map_err(|error| error.to_string())?;
        stream.flush().await.map_err(|error| error.to_string())
    }
}

impl Channel {
    /// Connects and links a channel, the first of its kind.
    pub(super) async fn link(
        server: &Server,
        connection: ConnectionId,
        kind: ChannelType,
        caps: CapabilitySet,
    ) -> Result<Self, String> {
        let mut stream = Stream::connect(server).await?;
        let mut link = ViewerLink::new(connection, kind, ChannelId(0), caps, &server.ticket);
        loop {
            stream.send(&link.take_output()).await?;
            if let Some(linked) = link.linked() {
                return Ok(Self { header: linked.header, stream });
            }
            let mut bytes = vec![0; link.wants()];
            stream.bytes().read_exact(&mut bytes).await.map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => "the server ends the connection at once".to_owned(),
                _ => error.to_string(),
            })?;
            link.handle_bytes(&bytes).map_err(|error| error.to_string())?;
        }
    }

    /// Waits for bytes, reads at most so many, and hands them over where they lie.
    pub(super) async fn read<T>(
        &mut self,
        buffer: &Buffer,
        most: usize,
        mut take: impl FnMut(&[u8]) -> T,
    ) -> Result<T, String> {
        let read = poll_fn(|context| {
            let mut buffer = buffer.0.borrow_mut();
            let most = most.min(buffer.len());
            let mut bytes = ReadBuf::new(buffer.get_mut(..most).unwrap_or_default());
            ready!(Pin::new(self.stream.bytes()).poll_read(context, &mut bytes))?;
            Poll::Ready(match bytes.filled() {
                [] => Err(Error::new(ErrorKind::UnexpectedEof, "the server has ended the connection")),
                filled => Ok(take(filled)),
            })
        });
        read.await.map_err(|error| error.to_string())
    }

    /// Sends bytes, if there are any.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.stream.send(bytes).await
    }

    /// Whether the server has ended it, by what can be told without reading.
    pub(super) async fn has_ended(&self) -> bool {
        self.stream.socket().ready(Interest::READABLE).await.map_or(true, Ready::is_read_closed)
    }
}
