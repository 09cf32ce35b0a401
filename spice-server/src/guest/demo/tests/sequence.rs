//! Long sequences of input without a plan.

use core::time::Duration;

use spice_proto::inputs::{MouseButton, MouseButtons};

use super::session::{ENTER, HELP, Session};
use crate::guest::demo::window::WindowId;
use crate::guest::{Guest, GuestInput};

/// A sequence of numbers without a pattern, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Some input, with a liking for what drags windows and fills the terminal.
fn any_input(session: &mut Session, dice: &mut Dice) {
    let windows = WindowId::ALL;
    match dice.roll(12) {
        0 => drop(session.grab(windows[dice.roll(3) as usize])),
        1 => session.press(MouseButton::LEFT),
        2 => session.release(),
        3 | 4 => {
            // Beyond the screen as well.
            let (x, y) = (dice.roll(700) as u32, dice.roll(500) as u32);
            session.input(GuestInput::Position { x, y, display: 0, buttons: MouseButtons::empty() });
        }
        5 => {
            let step = |dice: &mut Dice| dice.roll(81) as i32 - 40;
            let (dx, dy) = (step(dice), step(dice));
            session.input(GuestInput::Motion { dx, dy, buttons: MouseButtons::empty() });
        }
        6 => session.press([MouseButton::UP, MouseButton::DOWN][dice.roll(2) as usize]),
        7 => {
            session.type_codes(&HELP[..dice.roll(5) as usize]);
            session.type_codes(&[ENTER]);
        }
        8 => session.input(GuestInput::ScanCode(dice.roll(256) as u8)),
        9 => session.guest.handle_viewers(dice.roll(3) as usize, session.now),
        10 => session.type_codes(&vec![0x0e; dice.roll(90) as usize]),
        _ => session.type_codes(&vec![0x1e; dice.roll(90) as usize]),
    }
}

#[test]
fn whatever_viewers_do_the_parts_add_up_to_the_whole() {
    for seed in 1..=12_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut session = Session::small();
        for step in 0..120 {
            for _ in 0..=dice.roll(4) {
                any_input(&mut session, &mut dice);
            }
            let span = [0, 4, 17, 40, 333, 1100][dice.roll(6) as usize];
            session.wait(Duration::from_millis(span));
            if dice.roll(4) == 0 {
                session.assert_painted(&format!("seed {seed}, step {step}"));
            }
        }
        session.assert_painted(&format!("seed {seed}, at the end"));
    }
}

#[test]
fn the_same_input_gives_the_same_commands() {
    let run = || {
        let mut dice = Dice(77);
        let mut session = Session::small();
        let mut commands = String::new();
        for _ in 0..60 {
            any_input(&mut session, &mut dice);
            session.now += Duration::from_millis(dice.roll(50));
            while let Some(event) = session.guest.poll(session.now) {
                commands.push_str(&format!("{event:?}\n"));
            }
        }
        commands
    };
    assert!(run() == run(), "two runs differ");
}
