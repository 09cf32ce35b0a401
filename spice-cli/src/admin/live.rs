//! A server that runs, for the routes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use spice_server::{ClientId, Credential, Server, Stats, TicketId, TicketInfo, Viewer};

use super::control::{Control, Present, TicketLine};
use crate::plan::Quality;
use crate::tickets::{May, NewTicket, Role};

/// What is asked of a server.
#[derive(Clone)]
pub(crate) struct Live {
    control: spice_server::Control,
    stats: Arc<dyn Fn() -> Stats + Send + Sync>,
}

impl Live {
    pub(crate) fn new(server: &Server) -> Self {
        Self { control: server.control(), stats: Arc::new(server.stats()) }
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Live")
    }
}

impl Control for Live {
    fn stats(&self) -> Stats {
        (self.stats)()
    }

    fn linking(&self) -> usize {
        self.control.linking()
    }

    async fn viewers(&self) -> Option<Vec<Present>> {
        let viewers = self.control.viewers().await?;
        Some(viewers.into_iter().map(present).collect())
    }

    async fn disconnect(&self, viewer: ClientId) -> bool {
        self.control.disconnect(viewer).await
    }

    async fn set_role(&self, viewer: ClientId, role: Role) -> bool {
        self.control.set_role(viewer, role.into()).await
    }

    fn tickets(&self) -> Vec<TicketLine> {
        self.control.tickets().into_iter().map(line).collect()
    }

    fn add_ticket(&self, ticket: &NewTicket) -> Result<u64, String> {
        let id = self.control.add_ticket(ticket.ticket()?).map_err(|error| error.to_string())?;
        Ok(id.0)
    }

    fn expire_ticket(&self, ticket: u64, after: Duration) -> bool {
        self.control.expire_ticket(TicketId(ticket), after)
    }

    async fn revoke_ticket(&self, ticket: u64) -> Option<usize> {
        self.control.revoke_ticket(TicketId(ticket)).await
    }

    fn quality(&self) -> Quality {
        self.control.quality()
    }

    fn set_quality(&self, quality: Quality) {
        self.control.set_quality(quality);
    }
}

fn present(viewer: Viewer) -> Present {
    let (ticket, user) = match &viewer.credential {
        Credential::Nothing => (None, None),
        Credential::Ticket(id) => (Some(id.0), None),
        Credential::User(name) => (None, Some(name.clone())),
    };
    let (transport, role) = (viewer.transport.to_string(), viewer.role.into());
    let may = May::of(viewer.permissions);
    Present { viewer, transport, role, may, ticket, user }
}

fn line(ticket: TicketInfo) -> TicketLine {
    TicketLine {
        id: ticket.id.0,
        name: ticket.name.unwrap_or_default(),
        role: ticket.role.into(),
        may: May::of(ticket.permissions),
        expires_in: ticket.expires_in,
        single_use: ticket.single_use,
        spent: ticket.spent,
        viewers: ticket.viewers,
    }
}
