//! The terminal: a line editor and a handful of commands.

use core::time::Duration;

use spice_channel::Time;

use super::calendar;
use super::keyboard::Key;
use super::raster::Colour;
use super::theme;
use super::tty::{Cell, Tty};

const PROMPT: &str = "demo$ ";
const WELCOME: [(&str, Colour); 4] = [
    ("Welcome to spice-rs.\n\n", theme::AMBER),
    ("This desktop is drawn with QXL commands by the server\n", theme::TEXT),
    ("itself. Drag a window by its title bar; type \"help\"\n", theme::TEXT),
    ("and press Enter.\n\n", theme::TEXT),
];
const HELP: [(&str, &str); 7] = [
    ("help", "show this list"),
    ("echo", "print the words that follow"),
    ("date", "print the date and the time"),
    ("uptime", "print how long the desktop has been up"),
    ("viewers", "print how many viewers are watching"),
    ("colours", "show the colours of this desktop"),
    ("clear", "clear the screen"),
];
/// Characters of a line of input.
const LONGEST_INPUT: usize = 240;
/// Lines of input that can be recalled.
const RECALLED: usize = 50;
/// How long the cursor is shown, and then hidden.
const BLINK: Duration = Duration::from_millis(500);

/// What commands can tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) uptime: Duration,
    /// Since 1970 in UTC, if it is known.
    pub(super) wall: Option<Duration>,
    pub(super) viewers: usize,
}

/// A terminal with a shell in it.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    pub(super) tty: Tty,
    input: String,
    past: Vec<String>,
    /// Which line of `past` is shown; its length for none.
    recalled: usize,
    /// When the cursor began to blink.
    steady: Time,
}

impl Terminal {
    /// A terminal of so many characters that has said its welcome.
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        let mut tty = Tty::new(columns, rows);
        for (text, ink) in WELCOME {
            tty.write(text, ink);
        }
        tty.write(PROMPT, theme::TEAL);
        Self { tty, input: String::new(), past: Vec::new(), recalled: 0, steady: Time::ZERO }
    }

    /// Takes a key.
    pub(super) fn press(&mut self, key: Key, facts: Facts, now: Time) {
        let page = (self.tty.rows() / 2).max(1).cast_signed();
        match key {
            Key::PageUp => return self.tty.look(-page),
            Key::PageDown => return self.tty.look(page),
            Key::Text(character) => self.type_character(character),
            Key::Tab => self.tab(),
            Key::Backspace => self.erase(),
            Key::Enter => self.enter(facts),
            Key::Up => self.recall(self.recalled.saturating_sub(1)),
            Key::Down => self.recall((self.recalled + 1).min(self.past.len())),
            Key::Control('c') => {
                self.tty.write("^C\n", theme::DIM_TEXT);
                self.prompt();
            }
            Key::Control('l') => {
                self.tty.clear();
                self.tty.write(PROMPT, theme::TEAL);
                self.tty.write(&self.input, theme::TEXT);
            }
            Key::Control('u') => self.replace_input(""),
            Key::Control(_) => {}
        }
        self.steady = now;
        self.tty.blink(true);
    }

    /// Shows or hides the cursor, as it is due.
    pub(super) fn blink(&mut self, now: Time) {
        self.tty.blink(self.half_blinks(now).is_multiple_of(2));
    }

    /// When the cursor changes next.
    pub(super) fn next_blink(&self, now: Time) -> Time {
        let changes = u32::try_from(self.half_blinks(now) + 1).unwrap_or(u32::MAX);
        self.steady + BLINK.saturating_mul(changes)
    }

    fn half_blinks(&self, now: Time) -> u128 {
        now.since(self.steady).as_micros() / BLINK.as_micros()
    }

    fn type_character(&mut self, character: char) {
        if self.input.len() < LONGEST_INPUT {
            self.input.push(character);
            self.tty.write(character.encode_utf8(&mut [0; 4]), theme::TEXT);
        }
    }

    /// Fills up to a multiple of eight columns.
    fn tab(&mut self) {
        for _ in self.tty.column() % 8..8 {
            self.type_character(' ');
        }
    }

    fn erase(&mut self) {
        if self.input.pop().is_some() {
            self.tty.erase();
        }
    }

    fn recall(&mut self, index: usize) {
        self.recalled = index;
        let line = self.past.get(index).cloned().unwrap_or_default();
        self.replace_input(&line);
    }

    fn replace_input(&mut self, line: &str) {
        while !self.input.is_empty() {
            self.erase();
        }
        line.chars().for_each(|character| self.type_character(character));
    }

    fn enter(&mut self, facts: Facts) {
        self.tty.begin_line();
        let line = core::mem::take(&mut self.input);
        self.run(line.trim(), facts);
        if !line.trim().is_empty() && self.past.last() != Some(&line) {
            if self.past.len() == RECALLED {
                self.past.remove(0);
            }
            self.past.push(line);
        }
        self.prompt();
    }

    fn prompt(&mut self) {
        self.input.clear();
        self.recalled = self.past.len();
        self.tty.write(PROMPT, theme::TEAL);
    }

    fn run(&mut self, line: &str, facts: Facts) {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "" => {}
            "help" => self.help(),
            "echo" => self.say(rest.trim_start()),
            "date" => match facts.wall {
                Some(wall) => self.say(&calendar::moment(wall)),
                None => self.say("This desktop has no clock but its uptime."),
            },
            "uptime" => self.say(&format!("up {}", calendar::span(facts.uptime))),
            "viewers" => self.say(&match facts.viewers {
                1 => "1 viewer is watching.".to_owned(),
                viewers => format!("{viewers} viewers are watching."),
            }),
            "colours" | "colors" => self.colours(),
            "clear" => self.tty.clear(),
            _ => {
                self.tty.write(command, theme::CORAL);
                self.say(": unknown command; \"help\" lists what there is");
            }
        }
    }

    fn say(&mut self, text: &str) {
        self.tty.write(text, theme::TEXT);
        self.tty.begin_line();
    }

    fn help(&mut self) {
        for (command, purpose) in HELP {
            self.tty.write(&format!("  {command:<9}"), theme::AMBER);
            self.say(purpose);
        }
    }

    fn colours(&mut self) {
        let hues = [theme::TEAL, theme::LEAF, theme::AMBER, theme::CORAL, theme::LILAC, theme::SKY];
        for darker in [0, 80, 150] {
            self.tty.write("  ", theme::TEXT);
            for hue in hues {
                let paper = hue.mix(theme::TERMINAL, darker);
                for character in "      ".chars() {
                    self.tty.put(Cell { character, ink: paper, paper });
                }
            }
            self.tty.begin_line();
        }
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use spice_channel::Time;

    use super::{Facts, LONGEST_INPUT, Terminal};
    use crate::guest::demo::keyboard::Key;

    const FACTS: Facts = Facts { uptime: Duration::from_secs(75), wall: None, viewers: 2 };

    fn type_line(terminal: &mut Terminal, line: &str) {
        for character in line.chars() {
            terminal.press(Key::Text(character), FACTS, Time::ZERO);
        }
        terminal.press(Key::Enter, FACTS, Time::ZERO);
    }

    /// What is below the welcome, the last prompt left out.
    fn output(line: &str) -> Vec<String> {
        let mut terminal = Terminal::new(60, 24);
        let before = terminal.tty.text().len();
        type_line(&mut terminal, line);
        let text = terminal.tty.text();
        text[before..text.len() - 1].to_vec()
    }

    #[test]
    fn commands_answer() {
        assert_eq!(output("echo  Hello, world"), ["Hello, world"]);
        assert_eq!(output("uptime"), ["up 00:01:15"]);
        assert_eq!(output("viewers"), ["2 viewers are watching."]);
        assert_eq!(output(""), [""; 0]);
        assert_eq!(output("sl -l"), ["sl: unknown command; \"help\" lists what there is"]);
        assert_eq!(output("help").len(), super::HELP.len());
        assert_eq!(output("colours").len(), 3);
    }

    #[test]
    fn the_date_needs_a_wall_clock() {
        let mut terminal = Terminal::new(60, 24);
        type_line(&mut terminal, "date");
        assert!(terminal.tty.text().iter().any(|line| line.contains("no clock")));
        for character in "date".chars() {
            terminal.press(Key::Text(character), FACTS, Time::ZERO);
        }
        let facts = Facts { wall: Some(Duration::from_secs(951_868_800)), ..FACTS };
        terminal.press(Key::Enter, facts, Time::ZERO);
        assert!(terminal.tty.text().contains(&"Wed 2000-03-01 00:00:00 UTC".to_owned()));
    }

    #[test]
    fn clear_leaves_a_prompt() {
        let mut terminal = Terminal::new(60, 24);
        type_line(&mut terminal, "clear");
        assert_eq!(terminal.tty.text(), ["demo$"]);
    }

    #[test]
    fn arrows_recall_and_erasing_stops_at_the_prompt() {
        let mut terminal = Terminal::new(60, 24);
        type_line(&mut terminal, "echo one");
        type_line(&mut terminal, "echo two");
        let last = |terminal: &Terminal| terminal.tty.text().pop().unwrap();
        terminal.press(Key::Up, FACTS, Time::ZERO);
        terminal.press(Key::Up, FACTS, Time::ZERO);
        terminal.press(Key::Up, FACTS, Time::ZERO);
        assert_eq!(last(&terminal), "demo$ echo one");
        terminal.press(Key::Down, FACTS, Time::ZERO);
        assert_eq!(last(&terminal), "demo$ echo two");
        for _ in 0..20 {
            terminal.press(Key::Backspace, FACTS, Time::ZERO);
        }
        assert_eq!(last(&terminal), "demo$");
    }

    #[test]
    fn input_is_bounded() {
        let mut terminal = Terminal::new(60, 24);
        for _ in 0..1000 {
            terminal.press(Key::Text('x'), FACTS, Time::ZERO);
        }
        assert_eq!(terminal.input.len(), LONGEST_INPUT);
    }

    #[test]
    fn the_cursor_blinks_from_the_last_key_on() {
        let mut terminal = Terminal::new(60, 24);
        let typed = Time::from_millis(700);
        terminal.press(Key::Text('x'), FACTS, typed);
        assert_eq!(terminal.next_blink(typed), Time::from_millis(1200));
        assert_eq!(terminal.next_blink(Time::from_millis(1200)), Time::from_millis(1700));
    }
}
