//! The desktop as its viewers see it.

mod screen;
mod sequence;
mod session;

use core::time::Duration;

use spice_channel::Time;
use spice_display::qxl::{Command, CursorCommand, GuestEvent};
use spice_proto::inputs::{KeyModifiers, MouseButton, MouseButtons};
use spice_proto::{Point, Rect};

use self::screen::points;
use self::session::{ENTER, HELP, LS, Session};
use super::window::WindowId;
use super::{DemoGuest, DesktopSizeError, FRAME, theme};
use crate::guest::{Guest, GuestInput};

#[test]
fn the_size_is_bounded() {
    assert_eq!(DemoGuest::new(639, 480).unwrap_err(), DesktopSizeError { width: 639, height: 480 });
    assert!(DemoGuest::new(640, 2161).is_err());
    let mut largest = Session::new(DemoGuest::new(4096, 2160).unwrap());
    assert_eq!(largest.screen.area, Rect::new(0, 0, 4096, 2160));
    largest.assert_painted("the largest desktop");
}

#[test]
fn the_first_picture_is_whole() {
    let mut session = Session::new(DemoGuest::default());
    session.assert_painted("the first picture");
    let painted = session.screen.counts;
    assert_eq!(painted.moves, 0);
    assert!(painted.copies + painted.fills < 100, "{painted:?}");
}

#[test]
fn typing_echoes_at_the_price_of_a_character() {
    let mut session = Session::small();
    let before = session.screen.snapshot();
    let bytes = session.screen.counts.bitmap_bytes;
    session.type_codes(&LS);
    session.poll();
    session.wait(FRAME);
    assert!(session.guest.desktop.terminal.tty.text().last().is_some_and(|line| line == "demo$ ls"));
    let tall_strokes =
        points(session.screen.area).filter(|point| session.screen.pixel(*point) == theme::TEXT.0).count();
    let before_typing = points(before.area).filter(|point| before.pixel(*point) == theme::TEXT.0).count();
    assert!(tall_strokes > before_typing, "no ink on the screen");
    // Two characters, and one picture of the ball at most.
    let spent = session.screen.counts.bitmap_bytes - bytes;
    assert!(spent < 224 * 168 * 4 + 2 * 9 * 17 * 4 * 2, "{spent} bytes");
    session.assert_painted("after typing");
}

#[test]
fn output_beyond_the_last_row_scrolls_by_copying() {
    let mut session = Session::small();
    for _ in 0..12 {
        let moves = session.screen.counts.moves;
        session.type_codes(&HELP);
        session.type_codes(&[ENTER]);
        session.wait(FRAME);
        assert_eq!(session.screen.counts.moves, moves + 1);
        session.assert_painted("after help");
    }
}

#[test]
fn a_drag_copies_the_window_and_moves_its_title_bar() {
    let mut session = Session::new(DemoGuest::default());
    let from = session.grab(WindowId::Clock);
    session.wait(FRAME);
    let (before, bar) = (session.screen.snapshot(), session.guest.desktop.title_bar(WindowId::Clock));
    let (moves, bytes) = (session.screen.counts.moves, session.screen.counts.bitmap_bytes);
    session.position(Point::new(from.x - 150, from.y + 40));
    session.wait(Duration::from_millis(20));
    assert_eq!(session.guest.desktop.title_bar(WindowId::Clock), bar.translate(-150, 40));
    assert_eq!(session.screen.counts.moves, moves + 1);
    assert!(points(Rect { top: bar.top + 8, ..bar }).all(|point| {
        before.pixel(point) == session.screen.pixel(Point::new(point.x - 150, point.y + 40))
    }));
    // The wallpaper below, where it shows now; the clock itself did not come again.
    let uncovered = (150 * 263 + 40 * 52) * 4;
    let spent = session.screen.counts.bitmap_bytes - bytes;
    assert!(spent < uncovered * 5 / 4, "{spent} bytes");
    session.release();
    session.position(Point::new(5, 700));
    assert_eq!(session.guest.desktop.title_bar(WindowId::Clock), bar.translate(-150, 40));
    session.assert_painted("after a drag");
}

#[test]
fn two_windows_dragged_within_one_frame() {
    let mut session = Session::new(DemoGuest::default());
    session.wait(FRAME);
    // The second window comes to where the first one was, and the first one to where the second one was.
    let clock = session.grab(WindowId::Clock);
    let ball = session.guest.desktop.title_bar(WindowId::Ball).origin();
    session.position(Point::new(ball.x + 50, ball.y + 20));
    session.release();
    let grabbed = session.grab(WindowId::Ball);
    session.position(Point::new(grabbed.x - 100, clock.y + 30));
    session.release();
    session.assert_painted("after two drags");
}

#[test]
fn a_window_stays_within_reach() {
    let mut session = Session::small();
    for corner in [Point::new(0, 0), Point::new(639, 0), Point::new(639, 479), Point::new(0, 479)] {
        session.grab(WindowId::Ball);
        session.position(corner);
        session.release();
        let bar = session.guest.desktop.title_bar(WindowId::Ball);
        let reachable = bar.intersect(&session.screen.area);
        assert!(reachable.width() >= 64 && reachable.height() == bar.height() && bar.top >= 30, "{bar:?}");
        session.assert_painted("a window at the edge");
    }
}

#[test]
fn a_click_raises_a_window_and_only_a_title_bar_holds_it() {
    let mut session = Session::small();
    let bar = session.guest.desktop.title_bar(WindowId::Ball);
    let inside = Point::new(bar.right - 8, bar.bottom + 90);
    let covered = Point::new(bar.left + 40, bar.bottom + 30);
    assert_eq!(session.guest.desktop.window_at(covered), Some(WindowId::Terminal));
    session.position(inside);
    session.press(MouseButton::LEFT);
    session.position(Point::new(inside.x - 30, inside.y - 30));
    assert_eq!(session.guest.desktop.title_bar(WindowId::Ball), bar);
    assert_eq!(session.guest.desktop.window_at(covered), Some(WindowId::Ball));
    session.assert_painted("after a click");
}

#[test]
fn relative_motion_moves_the_guests_pointer() {
    let mut session = Session::small();
    let start = session.screen.pointer;
    session.input(GuestInput::Motion { dx: -10, dy: 7, buttons: MouseButtons::empty() });
    session.input(GuestInput::Motion { dx: 4, dy: 0, buttons: MouseButtons::empty() });
    session.wait(FRAME);
    assert_eq!((session.screen.pointer.x, session.screen.pointer.y), (start.x - 6, start.y + 7));
    session.input(GuestInput::Motion { dx: i32::MAX, dy: i32::MIN, buttons: MouseButtons::empty() });
    session.wait(FRAME);
    assert_eq!((session.screen.pointer.x, session.screen.pointer.y), (639, 0));
    // A viewer that sends positions draws its pointer itself.
    session.position(Point::new(100, 100));
    session.now += FRAME;
    while let Some(event) = session.guest.poll(session.now) {
        assert!(!matches!(event, GuestEvent::Command(Command::Cursor(CursorCommand::Move(_)))));
        session.screen.apply(&event);
    }
}

#[test]
fn input_without_polls_queues_nothing() {
    let mut session = Session::small();
    session.grab(WindowId::Terminal);
    for step in 0..20_000_i32 {
        session.position(Point::new(step % 640, step % 480));
        session.type_codes(&[0x1e, 0x0f, ENTER]);
        session.now += Duration::from_micros(200);
    }
    assert!(session.guest.pen.is_empty());
    let events = session.poll();
    assert!(events < 120, "{events} events");
    session.assert_painted("after much input");
}

#[test]
fn pictures_are_at_least_a_frame_apart() {
    let mut session = Session::small();
    session.wait(FRAME);
    session.type_codes(&LS);
    session.wait(Duration::from_millis(5));
    session.type_codes(&LS);
    assert_eq!(session.poll(), 0);
    let due = session.guest.poll_timeout().unwrap();
    assert!(due > session.now && due.since(session.now) <= FRAME);
    session.now = due;
    assert!(session.poll() > 0);
}

#[test]
fn what_is_due_is_there_when_it_is_due_and_not_before() {
    let mut session = Session::new(DemoGuest::default());
    let mut pictures = 0;
    while session.now < Time::from_millis(3005) {
        let due = session.guest.poll_timeout().unwrap();
        assert!(due > session.now, "a poll that leads to another at once");
        session.now = Time::from_micros(due.as_micros() - 1);
        assert_eq!(session.poll(), 0, "too early at {:?}", session.now);
        session.now = due;
        assert!(session.poll() > 0, "nothing at {due:?}");
        pictures += 1;
    }
    assert!((75..=90).contains(&pictures), "{pictures} pictures in three seconds");
    session.assert_painted("after three seconds");
}

#[test]
fn nothing_moves_while_nobody_watches() {
    let mut session = Session::small();
    session.guest.handle_viewers(0, session.now);
    session.wait(FRAME);
    assert_eq!(session.guest.poll_timeout(), None);
    assert_eq!(session.wait(Duration::from_secs(60)), 0);
    session.guest.handle_viewers(2, session.now);
    assert!(session.poll() > 0);
    assert!(session.guest.poll_timeout().is_some());
    session.assert_painted("after a minute alone");
}

#[test]
fn an_unwatched_desktop_is_painted_once() {
    let mut guest = DemoGuest::default();
    assert_eq!(guest.poll_timeout(), Some(Time::ZERO));
    let mut events = 0;
    while guest.poll(Time::from_millis(1)).is_some() {
        events += 1;
    }
    assert!(events > 10);
    assert_eq!(guest.poll_timeout(), None);
}

#[test]
fn locks_are_shown() {
    let mut session = Session::small();
    session.type_codes(&[0x3a]);
    assert_eq!(session.guest.leds(), KeyModifiers::CAPS_LOCK);
    session.input(GuestInput::Modifiers(KeyModifiers::NUM_LOCK));
    assert_eq!(session.guest.leds(), KeyModifiers::NUM_LOCK);
}

#[test]
fn the_wheel_scrolls_the_terminal_below_the_pointer() {
    let mut session = Session::small();
    for _ in 0..6 {
        session.type_codes(&HELP);
        session.type_codes(&[ENTER]);
    }
    session.wait(FRAME);
    let bottom = session.guest.desktop.terminal.tty.text();
    let bar = session.guest.desktop.title_bar(WindowId::Terminal);
    session.position(Point::new(bar.left + 30, bar.bottom + 30));
    session.press(MouseButton::UP);
    session.assert_painted("scrolled back");
    assert_ne!(session.guest.desktop.terminal.tty.text(), bottom);
    session.press(MouseButton::DOWN);
    session.assert_painted("scrolled forth");
    assert_eq!(session.guest.desktop.terminal.tty.text(), bottom);
}

#[test]
fn a_tick_repaints_a_part_of_the_clock() {
    let mut session = Session::new(DemoGuest::default().with_wall_clock(Duration::from_secs(1_700_000_000)));
    let bar = session.guest.desktop.title_bar(WindowId::Clock);
    let content = Rect { top: bar.bottom, bottom: bar.bottom + 232, ..bar };
    let before = session.screen.snapshot();
    session.wait(Duration::from_secs(1));
    let changed = session.screen.changed(&before, content);
    assert!(changed > 0 && changed < 4000, "{changed} pixels");
}
