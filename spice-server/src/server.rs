//! The facade: binds, runs, ends.

use std::future::Future;
use std::io;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rand::RngExt;
use spice_channel::Channel;
use spice_proto::main::MouseModes;
use spice_proto::{ChannelId, ChannelType};
use tokio::runtime::Handle;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::access::{AddTicketError, Auth, DecoyKey};
use crate::audit::Audit;
use crate::config::ServerConfig;
use crate::control::Control;
use crate::devices::Devices;
use crate::displays::{AddDisplayError, Displays};
use crate::front::Front;
use crate::guest::Guest;
use crate::link::{Acceptor, Admission, Checks, KeyError, KeyPool, Linking, Rules, SharedOffer};
use crate::reds::{InputsChannel, MainChannel, Policy, Reds, RedsHandle};
use crate::stats::{Counters, Stats};
use crate::transport::{Incoming, ListenAt, Listener, Opened, Opener, Tls, TlsError};
use crate::viewers::Viewers;

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A place cannot be listened at.
    #[error("cannot listen on {at}: {source}")]
    Listen {
        /// The place.
        at: ListenAt,
        /// Why.
        source: io::Error,
    },
    /// There is no certificate to speak TLS with.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The tickets cannot all be.
    #[error("a ticket cannot be taken: {0}")]
    Ticket(#[from] AddTicketError),
    /// There is no key for tickets.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no display for the guest.
    #[error(transparent)]
    Display(#[from] AddDisplayError),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

/// A server that listens. It serves while [`Server::run`] runs, and ends with it.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<Listener>,
    local_addrs: Vec<ListenAt>,
    /// Connections that somebody else has accepted.
    accepted: Vec<Incoming>,
    front: Arc<Front>,
    reds: RedsHandle,
    reds_task: JoinHandle<()>,
    displays: Arc<Displays>,
    finished: watch::Receiver<bool>,
    control: Control,
    counters: Arc<Counters>,
}

impl Server {
    /// Listens, and starts the guest, as display 0. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// A place that cannot be listened at; a certificate, keys or threads that cannot be had.
    pub async fn bind(config: ServerConfig, guest: Box<dyn Guest>) -> Result<Self, StartError> {
        let mut server = Self::open(config).await?;
        server.control.set_positions(guest.takes_positions());
        server.finished = server.control.add_display(ChannelId(0), guest)?;
        Ok(server)
    }

    /// Listens, without any display: those come by [`Control::add_display`]. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// As [`Server::bind`].
    pub async fn open(config: ServerConfig) -> Result<Self, StartError> {
        let tls = config.tls.map(Tls::load).transpose()?.map(Arc::new);
        let (mut listeners, mut accepted) = (Vec::new(), Vec::new());
        for listen in &config.listen {
            let opened = Opened::open(listen);
            match opened.map_err(|source| StartError::Listen { at: listen.at.clone(), source })? {
                Opened::Listener(listener) => listeners.push(listener),
                Opened::Connection(incoming) => accepted.push(incoming),
            }
        }
        let local_addrs = listeners.iter().map(|listener| listener.at().clone()).collect();
        let keys = KeyPool::new()?;
        // Where nobody can come in by himself, keys are begun with who is brought.
        if matches!(config.auth, Auth::Required(_)) && !config.listen.is_empty() {
            keys.start()?;
        }

        let offer = SharedOffer::default();
        let inputs = InputsChannel::new(MouseModes::SERVER, config.viewer_timeout);
        let mut main = MainChannel::new(config.viewer_timeout);
        main.offer(ChannelType::INPUTS, ChannelId(0));
        main.set_name(config.name);
        main.set_uuid(config.uuid);
        offer.add(ChannelType::INPUTS, ChannelId(0), &inputs.caps());
        offer.add(ChannelType::MAIN, ChannelId(0), &main.caps());

        let counters = Arc::new(Counters::default());
        let audit = Arc::new(Audit::new(config.audit, Arc::clone(&counters)));
        let admission = Arc::new(Admission::new(&config.auth, config.spares_local)?);
        let (reds, events) = unbounded_channel();
        let policy = Policy {
            max_viewers: config.max_viewers,
            displaces: config.displaces,
            admission: Arc::clone(&admission),
            audit: Arc::clone(&audit),
            channel_events: config.channel_events,
            inputs: config.inputs,
        };
        let actor = Reds::new(main, inputs, &reds, policy, Arc::clone(&counters));
        let template = config.worker.with_stall_limit(config.viewer_timeout);
        let displays =
            Displays::new(template, offer.clone(), &reds, Arc::clone(&counters), Handle::current());
        let displays = Arc::new(displays);
        let devices = Arc::new(Devices::new(offer.clone(), &reds, config.viewer_timeout));
        let acceptor = Acceptor {
            opener: Opener { tls, websocket: config.websocket, proxies: config.proxies },
            rules: Rules {
                offer,
                keys,
                auth: config.auth,
                security: Arc::new(ArcSwap::from_pointee(config.security)),
                decoys: DecoyKey::new(rand::rng().random()),
            },
            admission,
            audit,
            deadline: config.link_deadline,
            checks: Checks::start().map_err(StartError::Thread)?,
        };
        let front = Arc::new(Front {
            acceptor: Arc::new(acceptor),
            linking: Arc::new(Linking::new(config.max_linking, config.max_linking_per_address)),
            reds: reds.clone(),
            runtime: Handle::current(),
            viewer_timeout: config.viewer_timeout,
        });
        let control = Control::new(&reds, &front, &displays, &devices);
        Ok(Self {
            listeners,
            local_addrs,
            accepted,
            front,
            reds,
            reds_task: tokio::spawn(actor.run(events)),
            displays,
            finished: watch::channel(false).1,
            control,
            counters,
        })
    }

    /// Where the server listens, with the ports that were taken.
    #[must_use]
    pub fn local_addrs(&self) -> &[ListenAt] {
        &self.local_addrs
    }

    /// The certificate that the server shows, if it speaks TLS.
    #[must_use]
    pub fn tls(&self) -> Option<&Tls> {
        self.front.acceptor.opener.tls.as_deref()
    }

    /// Looks after the server, while it runs.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
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

    /// Turns true when the guest of [`Server::bind`] has ended, if it ever does, and its last picture is with every viewer that keeps up.
    #[must_use]
    pub fn finished(&self) -> watch::Receiver<bool> {
        self.finished.clone()
    }

    /// Serves until `until` is ready, then closes every connection.
    pub async fn run(self, until: impl Future<Output = ()>) {
        let mut accepting = JoinSet::new();
        for incoming in self.accepted {
            self.front.receive(incoming);
        }
        for listener in self.listeners {
            accepting.spawn(accept(listener, Arc::clone(&self.front)));
        }
        until.await;
        accepting.shutdown().await;
        self.front.linking.end();
        self.reds_task.abort();
        let _ = tokio::task::spawn_blocking(move || self.displays.stop()).await;
    }
}

/// Lets connections in for ever.
async fn accept(listener: Listener, front: Arc<Front>) {
    loop {
        match listener.accept().await {
            Ok(incoming) => front.receive(incoming),
            Err(error) => {
                // Out of descriptors, most likely: connections that end give some back.
                tracing::warn!("cannot accept: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);
