//! Who may come in, and what they may do: tickets, users, roles, lock-outs, and the places of those not let in yet.
//!
//! Nothing here does I/O, reads a clock or has a lock. [`Access`](gate::Access) ties it together; whoever owns it asks
//! it about every attempt and tells it of every session.
//!
//! ```text
//! a link asks      may_try, before any key is used
//! it has shown     admit_ticket / a SaslExchange, then admit_user
//! it has a Grant   open_session, or give_back when it was not let in after all
//! it is gone       end_session
//! ```

mod gate;
mod lockout;
mod permissions;
mod places;
mod sasl;
mod secret;
mod store;
mod ticket;
mod users;

pub use gate::Credential;
pub(crate) use gate::{Access, Denied, Door, Grant};
pub(crate) use lockout::{LockedOut, Origin};
pub use permissions::{Permissions, Role, UnknownPermission, UnknownRole};
pub(crate) use places::{PlaceId, Places};
pub(crate) use sasl::{MAX_SASL_DATA, Progress, SaslExchange, SaslFailure};
pub use secret::{Secret, SecretError};
pub use ticket::{AddTicketError, Auth, Credentials, Ticket, TicketId, TicketInfo};
pub(crate) use users::DecoyKey;
pub use users::{UserError, Users, UsersError, verifier};
