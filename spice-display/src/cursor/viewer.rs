//! One viewer of the cursor channel.

use spice_channel::{
    ChannelConfig, ChannelError, ChannelLink, Pipe, PipeLimits, RedChannelClient, Time, Transmit,
};
use spice_proto::cursor::{self as wire, Cursor, ServerMessage};
use spice_proto::{DecodeError, DecodeErrorKind, Point16};

use super::cache::{KeptShapes, NamedShape, Passage};
use super::marshal;
use super::pointer::{Change, Pointer, Trail};

/// What a viewer's pipe may hold: a second of a fast hand.
const LIMITS: PipeLimits = PipeLimits { items: 64, bytes: 4 << 20 };

/// A viewer, what it keeps and what it shows.
///
/// spice-gtk takes less from some messages than they say, so that others follow them: of `SET` neither the place nor
/// whether the pointer is shown, of `INIT` not the place. A pointer that it does not show it shows again at the next
/// `MOVE`, where it has one of before a `RESET`, too. After a `RESET` it takes nothing but `INIT`.
#[derive(Debug)]
pub(super) struct CursorViewer {
    red: RedChannelClient,
    pipe: Pipe<Change>,
    kept: KeptShapes,
    shown: Shown,
    /// What waited has been taken back: the viewer will be brought to where the pointer is by then.
    behind: bool,
}

/// What the viewer is known to show.
#[derive(Debug, Default)]
struct Shown {
    shape: bool,
    /// Where it is, and whether it is shown there, once the viewer has taken a place.
    place: Option<(Point16, bool)>,
    trail: Trail,
}

impl CursorViewer {
    pub(super) fn new(
        link: &ChannelLink,
        config: ChannelConfig,
        pointer: &Pointer,
        local: bool,
        now: Time,
    ) -> Self {
        let mut viewer = Self {
            red: RedChannelClient::new(link.header(), config, now),
            pipe: Pipe::new(LIMITS),
            kept: KeptShapes::default(),
            shown: Shown::default(),
            behind: false,
        };
        viewer.init(pointer, local);
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

    pub(super) fn handle_change(&mut self, change: &Change) {
        if self.behind || self.pipe.enqueue(change.clone(), change.weight()).is_err() {
            self.fall_behind();
        }
    }

    /// Everything that waits is replaced by the pointer as it will be.
    pub(super) fn fall_behind(&mut self) {
        self.pipe.clear();
        self.behind = true;
    }

    pub(super) fn poll_transmit(&mut self, pointer: &Pointer, local: bool, now: Time) -> Option<Transmit> {
        while self.red.has_room() {
            if std::mem::take(&mut self.behind) {
                self.catch_up(pointer, local);
                continue;
            }
            let Some(change) = self.pipe.pop() else { break };
            self.change(&change, local);
        }
        self.red.poll_transmit(now)
    }

    /// The viewer begins anew, and keeps nothing.
    fn init(&mut self, pointer: &Pointer, local: bool) {
        self.kept.clear();
        let cursor = pointer.shape.as_ref().map_or_else(Cursor::none, |shape| self.cursor(shape));
        self.send(&ServerMessage::Init(wire::Init {
            position: pointer.position,
            trail_length: pointer.trail.length,
            trail_frequency: pointer.trail.frequency,
            visible: u8::from(pointer.visible),
            cursor,
        }));
        self.shown = Shown { shape: pointer.shape.is_some(), place: None, trail: pointer.trail };
        if pointer.visible {
            self.place(pointer.position, local);
        }
    }

    fn catch_up(&mut self, pointer: &Pointer, local: bool) {
        let Some(shape) = &pointer.shape else {
            self.send(&ServerMessage::Reset);
            return self.init(pointer, local);
        };
        self.set(pointer.position, pointer.visible, shape, local);
        if self.shown.trail != pointer.trail {
            self.change(&Change::Trail(pointer.trail), local);
        }
    }

    fn change(&mut self, change: &Change, local: bool) {
        match change {
            Change::Hide => self.hide(),
            Change::Move(position) if self.shown.shape => self.move_to(*position),
            // The shape brings its place with it.
            Change::Move(_) => {}
            Change::Set { position, visible, shape } => self.set(*position, *visible, shape, local),
            Change::Trail(trail) => {
                let Trail { length, frequency } = *trail;
                self.send(&ServerMessage::Trail(wire::Trail { length, frequency }));
                self.shown.trail = *trail;
            }
        }
    }

    fn set(&mut self, position: Point16, visible: bool, shape: &NamedShape, local: bool) {
        let cursor = self.cursor(shape);
        self.send(&ServerMessage::Set(wire::Set { position, visible: u8::from(visible), cursor }));
        self.shown.shape = true;
        if visible { self.place(position, local) } else { self.hide() }
    }

    /// A shape for the next message, after what has to go for it.
    fn cursor(&mut self, shape: &NamedShape) -> Cursor {
        let passage = self.kept.pass(shape);
        if let Passage::Keep { gone } = &passage {
            for number in gone {
                self.send(&ServerMessage::InvalOne(*number));
            }
        }
        marshal::cursor(shape, &passage)
    }

    /// Sees to it that the pointer is shown there, unless the viewer knows the place itself.
    fn place(&mut self, position: Point16, local: bool) {
        if self.shown.shape && !local && self.shown.place != Some((position, true)) {
            self.move_to(position);
        }
    }

    fn move_to(&mut self, position: Point16) {
        self.send(&ServerMessage::Move(position));
        self.shown.place = Some((position, true));
    }

    fn hide(&mut self) {
        self.send(&ServerMessage::Hide);
        if let Some((_, visible)) = &mut self.shown.place {
            *visible = false;
        }
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
