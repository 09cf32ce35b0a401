//! Where requests come in: a Unix socket for this user alone, or a port of the loopback.

use std::io;
use std::net::TcpListener as StdTcpListener;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use spice_server::OwnSocket;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::control::Control;
use super::guard::Way;
use super::router::router;
use crate::args::AdminAddress;

/// Connections at a time. Others wait until one ends.
const MOST: usize = 64;

/// How long a connection may be that is told nothing: it asks nothing, or takes no answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long nobody is let in after nobody could be: there are no descriptors left, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that listens. A Unix socket's file is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct AdminSocket {
    socket: Bound,
    name: String,
}

#[derive(Debug)]
enum Bound {
    Unix(OwnSocket),
    Loopback(StdTcpListener),
}

impl AdminSocket {
    /// Listens.
    pub(crate) fn bind(address: &AdminAddress) -> Result<Self, String> {
        let socket = match address {
            AdminAddress::Unix(path) => Bound::Unix(
                OwnSocket::bind(path, MOST)
                    .map_err(|error| format!("cannot make admin socket {}: {error}", path.display()))?,
            ),
            AdminAddress::Loopback(addr) => {
                let listener = StdTcpListener::bind(addr)
                    .map_err(|error| format!("cannot listen on {addr} for --admin: {error}"))?;
                Bound::Loopback(listener)
            }
        };
        // The port may be one that was free.
        let name = match &socket {
            Bound::Unix(_) => address.to_string(),
            Bound::Loopback(listener) => match listener.local_addr() {
                Ok(addr) => format!("http://{addr}/"),
                Err(_) => address.to_string(),
            },
        };
        Ok(Self { socket, name })
    }

    /// Where it listens.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What answers requests, until it is dropped. Must be called on the runtime.
    pub(crate) fn serve<C: Control>(
        &self,
        control: C,
    ) -> Result<impl Future<Output = ()> + Send + use<C>, String> {
        self.serve_patiently(control, PATIENCE)
    }

    /// The same, for connections that are told nothing for so long.
    pub(super) fn serve_patiently<C: Control>(
        &self,
        control: C,
        patience: Duration,
    ) -> Result<impl Future<Output = ()> + Send + use<C>, String> {
        let failed = |error: io::Error| format!("{}: {error}", self.name);
        let (listener, way) = match &self.socket {
            Bound::Unix(socket) => {
                let listener: StdUnixListener = socket.try_clone().map_err(failed)?;
                (UnixListener::from_std(listener).map(Either::Unix).map_err(failed)?, Way::Unix)
            }
            Bound::Loopback(listener) => {
                listener.set_nonblocking(true).map_err(failed)?;
                let listener = listener.try_clone().map_err(failed)?;
                (TcpListener::from_std(listener).map(Either::Loopback).map_err(failed)?, Way::Loopback)
            }
        };
        let listener = Limited { listener, patience, places: Arc::new(Semaphore::new(MOST)) };
        let router = router(control, way);
        Ok(async move {
            // It has no end of its own, and none of its errors is one.
            let _ = axum::serve(listener, router).await;
        })
    }
}

#[derive(Debug)]
enum Either {
    Unix(UnixListener),
    Loopback(TcpListener),
}

/// Lets in as many as there are places.
#[derive(Debug)]
struct Limited {
    listener: Either,
    patience: Duration,
    places: Arc<Semaphore>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Listener for Limited {
    type Io = Caller;
    type Addr = ();

    async fn accept(&mut self) -> (Caller, ()) {
        // It is never closed.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        loop {
            let accepted: io::Result<Box<dyn Stream>> = match &self.listener {
                Either::Unix(listener) => {
                    listener.accept().await.map(|(stream, _)| Box::new(stream) as Box<dyn Stream>)
                }
                Either::Loopback(listener) => {
                    listener.accept().await.map(|(stream, _)| Box::new(stream) as Box<dyn Stream>)
                }
            };
            match accepted {
                Ok(stream) => return (Caller::new(stream, self.patience, place), ()),
                Err(error) => {
                    tracing::warn!("admin: cannot accept: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection with its place, which it loses when it was told nothing for too long.
struct Caller {
    stream: Box<dyn Stream>,
    patience: Duration,
    deadline: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Caller {
    fn new(stream: Box<dyn Stream>, patience: Duration, place: Option<OwnedSemaphorePermit>) -> Self {
        let deadline = Box::pin(sleep_until(Instant::now() + patience));
        Self { stream, patience, deadline, _place: place }
    }

    /// What the stream says, or that its time is over.
    fn in_time<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_pending() && self.deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl AsyncRead for Caller {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut *self.stream).poll_read(context, buffer);
        self.in_time(context, polled)
    }
}

impl AsyncWrite for Caller {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut *self.stream).poll_write(context, bytes);
        if polled.is_ready() {
            let deadline = Instant::now() + self.patience;
            self.deadline.as_mut().reset(deadline);
        }
        self.in_time(context, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut *self.stream).poll_flush(context);
        self.in_time(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut *self.stream).poll_shutdown(context);
        self.in_time(context, polled)
    }
}
