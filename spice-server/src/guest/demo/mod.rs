//! A guest that needs no machine: a small live desktop.

mod ball;
mod calendar;
mod clock;
mod desktop;
mod font;
mod keyboard;
mod paint;
mod pane;
mod panel;
mod pointer;
mod raster;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod trig;
mod tty;
mod wallpaper;
mod window;

use core::time::Duration;

use spice_channel::Time;
use spice_display::qxl::{Command, DeviceEvent, GuestEvent, PrimarySurface};
use spice_proto::Rect;
use spice_proto::display::SurfaceFormat;
use spice_proto::inputs::{KeyModifiers, MouseButton};

use super::{Guest, GuestInput};
use desktop::Desktop;
use keyboard::Keyboard;
use paint::Pen;
use pointer::Pointer;
use terminal::Facts;
use window::WindowId;

/// The shortest time between two pictures of the desktop.
const FRAME: Duration = Duration::from_micros(16_667);
/// Lines that the terminal scrolls for one click of the wheel.
const WHEEL: isize = 3;

/// A desktop drawn with QXL commands: a terminal that echoes what any viewer types, a clock and a moving picture in
/// windows that a viewer can drag by their title bars, a panel and a pointer.
///
/// It uses no file, no network and no other program, and the same calls at the same times give the same commands.
/// All viewers share one keyboard and one pointer. Both mouse modes work: a viewer that sends positions draws the
/// pointer itself, for one that sends motion the guest moves it.
///
/// Input changes the desktop at once, but commands are only made when the desktop is polled and has handed over the
/// last ones, at most 60 times a second and for all that changed since: whatever viewers send, an owner that does not
/// poll lets nothing pile up. While nobody watches, nothing moves and nothing is due.
#[derive(Clone, Debug)]
pub struct DemoGuest {
    screen: Rect,
    wall_clock: Option<Duration>,
    desktop: Desktop,
    keyboard: Keyboard,
    pointer: Pointer,
    pen: Pen,
    viewers: usize,
    /// The first time anybody told.
    started: Option<Time>,
    /// The latest time anybody told.
    now: Time,
    /// The time that the clocks, the moving picture and the cursor show.
    animated: Time,
    /// When the next picture may be drawn; none was when this is `None`.
    next_frame: Option<Time>,
}

/// A desktop that would be too small for its windows or too large for its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a demo desktop of {width}x{height} pixels is not between 640x480 and 4096x2160")]
pub struct DesktopSizeError {
    /// Columns that were asked for.
    pub width: u32,
    /// Rows that were asked for.
    pub height: u32,
}

impl DemoGuest {
    /// Columns and rows of the smallest desktop.
    pub const MIN_SIZE: (u32, u32) = (640, 480);
    /// Columns and rows of the largest desktop.
    pub const MAX_SIZE: (u32, u32) = (4096, 2160);
    /// Columns and rows of the default desktop.
    pub const DEFAULT_SIZE: (u32, u32) = (1024, 768);

    /// A desktop of `width` x `height` pixels whose clocks show its uptime. It takes some eight bytes of memory for
    /// each pixel.
    ///
    /// # Errors
    /// When the size is below [`Self::MIN_SIZE`] or above [`Self::MAX_SIZE`] in either direction.
    pub fn new(width: u32, height: u32) -> Result<Self, DesktopSizeError> {
        let columns = Self::MIN_SIZE.0..=Self::MAX_SIZE.0;
        let rows = Self::MIN_SIZE.1..=Self::MAX_SIZE.1;
        if columns.contains(&width) && rows.contains(&height) {
            Ok(Self::of_size((width, height)))
        } else {
            Err(DesktopSizeError { width, height })
        }
    }

    /// The same desktop with clocks that show the time of day in UTC: `offset` is what to add to [`Time`] for the
    /// time since the start of 1970.
    #[must_use]
    pub fn with_wall_clock(self, offset: Duration) -> Self {
        Self { wall_clock: Some(offset), ..self }
    }

    fn of_size((width, height): (u32, u32)) -> Self {
        let screen = Rect::new(0, 0, width, height);
        Self {
            screen,
            wall_clock: None,
            desktop: Desktop::new(screen),
            keyboard: Keyboard::new(),
            pointer: Pointer::new(screen),
            pen: Pen::default(),
            viewers: 0,
            started: None,
            now: Time::ZERO,
            animated: Time::ZERO,
            next_frame: None,
        }
    }

    /// Time goes on; it does not go back.
    fn observe(&mut self, now: Time) {
        self.now = self.now.max(now);
        self.started.get_or_insert(self.now);
    }

    fn facts(&self, now: Time) -> Facts {
        Facts {
            uptime: now.since(self.started.unwrap_or(now)),
            wall: self.wall_clock.map(|offset| offset.saturating_add(now.since(Time::ZERO))),
            viewers: self.viewers,
        }
    }

    /// What the clocks show, and whether that is the time of day.
    fn reading(&self, now: Time) -> (Duration, &'static str) {
        let facts = self.facts(now);
        facts.wall.map_or((facts.uptime, "up"), |wall| (wall, "UTC"))
    }

    /// Brings what moves by itself up to now.
    fn animate(&mut self) {
        self.animated = self.now;
        self.show_time();
        self.desktop.terminal.blink(self.now);
        self.desktop.ball.show(self.ball_frame());
    }

    fn show_time(&mut self) {
        let (time, label) = self.reading(self.now);
        self.desktop.clock.show(time, label);
        let text = match label {
            "up" => format!("up {}", calendar::span(time)),
            label => format!("{} {label}", calendar::time_of_day(time)),
        };
        self.desktop.panel.show(self.viewers, &text);
    }

    /// The number of the moving picture's frame at the animated time.
    fn ball_frame(&self) -> u64 {
        let frames = self.facts(self.animated).uptime.as_micros() / ball::FRAME.as_micros();
        u64::try_from(frames).unwrap_or(u64::MAX)
    }

    /// When something moves by itself next.
    fn next_change(&self) -> Time {
        const SECOND: Duration = Duration::from_secs(1);
        let rest = |time: Duration, step: Duration| {
            step - Duration::from_nanos((time.as_nanos() % step.as_nanos()) as u64)
        };
        let ball = self.animated + rest(self.facts(self.animated).uptime, ball::FRAME);
        let second = self.animated + rest(self.reading(self.animated).0, SECOND);
        ball.min(second).min(self.desktop.terminal.next_blink(self.animated))
    }

    fn is_stale(&self) -> bool {
        self.desktop.is_stale() || self.pointer.has_moved()
    }

    /// Makes the commands of one picture, if it is time for one and it differs from the last.
    fn draw(&mut self) {
        if self.next_frame.is_some_and(|next| self.now < next) {
            return;
        }
        let first = self.next_frame.is_none();
        if first || self.viewers > 0 {
            self.animate();
        }
        if !self.is_stale() {
            return;
        }
        self.pen.at(self.now);
        if first {
            self.begin();
        }
        if let Some(motion) = self.pointer.take_move() {
            self.pen.push(GuestEvent::Command(Command::Cursor(motion)));
        }
        self.desktop.draw(&mut self.pen);
        self.next_frame = Some(self.now + FRAME);
    }

    fn begin(&mut self) {
        self.pen.push(GuestEvent::Device(DeviceEvent::CreatePrimary(PrimarySurface {
            width: self.screen.width(),
            height: self.screen.height(),
            format: SurfaceFormat::RGB32,
            content: None,
        })));
        self.pen.push(GuestEvent::Command(Command::Cursor(self.pointer.shape())));
    }

    fn press(&mut self, button: MouseButton) {
        let pointer = self.pointer.position();
        let over_terminal = || self.desktop.window_at(pointer) == Some(WindowId::Terminal);
        match button {
            MouseButton::LEFT => self.desktop.press(pointer),
            MouseButton::UP if over_terminal() => self.desktop.terminal.tty.look(-WHEEL),
            MouseButton::DOWN if over_terminal() => self.desktop.terminal.tty.look(WHEEL),
            _ => {}
        }
    }
}

impl Default for DemoGuest {
    /// A desktop of [`DemoGuest::DEFAULT_SIZE`].
    fn default() -> Self {
        Self::of_size(Self::DEFAULT_SIZE)
    }
}

impl Guest for DemoGuest {
    fn takes_positions(&self) -> bool {
        true
    }

    fn poll(&mut self, now: Time) -> Option<GuestEvent> {
        self.observe(now);
        if self.pen.is_empty() {
            self.draw();
        }
        self.pen.pop()
    }

    fn poll_timeout(&self) -> Option<Time> {
        if !self.pen.is_empty() {
            return Some(self.now);
        }
        let frame = self.next_frame.unwrap_or(self.now);
        if self.is_stale() {
            return Some(frame);
        }
        (self.viewers > 0).then(|| self.next_change().max(frame))
    }

    fn handle_input(&mut self, input: GuestInput, now: Time) {
        self.observe(now);
        match input {
            GuestInput::ScanCode(byte) => {
                if let Some(key) = self.keyboard.take(byte) {
                    self.desktop.terminal.press(key, self.facts(self.now), self.now);
                }
            }
            GuestInput::Modifiers(locks) => self.keyboard.set_locks(locks),
            GuestInput::Motion { dx, dy, .. } => {
                self.pointer.shift(dx, dy);
                self.desktop.drag(self.pointer.position());
            }
            GuestInput::Position { x, y, .. } => {
                self.pointer.place(x, y);
                self.desktop.drag(self.pointer.position());
            }
            GuestInput::Press { button, .. } => self.press(button),
            GuestInput::Release { button: MouseButton::LEFT, .. } => self.desktop.release(),
            GuestInput::Release { .. } => {}
        }
    }

    fn handle_viewers(&mut self, displays: usize, now: Time) {
        self.observe(now);
        self.viewers = displays;
        self.show_time();
        if displays == 0 {
            // Whoever held a key or a button is gone, and will not say so.
            self.desktop.release();
            self.keyboard.release_all();
        }
    }

    fn leds(&self) -> KeyModifiers {
        self.keyboard.locks()
    }
}
