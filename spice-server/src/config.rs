//! What an operator decides.

use std::net::SocketAddr;
use std::time::Duration;

use spice_display::WorkerConfig;

use crate::access::Auth;
use crate::audit::AuditSink;
use crate::events::ChannelEventSink;
use crate::guest::InputSink;
use crate::link::ChannelSecurity;
use crate::transport::{Listen, ListenAt, ProxyRules, TlsIdentity, WebSocketRules};

/// How a server listens, whom it lets in, and what it lets them take.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen; a server that listens nowhere has a guest all the same.
    pub listen: Vec<Listen>,
    /// Whom to let in.
    pub auth: Auth,
    /// The certificate, where TLS is spoken.
    pub tls: Option<TlsIdentity>,
    /// Which channels want TLS.
    pub security: ChannelSecurity,
    /// From where browsers may come.
    pub websocket: WebSocketRules,
    /// Proxies that say first from where a connection comes.
    pub proxies: ProxyRules,
    /// How the display treats its guest and its viewers.
    pub worker: WorkerConfig,
    /// How long a viewer may take nothing of what waits for it, or not answer.
    pub viewer_timeout: Duration,
    /// Viewers at a time; beyond it new ones are refused.
    pub max_viewers: usize,
    /// Whether a new viewer beyond that takes the place of the one that is here for longest, instead.
    pub displaces: bool,
    /// Whether this machine's own users and addresses are never locked out. Where all viewers come through a proxy here,
    /// one that guesses would lock out the others.
    pub spares_local: bool,
    /// How long a connection may take to link, from its first byte on.
    pub link_deadline: Duration,
    /// Connections that may be linking at the same time, in all. For a new one beyond it the oldest of those that have
    /// not sent a link message gives way.
    pub max_linking: usize,
    /// The same for one address (of IPv6, for 64 bits of it), or one user of this machine.
    pub max_linking_per_address: usize,
    /// Who is told who came, who was refused and who left.
    pub audit: Option<AuditSink>,
    /// Who is told of every connection that links a channel.
    pub channel_events: Option<ChannelEventSink>,
    /// Who takes the viewers' input; if nobody is named, the guest of display 0.
    pub inputs: Option<InputSink>,
    /// What the desktop is called.
    pub name: Option<String>,
    /// The desktop's UUID.
    pub uuid: Option<[u8; 16]>,
}

impl ServerConfig {
    /// The defaults: no TLS, thirty seconds for a viewer to take something, ten to link, 512 connections linking at the
    /// same time, 128 of them from one address, 1000 viewers.
    #[must_use]
    pub fn new(listen: SocketAddr, auth: Auth) -> Self {
        Self {
            listen: vec![Listen::new(ListenAt::Tcp(listen))],
            auth,
            tls: None,
            security: ChannelSecurity::default(),
            websocket: WebSocketRules::default(),
            proxies: ProxyRules::default(),
            worker: WorkerConfig::default(),
            viewer_timeout: Duration::from_secs(30),
            max_viewers: 1000,
            displaces: false,
            spares_local: false,
            link_deadline: Duration::from_secs(10),
            max_linking: 512,
            max_linking_per_address: 128,
            audit: None,
            channel_events: None,
            inputs: None,
            name: None,
            uuid: None,
        }
    }
}
