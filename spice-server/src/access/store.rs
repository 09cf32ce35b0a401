//! The tickets that a server has.

use core::time::Duration;
use std::collections::BTreeMap;

use spice_channel::Time;
use subtle::{Choice, ConditionallySelectable};

use super::secret::Offered;
use super::ticket::{AddTicketError, Ticket, TicketId, TicketInfo};

/// Tickets that there may be.
const TICKETS: usize = 1024;
/// A ticket that opens nothing any more, and that no session has, is kept so long, for the log and the operator.
const KEEP: Duration = Duration::from_secs(600);

/// Every ticket, by number.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    next: u64,
    held: BTreeMap<TicketId, Held>,
}

/// A ticket and what has become of it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) ticket: Ticket,
    expires: Option<Time>,
    spent: Option<Time>,
    /// Whether it has ever opened a session.
    opened: bool,
    viewers: usize,
}

/// What an offered password is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No ticket's.
    Nothing,
    /// That of a ticket which opens sessions.
    Valid(TicketId),
    /// That of a ticket whose time is over.
    Expired(TicketId),
    /// That of a ticket that has opened its only session.
    Spent(TicketId),
}

impl Held {
    fn has_expired(&self, now: Time) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    fn opens(&self, now: Time) -> bool {
        self.spent.is_none() && !self.has_expired(now)
    }

    /// Since when it opens nothing, if it does not.
    fn over_since(&self, now: Time) -> Option<Time> {
        let expired = self.expires.filter(|expires| *expires <= now);
        [expired, self.spent].into_iter().flatten().min()
    }
}

impl Tickets {
    pub(super) fn add(&mut self, ticket: Ticket, now: Time) -> Result<TicketId, AddTicketError> {
        self.sweep(now);
        let offered = Offered::from(&ticket.secret);
        if let Found::Valid(known) = self.find(&offered, now) {
            return Err(AddTicketError::Known(known));
        }
        if self.held.len() >= TICKETS {
            self.drop_oldest_over(now)?;
        }
        let id = TicketId(self.next);
        self.next += 1;
        let expires = ticket.expires_after.map(|span| now + span);
        self.held.insert(id, Held { ticket, expires, spent: None, opened: false, viewers: 0 });
        Ok(id)
    }

    /// What `offered` is, compared with every ticket and each in the same time. Where several have the same password,
    /// one that opens sessions counts, and otherwise the latest.
    pub(super) fn find(&self, offered: &Offered, now: Time) -> Found {
        let (mut valid, mut any) = (0, 0);
        for (id, held) in &self.held {
            let is = offered.is(&held.ticket.secret);
            // Numbers begin with 0, which stands for none here.
            let number = id.0 + 1;
            any.conditional_assign(&number, is);
            valid.conditional_assign(&number, is & Choice::from(u8::from(held.opens(now))));
        }
        match (valid, any) {
            (0, 0) => Found::Nothing,
            (0, number) => {
                let id = TicketId(number - 1);
                let spent = self.held.get(&id).is_some_and(|held| held.spent.is_some());
                if spent { Found::Spent(id) } else { Found::Expired(id) }
            }
            (number, _) => Found::Valid(TicketId(number - 1)),
        }
    }

    /// Whether `offered` is this ticket, whatever has become of it.
    pub(super) fn is(&self, id: TicketId, offered: &Offered) -> bool {
        self.held.get(&id).is_some_and(|held| offered.is(&held.ticket.secret).into())
    }

    pub(super) fn of(&self, id: TicketId) -> Option<&Ticket> {
        self.held.get(&id).map(|held| &held.ticket)
    }

    /// Takes a ticket of single use out of use. Any other stays as it is.
    pub(super) fn spend(&mut self, id: TicketId, now: Time) {
        if let Some(held) = self.held.get_mut(&id)
            && held.ticket.single_use
        {
            held.spent = held.spent.or(Some(now));
        }
    }

    /// Undoes [`Self::spend`], unless a session has come of it.
    pub(super) fn give_back(&mut self, id: TicketId) {
        if let Some(held) = self.held.get_mut(&id)
            && !held.opened
        {
            held.spent = None;
        }
    }

    /// A session has this ticket; whether there is such a ticket at all.
    pub(super) fn enter(&mut self, id: TicketId) -> bool {
        let Some(held) = self.held.get_mut(&id) else { return false };
        held.opened = true;
        held.viewers += 1;
        true
    }

    /// The session is gone.
    pub(super) fn exit(&mut self, id: TicketId) {
        if let Some(held) = self.held.get_mut(&id) {
            held.viewers = held.viewers.saturating_sub(1);
        }
    }

    pub(super) fn expire(&mut self, id: TicketId, at: Time) -> bool {
        let Some(held) = self.held.get_mut(&id) else { return false };
        held.expires = Some(at);
        true
    }

    pub(super) fn remove(&mut self, id: TicketId) -> bool {
        self.held.remove(&id).is_some()
    }

    pub(super) fn list(&mut self, now: Time) -> Vec<TicketInfo> {
        self.sweep(now);
        let info = |(id, held): (&TicketId, &Held)| TicketInfo {
            id: *id,
            name: held.ticket.name.clone(),
            role: held.ticket.role,
            permissions: held.ticket.role.limit(held.ticket.permissions),
            expires_in: held.expires.map(|expires| expires.since(now)),
            single_use: held.ticket.single_use,
            spent: held.spent.is_some(),
            viewers: held.viewers,
        };
        self.held.iter().map(info).collect()
    }

    fn sweep(&mut self, now: Time) {
        self.held.retain(|_, held| {
            held.viewers > 0 || held.over_since(now).is_none_or(|since| now < since + KEEP)
        });
    }

    fn drop_oldest_over(&mut self, now: Time) -> Result<(), AddTicketError> {
        let over = |(id, held): (&TicketId, &Held)| {
            (held.viewers == 0).then_some(())?;
            held.over_since(now).map(|since| (since, *id))
        };
        let (_, id) = self.held.iter().filter_map(over).min().ok_or(AddTicketError::TooMany(TICKETS))?;
        self.held.remove(&id);
        Ok(())
    }
}
