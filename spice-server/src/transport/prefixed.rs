//! A stream with bytes put back that were read to see what it speaks.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that gives `prefix` before what it gives itself. What is written passes through.
#[derive(Debug)]
pub(crate) struct Prefixed<S> {
    prefix: Bytes,
    stream: S,
}

impl<S> Prefixed<S> {
    /// Puts `prefix`, which was read of `stream`, back in front of it.
    pub(crate) fn new(prefix: impl Into<Bytes>, stream: S) -> Self {
        Self { prefix: prefix.into(), stream }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prefixed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let len = self.prefix.len().min(buf.remaining());
        buf.put_slice(&self.prefix[..len]);
        self.prefix.advance(len);
        if self.prefix.is_empty() {
            // Lets go of what the prefix was cut from.
            self.prefix = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prefixed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn what_was_read_comes_first_however_small_the_reads_are() {
        for size in 1..12 {
            let (mut far, near) = duplex(64);
            far.write_all(b" and more").await.unwrap();
            drop(far);
            let mut stream = Prefixed::new(&b"REDQ"[..], near);
            let (mut got, mut piece) = (Vec::new(), vec![0; size]);
            loop {
                match stream.read(&mut piece).await.unwrap() {
                    0 => break,
                    len => got.extend_from_slice(&piece[..len]),
                }
            }
            assert_eq!(got, b"REDQ and more", "reads of {size}");
        }
    }

    #[tokio::test]
    async fn a_prefix_is_given_before_the_peer_has_sent_more() {
        let (far, near) = duplex(64);
        let mut stream = Prefixed::new(&b"GET "[..], near);
        let mut got = [0; 4];
        stream.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"GET ");
        drop(far);
        assert_eq!(stream.read(&mut got).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn writes_pass_through_and_what_is_left_can_be_had_back() {
        let (mut far, near) = duplex(64);
        let mut stream = Prefixed::new(&b"abcd"[..], near);
        assert_eq!(stream.is_write_vectored(), stream.stream.is_write_vectored());
        stream.write_all(b"one ").await.unwrap();
        let pieces = [IoSlice::new(b"two "), IoSlice::new(b"three")];
        assert_eq!(stream.write_vectored(&pieces).await.unwrap(), 9);
        stream.flush().await.unwrap();
        let mut first = [0; 1];
        stream.read_exact(&mut first).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut got = String::new();
        far.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "one two three");
        let left = stream.prefix;
        assert_eq!(&left[..], b"bcd");
    }
}
