//! How much of the canvas is decided upon at a time for a viewer that catches up.

use core::time::Duration;

/// For a viewer that reads at least as fast as a slow link carries. What changes is drawn faster than it is sent as
/// images; one that is to follow again has to get all of its damage at once, and then commands.
const PATIENCE: Duration = Duration::from_millis(200);

/// For one behind a slow link, which will not follow: only so much that it does not wait for the packing.
const SLOW_PATIENCE: Duration = Duration::from_millis(50);

/// Bytes of pixels, at most: some screens.
const MOST: usize = 16 << 20;

/// Bytes of pixels of which the ratio is remembered.
const MEMORY: u64 = 4 << 20;

/// What becomes of the pixels that a viewer is sent, and with it how many of them take how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    bare: u64,
    packed: u64,
}

impl Default for Ahead {
    /// A quarter, until something is known.
    fn default() -> Self {
        Self { bare: 256 << 10, packed: 64 << 10 }
    }
}

impl Ahead {
    /// So many bytes of pixels have become so many.
    pub(super) fn handle_packed(&mut self, bare: usize, packed: usize) {
        self.bare += bare as u64;
        self.packed += packed as u64;
        if self.bare > MEMORY {
            self.bare /= 2;
            self.packed /= 2;
        }
    }

    /// Bytes of pixels that may be decided upon for a viewer that reads so many bytes a second, if that is known. A
    /// single image may have more.
    pub(super) fn limit(self, rate: Option<u64>, slow: bool) -> usize {
        let Some(rate) = rate else { return MOST };
        let patience = if slow { SLOW_PATIENCE } else { PATIENCE };
        let packed = u128::from(rate) * patience.as_millis() / 1000;
        let bare = packed * u128::from(self.bare) / u128::from(self.packed.max(1));
        usize::try_from(bare).unwrap_or(usize::MAX).min(MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_viewer_gets_as_much_as_it_reads_in_a_moment() {
        let mut ahead = Ahead::default();
        assert_eq!(ahead.limit(None, false), MOST);
        for _ in 0..100 {
            ahead.handle_packed(64 << 10, 6 << 10);
        }
        let limit = ahead.limit(Some(200_000), true);
        assert!((90_000..120_000).contains(&limit), "{limit}");
        let limit = ahead.limit(Some(2_000_000), false);
        assert!((3_600_000..4_800_000).contains(&limit), "{limit}");
        for _ in 0..200 {
            ahead.handle_packed(64 << 10, 64 << 10);
        }
        assert!(ahead.limit(Some(200_000), true) < 11_000);
    }
}
