//! What a stream begins with.

use super::{LzError, LzFormat};

/// The first bytes of a stream: what it is a picture of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LzHeader {
    /// What the pixels are.
    pub format: LzFormat,
    /// Columns, one at least.
    pub width: u32,
    /// Rows, one at least.
    pub height: u32,
    /// Whether the first row of the stream is the top one.
    pub top_down: bool,
}

/// The magic number, big-endian.
pub(in crate::codec) const MAGIC: u32 = u32::from_le_bytes(*b"LZ  ");
/// Version 1.1.
pub(in crate::codec) const VERSION: u32 = 0x0001_0001;

impl LzHeader {
    /// Bytes of a header.
    pub const LEN: usize = 28;

    /// Reads the header of a stream, and says nothing of what follows it.
    ///
    /// # Errors
    /// Fewer bytes than a header, another magic number or version, an unknown format, no pixel, a stride that is not
    /// that of rows with nothing between them.
    pub fn read(data: &[u8]) -> Result<Self, LzError> {
        let bytes = data.first_chunk::<{ Self::LEN }>().ok_or(LzError::Truncated)?;
        let (words, _) = bytes.as_chunks::<4>();
        let &[magic, version, format, width, height, stride, top_down] = words else {
            return Err(LzError::Truncated);
        };
        let [magic, version, format, width, height, stride, top_down] =
            [magic, version, format, width, height, stride, top_down].map(u32::from_be_bytes);
        if magic != MAGIC {
            return Err(LzError::Magic(magic));
        }
        if version != VERSION {
            return Err(LzError::Version(version));
        }
        let format = LzFormat::from_wire(format).ok_or(LzError::Format(format))?;
        let header = Self { format, width, height, top_down: top_down != 0 };
        if width == 0 || height == 0 {
            return Err(LzError::Empty { width, height });
        }
        if u64::from(stride) != format.row_len(width) {
            return Err(LzError::Stride { row: format.row_len(width), stride: stride.into() });
        }
        Ok(header)
    }

    /// How many pixels the picture has.
    pub const fn pixels(&self) -> u64 {
        self.width as u64 * self.height as u64
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let Self { format, width, height, top_down } = *self;
        let stride = format.row_len(width) as u32;
        for word in [MAGIC, VERSION, format.wire(), width, height, stride, top_down.into()] {
            out.extend_from_slice(&word.to_be_bytes());
        }
    }
}
