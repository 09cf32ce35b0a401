//! Which keys a viewer holds down.

use std::collections::BTreeSet;

const PREFIX: u8 = 0xe0;
const RELEASE: u8 = 0x80;

/// A key, by its scan code without the release bit, and whether `0xe0` comes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    prefixed: bool,
    code: u8,
}

impl Key {
    /// The scan codes of its release.
    pub(super) fn release(self) -> impl Iterator<Item = u8> {
        self.prefixed.then_some(PREFIX).into_iter().chain([self.code | RELEASE])
    }
}

/// Follows a viewer's scan codes, so that what it holds can be released when it leaves.
#[derive(Debug, Default)]
pub(super) struct HeldKeys {
    held: BTreeSet<Key>,
    prefixed: bool,
}

impl HeldKeys {
    pub(super) fn handle_scan_code(&mut self, byte: u8) {
        if byte == PREFIX {
            self.prefixed = true;
            return;
        }
        let key = Key { prefixed: std::mem::take(&mut self.prefixed), code: byte & !RELEASE };
        if byte & RELEASE == 0 {
            self.held.insert(key);
        } else {
            self.held.remove(&key);
        }
    }

    pub(super) fn contains(&self, key: Key) -> bool {
        self.held.contains(&key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Key> {
        self.held.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixed_keys_are_other_keys_and_released_as_such() {
        let mut keys = HeldKeys::default();
        for byte in [0x1e, 0xe0, 0x48, 0x48, 0x9e] {
            keys.handle_scan_code(byte);
        }
        let releases: Vec<u8> = keys.iter().flat_map(Key::release).collect();
        assert_eq!(releases, [0xc8, 0xe0, 0xc8]);
    }
}
