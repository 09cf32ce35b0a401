//! Bits out of words.

use super::QuicError;

/// What can be wrong within a row. A byte, which comes back from every sample in a register.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Run,
    Code,
}

impl From<Fault> for QuicError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Run => Self::Run,
            Fault::Code => Self::Code,
        }
    }
}

/// Bits out of words, the first bit at the top of its word, the words little-endian.
#[derive(Debug)]
pub(super) struct BitReader<'a> {
    words: std::slice::Iter<'a, [u8; 4]>,
    /// The next bits, the first of them at the top.
    ahead: u64,
    /// How many they are: 32 at least.
    len: u32,
    /// Words of zeros that were added after the last.
    missing: u64,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(words: &'a [[u8; 4]]) -> Self {
        let mut reader = Self { words: words.iter(), ahead: 0, len: 0, missing: 0 };
        reader.refill();
        reader
    }

    #[inline]
    fn refill(&mut self) {
        let word = match self.words.next() {
            Some(&word) => u32::from_le_bytes(word),
            None => {
                self.missing += 1;
                0
            }
        };
        self.ahead |= u64::from(word) << (32 - self.len);
        self.len += 32;
    }

    /// The next 32 bits; zeros after the last.
    #[inline]
    pub(super) const fn peek(&self) -> u32 {
        (self.ahead >> 32) as u32
    }

    /// Goes on by 32 bits at most.
    #[inline]
    pub(super) fn skip(&mut self, len: u32) {
        self.ahead <<= len;
        self.len -= len;
        if self.len < 32 {
            self.refill();
        }
    }

    /// True once bits were read that are not there.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.missing * 32 > self.len as u64
    }
}
