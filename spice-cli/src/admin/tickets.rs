//! `/tickets`.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::control::{Control, TicketLine};
use super::json::{Body, Refusal, answer};
use crate::args::Period;
use crate::tickets::{May, Role, SecretText, TicketSpec};

/// A ticket, as it is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line {
    id: u64,
    name: String,
    role: Role,
    may: Vec<May>,
    /// Seconds, rounded up; none for ever.
    expires: Option<u64>,
    single_use: bool,
    spent: bool,
    /// Those that it let in and that are still here.
    viewers: usize,
}

impl From<TicketLine> for Line {
    fn from(ticket: TicketLine) -> Self {
        let TicketLine { id, name, role, may, expires_in, single_use, spent, viewers } = ticket;
        Self { id, name, role, may, expires: expires_in.map(seconds), single_use, spent, viewers }
    }
}

/// Rounded up: what is not over yet is not told to be.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[derive(Debug, Serialize)]
struct Tickets {
    tickets: Vec<Line>,
}

pub(super) async fn list<C: Control>(State(control): State<C>) -> Response {
    let tickets = control.tickets().into_iter().map(Line::from).collect();
    answer(StatusCode::OK, &Tickets { tickets })
}

#[derive(Debug, Serialize)]
struct Added<'s> {
    id: u64,
    name: &'s str,
    /// One that was drawn here: this is the only time that it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'s str>,
}

pub(super) async fn add<C: Control>(
    State(control): State<C>,
    Body(spec): Body<TicketSpec>,
) -> Result<Response, Refusal> {
    let is_drawn = spec.secret.is_none();
    let refused = |error| Refusal(StatusCode::BAD_REQUEST, error);
    let ticket = spec.ticket(|| Ok(SecretText::draw()), || "admin".into()).map_err(refused)?;
    let id = control.add_ticket(&ticket).map_err(|error| Refusal(StatusCode::CONFLICT, error))?;
    let secret = is_drawn.then(|| ticket.secret.text());
    Ok(answer(StatusCode::CREATED, &Added { id, name: &ticket.name, secret }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewExpiry {
    expires: Period,
}

pub(super) async fn expire<C: Control>(
    State(control): State<C>,
    Path(id): Path<String>,
    Body(NewExpiry { expires }): Body<NewExpiry>,
) -> Result<StatusCode, Refusal> {
    let found = id.parse().is_ok_and(|ticket| control.expire_ticket(ticket, expires.0));
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(unknown(&id)) }
}

#[derive(Debug, Serialize)]
struct Revoked {
    /// Viewers that it had let in.
    ended: usize,
}

pub(super) async fn revoke<C: Control>(
    State(control): State<C>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let ticket = id.parse().map_err(|_| unknown(&id))?;
    let ended = control.revoke_ticket(ticket).await.ok_or_else(|| unknown(&id))?;
    Ok(answer(StatusCode::OK, &Revoked { ended }))
}

fn unknown(id: &str) -> Refusal {
    Refusal::not_found(format!("there is no ticket `{id}`"))
}
