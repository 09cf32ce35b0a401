//! One viewer of the cursor channel.

use spice_channel::{
    ChannelConfig, ChannelError, ChannelLink, Pipe, PipeLimits, RedChannelClient, Time, Transmit,
};
use spice_proto::cursor::ServerMessage;
use spice_proto::{DecodeError, DecodeErrorKind};

use super::marshal::{catch_up_message, command_message, init_message};
use super::pointer::Pointer;
use crate::qxl::CursorCommand;

/// What a viewer's pipe may hold: a second of a fast hand.
const LIMITS: PipeLimits = PipeLimits { items: 64, bytes: 4 << 20 };

#[derive(Debug)]
pub(super) struct CursorViewer {
    red: RedChannelClient,
    pipe: Pipe<CursorCommand>,
    /// What waited has been taken back: one message will bring the viewer to where the pointer is by then.
    behind: bool,
}

impl CursorViewer {
    pub(super) fn new(link: &ChannelLink, config: ChannelConfig, pointer: &Pointer, now: Time) -> Self {
        let mut viewer = Self {
            red: RedChannelClient::new(link.header(), config, now),
            pipe: Pipe::new(LIMITS),
            behind: false,
        };
        viewer.send(&init_message(pointer));
        viewer
    }

    pub(super) fn handle_bytes(&mut self, bytes: &[u8], now: Time) -> Result<(), ChannelError> {
        self.red.handle_bytes(bytes, now);
        match self.red.poll_message(now)? {
            None => Ok(()),
            Some(message) => Err(ChannelError::Decode(DecodeError {
                message: "cursor",
                field: "type",
                offset: 0,
                kind: DecodeErrorKind::Unknown { id: message.id },
            })),
        }
    }

    pub(super) fn handle_command(&mut self, command: &CursorCommand) {
        let weight = match command {
            CursorCommand::Set { shape, .. } => shape.data.len(),
            CursorCommand::Hide | CursorCommand::Move(_) | CursorCommand::Trail { .. } => 0,
        };
        if self.behind || self.pipe.enqueue(command.clone(), weight).is_err() {
            self.fall_behind();
        }
    }

    /// Everything that waits is replaced by the pointer as it will be.
    pub(super) fn fall_behind(&mut self) {
        self.pipe.clear();
        self.behind = true;
    }

    pub(super) fn poll_transmit(&mut self, pointer: &Pointer, now: Time) -> Option<Transmit> {
        while self.red.has_room() {
            if std::mem::take(&mut self.behind) {
                self.send(&catch_up_message(pointer));
                continue;
            }
            let Some(command) = self.pipe.pop() else { break };
            self.send(&command_message(&command));
        }
        self.red.poll_transmit(now)
    }

    fn send(&mut self, message: &ServerMessage) {
        self.red.send(message.id(), &message.encode());
    }
}

impl AsRef<RedChannelClient> for CursorViewer {
    fn as_ref(&self) -> &RedChannelClient {
        &self.red
    }
}

impl AsMut<RedChannelClient> for CursorViewer {
    fn as_mut(&mut self) -> &mut RedChannelClient {
        &mut self.red
    }
}
