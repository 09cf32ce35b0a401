//! What an operator decides.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use spice_display::WorkerConfig;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

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

/// A password of at most [`Ticket::MAX_LEN`] bytes. It is not printed, and wiped when it is dropped.
#[derive(Clone)]
pub struct Ticket(Arc<Zeroizing<Vec<u8>>>);

/// A ticket that cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TicketError {
    /// No byte.
    #[error("the ticket is empty")]
    Empty,
    /// More bytes than viewers send.
    #[error("the ticket has {0} bytes, more than the {max} that viewers send", max = Ticket::MAX_LEN)]
    TooLong(usize),
    /// A NUL, which ends a ticket on the wire.
    #[error("the ticket has a NUL in it")]
    Nul,
}

impl Ticket {
    /// What viewers send at most (`SPICE_MAX_PASSWORD_LENGTH`).
    pub const MAX_LEN: usize = 60;

    /// A ticket of these bytes.
    ///
    /// # Errors
    /// No byte, more than [`Ticket::MAX_LEN`], a NUL among them.
    pub fn new(secret: &[u8]) -> Result<Self, TicketError> {
        match secret {
            [] => Err(TicketError::Empty),
            long if long.len() > Self::MAX_LEN => Err(TicketError::TooLong(long.len())),
            nul if nul.contains(&0) => Err(TicketError::Nul),
            secret => Ok(Self(Arc::new(Zeroizing::new(secret.to_vec())))),
        }
    }

    /// Whether `offered` is this ticket; takes the same time wherever they differ.
    #[must_use]
    pub(crate) fn matches(&self, offered: &[u8]) -> bool {
        self.0.ct_eq(offered).into()
    }
}

impl core::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Ticket")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_have_1_to_60_bytes_and_no_nul() {
        assert_eq!(Ticket::new(b"").unwrap_err(), TicketError::Empty);
        assert_eq!(Ticket::new(&[b'x'; 61]).unwrap_err(), TicketError::TooLong(61));
        assert_eq!(Ticket::new(b"a\0b").unwrap_err(), TicketError::Nul);
        let ticket = Ticket::new(&[b'x'; 60]).unwrap();
        assert!(ticket.matches(&[b'x'; 60]) && !ticket.matches(&[b'x'; 59]) && !ticket.matches(b""));
        assert_eq!(format!("{ticket:?}"), "Ticket");
    }
}
