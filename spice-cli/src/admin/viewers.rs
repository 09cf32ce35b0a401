//! `/viewers`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use spice_server::{ClientId, ViewerDisplay};

use super::control::{Control, Present};
use super::json::{Body, Refusal, answer};
use crate::report::{self, State as Fares};
use crate::tickets::{May, Role};

/// A viewer, as it is told.
#[derive(Debug, Serialize)]
struct ViewerLine {
    id: u64,
    peer: String,
    transport: String,
    /// Seconds.
    connected: f64,
    role: Role,
    may: Vec<May>,
    ticket: Option<u64>,
    user: Option<String>,
    channels: Vec<String>,
    displays: Vec<DisplayLine>,
}

#[derive(Debug, Serialize)]
struct DisplayLine {
    display: u8,
    state: Fares,
    slow_link: bool,
    round_trip_ms: Option<f64>,
    /// Bytes a second.
    throughput: Option<u64>,
    in_flight: usize,
    room: usize,
    pipe_items: usize,
    pipe_bytes: usize,
    damaged_pixels: u64,
    squashes: u64,
    updates: u64,
    bytes: u64,
}

impl ViewerLine {
    fn new(present: Present) -> Self {
        let Present { viewer, transport, role, may, ticket, user } = present;
        Self {
            id: viewer.id.0,
            peer: viewer.peer.to_string(),
            transport,
            connected: report::tenths(viewer.connected.as_secs_f64()),
            role,
            may,
            ticket,
            user,
            channels: report::channels(&viewer),
            displays: viewer.displays.iter().map(DisplayLine::new).collect(),
        }
    }
}

impl DisplayLine {
    fn new(display: &ViewerDisplay) -> Self {
        let stats = &display.stats;
        Self {
            display: display.id.0,
            state: stats.state.into(),
            slow_link: stats.has_slow_link,
            round_trip_ms: stats.round_trip.map(|time| report::thousandths(time.as_secs_f64() * 1000.0)),
            throughput: stats.throughput,
            in_flight: stats.in_flight,
            room: stats.room,
            pipe_items: stats.queued,
            pipe_bytes: stats.queued_bytes,
            damaged_pixels: stats.damaged_pixels,
            squashes: stats.squashes,
            updates: stats.updates,
            bytes: stats.bytes,
        }
    }
}

#[derive(Debug, Serialize)]
struct Viewers {
    viewers: Vec<ViewerLine>,
}

pub(super) async fn list<C: Control>(State(control): State<C>) -> Result<Response, Refusal> {
    let viewers = control.viewers().await.ok_or_else(Refusal::ended)?;
    let viewers = viewers.into_iter().map(ViewerLine::new).collect();
    Ok(answer(StatusCode::OK, &Viewers { viewers }))
}

pub(super) async fn disconnect<C: Control>(
    State(control): State<C>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let viewer = viewer(&id)?;
    if control.disconnect(viewer).await { Ok(StatusCode::NO_CONTENT) } else { Err(unknown(&id)) }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRole {
    role: Role,
}

pub(super) async fn set_role<C: Control>(
    State(control): State<C>,
    Path(id): Path<String>,
    Body(NewRole { role }): Body<NewRole>,
) -> Result<StatusCode, Refusal> {
    let viewer = viewer(&id)?;
    if control.set_role(viewer, role).await { Ok(StatusCode::NO_CONTENT) } else { Err(unknown(&id)) }
}

fn viewer(id: &str) -> Result<ClientId, Refusal> {
    id.parse().map(ClientId).map_err(|_| unknown(id))
}

fn unknown(id: &str) -> Refusal {
    Refusal::not_found(format!("there is no viewer `{id}`"))
}
