//! From an event's parts to what the event says.

mod cursor;
mod draw;
mod image;
mod surface;

pub(super) use surface::content_format;

use super::Event;
use super::error::RecordingError;
use super::fields::Fields;
use super::refusal::Refusal;
use super::token::{Header, Parts};
use crate::qxl::{Command, DeviceEvent, GuestEvent, RawError, UpdateArea};
use spice_proto::SurfaceId;

/// [`Header::what`] of a command.
pub(super) const COMMAND: u32 = 0;
/// [`Header::what`] of a message to the worker.
const MESSAGE: u32 = 1;

/// Why an event is not expressed.
pub(super) enum Stop {
    /// The recording is broken.
    Broken(RecordingError),
    /// The event is fine, and cannot be expressed.
    Refused(Refusal),
}

impl From<RecordingError> for Stop {
    fn from(error: RecordingError) -> Self {
        Self::Broken(error)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Decodes one event.
pub(super) fn event(header: &Header, parts: &Parts) -> Result<Event, RecordingError> {
    let fields = Fields::new(parts);
    let decoded = match header.what {
        COMMAND => command(header.kind, fields).map(|command| Some(GuestEvent::Command(command))),
        MESSAGE => message(header.kind, fields).map(|event| event.map(GuestEvent::Device)),
        _ => Ok(None),
    };
    match decoded {
        Ok(Some(event)) => Ok(Event::Guest(event)),
        Ok(None) => Ok(Event::Ignored),
        Err(Stop::Refused(refusal)) => Ok(Event::Refused(refusal)),
        Err(Stop::Broken(error)) => Err(error),
    }
}

/// `QXL_CMD_*`.
fn command(kind: u32, mut fields: Fields<'_>) -> Result<Command, Stop> {
    let command = match kind {
        1 => Command::Draw(draw::drawable(&mut fields)?),
        2 => Command::Update(update(&mut fields)?),
        3 => Command::Cursor(cursor::cursor_command(&mut fields)?),
        4 => Command::Message(fields.data("message")?),
        5 => Command::Surface(surface::surface_command(&mut fields)?),
        other => return Err(Refusal::Command(other).into()),
    };
    fields.finish()?;
    Ok(command)
}

/// `RED_WORKER_MESSAGE_*`, of which a replay only needs the life of the surfaces.
fn message(kind: u32, mut fields: Fields<'_>) -> Result<Option<DeviceEvent>, Stop> {
    let event = match kind {
        19 => DeviceEvent::DestroySurfaces,
        20 | 29 => DeviceEvent::CreatePrimary(surface::primary(&mut fields)?),
        21 => DeviceEvent::DestroyPrimary,
        _ => return Ok(None),
    };
    fields.finish()?;
    Ok(Some(event))
}

fn update(fields: &mut Fields<'_>) -> Result<UpdateArea, RecordingError> {
    fields.keyword("update")?;
    let area = fields.rect("rect area")?;
    let update_id = fields.word("update_id")?;
    let surface = SurfaceId(fields.word("surface_id")?);
    Ok(UpdateArea { surface, area, update_id })
}

/// Refuses data that is not exactly as long as so many things are.
fn length(what: &'static str, count: u64, needed: usize, len: usize) -> Result<(), Refusal> {
    if len == needed { Ok(()) } else { Err(RawError::Length { what, count, len }.into()) }
}
