//! The desktop: a panel, windows and a wallpaper, and how a change of them becomes commands.

use spice_display::region::Region;
use spice_proto::{Point, Rect};

use super::ball::{self, Ball};
use super::clock::{self, Clock};
use super::paint::{Canvas, Pen};
use super::pane::Pane;
use super::panel::{self, Panel};
use super::terminal::Terminal;
use super::theme;
use super::tty::{Change, Tty};
use super::wallpaper;
use super::window::{Placement, Window, WindowId};

/// How many columns of a window stay on the screen, however far it is dragged.
const HANDLE: i32 = 64;

/// What there is to see.
#[derive(Clone, Debug)]
pub(super) struct Desktop {
    screen: Rect,
    wallpaper: Pane,
    pub(super) panel: Panel,
    pub(super) terminal: Terminal,
    pub(super) clock: Clock,
    pub(super) ball: Ball,
    windows: [Window; 3],
    placement: Placement,
    grab: Option<Grab>,
    /// What the commands so far have painted.
    shown: Option<Shown>,
}

/// A window that follows the pointer.
#[derive(Clone, Copy, Debug)]
struct Grab {
    window: WindowId,
    /// From the window's corner to the pointer.
    hold: Point,
}

#[derive(Clone, Debug)]
struct Shown {
    placement: Placement,
    layers: Layers,
}

/// Which pixels of the screen show what: every pixel shows one thing.
#[derive(Clone, Debug, Default)]
struct Layers {
    panel: Region,
    windows: [Region; 3],
    wallpaper: Region,
}

impl Desktop {
    /// A desktop of this size, its windows laid out and nothing painted.
    pub(super) fn new(screen: Rect) -> Self {
        let (width, height) = (screen.width(), screen.height());
        let (columns, rows) = Tty::capacity(width * 3 / 5, height * 9 / 16);
        let terminal = Terminal::new(columns.clamp(58, 100), rows.clamp(12, 36));
        let windows = [
            Window::new("Terminal", theme::TEAL, terminal.tty.size()),
            Window::new("Clock", theme::AMBER, (clock::WIDTH, clock::HEIGHT)),
            Window::new("Moving picture", theme::CORAL, (ball::WIDTH, ball::HEIGHT)),
        ];
        let mut desktop = Self {
            screen,
            wallpaper: Pane::new(wallpaper::draw(width, height)),
            panel: Panel::new(width),
            terminal,
            clock: Clock::new(),
            ball: Ball::new(),
            placement: Placement::new([Point::default(); 3]),
            windows,
            grab: None,
            shown: None,
        };
        desktop.lay_out();
        desktop
    }

    /// Spreads the windows over the room below the panel.
    fn lay_out(&mut self) {
        let room = Rect { top: panel::HEIGHT as i32, ..self.screen };
        // How many 64ths of the room that a window leaves are to its left, and how many above it.
        let shares = [(WindowId::Terminal, 9, 27), (WindowId::Clock, 57, 9), (WindowId::Ball, 60, 53)];
        for (id, right, down) in shares {
            let (width, height) = self.windows[id as usize].size();
            let spare = |room: u32, size: u32, share: i32| (room.saturating_sub(size)) as i32 * share / 64;
            let (x, y) = (spare(room.width(), width, right), spare(room.height(), height, down));
            self.placement.set_origin(id, Point::new(room.left + x, room.top + y));
        }
        self.windows[self.placement.top() as usize].set_active(true);
    }

    /// A viewer has pressed the left button: raises what is there, and holds it where that is a title bar.
    pub(super) fn press(&mut self, pointer: Point) {
        self.grab = None;
        let Some(window) = self.window_at(pointer) else { return };
        self.placement.raise(window);
        for id in WindowId::ALL {
            self.windows[id as usize].set_active(id == window);
        }
        let origin = self.placement.origin(window);
        if Region::from(self.windows[window as usize].bar(origin)).contains_point(pointer) {
            self.grab = Some(Grab { window, hold: Point::new(pointer.x - origin.x, pointer.y - origin.y) });
        }
    }

    /// The pointer is there now; a window that is held follows, and stays within reach.
    pub(super) fn drag(&mut self, pointer: Point) {
        let Some(Grab { window, hold }) = self.grab else { return };
        let (width, _) = self.windows[window as usize].size();
        let bar = self.windows[window as usize].bar(Point::default());
        let x = (pointer.x - hold.x).clamp(HANDLE - width as i32, self.screen.right - HANDLE);
        let y = (pointer.y - hold.y).clamp(panel::HEIGHT as i32, self.screen.bottom - bar.bottom);
        self.placement.set_origin(window, Point::new(x, y));
    }

    /// The left button is up.
    pub(super) fn release(&mut self) {
        self.grab = None;
    }

    /// The window that a pixel of the screen shows.
    pub(super) fn window_at(&self, pointer: Point) -> Option<WindowId> {
        if Region::from(self.panel.area()).contains_point(pointer) {
            return None;
        }
        self.placement.top_down().find(|id| self.shape(*id).contains_point(pointer))
    }

    /// Whether the commands so far paint anything but what there is to see.
    pub(super) fn is_stale(&self) -> bool {
        self.shown.as_ref().is_none_or(|shown| shown.placement != self.placement)
            || !self.panel.pane.stale().is_empty()
            || self.windows.iter().any(|window| !window.stale().is_empty())
            || self.terminal.tty.is_stale()
            || !self.clock.pane.stale().is_empty()
            || !self.ball.pane.stale().is_empty()
    }

    /// Paints all that the commands so far do not.
    pub(super) fn draw(&mut self, pen: &mut Pen) {
        let layers = self.layers();
        let nothing = || Shown { placement: self.placement.clone(), layers: Layers::default() };
        let shown = self.shown.take().unwrap_or_else(nothing);
        let moved = self.move_windows(&shown, &layers, pen);
        for (id, valid) in WindowId::ALL.into_iter().zip(moved) {
            self.draw_window(id, &layers.windows[id as usize], valid, pen);
        }
        let panel = shown.layers.panel.subtract(&self.panel.pane.take_stale());
        self.panel.paint(&mut Canvas::new(pen, layers.panel.subtract(&panel)));
        let uncovered = layers.wallpaper.subtract(&shown.layers.wallpaper);
        self.wallpaper.paint(&mut Canvas::new(pen, uncovered), Point::default());
        self.shown = Some(Shown { placement: self.placement.clone(), layers });
    }

    /// Moves a window on the screen if one has moved; which pixels then show the part of each window that belongs
    /// there.
    fn move_windows(&self, shown: &Shown, layers: &Layers, pen: &mut Pen) -> [Region; 3] {
        let mut valid = <[Region; 3]>::default();
        let mut may_move = true;
        for id in self.placement.top_down() {
            let (before, after) = (shown.placement.origin(id), self.placement.origin(id));
            let (dx, dy) = (after.x - before.x, after.y - before.y);
            let still = (dx, dy) == (0, 0);
            // A second move could find its pixels overwritten by the first; that window is painted anew.
            if still || core::mem::take(&mut may_move) {
                let old = shown.layers.windows[id as usize].translate(dx, dy);
                let there = old.intersect(&layers.windows[id as usize]);
                if !still {
                    pen.shift(&there, dx, dy);
                }
                valid[id as usize] = there;
            }
        }
        valid
    }

    /// Paints what is to be seen of a window except what is `valid`: painted, though the content may have changed.
    fn draw_window(&mut self, id: WindowId, visible: &Region, mut valid: Region, pen: &mut Pen) {
        let origin = self.placement.origin(id);
        let inner = Point::new(origin.x + Window::content().x, origin.y + Window::content().y);
        let Change { scrolled, stale } = match id {
            WindowId::Terminal => self.terminal.tty.take_change(),
            WindowId::Clock => Change { scrolled: 0, stale: self.clock.pane.take_stale() },
            WindowId::Ball => Change { scrolled: 0, stale: self.ball.pane.take_stale() },
        };
        if scrolled != 0 {
            let area = self.terminal.tty.text_area().translate(inner.x, inner.y);
            let moved =
                valid.intersect_rect(&area).translate(0, -scrolled).intersect_rect(&area).intersect(visible);
            pen.shift(&moved, 0, -scrolled);
            valid = valid.subtract(&Region::from(area)).union(&moved);
        }
        let frame = self.windows[id as usize].take_stale().translate(origin.x, origin.y);
        let stale = stale.translate(inner.x, inner.y).union(&frame);
        let mut canvas = Canvas::new(pen, visible.subtract(&valid.subtract(&stale)));
        match id {
            WindowId::Terminal => self.terminal.tty.paint(&mut canvas, inner),
            WindowId::Clock => self.clock.paint(&mut canvas, inner),
            WindowId::Ball => self.ball.paint(&mut canvas, inner),
        }
        self.windows[id as usize].paint(&mut canvas, origin);
    }

    fn layers(&self) -> Layers {
        let panel = Region::from(self.panel.area());
        let mut free = Region::from(self.screen).subtract(&panel);
        let mut windows = <[Region; 3]>::default();
        for id in self.placement.top_down() {
            let shape = self.shape(id);
            windows[id as usize] = shape.intersect(&free);
            free = free.subtract(&shape);
        }
        Layers { panel, windows, wallpaper: free }
    }

    fn shape(&self, id: WindowId) -> Region {
        self.windows[id as usize].shape(self.placement.origin(id))
    }
}

#[cfg(test)]
impl Desktop {
    /// The same desktop before anything of it was painted, with no bitmap kept.
    pub(super) fn unpainted(&self) -> Self {
        let mut desktop = Self { shown: None, ..self.clone() };
        desktop.terminal.tty.forget_bitmaps();
        desktop.windows.iter_mut().for_each(Window::forget_bitmaps);
        for pane in
            [&mut desktop.wallpaper, &mut desktop.panel.pane, &mut desktop.clock.pane, &mut desktop.ball.pane]
        {
            pane.forget_bitmap();
        }
        desktop
    }

    pub(super) fn title_bar(&self, id: WindowId) -> Rect {
        self.windows[id as usize].bar(self.placement.origin(id))
    }
}
