//! The pointer as messages.

use spice_proto::cursor::{Cursor, CursorFlags, CursorHeader, Init, ServerMessage, Set, Trail};

use super::pointer::Pointer;
use crate::qxl::{CursorCommand, CursorShape};

pub(super) fn init_message(pointer: &Pointer) -> ServerMessage {
    ServerMessage::Init(Init {
        position: pointer.position,
        trail_length: pointer.trail.0,
        trail_frequency: pointer.trail.1,
        visible: u8::from(pointer.visible),
        cursor: shape(pointer.shape.as_deref()),
    })
}

/// The one message that brings a viewer to where the pointer is now.
pub(super) fn catch_up_message(pointer: &Pointer) -> ServerMessage {
    match pointer.shape.as_deref() {
        Some(it) => set_message(pointer, it),
        None => ServerMessage::Reset,
    }
}

pub(super) fn command_message(command: &CursorCommand) -> ServerMessage {
    match command {
        CursorCommand::Hide => ServerMessage::Hide,
        CursorCommand::Move(position) => ServerMessage::Move(*position),
        CursorCommand::Set { position, visible, shape: it } => ServerMessage::Set(Set {
            position: *position,
            visible: u8::from(*visible),
            cursor: shape(Some(it)),
        }),
        CursorCommand::Trail { length, frequency } => {
            ServerMessage::Trail(Trail { length: *length, frequency: *frequency })
        }
    }
}

fn set_message(pointer: &Pointer, it: &CursorShape) -> ServerMessage {
    ServerMessage::Set(Set {
        position: pointer.position,
        visible: u8::from(pointer.visible),
        cursor: shape(Some(it)),
    })
}

fn shape(shape: Option<&CursorShape>) -> Cursor {
    let Some(shape) = shape else { return Cursor::none() };
    let header = CursorHeader {
        unique: shape.unique,
        kind: shape.kind,
        width: shape.width,
        height: shape.height,
        hot_spot_x: shape.hot_spot_x,
        hot_spot_y: shape.hot_spot_y,
    };
    Cursor { flags: CursorFlags::empty(), header: Some(header), data: shape.data.clone() }
}
