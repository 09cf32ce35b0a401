//! Where cases are drawn.

use spice_display::qxl::{
    Clip, Command, DrawAlphaBlend, DrawCopy, DrawOp, Drawable, Effect, GuestEvent, Image,
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
        let cell = self.cell();
        let whole = Rect::new(0, 0, SIDE, SIDE);
        let background = self.images.background();
        let bbox = inner(whole);
        let op = op(&mut self.images, bbox);
        let blend = DrawOp::AlphaBlend(DrawAlphaBlend {
            flags: AlphaFlags::empty(),
            alpha: 255,
            source: Image::surface(scratch.id()),
            source_area: whole,
        });
        let events = vec![
            put(scratch.id(), whole, background),
            draw(scratch.id(), bbox, Clip::None, op),
            draw(SurfaceId::PRIMARY, cell, Clip::None, DrawOp::Whiteness(None)),
            draw(SurfaceId::PRIMARY, cell, Clip::None, blend),
        ];
        self.cases.push(Case { name: format!("{scratch:?}: {}", name.into()), cell, events });
    }

    /// Has a surface hold an image from the next case on.
    pub(super) fn prepare(&mut self, scratch: Scratch, image: Image) {
        let whole = Rect::new(0, 0, SIDE, SIDE);
        let cell = self.cell();
        let events = vec![put(scratch.id(), whole, image)];
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
