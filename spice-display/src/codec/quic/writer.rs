//! Bits into words.

use super::QuicHeader;
use super::book::Code;

/// Words that are gathered before they are added to the stream.
const BLOCK: usize = 512;

/// The end of a stream that is being written: what is not in a whole block yet. It is apart from the [`Words`] so
/// that it can be in registers.
///
/// The first bit is at the top of its word, and the words are little-endian.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    /// Bits that are in no word yet, the last of them lowest; what is above them has been written.
    pending: u64,
    /// How many they are, below 32.
    len: u32,
    /// Words in the block, fewer than it takes.
    words: usize,
}

/// The stream but for its [`Tail`].
#[derive(Debug)]
pub(super) struct Words {
    bytes: Vec<u8>,
    block: [u32; BLOCK],
}

impl Words {
    /// A stream of this header.
    pub(super) fn new(header: &QuicHeader) -> (Self, Tail) {
        let bytes = header.words().into_iter().flat_map(u32::to_le_bytes).collect();
        (Self { bytes, block: [0; BLOCK] }, Tail { pending: 0, len: 0, words: 0 })
    }

    #[cold]
    #[inline(never)]
    fn add(&mut self, words: usize) {
        self.bytes.extend(self.block.iter().take(words).flat_map(|word| word.to_le_bytes()));
    }

    /// Ends the last word, and adds one that the C decoder reads ahead.
    pub(super) fn finish(mut self, mut tail: Tail) -> Vec<u8> {
        if tail.len > 0 {
            tail.put(&mut self, 0, 32 - tail.len);
        }
        tail.put(&mut self, 0, 32);
        self.add(tail.words);
        self.bytes
    }
}

impl Tail {
    /// Writes the low `len` bits of `bits`, whose others are zero; 32 at most.
    #[inline(always)]
    pub(super) fn put(&mut self, to: &mut Words, bits: u32, len: u32) {
        self.pending = (self.pending << len) | u64::from(bits);
        self.len += len;
        // Stored in any case, and stored again if it was not whole: that cannot be foreseen, so it is no branch.
        to.block[self.words % BLOCK] = (self.pending >> (self.len % 32)) as u32;
        self.words += (self.len / 32) as usize;
        self.len %= 32;
        if self.words == BLOCK {
            to.add(BLOCK);
            self.words = 0;
        }
    }

    /// Writes the last of the codes, then the one before it and so on; all at once if they are short.
    #[inline(always)]
    pub(super) fn put_last_to_first<const N: usize>(&mut self, to: &mut Words, codes: [Code; N]) {
        let (mut bits, mut len) = (0, 0);
        for code in codes.iter().rev() {
            bits = (bits << code.len()) | u64::from(code.bits());
            len += code.len();
        }
        if len <= 32 {
            self.put(to, bits as u32, len);
        } else {
            for code in codes.iter().rev() {
                self.put(to, code.bits(), code.len());
            }
        }
    }
}
