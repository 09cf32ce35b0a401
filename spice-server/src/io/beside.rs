//! Descriptors that go beside bytes, where a socket can carry them.

use std::future::Future;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tokio::io::{AsyncWrite, AsyncWriteExt, Interest};
use tokio::net::{tcp, unix};

/// What a connection's bytes go into.
pub(super) trait WriteHalf: AsyncWrite + Send + Unpin + 'static {
    /// Writes bytes with a descriptor beside them, if the socket carries such; else the bytes alone. Answers how many were
    /// taken: the descriptor has gone with the first.
    fn write_beside(
        &mut self,
        bytes: &[u8],
        descriptor: &OwnedFd,
    ) -> impl Future<Output = io::Result<usize>> + Send {
        let _ = descriptor;
        async move { self.write(bytes).await }
    }
}

impl WriteHalf for tcp::OwnedWriteHalf {}

impl<S: AsyncWrite + Send + Unpin + 'static> WriteHalf for tokio::io::WriteHalf<S> where Self: AsyncWrite {}

impl WriteHalf for unix::OwnedWriteHalf {
    async fn write_beside(&mut self, bytes: &[u8], descriptor: &OwnedFd) -> io::Result<usize> {
        let socket = self.as_ref();
        let send = || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut beside = SendAncillaryBuffer::new(&mut space);
            let descriptors = [descriptor.as_fd()];
            beside.push(SendAncillaryMessage::ScmRights(&descriptors));
            Ok(sendmsg(socket, &[IoSlice::new(bytes)], &mut beside, SendFlags::NOSIGNAL)?)
        };
        socket.async_io(Interest::WRITABLE, send).await
    }
}
