//! From a guest's memory to what it says.
//!
//! [`parse()`] reads one command of a ring, and everything that it points to. Each structure is copied out in one piece
//! and each byte of data once, so a guest that writes its memory meanwhile gets a command with other numbers in it, and
//! no number is checked here and read again there.
//!
//! What is refused costs the guest that command. Its structure is given back to the guest all the same, wherever it has
//! been found: [`Refused::release`].

mod cursor;
mod draw;
mod error;
mod guest;
mod image;
mod monitors;
mod surface;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use spice_proto::SurfaceId;

use super::{Command, UpdateArea};
use crate::memory::{MemSlots, QxlPhysical};
use guest::{Guest, Record};

pub use super::place::SurfacePlace;
pub use error::{ParseError, ParseErrorKind};
pub use monitors::{MAX_HEADS, monitors_config};
pub use surface::{MAX_SURFACE, SurfaceCreate, primary_surface};

/// Most bytes of a message for the host's log. What is longer is cut.
pub const MAX_MESSAGE: u64 = 100_000;

spice_proto::open_enum! {
    /// What a command is (`QXL_CMD_*`).
    pub enum CommandKind: u32 {
        /// Nothing. No driver sends it, and it is refused.
        NOP = 0,
        /// A drawing command (`QXLDrawable`).
        DRAW = 1,
        /// An area that the guest wants to read (`QXLUpdateCmd`).
        UPDATE = 2,
        /// A command of the cursor ring (`QXLCursorCmd`).
        CURSOR = 3,
        /// A line for the host's log (`QXLMessage`).
        MESSAGE = 4,
        /// The life of an off-screen surface (`QXLSurfaceCmd`).
        SURFACE = 5,
    }
}

/// What else there is to know of how a command is laid out (`QXL_COMMAND_FLAG_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandFlags {
    /// Drawables and updates are those of QXL's first revision, which has one surface.
    pub compat: bool,
    /// Colours of brushes and palettes have 16 bits, x555.
    pub compat_16bpp: bool,
}

impl CommandFlags {
    /// The flags that are set in `bits`; others mean nothing.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self { compat: bits & 1 != 0, compat_16bpp: bits & 2 != 0 }
    }
}

/// A command as a ring has it (`QXLCommandExt`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QxlCommand {
    /// The group of memory slots that its addresses are of.
    pub group: u32,
    /// How it is laid out.
    pub flags: CommandFlags,
    /// What it is.
    pub kind: CommandKind,
    /// Where it is.
    pub data: QxlPhysical,
}

/// What the guest is to get back when a command is done with (`QXLReleaseInfoExt`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleaseInfo {
    /// The group of memory slots that the address is of.
    pub group: u32,
    /// Where the command's `release_info` is.
    pub address: QxlPhysical,
    /// What the guest had written there (`release_info.id`).
    pub id: u64,
}

/// A command, and what is to be given back for it.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// What the guest says.
    pub command: Command,
    /// What it gets back.
    pub release: ReleaseInfo,
    /// Where the pixels of the surface lie that it creates.
    pub surface: Option<SurfacePlace>,
}

/// A command that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Refused {
    /// Why.
    pub error: Box<ParseError>,
    /// What the guest gets back; nothing where the command was not found.
    pub release: Option<ReleaseInfo>,
}

/// Reads a command, and all that it points to, out of a guest's memory.
///
/// It takes memory in proportion to the guest's: less than eight times as many bytes as the group has, and for each
/// operand at most [`MAX_DATA`](crate::memory::MAX_DATA) bytes of the guest's.
///
/// # Errors
/// An address that names no memory, a structure or data that do not make sense, and why.
pub fn parse(slots: &MemSlots, command: &QxlCommand) -> Result<Parsed, Refused> {
    let guest = Guest { slots, group: command.group, flags: command.flags };
    let lost = |error| Refused { error: Box::new(error), release: None };
    let layout = Layout::of(command).map_err(lost)?;
    let mut record = guest.record(layout.name, command.data, layout.len).map_err(lost)?;
    let id = record.u64().map_err(lost)?;
    let group = command.group;
    let release = ReleaseInfo { group, address: command.data, id };
    match (layout.parse)(guest, &mut record) {
        Ok(command) => {
            let surface = surface::place(&record, group, &command);
            Ok(Parsed { command, release, surface })
        }
        Err(error) => Err(Refused { error: Box::new(error), release: Some(release) }),
    }
}

/// The structure that a command is.
struct Layout<'a> {
    name: &'static str,
    /// Bytes of it.
    len: usize,
    /// Reads it from behind its release info on.
    parse: fn(Guest<'a>, &mut Record<'a>) -> Result<Command, ParseError>,
}

impl Layout<'_> {
    fn of(command: &QxlCommand) -> Result<Self, ParseError> {
        Ok(match (command.kind, command.flags.compat) {
            (CommandKind::DRAW, false) => Self { name: "drawable", len: draw::NATIVE, parse: draw::native },
            (CommandKind::DRAW, true) => Self { name: "drawable", len: draw::COMPAT, parse: draw::compat },
            (CommandKind::UPDATE, false) => Self { name: "update", len: 32, parse: update },
            (CommandKind::UPDATE, true) => Self { name: "update", len: 28, parse: update },
            (CommandKind::CURSOR, _) => {
                Self { name: "cursor_cmd", len: cursor::COMMAND, parse: cursor::command }
            }
            (CommandKind::MESSAGE, _) => Self { name: "message", len: 8, parse: message },
            (CommandKind::SURFACE, _) => {
                Self { name: "surface_cmd", len: surface::COMMAND, parse: surface::command }
            }
            (CommandKind(kind), _) => {
                let kind = ParseErrorKind::Unknown(kind.into());
                return Err(ParseError { record: "command", field: "type", address: command.data, kind });
            }
        })
    }
}

/// `QXLUpdateCmd`, or `QXLCompatUpdateCmd`, which has no surface.
fn update(guest: Guest<'_>, record: &mut Record<'_>) -> Result<Command, ParseError> {
    let (area, update_id) = (record.rect()?, record.u32()?);
    let surface = if guest.flags.compat { SurfaceId::PRIMARY } else { SurfaceId(record.u32()?) };
    Ok(Command::Update(UpdateArea { surface, area, update_id }))
}

/// `QXLMessage`: bytes up to a zero.
fn message(_: Guest<'_>, record: &mut Record<'_>) -> Result<Command, ParseError> {
    let place = record.behind("data")?;
    let mut text = Vec::new();
    // Byte by byte, as what is behind the zero may not be there at all, whatever the slot says.
    for at in 0..place.room().min(MAX_MESSAGE) {
        let mut byte = [0];
        record.wrap("data", place.behind(at).and_then(|place| place.read(&mut byte)))?;
        if byte == [0] {
            break;
        }
        text.extend(byte);
    }
    Ok(Command::Message(Bytes::from(text)))
}
