//! What an operator decides.

use std::net::SocketAddr;
use std::time::Duration;

use spice_display::WorkerConfig;

pub use crate::access::{Secret as Ticket, SecretError as TicketError};

/// How a server listens, whom it lets in, and what it lets them take.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// Whom to let in.
    pub auth: Auth,
    /// How the display treats its guest and its viewers.
    pub worker: WorkerConfig,
    /// How long a viewer may take nothing of what waits for it, or not answer.
    pub viewer_timeout: Duration,
    /// How long a connection may take to link.
    pub link_deadline: Duration,
    /// Connections that may be linking at the same time; beyond it new ones are closed.
    pub max_linking: usize,
}

impl ServerConfig {
    /// The defaults: thirty seconds for a viewer to take something, ten to link, 512 connections linking at the same time.
    #[must_use]
    pub fn new(listen: SocketAddr, auth: Auth) -> Self {
        Self {
            listen,
            auth,
            worker: WorkerConfig::default(),
            viewer_timeout: Duration::from_secs(30),
            link_deadline: Duration::from_secs(10),
            max_linking: 512,
        }
    }
}

/// Whom a server lets in.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Anybody who can connect.
    Open,
    /// Who knows the ticket.
    Ticket(Ticket),
}
