//! The pointer as it is.

use std::sync::Arc;

use spice_proto::Point16;

use crate::qxl::{CursorCommand, CursorShape};

#[derive(Debug)]
pub(super) struct Pointer {
    pub(super) position: Point16,
    pub(super) visible: bool,
    pub(super) shape: Option<Arc<CursorShape>>,
    /// How many copies trail it, and how often one is made.
    pub(super) trail: (u16, u16),
}

impl Default for Pointer {
    /// A device that has just been reset: shown, and of no shape yet.
    fn default() -> Self {
        Self { position: Point16::default(), visible: true, shape: None, trail: (0, 0) }
    }
}

impl Pointer {
    pub(super) fn apply(&mut self, command: &CursorCommand) {
        match command {
            CursorCommand::Hide => self.visible = false,
            CursorCommand::Move(position) => {
                self.position = *position;
                self.visible = true;
            }
            CursorCommand::Set { position, visible, shape } => {
                self.position = *position;
                self.visible = *visible;
                self.shape = Some(Arc::clone(shape));
            }
            CursorCommand::Trail { length, frequency } => self.trail = (*length, *frequency),
        }
    }
}
