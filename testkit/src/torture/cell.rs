//! Where cases are drawn.

use std::sync::Arc;

use spice_display::qxl::{
    Bitmap, Clip, Command, DrawAlphaBlend, DrawCopy, DrawOp, Drawable, Effect, GuestEvent, Image,
    SurfaceCommand,
};
use spice_proto::display::AlphaFlags;
use spice_proto::{Point, Rect, SurfaceId};

use super::images::{Images, SIDE};
use super::{Case, HEIGHT, Scratch, WIDTH};

/// A primary surface that is filled with cells from the top left corner on.
pub(super) struct Sheet {
    pub(super) images: Images,
    cases: Vec<Case>,
    next: u32,
    stacked: bool,
}

impl Sheet {
    pub(super) fn new(seed: u32) -> Self {
        Self { images: Images::new(seed), cases: Vec::new(), next: 0, stacked: false }
    }

    /// One whose cells are all in the top left corner.
    pub(super) fn stacked(seed: u32) -> Self {
        Self { stacked: true, ..Self::new(seed) }
    }

    pub(super) fn finish(self) -> Vec<Case> {
        assert!(
            self.stacked || self.next <= WIDTH / SIDE * (HEIGHT / SIDE),
            "{} cells do not fit",
            self.next
        );
        self.cases
    }

    /// A case on the primary surface: `op` answers, for a box, what is drawn there.
    pub(super) fn case(&mut self, name: impl Into<String>, op: impl FnOnce(&mut Images, Rect) -> DrawOp) {
        self.clipped(name, |bbox| (bbox, Clip::None), op);
    }

    /// A case with a box and a clip of its own within the inner part of a cell.
    pub(super) fn clipped(
        &mut self,
        name: impl Into<String>,
        area: impl FnOnce(Rect) -> (Rect, Clip),
        op: impl FnOnce(&mut Images, Rect) -> DrawOp,
    ) {
        let cell = self.cell();
        let (bbox, clip) = area(inner(cell));
        let background = self.images.background();
        let op = op(&mut self.images, bbox);
        let events =
            vec![put(SurfaceId::PRIMARY, cell, background), draw(SurfaceId::PRIMARY, bbox, clip, op)];
        self.cases.push(Case { name: name.into(), cell, events });
    }

    /// A case on an off-screen surface, which is blended onto white afterwards.
    pub(super) fn off_screen(
        &mut self,
        scratch: Scratch,
        name: impl Into<String>,
        op: impl FnOnce(&mut Images, Rect) -> DrawOp,
    ) {
        let background = self.images.background();
        self.shown(scratch, AlphaFlags::empty(), background, format!("{scratch:?}: {}", name.into()), op);
    }

    /// A case on an off-screen surface that holds `background`, which is blended onto white afterwards: by its top bytes
    /// too, where `flags` say so.
    pub(super) fn shown(
        &mut self,
        scratch: Scratch,
        flags: AlphaFlags,
        background: Image,
        name: String,
        op: impl FnOnce(&mut Images, Rect) -> DrawOp,
    ) {
        let cell = self.cell();
        let bbox = inner(WHOLE);
        let op = op(&mut self.images, bbox);
        let mut events = vec![put(scratch.id(), WHOLE, background), draw(scratch.id(), bbox, Clip::None, op)];
        events.extend(show(scratch, flags, cell));
        self.cases.push(Case { name, cell, events });
    }

    /// A case where an off-screen surface begins anew, with `content`.
    pub(super) fn begun(&mut self, scratch: Scratch, name: String, content: Arc<Bitmap>) {
        let cell = self.cell();
        let (surface, format) = (scratch.id(), scratch.format());
        let (width, height, content) = (SIDE, SIDE, Some(content));
        let create = SurfaceCommand::Create { surface, width, height, format, content };
        let commands = [SurfaceCommand::Destroy { surface }, create];
        let mut events: Vec<_> =
            commands.map(|command| GuestEvent::Command(Command::Surface(command))).into();
        events.extend(show(scratch, AlphaFlags::empty(), cell));
        self.cases.push(Case { name, cell, events });
    }

    /// Has a surface hold an image from the next case on.
    pub(super) fn prepare(&mut self, scratch: Scratch, image: Image) {
        let cell = self.cell();
        let events = vec![put(scratch.id(), WHOLE, image)];
        self.cases.push(Case { name: format!("{scratch:?} is prepared"), cell, events });
    }

    fn cell(&mut self) -> Rect {
        let columns = WIDTH / SIDE;
        let (column, row) = (self.next % columns, self.next / columns);
        self.next += 1;
        if self.stacked {
            return Rect::new(0, 0, SIDE, SIDE);
        }
        let Point { x, y } = Point::new((column * SIDE).cast_signed(), (row * SIDE).cast_signed());
        Rect::new(x, y, SIDE, SIDE)
    }
}

/// All of an off-screen surface.
const WHOLE: Rect = Rect::new(0, 0, SIDE, SIDE);

/// Blends an off-screen surface onto white.
fn show(scratch: Scratch, flags: AlphaFlags, cell: Rect) -> [GuestEvent; 2] {
    let source = Image::surface(scratch.id());
    let blend = DrawOp::AlphaBlend(DrawAlphaBlend { flags, alpha: 255, source, source_area: WHOLE });
    [
        draw(SurfaceId::PRIMARY, cell, Clip::None, DrawOp::Whiteness(None)),
        draw(SurfaceId::PRIMARY, cell, Clip::None, blend),
    ]
}

/// What of a cell is drawn on: not its outermost pixels, so that what leaves its box is seen.
fn inner(cell: Rect) -> Rect {
    Rect::new(cell.left + 3, cell.top + 2, SIDE - 7, SIDE - 5)
}

fn put(surface: SurfaceId, bbox: Rect, image: Image) -> GuestEvent {
    draw(surface, bbox, Clip::None, DrawOp::Copy(DrawCopy::put(image, Rect::new(0, 0, SIDE, SIDE))))
}

fn draw(surface: SurfaceId, bbox: Rect, clip: Clip, op: DrawOp) -> GuestEvent {
    let effect = Effect::BLEND;
    GuestEvent::Command(Command::Draw(Drawable { surface, bbox, clip, effect, mm_time: 0, op }))
}
