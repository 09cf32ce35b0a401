//! What the routes ask of the server.

use std::future::Future;
use std::time::Duration;

use spice_server::{ClientId, Stats, Viewer};

use crate::plan::Quality;
use crate::tickets::{May, NewTicket, Role};

/// A server that runs.
pub(crate) trait Control: Clone + Send + Sync + 'static {
    /// What it counts.
    fn stats(&self) -> Stats;

    /// How many connections are not in yet.
    fn linking(&self) -> usize;

    /// Who is here, and as what; none when the server has ended.
    fn viewers(&self) -> impl Future<Output = Option<Vec<Present>>> + Send;

    /// Ends a viewer; whether there was one.
    fn disconnect(&self, viewer: ClientId) -> impl Future<Output = bool> + Send;

    /// Gives a viewer another role; whether there was one.
    fn set_role(&self, viewer: ClientId, role: Role) -> impl Future<Output = bool> + Send;

    /// The tickets that somebody can still be let in with, or was.
    fn tickets(&self) -> Vec<TicketLine>;

    /// Adds a ticket, and tells its number; what cannot be is a sentence.
    fn add_ticket(&self, ticket: &NewTicket) -> Result<u64, String>;

    /// Has a ticket expire, from now; whether there was one.
    fn expire_ticket(&self, ticket: u64, after: Duration) -> bool;

    /// Takes a ticket away, and ends the viewers that it let in: how many; none where there was no ticket.
    fn revoke_ticket(&self, ticket: u64) -> impl Future<Output = Option<usize>> + Send;

    fn quality(&self) -> Quality;

    fn set_quality(&self, quality: Quality);
}

/// A viewer, and as what it is here.
#[derive(Clone, Debug)]
pub(crate) struct Present {
    pub(crate) viewer: Viewer,
    pub(crate) transport: String,
    pub(crate) role: Role,
    pub(crate) may: Vec<May>,
    pub(crate) ticket: Option<u64>,
    pub(crate) user: Option<String>,
}

/// A ticket without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TicketLine {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) may: Vec<May>,
    /// How long it lets in; none for ever.
    pub(crate) expires_in: Option<Duration>,
    pub(crate) single_use: bool,
    /// Whether it has let in whom it may.
    pub(crate) spent: bool,
    /// Those that it let in and that are still here.
    pub(crate) viewers: usize,
}
