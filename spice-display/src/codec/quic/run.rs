//! The lengths of runs: an adaptive code of powers of two (MELCODE).

/// By state: a one in the stream stands for two to this power of pixels.
const EXPONENTS: [u8; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// How long runs have been of late.
#[derive(Clone, Debug)]
pub(super) struct RunLengths {
    state: usize,
}

impl RunLengths {
    pub(super) const fn new() -> Self {
        Self { state: 0 }
    }

    /// Bits of the remainder that ends a length.
    pub(super) fn exponent(&self) -> u32 {
        u32::from(EXPONENTS[self.state])
    }

    /// Pixels that a one in the stream stands for.
    pub(super) fn order(&self) -> usize {
        1 << self.exponent()
    }

    /// A one was coded: longer runs are expected.
    pub(super) fn lengthen(&mut self) {
        self.state = (self.state + 1).min(EXPONENTS.len() - 1);
    }

    /// A length was coded: the next is expected to be a little shorter.
    pub(super) fn shorten(&mut self) {
        self.state = self.state.saturating_sub(1);
    }
}
