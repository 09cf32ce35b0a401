//! A desktop with a viewer in front of it.

use core::time::Duration;

use spice_channel::Time;
use spice_proto::Point;
use spice_proto::inputs::{MouseButton, MouseButtons};

use super::screen::{Screen, points};
use crate::guest::demo::paint::Pen;
use crate::guest::demo::window::WindowId;
use crate::guest::demo::{DemoGuest, FRAME};
use crate::guest::{Guest, GuestInput};

pub(super) const ENTER: u8 = 0x1c;
pub(super) const LS: [u8; 2] = [0x26, 0x1f];
pub(super) const HELP: [u8; 4] = [0x23, 0x12, 0x26, 0x19];

/// A desktop, what it painted, and the time.
pub(super) struct Session {
    pub(super) guest: DemoGuest,
    pub(super) screen: Screen,
    pub(super) now: Time,
}

impl Session {
    /// A desktop that one viewer watches.
    pub(super) fn new(guest: DemoGuest) -> Self {
        let mut session = Self { guest, screen: Screen::default(), now: Time::from_millis(5) };
        session.guest.handle_viewers(1, session.now);
        session.poll();
        session
    }

    pub(super) fn small() -> Self {
        Self::new(DemoGuest::new(640, 480).unwrap())
    }

    /// Takes what there is now; the number of events.
    pub(super) fn poll(&mut self) -> usize {
        let mut events = 0;
        while let Some(event) = self.guest.poll(self.now) {
            self.screen.apply(&event);
            events += 1;
        }
        events
    }

    /// Lets time pass, and takes what there is then.
    pub(super) fn wait(&mut self, span: Duration) -> usize {
        self.now += span;
        self.poll()
    }

    pub(super) fn input(&mut self, input: GuestInput) {
        self.guest.handle_input(input, self.now);
    }

    pub(super) fn position(&mut self, point: Point) {
        let (x, y) = (point.x.unsigned_abs(), point.y.unsigned_abs());
        self.input(GuestInput::Position { x, y, display: 0, buttons: MouseButtons::empty() });
    }

    pub(super) fn press(&mut self, button: MouseButton) {
        self.input(GuestInput::Press { button, buttons: MouseButtons::LEFT });
    }

    pub(super) fn release(&mut self) {
        self.input(GuestInput::Release { button: MouseButton::LEFT, buttons: MouseButtons::empty() });
    }

    /// Presses the left button on a window's title bar, where it is to be seen, or where it would be.
    pub(super) fn grab(&mut self, window: WindowId) -> Point {
        let bar = self.guest.desktop.title_bar(window);
        let visible = |point: &Point| self.guest.desktop.window_at(*point) == Some(window);
        let place = points(bar.intersect(&self.screen.area)).find(visible).unwrap_or(bar.origin());
        self.position(place);
        self.press(MouseButton::LEFT);
        place
    }

    /// Types scan codes, each of them down and up.
    pub(super) fn type_codes(&mut self, codes: &[u8]) {
        for code in codes {
            self.input(GuestInput::ScanCode(*code));
            self.input(GuestInput::ScanCode(*code | 0x80));
        }
    }

    /// What commands for all of the desktop, as it is now, paint on an empty screen.
    pub(super) fn repainted(&self) -> Screen {
        let mut screen = Screen::default();
        let mut pen = Pen::default();
        let mut guest = self.guest.clone();
        guest.begin();
        while let Some(event) = guest.pen.pop() {
            screen.apply(&event);
        }
        self.guest.desktop.unpainted().draw(&mut pen);
        while let Some(event) = pen.pop() {
            screen.apply(&event);
        }
        screen
    }

    /// Asserts that what was painted bit by bit is what painting it at once gives.
    pub(super) fn assert_painted(&mut self, context: &str) {
        self.wait(FRAME);
        assert!(!self.guest.is_stale(), "{context}: something is left to paint");
        let difference = self.screen.difference(&self.repainted());
        assert_eq!(difference, None, "{context}");
    }
}
