//! From pixels and areas to QXL commands.

use core::borrow::Borrow;
use std::collections::VecDeque;
use std::sync::Arc;

use spice_channel::Time;
use spice_display::qxl::{
    Bitmap, BitmapFormat, Clip, Command, CopyBits, DrawCopy, DrawFill, DrawOp, Drawable, Effect, GuestEvent,
    Image,
};
use spice_display::region::Region;
use spice_proto::{Point, Rect, SurfaceId};

use super::raster::{Colour, Raster};

/// Into how many bitmaps a part of a raster is cut at most.
const PIECES: usize = 6;

/// Writes commands for the primary surface, names bitmaps, and keeps what it wrote until somebody takes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Pen {
    events: VecDeque<GuestEvent>,
    bitmaps: u64,
    mm_time: u32,
}

impl Pen {
    /// What is written from here on carries the multimedia time of `now`.
    pub(super) fn at(&mut self, now: Time) {
        // The multimedia clock has 32 bits and wraps.
        self.mm_time = now.as_millis() as u32;
    }

    pub(super) fn push(&mut self, event: GuestEvent) {
        self.events.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<GuestEvent> {
        self.events.pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// An image of a part of a raster, with a name of its own. `area` lies inside of the raster.
    #[expect(clippy::expect_used, reason = "a raster has at least one pixel and all of its rows")]
    pub(super) fn image(&mut self, raster: &Raster, area: Rect) -> Image {
        self.bitmaps += 1;
        let (size, stride) = ((area.width(), area.height()), area.width() * 4);
        let bitmap = Bitmap::new(BitmapFormat::RGB32, size, stride, true, raster.bytes(area));
        Image::bitmap(self.bitmaps, Arc::new(bitmap.expect("a part of a raster is a bitmap")))
    }

    /// Moves pixels of the screen by `dx`, `dy` into the places of `target`.
    pub(super) fn shift(&mut self, target: &Region, dx: i32, dy: i32) {
        let extents = target.extents();
        self.draw(
            target,
            DrawOp::CopyBits(CopyBits { source: Point::new(extents.left - dx, extents.top - dy) }),
        );
    }

    /// Draws into the places of `target`, whose extents are the box of the drawable.
    fn draw(&mut self, target: &Region, op: DrawOp) {
        if target.is_empty() {
            return;
        }
        let bbox = target.extents();
        let rects: Arc<[Rect]> = target.rects().collect();
        self.push(GuestEvent::Command(Command::Draw(Drawable {
            surface: SurfaceId::PRIMARY,
            bbox,
            clip: if rects.len() == 1 { Clip::None } else { Clip::Rects(rects) },
            effect: Effect::OPAQUE,
            mm_time: self.mm_time,
            op,
        })));
    }
}

/// A part of the screen that is painted from front to back: what was painted once is not painted again.
#[derive(Debug)]
pub(super) struct Canvas<'a> {
    pen: &'a mut Pen,
    bare: Region,
}

impl<'a> Canvas<'a> {
    /// Paints `area` and nothing else.
    pub(super) fn new(pen: &'a mut Pen, area: Region) -> Self {
        Self { pen, bare: area }
    }

    /// The part of `area` that is not painted yet.
    fn bare(&self, area: Rect) -> Region {
        self.bare.intersect_rect(&area)
    }

    pub(super) fn fill(&mut self, area: Rect, colour: Colour) {
        let target = self.take(area);
        self.pen.draw(&target, DrawOp::Fill(DrawFill::solid(colour.0)));
    }

    /// The raster that `draw` makes, `width` x `height` pixels, with its top left corner at `at`.
    ///
    /// Where most of it is needed it becomes one bitmap, which is left in `kept` and serves again under the same name
    /// until the owner of `kept` takes it away; else a few pieces around what is needed become bitmaps that serve this
    /// once, as a bitmap may travel whole, however little of it is drawn.
    pub(super) fn raster<R: Borrow<Raster>>(
        &mut self,
        at: Point,
        (width, height): (u32, u32),
        kept: &mut Option<Image>,
        draw: impl FnOnce() -> R,
    ) {
        let area = Rect::new(at.x, at.y, width, height);
        let mut needed = self.bare(area);
        if needed.is_empty() {
            return;
        }
        if needed.area() * 2 >= area.area() {
            let image = kept.get_or_insert_with(|| {
                let raster = draw();
                self.pen.image(raster.borrow(), raster.borrow().area())
            });
            return self.picture(area, image.clone());
        }
        let raster = draw();
        needed.simplify(PIECES);
        for piece in needed.rects() {
            let image = self.pen.image(raster.borrow(), piece.translate(-at.x, -at.y));
            self.picture(piece, image);
        }
    }

    /// An image of the size of `place`, there.
    fn picture(&mut self, place: Rect, image: Image) {
        let target = self.take(place);
        let source_area = target.extents().translate(-place.left, -place.top);
        self.pen.draw(&target, DrawOp::Copy(DrawCopy::put(image, source_area)));
    }

    fn take(&mut self, area: Rect) -> Region {
        let taken = self.bare(area);
        self.bare = self.bare.subtract(&taken);
        taken
    }
}
