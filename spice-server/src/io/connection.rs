//! One reader and one writer task for each connection.

use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use spice_channel::{DescriptorId, Transmit};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::beside::WriteHalf;
use crate::transport::Stream;

/// Bytes that one connection may have waiting for its owner. The reader stops there, and TCP holds the peer.
const READ_AHEAD: usize = 64 << 10;

/// Bytes that the reader takes at once.
const READ_SIZE: usize = 16 << 10;

/// Pieces in one write.
const WRITE_PIECES: usize = 64;

/// What a connection tells its owner.
#[derive(Debug)]
pub(crate) struct ConnectionEvent {
    /// Which connection says so: the owner may have another one of the same viewer by now.
    of: Token,
    pub(crate) what: Happened,
}

/// What has happened on a connection.
#[derive(Debug)]
pub(crate) enum Happened {
    /// Bytes from the peer. The reader goes on once every clone of the permit is dropped.
    Read(Bytes, ReadPermit),
    /// The socket has taken so many bytes.
    Written(usize),
    /// The connection is over; nothing follows.
    Closed(io::Result<()>),
}

/// A connection's identity: equal only to its own clones.
#[derive(Clone, Debug)]
struct Token(Arc<()>);

impl ConnectionEvent {
    /// The permit of bytes from the peer, for who passes on what they mean.
    pub(crate) fn permit(&self) -> Option<ReadPermit> {
        match &self.what {
            Happened::Read(_, permit) => Some(permit.clone()),
            Happened::Written(_) | Happened::Closed(_) => None,
        }
    }
}

/// Keeps a place of the connection's read-ahead taken for as long as what was read is on its way.
#[derive(Clone, Debug)]
pub(crate) struct ReadPermit {
    _place: Arc<OwnedSemaphorePermit>,
}

/// Bytes for the socket, and the descriptor that goes beside them.
#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    descriptor: Option<Arc<OwnedFd>>,
}

/// The owner's end of a connection. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Connection {
    token: Token,
    pieces: UnboundedSender<Piece>,
    reader: JoinHandle<()>,
    writer: JoinHandle<()>,
}

impl Connection {
    /// Whether it is this one that an event is of.
    pub(crate) fn has_said(&self, event: &ConnectionEvent) -> bool {
        Arc::ptr_eq(&self.token.0, &event.of.0)
    }

    /// Hands bytes to the writer, and the descriptors that go beside them, by whom their numbers are known. The owner
    /// bounds what is on its way by counting [`ConnectionEvent::Written`].
    pub(crate) fn send(&self, transmit: Transmit, known: impl Fn(DescriptorId) -> Option<Arc<OwnedFd>>) {
        let mut beside = transmit.descriptors.into_iter().peekable();
        for (at, bytes) in transmit.pieces.into_iter().enumerate() {
            let descriptor = beside.next_if(|(piece, _)| *piece == at).and_then(|(_, id)| known(id));
            let _ = self.pieces.send(Piece { bytes, descriptor });
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reader.abort();
        self.writer.abort();
    }
}

/// A linked connection that has no owner yet.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) stream: Stream,
    /// What is to be written before anything else.
    pub(crate) greeting: Vec<u8>,
}

/// Starts the tasks of a connection. Its greeting is not reported; every event goes to `deliver`. Must be called on the
/// runtime.
pub(crate) fn connect(
    Opening { stream, greeting }: Opening,
    deliver: impl Fn(ConnectionEvent) + Send + Sync + 'static,
) -> Connection {
    match stream {
        Stream::Tcp(stream) => start(stream.into_split(), greeting, deliver),
        Stream::Unix(stream) => start(stream.into_split(), greeting, deliver),
        Stream::Layered(stream) => start(tokio::io::split(stream), greeting, deliver),
    }
}

fn start(
    (read_half, write_half): (impl AsyncRead + Send + Unpin + 'static, impl WriteHalf),
    greeting: Vec<u8>,
    deliver: impl Fn(ConnectionEvent) + Send + Sync + 'static,
) -> Connection {
    let (pieces, queue) = unbounded_channel();
    let token = Token(Arc::new(()));
    let of = token.clone();
    let from_writer = Arc::new(move |what| deliver(ConnectionEvent { of: of.clone(), what }));
    let from_reader = Arc::clone(&from_writer);
    let reader = tokio::spawn(async move {
        let end = read(read_half, &*from_reader).await;
        from_reader(Happened::Closed(end));
    });
    let writer = tokio::spawn(async move {
        if let Err(error) = write(write_half, greeting, queue, &*from_writer).await {
            from_writer(Happened::Closed(Err(error)));
        }
    });
    Connection { token, pieces, reader, writer }
}

async fn read(mut socket: impl AsyncRead + Unpin, deliver: &(impl Fn(Happened) + Sync)) -> io::Result<()> {
    let ahead = Arc::new(Semaphore::new(READ_AHEAD));
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(READ_SIZE);
        let len = (&mut socket).take(READ_SIZE as u64).read_buf(&mut buffer).await?;
        if len == 0 {
            return Ok(());
        }
        let permits = u32::try_from(len).unwrap_or(u32::MAX);
        let Ok(place) = Arc::clone(&ahead).acquire_many_owned(permits).await else { return Ok(()) };
        deliver(Happened::Read(buffer.split().freeze(), ReadPermit { _place: Arc::new(place) }));
    }
}

async fn write(
    mut socket: impl WriteHalf,
    greeting: Vec<u8>,
    mut queue: UnboundedReceiver<Piece>,
    deliver: &(impl Fn(Happened) + Sync),
) -> io::Result<()> {
    socket.write_all(&greeting).await?;
    socket.flush().await?;
    let mut batch = Vec::with_capacity(WRITE_PIECES);
    while queue.recv_many(&mut batch, WRITE_PIECES).await > 0 {
        let mut pieces = batch.as_mut_slice();
        while let Some(first) = pieces.first_mut() {
            let len = if let Some(descriptor) = first.descriptor.take() {
                socket.write_beside(&first.bytes, &descriptor).await?
            } else {
                let bare = pieces.iter().take_while(|piece| piece.descriptor.is_none());
                let slices: Vec<IoSlice<'_>> = bare.map(|piece| IoSlice::new(&piece.bytes)).collect();
                socket.write_vectored(&slices).await?
            };
            if len == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            pieces = skip(pieces, len);
            deliver(Happened::Written(len));
        }
        batch.clear();
        // A layer may hold back what is not yet a whole record of its own.
        socket.flush().await?;
    }
    Ok(())
}

/// What is left of `pieces` after their first `len` bytes.
fn skip(pieces: &mut [Piece], mut len: usize) -> &mut [Piece] {
    let mut done = 0;
    for piece in pieces.iter_mut() {
        if piece.bytes.len() > len {
            piece.bytes.advance(len);
            break;
        }
        len -= piece.bytes.len();
        done += 1;
    }
    pieces.get_mut(done..).unwrap_or(&mut [])
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixStream;
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[tokio::test]
    async fn what_a_connection_says_is_not_taken_for_anothers() {
        let (events, mut told) = unbounded_channel();
        let start = || {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let events = events.clone();
            let opening = Opening { stream: Stream::Unix(ours), greeting: Vec::new() };
            (connect(opening, move |event| drop(events.send(event))), theirs)
        };
        let (first, theirs) = start();
        let (second, _kept) = start();
        drop(theirs);
        let event = told.recv().await.unwrap();
        assert!(matches!(event.what, Happened::Closed(_)));
        assert!(first.has_said(&event) && !second.has_said(&event));
    }
}
