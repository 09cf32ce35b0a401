//! Windows: their frames, and how they lie on each other.

use spice_display::qxl::Image;
use spice_display::region::Region;
use spice_proto::{Point, Rect};

use super::font::Face;
use super::paint::Canvas;
use super::raster::{Colour, Raster};
use super::theme;

/// Rows of a title bar, the outline above it included.
const TITLE: u32 = 30;
/// Pixels of the outline.
const OUTLINE: u32 = 1;
/// How many pixels the upper corners lack in each row from the top.
const ROUNDING: [u32; 5] = [5, 3, 2, 1, 1];

/// Which window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WindowId {
    Terminal,
    Clock,
    Ball,
}

impl WindowId {
    /// All of them, each at its own index.
    pub(super) const ALL: [Self; 3] = [Self::Terminal, Self::Clock, Self::Ball];
}

/// Where the windows are and which lies above which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placement {
    /// From the lowest to the one on top.
    order: [WindowId; 3],
    origins: [Point; 3],
}

impl Placement {
    /// Windows at these places, in the order of [`WindowId::ALL`], the first one on top.
    pub(super) fn new(origins: [Point; 3]) -> Self {
        let [top, middle, lowest] = WindowId::ALL;
        Self { order: [lowest, middle, top], origins }
    }

    pub(super) fn top_down(&self) -> impl Iterator<Item = WindowId> + use<> {
        self.order.into_iter().rev()
    }

    pub(super) fn top(&self) -> WindowId {
        self.order[2]
    }

    pub(super) fn origin(&self, id: WindowId) -> Point {
        self.origins[id as usize]
    }

    pub(super) fn set_origin(&mut self, id: WindowId, origin: Point) {
        self.origins[id as usize] = origin;
    }

    /// Puts a window on top; the others keep their order.
    pub(super) fn raise(&mut self, id: WindowId) {
        // A stable sort: all others come before it.
        self.order.sort_by_key(|other| *other == id);
    }
}

/// A window's frame: a title bar and an outline around some content.
#[derive(Clone, Debug)]
pub(super) struct Window {
    title: &'static str,
    accent: Colour,
    width: u32,
    height: u32,
    active: bool,
    bar: Option<Image>,
    stale: Region,
}

impl Window {
    /// A window around content of this size.
    pub(super) fn new(title: &'static str, accent: Colour, (width, height): (u32, u32)) -> Self {
        let (width, height) = (width + 2 * OUTLINE, height + TITLE + OUTLINE);
        Self { title, accent, width, height, active: false, bar: None, stale: Region::new() }
    }

    /// Where its content begins, counted from its corner.
    pub(super) const fn content() -> Point {
        Point::new(OUTLINE as i32, TITLE as i32)
    }

    /// Columns and rows, the frame included.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The title bar of a window at `at`.
    pub(super) fn bar(&self, at: Point) -> Rect {
        Rect::new(at.x, at.y, self.width, TITLE)
    }

    /// The pixels of a window at `at`.
    pub(super) fn shape(&self, at: Point) -> Region {
        let rounded = ROUNDING
            .iter()
            .zip(0_i32..)
            .map(|(missing, row)| Rect::new(*missing as i32, row, self.width.saturating_sub(2 * missing), 1));
        let top = ROUNDING.len() as u32;
        let rest = Rect::new(0, top as i32, self.width, self.height - top);
        rounded.chain([rest]).collect::<Region>().translate(at.x, at.y)
    }

    /// Makes its title stand out, or not.
    pub(super) fn set_active(&mut self, active: bool) {
        if self.active != active {
            self.active = active;
            self.bar = None;
            self.stale = self.stale.union_rect(&self.bar(Point::default()));
        }
    }

    /// What changed about the frame and was not taken yet, counted from its corner.
    pub(super) fn stale(&self) -> &Region {
        &self.stale
    }

    pub(super) fn take_stale(&mut self) -> Region {
        core::mem::take(&mut self.stale)
    }

    /// Paints the frame of a window at `at`, over what is left bare of it after the content.
    pub(super) fn paint(&mut self, canvas: &mut Canvas<'_>, at: Point) {
        let (title, accent, width, active) = (self.title, self.accent, self.width, self.active);
        canvas.raster(at, (width, TITLE), &mut self.bar, || draw_bar(title, accent, width, active));
        canvas.fill(Rect::new(at.x, at.y, self.width, self.height), theme::OUTLINE);
    }

    #[cfg(test)]
    pub(super) fn forget_bitmaps(&mut self) {
        self.bar = None;
    }
}

fn draw_bar(title: &str, accent: Colour, width: u32, active: bool) -> Raster {
    let (ground, ink) =
        if active { (theme::ACTIVE_TITLE, theme::TEXT) } else { (theme::INACTIVE_TITLE, theme::DIM_TEXT) };
    let mut raster = Raster::new(width, TITLE, theme::OUTLINE);
    let light = ground.mix(theme::TEXT, 36);
    let inside = ROUNDING.iter().copied().chain(core::iter::repeat(0));
    let mut above = width / 2;
    for (y, missing) in (0..TITLE - OUTLINE).zip(inside) {
        // The outline follows the corner: it takes the columns that begin in this row, and one at least.
        let left = above.max(missing + OUTLINE);
        let row = Rect::new(left as i32, y as i32, width.saturating_sub(2 * left), 1);
        raster.fill(row, if y == 1 { light } else { ground });
        above = missing;
    }
    let dot = if active { accent } else { accent.mix(ground, 110) };
    let middle = (TITLE - OUTLINE) as f32 / 2.0 + 0.5;
    raster.disc((17.0, middle), 5.0, dot);
    raster.text(31, 8, title, Face::Bold, ink);
    raster
}

#[cfg(test)]
mod tests {
    use spice_proto::Point;

    use super::{Placement, WindowId};

    #[test]
    fn raising_keeps_the_order_of_the_others() {
        let mut placement = Placement::new([Point::default(); 3]);
        assert_eq!(placement.top(), WindowId::Terminal);
        placement.raise(WindowId::Ball);
        let order: Vec<_> = placement.top_down().collect();
        assert_eq!(order, [WindowId::Ball, WindowId::Terminal, WindowId::Clock]);
    }
}
