//! The gate: every attempt to come in, and every session that has come of one.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use spice_channel::Time;
use spice_proto::ConnectionId;

use super::lockout::{LockedOut, Lockout, Origin};
use super::permissions::{Permissions, Role};
use super::sasl::SaslExchange;
use super::secret::Offered;
use super::store::{Found, Tickets};
use super::ticket::{AddTicketError, Auth, Ticket, TicketId, TicketInfo};
use super::users::{DecoyKey, Users};

/// Failures at a session's channels that its own origin is spared a lock-out for. A viewer that links again needs
/// none; with more, a session would be a way to guess on while locked out.
const SPARED: u32 = 16;

/// What a link asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// A session of its own.
    Main,
    /// Another channel of this session.
    Channel(ConnectionId),
}

/// By what somebody has come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Nothing was asked.
    Nothing,
    /// The password of this ticket.
    Ticket(TicketId),
    /// The password of this user.
    User(String),
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Ticket(id) => id.fmt(f),
            Self::User(name) => write!(f, "user {name}"),
        }
    }
}

/// What an attempt has come to that was good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) credential: Credential,
    pub(crate) role: Role,
    /// Within the role's.
    pub(crate) permissions: Permissions,
}

/// An attempt that was not good. It is for the log: the peer is told no more than that it was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Denied {
    pub(crate) why: Why,
    /// The lock-out that began with it.
    pub(crate) began: Option<LockedOut>,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)?;
        if self.began.is_some() { f.write_str("; its origin is locked out now") } else { Ok(()) }
    }
}

impl std::error::Error for Denied {}

/// What was not good about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
    #[error("wrong ticket")]
    Wrong,
    #[error("{0} has expired")]
    Expired(TicketId),
    #[error("{0} is spent")]
    Spent(TicketId),
    #[error("the session is another user's")]
    OtherUser,
    #[error("locked out after too many failed attempts")]
    Locked { until: Time },
}

/// Who is let in. The owner passes a time that does not go back.
#[derive(Debug)]
pub(crate) struct Access {
    open: bool,
    tickets: Tickets,
    users: Option<Users>,
    lockout: Lockout,
    /// Origins on this machine are never locked out.
    spares_local: bool,
    sessions: BTreeMap<ConnectionId, Session>,
}

#[derive(Debug)]
struct Session {
    grant: Grant,
    origin: Origin,
    spared: u32,
}

impl Access {
    /// With these credentials.
    ///
    /// # Errors
    /// Two tickets with the same password, more than there may be.
    pub(crate) fn new(auth: &Auth, now: Time) -> Result<Self, AddTicketError> {
        let mut access = Self {
            open: matches!(auth, Auth::Open),
            tickets: Tickets::default(),
            users: None,
            lockout: Lockout::default(),
            spares_local: false,
            sessions: BTreeMap::new(),
        };
        if let Auth::Required(credentials) = auth {
            access.users.clone_from(&credentials.users);
            for ticket in &credentials.tickets {
                access.tickets.add(ticket.clone(), now)?;
            }
        }
        Ok(access)
    }

    /// Whether this origin may try this door, before anything is spent on it. A session's own origin may try its
    /// channels though it is locked out, some times: a viewer's channels do not suffer from who guesses beside it.
    ///
    /// # Errors
    /// It is locked out.
    pub(crate) fn may_try(&mut self, origin: Origin, door: &Door, now: Time) -> Result<(), LockedOut> {
        if self.open || (self.spares_local && origin.is_local()) || self.is_spared(origin, door) {
            Ok(())
        } else {
            self.lockout.check(origin, now)
        }
    }

    /// With origins on this machine never locked out, or as all others.
    #[must_use]
    pub(crate) fn sparing_local(self, spares_local: bool) -> Self {
        Self { spares_local, ..self }
    }

    /// Whether anybody is let in.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Lets in anybody from now on, or no longer. Sessions stay as they are.
    pub(crate) fn set_open(&mut self, open: bool) {
        self.open = open;
    }

    /// Judges a ticket; `None` is one that did not decrypt. A good one of single use is spent by it at
    /// [`Door::Main`], until [`Self::give_back`]. A session's channel takes only the ticket that opened the session,
    /// and takes it though it has expired or is spent by then; the channel of a session that nobody has takes what
    /// [`Door::Main`] takes, and spends nothing, so that ids cannot be probed without a ticket.
    ///
    /// # Errors
    /// It is not good, which is counted, or the origin is locked out, and nothing was compared.
    pub(crate) fn admit_ticket(
        &mut self,
        origin: Origin,
        door: &Door,
        offered: Option<&[u8]>,
        now: Time,
    ) -> Result<Grant, Denied> {
        if self.open {
            return Ok(Grant::open());
        }
        self.check(origin, door, now)?;
        // No ticket is empty, so what did not decrypt is compared like all else and is none of them.
        let offered = Offered::new(offered.unwrap_or_default());
        let found = match self.session(door) {
            Some(session) => match session.grant.credential {
                Credential::Ticket(id) if self.tickets.is(id, &offered) => Found::Valid(id),
                _ => Found::Nothing,
            },
            None => self.tickets.find(&offered, now),
        };
        let why = match found {
            Found::Valid(id) => {
                if *door == Door::Main {
                    self.tickets.spend(id, now);
                }
                match self.tickets.of(id) {
                    Some(ticket) => {
                        return Ok(Grant::of(Credential::Ticket(id), ticket.role, ticket.permissions));
                    }
                    None => Why::Wrong,
                }
            }
            Found::Nothing => Why::Wrong,
            Found::Expired(id) => Why::Expired(id),
            Found::Spent(id) => Why::Spent(id),
        };
        Err(Denied { why, began: self.fail(origin, door, now) })
    }

    /// The exchange in which a viewer shows which user it is; `None` where there are no users. At the channel of a
    /// session nobody but the session's own user passes it: the others' passwords cannot be guessed there.
    pub(crate) fn sasl(&self, door: &Door, secure: bool, decoys: &DecoyKey) -> Option<SaslExchange> {
        let users = self.users.clone()?;
        let exchange = SaslExchange::new(users, decoys.clone(), secure);
        Some(match self.session(door).map(|session| &session.grant.credential) {
            None => exchange,
            Some(Credential::User(name)) => exchange.only_for(Some(name)),
            Some(Credential::Nothing | Credential::Ticket(_)) => exchange.only_for(None),
        })
    }

    /// Judges a user, once a [`SaslExchange`] has said that it is this one.
    ///
    /// # Errors
    /// The session is another user's or there is no such user, which is counted, or the origin is locked out.
    pub(crate) fn admit_user(
        &mut self,
        origin: Origin,
        door: &Door,
        user: &str,
        now: Time,
    ) -> Result<Grant, Denied> {
        if self.open {
            return Ok(Grant::open());
        }
        self.check(origin, door, now)?;
        let is_its =
            |session: &Session| matches!(&session.grant.credential, Credential::User(name) if name == user);
        if self.session(door).is_none_or(is_its)
            && let Some((role, permissions)) = self.users.as_ref().and_then(|users| users.rights(user))
        {
            return Ok(Grant::of(Credential::User(user.to_owned()), role, permissions));
        }
        Err(Denied { why: Why::OtherUser, began: self.fail(origin, door, now) })
    }

    /// Counts an attempt that failed before it could be judged here, such as a SASL exchange; `Some` when a lock-out
    /// begins with it. While the origin is locked out, only what it was spared for counts.
    pub(crate) fn fail(&mut self, origin: Origin, door: &Door, now: Time) -> Option<LockedOut> {
        if self.open || (self.spares_local && origin.is_local()) {
            return None;
        }
        if self.is_spared(origin, door) {
            if let Some(session) = self.session_mut(door) {
                session.spared += 1;
            }
        } else if self.lockout.check(origin, now).is_err() {
            return None;
        }
        self.lockout.fail(origin, now)
    }

    /// A good ticket has not opened a session after all; one of single use opens one again.
    pub(crate) fn give_back(&mut self, grant: &Grant) {
        if let Credential::Ticket(id) = grant.credential {
            self.tickets.give_back(id);
        }
    }

    /// A session has begun. False when what it came in by has been revoked in the meantime: it has no session then.
    #[must_use]
    pub(crate) fn open_session(&mut self, connection: ConnectionId, grant: Grant, origin: Origin) -> bool {
        self.end_session(connection);
        if let Credential::Ticket(id) = grant.credential
            && !self.tickets.enter(id)
        {
            return false;
        }
        self.sessions.insert(connection, Session { grant, origin, spared: 0 });
        true
    }

    /// A session has ended; for one that there is not, nothing.
    pub(crate) fn end_session(&mut self, connection: ConnectionId) {
        if let Some(session) = self.sessions.remove(&connection)
            && let Credential::Ticket(id) = session.grant.credential
        {
            self.tickets.exit(id);
        }
    }

    /// Takes up a ticket.
    ///
    /// # Errors
    /// There are too many, another one with its password opens sessions, or everybody is let in.
    pub(crate) fn add_ticket(&mut self, ticket: Ticket, now: Time) -> Result<TicketId, AddTicketError> {
        if self.open { Err(AddTicketError::Open) } else { self.tickets.add(ticket, now) }
    }

    /// Lets a ticket open sessions for so long from now, whatever it was made for; false when there is none. One that
    /// is spent stays so.
    pub(crate) fn expire_ticket(&mut self, id: TicketId, after: Duration, now: Time) -> bool {
        self.tickets.expire(id, now + after)
    }

    /// Takes a ticket away, and tells the sessions that it has opened, which whoever calls has to end; `None` when
    /// there is no such ticket. No further channel of these sessions comes in.
    pub(crate) fn revoke_ticket(&mut self, id: TicketId) -> Option<Vec<ConnectionId>> {
        if !self.tickets.remove(id) {
            return None;
        }
        let its =
            |(_, session): &(&ConnectionId, &Session)| session.grant.credential == Credential::Ticket(id);
        Some(self.sessions.iter().filter(its).map(|(connection, _)| *connection).collect())
    }

    /// The tickets, by number.
    pub(crate) fn tickets(&mut self, now: Time) -> Vec<TicketInfo> {
        self.tickets.list(now)
    }

    fn session(&self, door: &Door) -> Option<&Session> {
        match door {
            Door::Main => None,
            Door::Channel(connection) => self.sessions.get(connection),
        }
    }

    fn session_mut(&mut self, door: &Door) -> Option<&mut Session> {
        match door {
            Door::Main => None,
            Door::Channel(connection) => self.sessions.get_mut(connection),
        }
    }

    fn is_spared(&self, origin: Origin, door: &Door) -> bool {
        self.session(door).is_some_and(|session| session.origin == origin && session.spared < SPARED)
    }

    /// Attempts that were allowed to be tried may have become too many while they were under way.
    fn check(&mut self, origin: Origin, door: &Door, now: Time) -> Result<(), Denied> {
        self.may_try(origin, door, now)
            .map_err(|LockedOut { until }| Denied { why: Why::Locked { until }, began: None })
    }
}

impl Grant {
    pub(crate) fn open() -> Self {
        Self::of(Credential::Nothing, Role::Control, Permissions::all())
    }

    fn of(credential: Credential, role: Role, permissions: Permissions) -> Self {
        Self { credential, role, permissions: role.limit(permissions) }
    }
}

#[cfg(test)]
mod tests;
