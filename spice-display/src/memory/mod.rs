//! Guest memory, and how a guest names a place in it.
//!
//! A guest writes its memory while it is read, so nothing is read in place: bytes are copied out, looked at, and never
//! fetched again. Every address comes from the guest, too; [`MemSlots`] finds the memory that it names, or says why
//! there is none. What a guest asks to have painted is put back where it says, which is the only thing that is written.

mod chunks;
mod slots;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;

pub use chunks::{ChunkError, ChunkHeader, ChunkList, MAX_CHUNKS, MAX_DATA};
pub use slots::{MemSlot, MemSlotSetup, MemSlots, MemoryError, Place, QxlPhysical, SetupError};

/// Bytes that were asked for and are not all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wanted} bytes at {offset:#x} do not lie within {len:#x}")]
pub struct OutOfRange {
    /// Where they were to begin.
    pub offset: u64,
    /// How many.
    pub wanted: u64,
    /// How many there are in all.
    pub len: u64,
}

/// Why bytes cannot be put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The memory is only read.
    #[error("this memory is only read")]
    ReadOnly,
    /// Not all of them would lie within it.
    #[error(transparent)]
    Range(#[from] OutOfRange),
}

/// A region of guest memory.
pub trait GuestMemory: fmt::Debug + Send + Sync {
    /// Bytes of the region. It never changes.
    fn len(&self) -> u64;

    /// Copies the bytes from `offset` on. The guest may write them meanwhile: each is what it was at some moment, and
    /// two reads of one place may differ.
    ///
    /// # Errors
    /// Where not all of them lie within the region. Then `into` is as it was.
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange>;

    /// Puts bytes there, from `offset` on. The guest may read or write them meanwhile.
    ///
    /// # Errors
    /// Memory that nobody writes, which is what a region is that does not say otherwise, or a place where not all of
    /// them lie within the region. Then the memory is as it was.
    fn write(&self, offset: u64, from: &[u8]) -> Result<(), WriteError> {
        let _ = (offset, from);
        Err(WriteError::ReadOnly)
    }

    /// Whether the region has no byte at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The `wanted` elements of `all` from `offset` on.
fn range<T>(all: &[T], offset: u64, wanted: usize) -> Result<&[T], OutOfRange> {
    let start = usize::try_from(offset).ok();
    let end = start.and_then(|start| start.checked_add(wanted));
    start.zip(end).and_then(|(start, end)| all.get(start..end)).ok_or(OutOfRange {
        offset,
        wanted: wanted as u64,
        len: all.len() as u64,
    })
}

/// Memory that nobody writes.
impl GuestMemory for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        into.copy_from_slice(range(self, offset, into.len())?);
        Ok(())
    }
}

/// Memory that other threads write.
impl GuestMemory for [AtomicU8] {
    fn len(&self) -> u64 {
        <[AtomicU8]>::len(self) as u64
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        let from = range(self, offset, into.len())?;
        for (to, from) in into.iter_mut().zip(from) {
            *to = from.load(Ordering::Relaxed);
        }
        Ok(())
    }

    fn write(&self, offset: u64, from: &[u8]) -> Result<(), WriteError> {
        for (to, from) in range(self, offset, from.len())?.iter().zip(from) {
            to.store(*from, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl GuestMemory for Bytes {
    fn len(&self) -> u64 {
        GuestMemory::len(self.as_ref())
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        self.as_ref().read(offset, into)
    }
}

impl<T> GuestMemory for Vec<T>
where
    [T]: GuestMemory,
    T: fmt::Debug + Send + Sync,
{
    fn len(&self) -> u64 {
        GuestMemory::len(self.as_slice())
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        self.as_slice().read(offset, into)
    }

    fn write(&self, offset: u64, from: &[u8]) -> Result<(), WriteError> {
        self.as_slice().write(offset, from)
    }
}

impl<M: GuestMemory + ?Sized> GuestMemory for Arc<M> {
    fn len(&self) -> u64 {
        self.as_ref().len()
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        self.as_ref().read(offset, into)
    }

    fn write(&self, offset: u64, from: &[u8]) -> Result<(), WriteError> {
        self.as_ref().write(offset, from)
    }
}
