//! A viewer's pointer: messages in, a shape and a place out.

use std::collections::BTreeMap;

use bytes::Bytes;
use spice_proto::Point16;
use spice_proto::cursor::{Cursor, CursorFlags, CursorHeader, Init, ServerMessage};

use crate::error::ModelError;

/// What the viewer draws: measures and data.
type Shape = (CursorHeader, Bytes);

/// The pointer of a viewer, and the shapes that it keeps, as spice-gtk does both. It is strict: what a real viewer would
/// warn of or leave out is an error here.
#[derive(Debug, Default)]
pub struct CursorModel {
    /// `INIT` has come, and no `RESET` since.
    begun: bool,
    kept: BTreeMap<u64, Shape>,
    shape: Option<Shape>,
    /// By the messages as they say.
    said: (Point16, bool),
    /// As spice-gtk takes them: no place but of `MOVE`, and hidden until the next one.
    moved: (Option<Point16>, bool),
    /// The same where the viewer's own mouse is the pointer: shown with any shape.
    local: bool,
    trail: (u16, u16),
    messages: BTreeMap<u16, u64>,
    bytes: usize,
}

/// The most that a viewer keeps.
const MOST: usize = 256;

impl CursorModel {
    /// What it draws, where the pointer is shown.
    #[must_use]
    pub fn shape(&self) -> Option<&(CursorHeader, Bytes)> {
        self.shape.as_ref()
    }

    /// Where the pointer is shown, by the server: `None` where it is not, or the viewer was never told.
    ///
    /// # Errors
    /// Viewers that take every message as it is meant show it elsewhere than spice-gtk.
    pub fn place(&self) -> Result<Option<Point16>, ModelError> {
        let said = self.said.1.then_some(self.said.0);
        let moved = self.moved.0.filter(|_| self.moved.1);
        let wrong = || ModelError(format!("said to be at {said:?}, shown at {moved:?}"));
        if said == moved { Ok(said) } else { Err(wrong()) }
    }

    /// Whether the pointer is shown, where the viewer's own mouse says where.
    ///
    /// # Errors
    /// Viewers that take every message as it is meant do otherwise than spice-gtk.
    pub fn is_shown(&self) -> Result<bool, ModelError> {
        let said = self.said.1;
        let wrong = || ModelError(format!("shown: {said} and {}", self.local));
        if said == self.local { Ok(said) } else { Err(wrong()) }
    }

    /// How many copies trail it.
    #[must_use]
    pub const fn trail(&self) -> (u16, u16) {
        self.trail
    }

    /// How many messages of this number have come.
    #[must_use]
    pub fn count(&self, id: u16) -> u64 {
        self.messages.get(&id).copied().unwrap_or(0)
    }

    /// Bytes of all messages.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that it keeps in memory for shapes to come.
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        let unpacked = |(header, _): &Shape| u64::from(header.width) * u64::from(header.height) * 4;
        self.kept.values().map(unpacked).sum()
    }

    /// Takes one message.
    ///
    /// # Errors
    /// It does not decode, it comes out of turn, it names a shape that the viewer does not have, it has it keep one that
    /// it cannot keep.
    pub fn handle(&mut self, id: u16, body: &Bytes) -> Result<(), ModelError> {
        self.take(id, body).map_err(ModelError)
    }

    fn take(&mut self, id: u16, body: &Bytes) -> Result<(), String> {
        *self.messages.entry(id).or_default() += 1;
        self.bytes += body.len();
        let message = ServerMessage::decode(id, body).map_err(|error| error.to_string())?;
        let begins = matches!(message, ServerMessage::Init(_));
        if begins == self.begun {
            return Err(format!("{message:?} out of turn"));
        }
        match message {
            ServerMessage::Init(init) => self.init(&init)?,
            ServerMessage::Reset => {
                self.begun = false;
                self.kept.clear();
            }
            ServerMessage::Set(set) => {
                self.shape = self.cursor(&set.cursor)?;
                self.said = (set.position, set.visible != 0);
                self.local = true;
            }
            ServerMessage::Move(position) => {
                if self.shape.is_none() {
                    return Err("a pointer without a shape goes somewhere".into());
                }
                self.said = (position, true);
                self.moved = (Some(position), true);
                self.local = true;
            }
            ServerMessage::Hide => {
                self.said.1 = false;
                self.moved.1 = false;
                self.local = false;
            }
            ServerMessage::Trail(trail) => self.trail = (trail.length, trail.frequency),
            ServerMessage::InvalOne(number) => {
                self.kept.remove(&number).ok_or_else(|| format!("shape {number} goes and is not there"))?;
            }
            ServerMessage::InvalAll => self.kept.clear(),
            _ => return Err(format!("message {id} is not known")),
        }
        Ok(())
    }

    fn init(&mut self, init: &Init) -> Result<(), String> {
        self.begun = true;
        self.kept.clear();
        self.shape = self.cursor(&init.cursor)?;
        let visible = init.visible != 0;
        self.said = (init.position, visible);
        self.moved = (None, visible && self.shape.is_some() && self.moved.1);
        self.local = visible;
        self.trail = (init.trail_length, init.trail_frequency);
        Ok(())
    }

    fn cursor(&mut self, cursor: &Cursor) -> Result<Option<Shape>, String> {
        let Some(header) = cursor.header else { return Ok(None) };
        if cursor.flags.contains(CursorFlags::FROM_CACHE) {
            let kept = self.kept.get(&header.unique);
            let kept = kept.ok_or_else(|| format!("shape {} is not kept", header.unique))?;
            // What is drawn is the measures that were kept, too; another viewer may go by those that are sent.
            return if kept.0 == header { Ok(Some(kept.clone())) } else { Err("other measures".into()) };
        }
        if cursor.data.is_empty() || header.width == 0 || header.height == 0 {
            return Err("a shape without a pixel".into());
        }
        let shape = (header, cursor.data.clone());
        if cursor.flags.contains(CursorFlags::CACHE_ME) {
            if header.unique == 0 || self.kept.insert(header.unique, shape.clone()).is_some() {
                return Err(format!("shape {} cannot be kept", header.unique));
            }
            if self.kept.len() > MOST {
                return Err(format!("{} shapes are kept", self.kept.len()));
            }
        }
        Ok(Some(shape))
    }
}
