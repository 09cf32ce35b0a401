//! The facade: binds, runs, ends.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rand::RngExt;
use socket2::{Domain, Protocol, Socket, Type};
use spice_channel::Channel;
use spice_display::RedWorker;
use spice_proto::main::MouseModes;
use spice_proto::{ChannelId, ChannelType};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{Auth, ServerConfig};
use crate::guest::Guest;
use crate::link::{Acceptor, KeyError, KeyPool, Offer};
use crate::reds::{InputsChannel, MainChannel, Reds, RedsEvent, RedsHandle};
use crate::stats::{Counters, Stats};
use crate::viewers::Viewers;
use crate::worker::{WorkerMailbox, WorkerThread};

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// There is no key for tickets.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The guest's thread cannot be started.
    #[error("cannot start the guest's thread: {0}")]
    Thread(io::Error),
}

/// A server that listens. It serves while [`Server::run`] runs, and ends with it.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    acceptor: Arc<Acceptor>,
    linking: Arc<Semaphore>,
    reds: RedsHandle,
    reds_task: JoinHandle<()>,
    worker: WorkerThread,
    counters: Arc<Counters>,
}

impl Server {
    /// Listens, and starts the guest. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// An address that cannot be listened on; keys or threads that cannot be had.
    pub async fn bind(config: ServerConfig, guest: Box<dyn Guest>) -> Result<Self, StartError> {
        let listen_error = |source| StartError::Listen { addr: config.listen, source };
        let listener = listen(config.listen).map_err(listen_error)?;
        let local_addr = listener.local_addr().map_err(listen_error)?;
        let keys = match config.auth {
            Auth::Open => KeyPool::open()?,
            Auth::Ticket(_) => KeyPool::tickets()?,
        };

        let positions = guest.takes_positions();
        let mode = if positions { MouseModes::CLIENT } else { MouseModes::SERVER };
        let inputs = InputsChannel::new(mode, config.viewer_timeout);
        let mut offer = Offer::default();
        let mut worker = config.worker.with_stall_limit(config.viewer_timeout);
        worker.display.seed = rand::rng().random();
        let mut core = RedWorker::new(&worker);
        let (display, cursor) = core.channels_mut();
        offer.add(ChannelType::DISPLAY, config.worker.id, display.caps());
        offer.add(ChannelType::CURSOR, config.worker.id, cursor.caps());
        offer.add(ChannelType::INPUTS, ChannelId(0), inputs.caps());
        let main = MainChannel::new(offer.channels(), positions, config.viewer_timeout);
        offer.add(ChannelType::MAIN, ChannelId(0), main.caps());

        let counters = Arc::new(Counters::default());
        let (reds, events) = unbounded_channel();
        let mailbox = WorkerMailbox::new();
        let actor = Reds::new(main, inputs, mailbox.handle(), &reds, Arc::clone(&counters));
        let worker =
            mailbox.start(core, guest, reds.clone(), Arc::clone(&counters)).map_err(StartError::Thread)?;
        Ok(Self {
            listener,
            local_addr,
            acceptor: Arc::new(Acceptor { offer, keys, auth: config.auth, deadline: config.link_deadline }),
            linking: Arc::new(Semaphore::new(config.max_linking)),
            reds,
            reds_task: tokio::spawn(actor.run(events)),
            worker,
            counters,
        })
    }

    /// Where the server listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Reads the server's counters, while it runs and after.
    pub fn stats(&self) -> impl Fn() -> Stats + Send + Sync + 'static {
        let counters = Arc::clone(&self.counters);
        move || counters.snapshot()
    }

    /// Tells who is here, while the server runs.
    #[must_use]
    pub fn viewers(&self) -> Viewers {
        Viewers::new(&self.reds)
    }

    /// Turns true when the guest has ended, if it ever does, and its last picture is with every viewer that keeps up.
    #[must_use]
    pub fn finished(&self) -> watch::Receiver<bool> {
        self.worker.finished.clone()
    }

    /// Serves until `until` is ready, then closes every connection.
    pub async fn run(mut self, until: impl Future<Output = ()>) {
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => self.accept(stream, peer),
                    Err(error) => {
                        // Out of descriptors, most likely: connections that end give some back.
                        tracing::warn!("cannot accept: {error}");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        self.reds_task.abort();
        let _ = tokio::task::spawn_blocking(move || self.worker.stop()).await;
    }

    fn accept(&self, stream: tokio::net::TcpStream, peer: SocketAddr) {
        let Ok(place) = Arc::clone(&self.linking).try_acquire_owned() else {
            tracing::warn!(%peer, "too many connections are linking; closed");
            return;
        };
        let (acceptor, reds) = (Arc::clone(&self.acceptor), self.reds.clone());
        tokio::spawn(async move {
            let linked = acceptor.link(stream, peer).await;
            drop(place);
            if let Some(linked) = linked {
                let _ = reds.send(RedsEvent::Linked(linked));
            }
        });
    }
}

const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Connections that the kernel holds for a server that is busy.
const BACKLOG: i32 = 1024;

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
