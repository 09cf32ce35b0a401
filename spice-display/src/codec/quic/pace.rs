//! When the models learn: after every pixel at first, then after ever fewer.

/// The wait between two lessons is below `1 << level`, and this is the last level.
const LAST_LEVEL: usize = 6;
/// Pixels of a level, runs and all.
const LEVEL_PIXELS: usize = 2048;
/// The cost at which a model halves its costs, by level.
const TRIGGERS: [i32; LAST_LEVEL + 1] = [110, 550, 900, 800, 550, 400, 350];

/// The sequence that waits are drawn from: its low bits, as many as the level.
#[rustfmt::skip]
const WAITS: [u8; 256] = [
     2, 23, 19, 21,  7, 18, 40, 14, 12, 32, 47, 44, 36,  6, 18, 11,
     4, 19, 42, 29, 16, 63, 57, 51, 16,  3,  5, 14, 15, 30, 20,  9,
    36, 45,  3, 57, 61,  0,  8,  5, 41, 14, 43, 27, 43, 59, 31, 35,
    39, 60, 42, 38, 13, 54, 62,  1, 26,  3, 11, 61, 52, 34,  7, 48,
     4, 59, 22, 12, 22,  8, 50,  4, 10,  6, 44,  8, 11, 46, 31, 51,
    53, 17,  1, 43, 46, 60, 36, 54, 10, 27, 39, 44, 22, 41, 23,  2,
    44,  0, 40, 53, 40, 48, 16, 43, 32, 28, 33, 12, 20,  2, 56, 62,
    55, 58, 18, 20, 13, 55, 38, 29, 57, 19, 49, 33, 47, 63, 59,  0,
    35, 61, 19, 25, 46, 38, 60,  4, 35,  1, 26, 40, 28, 10,  5, 14,
    25, 18, 48, 49, 20, 59, 62, 34, 46,  7, 33, 52, 34, 58,  9, 29,
     8, 55, 62, 60, 37, 36, 37, 50,  6,  3, 10, 28, 48, 24, 26, 61,
    57, 30, 11, 54,  2,  6, 50, 47,  7, 17, 35, 53, 32, 12, 23, 17,
     5, 21, 49, 55, 51, 45, 52, 27, 39, 25, 39, 63, 22, 24, 42, 52,
    56, 38, 41, 41, 56, 32, 13, 24, 26, 51, 27, 56, 58, 37, 24, 42,
    15, 28, 17, 30, 31, 15, 16, 23, 25, 54, 33, 34,  1, 29, 31, 50,
    53, 21, 49, 15, 47,  9,  0, 58, 37, 45, 30, 13,  9, 45, 63, 21,
];

/// Where coding stands between two lessons.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    wait: u8,
    draws: u8,
    level: usize,
    /// Pixels until the next level.
    left: usize,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self { wait: 0, draws: 0, level: 0, left: LEVEL_PIXELS }
    }

    /// How many of the next `pixels` belong to this level.
    pub(super) fn span(&self, pixels: usize) -> usize {
        if self.level == LAST_LEVEL { pixels } else { pixels.min(self.left) }
    }

    /// As many pixels are done, not more than the last [`span`](Self::span).
    pub(super) fn passed(&mut self, pixels: usize) {
        if self.level == LAST_LEVEL {
            return;
        }
        self.left = self.left.saturating_sub(pixels);
        if self.left == 0 {
            self.level += 1;
            self.left = LEVEL_PIXELS;
        }
    }

    /// A pixel is coded, not as part of a run. True when the models are to learn from it.
    #[inline]
    pub(super) fn lesson(&mut self) -> bool {
        if self.wait > 0 {
            self.wait -= 1;
            return false;
        }
        let mask = ((1_u32 << self.level) - 1) as u8;
        self.wait = WAITS[usize::from(self.draws)] & mask;
        self.draws = self.draws.wrapping_add(1);
        true
    }

    pub(super) fn trigger(&self) -> i32 {
        TRIGGERS[self.level]
    }
}
