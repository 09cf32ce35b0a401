//! Commands in memory, as guests lay them out (`spice/qxl_dev.h`): what `spice_display::qxl::parse` reads.

mod draw;
mod image;
mod pixels;

use std::sync::Arc;

use spice_display::qxl::parse::{CommandKind, MAX_MESSAGE};
use spice_display::qxl::{
    Clip, Command, CursorCommand, CursorShape, DrawOp, Drawable, Effect, SurfaceCommand, UpdateArea,
};
use spice_proto::{Rect, SurfaceId};

use super::arena::Arena;
use super::fields::Fields;
pub(super) use pixels::Pixels;

/// Bytes of `QXLCursorCmd`, whose last 128 are the device's own.
const CURSOR: usize = 150;
/// Bytes of `QXLSurfaceCmd`.
const SURFACE: usize = 41;
/// Bytes of `release_info`.
const RELEASE: usize = 8;

/// A command while it is laid out.
pub(super) struct Writer<'a> {
    pub(super) arena: &'a mut Arena,
    /// What the guest calls the command (`release_info.id`).
    pub(super) id: u64,
    /// What surfaces are called.
    pub(super) surfaces: &'a dyn Fn(SurfaceId) -> SurfaceId,
}

/// A command that does nothing.
pub(super) fn nothing() -> Command {
    let (bbox, clip, op) = (Rect::default(), Clip::Rects(Arc::default()), DrawOp::Nop);
    let (surface, effect) = (SurfaceId::PRIMARY, Effect::NOP);
    Command::Draw(Drawable { surface, bbox, clip, effect, mm_time: 0, op })
}

impl Writer<'_> {
    /// Lays the command out. The answer is what the ring says of it.
    pub(super) fn command(&mut self, command: &Command) -> (CommandKind, u64) {
        match command {
            Command::Draw(drawable) => (CommandKind::DRAW, self.drawable(drawable)),
            Command::Update(update) => (CommandKind::UPDATE, self.update(update)),
            Command::Cursor(command) => (CommandKind::CURSOR, self.cursor(command)),
            Command::Message(text) => (CommandKind::MESSAGE, self.message(text)),
            Command::Surface(command) => (CommandKind::SURFACE, self.surface(command)),
            // There is none, and it would be refused.
            _ => (CommandKind::NOP, self.message(&[])),
        }
    }

    /// What every command begins with.
    fn begin(&self, len: usize) -> Fields {
        let mut fields = Fields::with_capacity(len);
        fields.u64(self.id);
        fields
    }

    fn keep(&mut self, fields: Fields) -> u64 {
        self.arena.keep(fields.into_bytes())
    }

    /// What a surface is called.
    fn shown(&self, surface: SurfaceId) -> u32 {
        (self.surfaces)(surface).0
    }

    /// `QXLUpdateCmd`.
    fn update(&mut self, update: &UpdateArea) -> u64 {
        let mut fields = self.begin(32);
        fields.rect(update.area).u32(update.update_id).u32(self.shown(update.surface));
        self.keep(fields)
    }

    /// `QXLMessage`. It ends with a zero, but is read as far as the longest goes.
    fn message(&mut self, text: &[u8]) -> u64 {
        let len = RELEASE + text.len().max(MAX_MESSAGE as usize) + 1;
        let mut fields = self.begin(len);
        fields.bytes(text).padded(len);
        self.keep(fields)
    }

    /// `QXLCursorCmd`.
    fn cursor(&mut self, command: &CursorCommand) -> u64 {
        let mut fields = self.begin(CURSOR);
        match command {
            CursorCommand::Set { position, visible, shape } => {
                fields.u8(0).point16(*position).u8((*visible).into()).u64(self.shape(shape));
            }
            CursorCommand::Move(position) => {
                fields.u8(1).point16(*position);
            }
            CursorCommand::Hide => {
                fields.u8(2);
            }
            CursorCommand::Trail { length, frequency } => {
                fields.u8(3).u16(*length).u16(*frequency);
            }
        }
        fields.padded(CURSOR);
        self.keep(fields)
    }

    /// `QXLCursor`.
    fn shape(&mut self, shape: &CursorShape) -> u64 {
        let CursorShape { unique, kind, width, height, hot_spot_x, hot_spot_y, data } = shape;
        let mut fields = Fields::with_capacity(42 + data.len());
        fields.u64(*unique).u16(kind.0.into()).u16(*width).u16(*height).u16(*hot_spot_x).u16(*hot_spot_y);
        fields.count(data.len()).chunk(data.len()).bytes(data);
        self.keep(fields)
    }

    /// `QXLSurfaceCmd`.
    fn surface(&mut self, command: &SurfaceCommand) -> u64 {
        let mut fields = self.begin(SURFACE);
        match command {
            SurfaceCommand::Create { surface, width, height, format, content } => {
                let pixels = Pixels::new((*width, *height), *format, content.as_deref());
                // Without memory it is refused.
                let (stride, data) =
                    pixels.map_or((0, 0), |pixels| (pixels.stride, self.arena.keep(pixels.memory)));
                fields.u32(self.shown(*surface)).u8(0).u32(content.is_some().into());
                fields.u32(format.0).u32(*width).u32(*height).i32(stride).u64(data);
            }
            SurfaceCommand::Destroy { surface } => {
                fields.u32(self.shown(*surface)).u8(1).u32(0);
            }
        }
        fields.padded(SURFACE);
        self.keep(fields)
    }
}
