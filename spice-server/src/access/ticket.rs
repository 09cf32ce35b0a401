//! Tickets: what opens a session for a viewer, and what the operator sees of them.

use core::fmt;
use core::time::Duration;

use super::permissions::{Permissions, Role};
use super::secret::Secret;
use super::users::Users;

/// Whom a server lets in.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Anybody who can connect, to do everything.
    Open,
    /// Who shows one of these.
    Required(Credentials),
}

impl Auth {
    /// Who knows this one password, to do everything.
    #[must_use]
    pub fn ticket(secret: Secret) -> Self {
        Self::Required(Credentials { tickets: vec![Ticket::new(secret)], users: None })
    }
}

/// What opens sessions when a server starts; while it runs, tickets come and go. None at all is nothing unusual: the
/// first comes later then.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Passwords, by the protocol's own mechanism.
    pub tickets: Vec<Ticket>,
    /// Users with passwords of their own, by SASL.
    pub users: Option<Users>,
}

/// A password, and what a viewer may do that shows it.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// The password.
    pub secret: Secret,
    /// What the operator calls it.
    pub name: Option<String>,
    /// What its viewers are.
    pub role: Role,
    /// What its viewers may do; [`Role::limit`] has the last word.
    pub permissions: Permissions,
    /// How long it opens sessions, from when the server has it. Those that are open by then stay.
    pub expires_after: Option<Duration>,
    /// Whether it opens only one session.
    pub single_use: bool,
}

impl Ticket {
    /// For any number of viewers that may do everything, for ever.
    #[must_use]
    pub const fn new(secret: Secret) -> Self {
        Self {
            secret,
            name: None,
            role: Role::Control,
            permissions: Permissions::all(),
            expires_after: None,
            single_use: false,
        }
    }
}

/// Which ticket; a server never gives the same number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketId(pub u64);

impl fmt::Display for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ticket {}", self.0)
    }
}

/// A ticket as the operator sees it: all but the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketInfo {
    /// Which one.
    pub id: TicketId,
    /// What the operator calls it.
    pub name: Option<String>,
    /// What its viewers are.
    pub role: Role,
    /// What its viewers may do.
    pub permissions: Permissions,
    /// How long it still opens sessions; zero when it no longer does, `None` when that has no end.
    pub expires_in: Option<Duration>,
    /// Whether it opens only one session.
    pub single_use: bool,
    /// Whether it has opened its only session.
    pub spent: bool,
    /// Sessions that it has opened and that are still there.
    pub viewers: usize,
}

/// Why a ticket is not taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddTicketError {
    /// As many as there may be.
    #[error("there are {0} tickets already, which is as many as there may be")]
    TooMany(usize),
    /// Another ticket with this password still opens sessions; whose role a viewer has would be anybody's guess.
    #[error("{0} has the same password")]
    Known(TicketId),
    /// Everybody is let in.
    #[error("the server lets everybody in; a ticket would keep nobody out")]
    Open,
}
