//! Lists of chunks, in which guests keep what is longer than they can allocate in one piece.

use super::{MemSlots, MemoryError, Place, QxlPhysical};

/// Most bytes of one list, and of anything else that a command points to.
pub const MAX_DATA: u64 = 128 << 20;

/// Most chunks of one list. One of the greatest length has a KiB in each.
pub const MAX_CHUNKS: usize = (MAX_DATA >> 10) as usize;

/// Why a list of chunks is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// A chunk that lies nowhere.
    #[error("chunk {index} at {address}: {error}")]
    Memory {
        /// Which, from 0.
        index: usize,
        /// Where it was to be.
        address: QxlPhysical,
        /// What is wrong with that.
        error: MemoryError,
    },
    /// A list that goes on, perhaps for ever.
    #[error("a list of more than {MAX_CHUNKS} chunks")]
    TooMany,
    /// A list that is too long, or has more bytes than there are to have.
    #[error("chunks of more than {most} bytes")]
    TooLong {
        /// What is allowed.
        most: u64,
    },
}

/// What is in front of a chunk's bytes (`QXLDataChunk`). The way back is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkHeader {
    /// Bytes of this chunk (`data_size`).
    pub len: u32,
    /// The next chunk, if there is one (`next_chunk`).
    pub next: QxlPhysical,
}

impl ChunkHeader {
    /// Bytes of a header.
    pub const LEN: usize = 20;

    /// A header that was copied out.
    #[must_use]
    pub const fn decode(bytes: [u8; Self::LEN]) -> Self {
        let [a, b, c, d, _, _, _, _, _, _, _, _, next @ ..] = bytes;
        Self { len: u32::from_le_bytes([a, b, c, d]), next: QxlPhysical(u64::from_le_bytes(next)) }
    }
}

/// A list of chunks whose headers have been read, each of them once, and whose bytes have not.
#[derive(Clone, Debug)]
pub struct ChunkList<'a> {
    chunks: Vec<(Place<'a>, usize)>,
    len: u64,
}

impl MemSlots {
    /// The list that begins at `address`.
    ///
    /// # Errors
    /// As [`Self::chunks_from`].
    pub fn chunks(&self, group: u32, address: QxlPhysical) -> Result<ChunkList<'_>, ChunkError> {
        let (header, data) =
            self.chunk(group, address).map_err(|error| ChunkError::Memory { index: 0, address, error })?;
        self.chunks_from(group, header, data)
    }

    /// The list that begins with a chunk whose header has been read, and whose bytes are at `data`.
    ///
    /// # Errors
    /// A chunk that lies nowhere, too many chunks (a list that comes back to itself among them), too many bytes:
    /// [`MAX_DATA`], or as many as the group has memory, so that chunks over one another cannot multiply it.
    pub fn chunks_from<'a>(
        &'a self,
        group: u32,
        mut header: ChunkHeader,
        mut data: Place<'a>,
    ) -> Result<ChunkList<'a>, ChunkError> {
        let most = MAX_DATA.min(self.group_len(group));
        let mut list = ChunkList { chunks: Vec::new(), len: 0 };
        for index in 0..MAX_CHUNKS {
            let len = header.len;
            let wrong = |index, address| move |error| ChunkError::Memory { index, address, error };
            data.check(len.into()).map_err(wrong(index, data.address()))?;
            list.len += u64::from(len);
            if list.len > most {
                return Err(ChunkError::TooLong { most });
            }
            if len > 0 {
                list.chunks.push((data, usize::try_from(len).map_err(|_| ChunkError::TooLong { most })?));
            }
            if header.next.is_null() {
                return Ok(list);
            }
            (header, data) = self.chunk(group, header.next).map_err(wrong(index + 1, header.next))?;
        }
        Err(ChunkError::TooMany)
    }

    /// A chunk's header, and where its bytes are.
    fn chunk(&self, group: u32, address: QxlPhysical) -> Result<(ChunkHeader, Place<'_>), MemoryError> {
        let place = self.resolve(group, address)?;
        let mut header = [0; ChunkHeader::LEN];
        place.read(&mut header)?;
        Ok((ChunkHeader::decode(header), place.behind(ChunkHeader::LEN as u64)?))
    }
}

impl ChunkList<'_> {
    /// Bytes of all chunks.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no byte.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes, copied out one after the other. Nothing else is allocated.
    ///
    /// # Errors
    /// Only from memory that is shorter than it was when the list was read.
    pub fn bytes(&self) -> Result<Vec<u8>, MemoryError> {
        let total = self.chunks.iter().map(|(_, len)| len).sum();
        let mut bytes = vec![0; total];
        let mut left = bytes.as_mut_slice();
        for (place, len) in &self.chunks {
            let Some((piece, behind)) = left.split_at_mut_checked(*len) else { break };
            place.read(piece)?;
            left = behind;
        }
        Ok(bytes)
    }
}
