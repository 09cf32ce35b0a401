//! The pointer as it is, and what changes it.

use std::sync::Arc;

use bytes::Bytes;
use spice_proto::Point16;
use spice_proto::cursor::CursorType;

use super::cache::{NamedShape, Shapes};
use crate::qxl::{CursorCommand, CursorShape};

/// The pointer of one display.
#[derive(Debug)]
pub(super) struct Pointer {
    pub(super) position: Point16,
    pub(super) visible: bool,
    pub(super) shape: Option<NamedShape>,
    pub(super) trail: Trail,
}

/// How many copies trail it, and how often one is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Trail {
    pub(super) length: u16,
    pub(super) frequency: u16,
}

/// A guest's command, its shape known by a number.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Hide,
    Move(Point16),
    Set { position: Point16, visible: bool, shape: NamedShape },
    Trail(Trail),
}

impl Default for Pointer {
    /// A device that has just been reset: shown, and of no shape yet.
    fn default() -> Self {
        Self { position: Point16::default(), visible: true, shape: None, trail: Trail::default() }
    }
}

impl Pointer {
    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Hide => self.visible = false,
            Change::Move(position) => {
                self.position = *position;
                self.visible = true;
            }
            Change::Set { position, visible, shape } => {
                self.position = *position;
                self.visible = *visible;
                self.shape = Some(shape.clone());
            }
            Change::Trail(trail) => self.trail = *trail,
        }
    }
}

impl Change {
    pub(super) fn new(command: &CursorCommand, shapes: &mut Shapes) -> Self {
        match command {
            CursorCommand::Hide => Self::Hide,
            CursorCommand::Move(position) => Self::Move(*position),
            CursorCommand::Set { position, visible, shape } => {
                let shape = if has_pixels(shape) { Arc::clone(shape) } else { Arc::new(clear()) };
                Self::Set { position: *position, visible: *visible, shape: shapes.name(&shape) }
            }
            CursorCommand::Trail { length, frequency } => {
                Self::Trail(Trail { length: *length, frequency: *frequency })
            }
        }
    }

    /// Bytes that stay in memory because of it.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Set { shape, .. } => shape.shape.data.len(),
            Self::Hide | Self::Move(_) | Self::Trail(_) => 0,
        }
    }
}

fn has_pixels(shape: &CursorShape) -> bool {
    shape.width > 0 && shape.height > 0 && !shape.data.is_empty()
}

/// What stands for a shape without a pixel, in whose place viewers go on showing the one before.
fn clear() -> CursorShape {
    CursorShape {
        unique: 0,
        kind: CursorType::ALPHA,
        width: 1,
        height: 1,
        hot_spot_x: 0,
        hot_spot_y: 0,
        data: Bytes::from_static(&[0; 4]),
    }
}
