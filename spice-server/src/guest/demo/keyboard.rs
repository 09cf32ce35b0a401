//! Scan codes to keys, for a US keyboard.

use spice_proto::inputs::KeyModifiers;

/// What a key press means to the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A printable ASCII character.
    Text(char),
    Enter,
    Tab,
    Backspace,
    Up,
    Down,
    PageUp,
    PageDown,
    /// Control and a letter, the letter in lower case.
    Control(char),
}

/// Keys held down and locks, of all viewers together: a key that two viewers hold is up when one lets it go.
#[derive(Clone, Debug)]
pub(super) struct Keyboard {
    prefix: Prefix,
    left_shift: bool,
    right_shift: bool,
    control: bool,
    /// The caps lock key is down, so that its repeats do not switch the light.
    caps_held: bool,
    locks: KeyModifiers,
}

/// What the bytes before this one announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    None,
    Extended,
    /// This many more bytes belong to the pause key.
    Pause(u8),
}

const RELEASE: u8 = 0x80;

impl Keyboard {
    pub(super) fn new() -> Self {
        Self {
            prefix: Prefix::None,
            left_shift: false,
            right_shift: false,
            control: false,
            caps_held: false,
            locks: KeyModifiers::empty(),
        }
    }

    pub(super) fn locks(&self) -> KeyModifiers {
        self.locks
    }

    pub(super) fn set_locks(&mut self, locks: KeyModifiers) {
        self.locks = locks;
    }

    /// Lets go of every key; the locks stay.
    pub(super) fn release_all(&mut self) {
        *self = Self { locks: self.locks, ..Self::new() };
    }

    /// Takes one byte of set 1; a key, if one went down that means something here.
    pub(super) fn take(&mut self, byte: u8) -> Option<Key> {
        let prefix = core::mem::replace(&mut self.prefix, Prefix::None);
        let pressed = byte & RELEASE == 0;
        match (prefix, byte) {
            (Prefix::Pause(1), _) => None,
            (Prefix::Pause(more), _) => {
                self.prefix = Prefix::Pause(more - 1);
                None
            }
            (_, 0xe0) => {
                self.prefix = Prefix::Extended;
                None
            }
            (_, 0xe1) => {
                self.prefix = Prefix::Pause(2);
                None
            }
            (Prefix::Extended, _) => self.extended(byte & !RELEASE, pressed),
            (Prefix::None, _) => self.plain(byte & !RELEASE, pressed),
        }
    }

    fn extended(&mut self, code: u8, pressed: bool) -> Option<Key> {
        if code == 0x1d {
            self.control = pressed;
        }
        let key = match code {
            0x1c => Key::Enter,
            0x35 => Key::Text('/'),
            0x48 => Key::Up,
            0x49 => Key::PageUp,
            0x50 => Key::Down,
            0x51 => Key::PageDown,
            _ => return None,
        };
        pressed.then_some(key)
    }

    fn plain(&mut self, code: u8, pressed: bool) -> Option<Key> {
        match code {
            0x1d => self.control = pressed,
            0x2a => self.left_shift = pressed,
            0x36 => self.right_shift = pressed,
            0x3a => {
                if pressed && !self.caps_held {
                    self.locks.toggle(KeyModifiers::CAPS_LOCK);
                }
                self.caps_held = pressed;
            }
            0x45 if pressed => self.locks.toggle(KeyModifiers::NUM_LOCK),
            0x46 if pressed => self.locks.toggle(KeyModifiers::SCROLL_LOCK),
            _ => {}
        }
        if !pressed {
            return None;
        }
        match code {
            0x0e => Some(Key::Backspace),
            0x0f => Some(Key::Tab),
            0x1c => Some(Key::Enter),
            _ => self.text(code).or_else(|| self.keypad(code)),
        }
    }

    fn text(&self, code: u8) -> Option<Key> {
        let (plain, shifted) = layout(code)?;
        if self.control {
            return plain.is_ascii_alphabetic().then_some(Key::Control(plain));
        }
        let shift = self.left_shift || self.right_shift;
        let caps = plain.is_ascii_alphabetic() && self.locks.contains(KeyModifiers::CAPS_LOCK);
        Some(Key::Text(if shift != caps { shifted } else { plain }))
    }

    fn keypad(&self, code: u8) -> Option<Key> {
        let digits = self.locks.contains(KeyModifiers::NUM_LOCK) && !self.left_shift && !self.right_shift;
        let (digit, other) = match code {
            0x47 => ('7', None),
            0x48 => ('8', Some(Key::Up)),
            0x49 => ('9', Some(Key::PageUp)),
            0x4b => ('4', None),
            0x4c => ('5', None),
            0x4d => ('6', None),
            0x4f => ('1', None),
            0x50 => ('2', Some(Key::Down)),
            0x51 => ('3', Some(Key::PageDown)),
            0x52 => ('0', None),
            0x53 => ('.', None),
            _ => return None,
        };
        if digits { Some(Key::Text(digit)) } else { other }
    }
}

/// The characters on a key, without and with shift.
fn layout(code: u8) -> Option<(char, char)> {
    const ROWS: [(u8, &str, &str); 5] = [
        (0x02, "1234567890-=", "!@#$%^&*()_+"),
        (0x10, "qwertyuiop[]", "QWERTYUIOP{}"),
        (0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~"),
        (0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
        (0x56, "\\", "|"),
    ];
    match code {
        0x37 => return Some(('*', '*')),
        0x39 => return Some((' ', ' ')),
        0x4a => return Some(('-', '-')),
        0x4e => return Some(('+', '+')),
        _ => {}
    }
    ROWS.iter().find_map(|(first, plain, shifted)| {
        let index = usize::from(code.checked_sub(*first)?);
        Some((char::from(*plain.as_bytes().get(index)?), char::from(*shifted.as_bytes().get(index)?)))
    })
}

#[cfg(test)]
mod tests {
    use spice_proto::inputs::KeyModifiers;

    use super::{Key, Keyboard, layout};

    fn keys(keyboard: &mut Keyboard, bytes: &[u8]) -> Vec<Key> {
        bytes.iter().filter_map(|byte| keyboard.take(*byte)).collect()
    }

    #[test]
    fn every_printable_character_has_a_key() {
        let typed: Vec<(char, char)> = (0..=0x7f).filter_map(layout).collect();
        for character in ' '..='~' {
            assert!(
                typed.iter().any(|(plain, shifted)| *plain == character || *shifted == character),
                "{character}"
            );
        }
    }

    #[test]
    fn shift_and_caps_lock_undo_each_other_on_letters_only() {
        let mut keyboard = Keyboard::new();
        assert_eq!(keys(&mut keyboard, &[0x2a, 0x1e, 0x9e, 0x02, 0xaa]), [Key::Text('A'), Key::Text('!')]);
        assert_eq!(keys(&mut keyboard, &[0x3a, 0x3a, 0xba, 0x1e, 0x02]), [Key::Text('A'), Key::Text('1')]);
        assert_eq!(keyboard.locks(), KeyModifiers::CAPS_LOCK);
        assert_eq!(keys(&mut keyboard, &[0x36, 0x1e]), [Key::Text('a')]);
        keyboard.set_locks(KeyModifiers::empty());
        assert_eq!(keys(&mut keyboard, &[0x1e]), [Key::Text('A')]);
        keyboard.release_all();
        assert_eq!(keys(&mut keyboard, &[0x1e]), [Key::Text('a')]);
    }

    #[test]
    fn prefixes_change_what_follows_and_nothing_after() {
        let mut keyboard = Keyboard::new();
        // A grey arrow comes with a shift that nobody pressed, and the pause key with a control.
        assert_eq!(keys(&mut keyboard, &[0xe0, 0x2a, 0xe0, 0x48, 0x1e]), [Key::Up, Key::Text('a')]);
        assert_eq!(keys(&mut keyboard, &[0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5, 0x1e]), [Key::Text('a')]);
        assert_eq!(keyboard.locks(), KeyModifiers::empty());
        assert_eq!(
            keys(&mut keyboard, &[0xe0, 0x1d, 0x26, 0xe0, 0x9d, 0x26]),
            [Key::Control('l'), Key::Text('l')]
        );
    }

    #[test]
    fn the_keypad_has_digits_under_num_lock() {
        let mut keyboard = Keyboard::new();
        assert_eq!(keys(&mut keyboard, &[0x48, 0x4c]), [Key::Up]);
        keyboard.set_locks(KeyModifiers::NUM_LOCK);
        assert_eq!(
            keys(&mut keyboard, &[0x48, 0x4c, 0x53]),
            [Key::Text('8'), Key::Text('5'), Key::Text('.')]
        );
    }
}
