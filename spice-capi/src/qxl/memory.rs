//! The host's memory that a guest draws in.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use spice_display::memory::{GuestMemory, OutOfRange, WriteError};

/// A part of the host's memory that it has said is a guest's (`QXLDevMemSlot`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct HostMemory {
    start: usize,
    len: u64,
}

impl HostMemory {
    /// # Safety
    /// From `start` on, `len` bytes can be read and written for as long as the memory is in use, by any thread. The guest
    /// writes them meanwhile.
    pub(crate) const unsafe fn new(start: usize, len: u64) -> Self {
        Self { start, len }
    }

    /// Where the byte at `offset` is.
    pub(crate) const fn address(&self, offset: u64) -> usize {
        self.start.wrapping_add(offset as usize)
    }

    /// The same memory without its first `offset` bytes.
    pub(crate) fn from(&self, offset: u64) -> Option<Self> {
        Some(Self { start: self.address(offset), len: self.len.checked_sub(offset)? })
    }

    /// Where so many bytes begin.
    fn place(&self, offset: u64, wanted: usize) -> Result<usize, OutOfRange> {
        let end = offset.checked_add(wanted as u64);
        if end.is_none_or(|end| end > self.len) {
            return Err(OutOfRange { offset, wanted: wanted as u64, len: self.len });
        }
        Ok(self.address(offset))
    }
}

const WORD: usize = size_of::<u64>();

impl GuestMemory for HostMemory {
    fn len(&self) -> u64 {
        self.len
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        let from = self.place(offset, into.len())?;
        let ahead = from.wrapping_neg() % WORD;
        let (first, rest) = into.split_at_mut(ahead.min(into.len()));
        read_bytes(from, first);
        let (words, last) = rest.as_chunks_mut::<WORD>();
        let mut at = from + first.len();
        for word in words {
            // SAFETY: the place was checked to lie in the slot, and `at` is a multiple of eight.
            let from = unsafe { AtomicU64::from_ptr(at as *mut u64) };
            *word = from.load(Ordering::Relaxed).to_ne_bytes();
            at += WORD;
        }
        read_bytes(at, last);
        Ok(())
    }

    fn write(&self, offset: u64, from: &[u8]) -> Result<(), WriteError> {
        let to = self.place(offset, from.len())?;
        let ahead = to.wrapping_neg() % WORD;
        let (first, rest) = from.split_at(ahead.min(from.len()));
        write_bytes(to, first);
        let (words, last) = rest.as_chunks::<WORD>();
        let mut at = to + first.len();
        for word in words {
            // SAFETY: the place was checked to lie in the slot, and `at` is a multiple of eight.
            let to = unsafe { AtomicU64::from_ptr(at as *mut u64) };
            to.store(u64::from_ne_bytes(*word), Ordering::Relaxed);
            at += WORD;
        }
        write_bytes(at, last);
        Ok(())
    }
}

fn read_bytes(from: usize, into: &mut [u8]) {
    for (at, to) in (from..).zip(into) {
        // SAFETY: the caller has checked that the bytes lie in the slot.
        *to = unsafe { AtomicU8::from_ptr(at as *mut u8) }.load(Ordering::Relaxed);
    }
}

fn write_bytes(to: usize, from: &[u8]) {
    for (at, byte) in (to..).zip(from) {
        // SAFETY: the caller has checked that the bytes lie in the slot.
        unsafe { AtomicU8::from_ptr(at as *mut u8) }.store(*byte, Ordering::Relaxed);
    }
}
