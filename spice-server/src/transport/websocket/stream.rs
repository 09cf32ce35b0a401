//! A byte stream in binary messages.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

/// Bytes that a message of a viewer may have, in one frame or many.
pub(super) const MAX_MESSAGE: usize = 256 << 10;

/// Bytes that are read from the stream below at once.
const READ_SIZE: usize = 16 << 10;

/// Bytes in a message of ours: with the four bytes of its frame's header one record of TLS.
pub(super) const MAX_WRITE: usize = (16 << 10) - 4;

/// Bytes of control frames that may wait behind a message for the stream below: what a viewer has answered that pings
/// and does not read. Pings beyond it have the last of them answered (RFC 6455, section 5.5.3).
const MAX_CONTROL: usize = 4 << 10;

/// A WebSocket as a byte stream. Only binary messages are taken, and every write is one, of at most 16 KiB.
///
/// What was written has to be flushed, as with TLS: up to one message may still be held here. A write waits until the
/// message before it is with the stream below. Shutting it down sends a close frame, after which reads give what the
/// peer had still sent.
pub(crate) struct WebSocket<S> {
    inner: WebSocketStream<S>,
    /// What was not read yet of the last message.
    rest: Bytes,
    /// Nothing more will be read.
    read_over: bool,
    /// The close frame was sent, or the connection is broken.
    write_over: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// What follows a handshake on `stream`.
    pub(super) async fn new(stream: S) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_SIZE)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE + 4 + MAX_CONTROL)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let inner = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        Self { inner, rest: Bytes::new(), read_over: false, write_over: false }
    }

    /// Tells the peer what it did wrong, if there is room for it, and gives up. No waker is registered: this is called
    /// by who reads, while another task may wait to write.
    fn fail(&mut self, code: CloseCode, why: String) -> io::Error {
        self.read_over = true;
        self.write_over = true;
        let reason = Utf8Bytes::from_static("");
        let _ = Pin::new(&mut self.inner).start_send(Message::Close(Some(CloseFrame { code, reason })));
        io::Error::new(io::ErrorKind::InvalidData, why)
    }

    fn poll_drained(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx).map_err(into_io)
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: impl FnOnce() -> Bytes,
    ) -> Poll<io::Result<usize>> {
        if self.write_over {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        // Nothing of the last message is left then, nor of control frames, so that there is room for this one.
        ready!(self.poll_drained(cx))?;
        let message = message();
        let len = message.len();
        Pin::new(&mut self.inner).start_send(Message::Binary(message)).map_err(into_io)?;
        Poll::Ready(Ok(len))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            if self.read_over {
                return Poll::Ready(Ok(()));
            }
            match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
                None => self.read_over = true,
                Some(Ok(Message::Binary(bytes))) => self.rest = bytes,
                // Pings and a close are answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Text(_))) => {
                    let why = "the peer sent text, and only binary messages are taken".into();
                    return Poll::Ready(Err(self.fail(CloseCode::Unsupported, why)));
                }
                Some(Err(Error::Io(error))) => {
                    self.read_over = true;
                    return Poll::Ready(Err(error));
                }
                // A connection that just ends is as good as one that says so: SPICE has its own ends.
                Some(Err(Error::Protocol(
                    ProtocolError::ResetWithoutClosingHandshake | ProtocolError::ReceivedAfterClosing,
                ))) => self.read_over = true,
                Some(Err(error)) => {
                    let code = match &error {
                        Error::Capacity(_) => CloseCode::Size,
                        Error::Utf8(_) => CloseCode::Invalid,
                        _ => CloseCode::Protocol,
                    };
                    return Poll::Ready(Err(self.fail(code, error.to_string())));
                }
            }
        }
        let len = self.rest.len().min(buf.remaining());
        buf.put_slice(&self.rest[..len]);
        self.rest.advance(len);
        if self.rest.is_empty() {
            // Lets go of the buffer that the message was cut from.
            self.rest = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let len = buf.len().min(MAX_WRITE);
        self.poll_send(cx, || Bytes::copy_from_slice(&buf[..len]))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = bufs.iter().fold(0_usize, |len, buf| len.saturating_add(buf.len())).min(MAX_WRITE);
        if len == 0 {
            return Poll::Ready(Ok(0));
        }
        self.poll_send(cx, || {
            let mut message = Vec::with_capacity(len);
            for buf in bufs {
                let room = len - message.len();
                message.extend_from_slice(&buf[..buf.len().min(room)]);
            }
            message.into()
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drained(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.write_over {
            ready!(self.poll_drained(cx))?;
            self.write_over = true;
            let frame = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::from_static("") };
            // It cannot be sent when the peer has closed already, and need not be.
            let _ = Pin::new(&mut self.inner).start_send(Message::Close(Some(frame)));
        }
        ready!(self.poll_drained(cx))?;
        Pin::new(self.inner.get_mut()).poll_shutdown(cx)
    }
}

impl<S> fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket")
            .field("rest", &self.rest.len())
            .field("read_over", &self.read_over)
            .field("write_over", &self.write_over)
            .finish_non_exhaustive()
    }
}

fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        // What the peer has closed cannot be written to.
        Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(ProtocolError::SendAfterClosing) => {
            io::ErrorKind::BrokenPipe.into()
        }
        error => io::Error::other(error),
    }
}
