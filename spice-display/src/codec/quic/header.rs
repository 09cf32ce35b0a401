//! What a stream begins with.

use super::{QuicError, QuicFormat};

/// The first bytes of a stream: what it is a picture of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuicHeader {
    /// What the pixels are.
    pub format: QuicFormat,
    /// Columns, one at least.
    pub width: u32,
    /// Rows, one at least.
    pub height: u32,
}

impl QuicHeader {
    /// Bytes of a header.
    pub const LEN: usize = 20;

    const MAGIC: u32 = u32::from_le_bytes(*b"QUIC");
    const VERSION: u32 = 0;

    /// Reads the header of a stream, and says nothing of what follows it.
    ///
    /// # Errors
    /// Fewer bytes than a header, another magic number or version, an unknown format, no pixel.
    pub fn read(data: &[u8]) -> Result<Self, QuicError> {
        let bytes = data.first_chunk::<{ Self::LEN }>().ok_or(QuicError::Truncated)?;
        let (words, _) = bytes.as_chunks::<4>();
        let &[magic, version, format, width, height] = words else { return Err(QuicError::Truncated) };
        let [magic, version, format, width, height] =
            [magic, version, format, width, height].map(u32::from_le_bytes);
        if magic != Self::MAGIC {
            return Err(QuicError::Magic(magic));
        }
        if version != Self::VERSION {
            return Err(QuicError::Version(version));
        }
        let format = QuicFormat::from_wire(format).ok_or(QuicError::Format(format))?;
        let header = Self { format, width, height };
        if header.pixels() == 0 {
            return Err(QuicError::Empty { width, height });
        }
        Ok(header)
    }

    /// How many pixels the picture has.
    pub const fn pixels(&self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// No picture below one pixel or above `most`.
    pub(super) fn check(&self, most: u64) -> Result<(), QuicError> {
        let Self { width, height, .. } = *self;
        match self.pixels() {
            0 => Err(QuicError::Empty { width, height }),
            pixels if pixels > most => Err(QuicError::TooLarge { width, height, most }),
            _ => Ok(()),
        }
    }

    /// The words of the header, as they are in the stream.
    pub(super) const fn words(&self) -> [u32; 5] {
        [Self::MAGIC, Self::VERSION, self.format.wire(), self.width, self.height]
    }

    /// Bits that any picture of this size takes after its header.
    ///
    /// A sample costs a bit at least, and only what comes after a row's third pixel, not in the first row, can be
    /// part of a run.
    pub(super) fn fewest_bits(&self) -> u64 {
        let width = u64::from(self.width);
        let pixels = width + width.min(3) * (u64::from(self.height) - 1);
        pixels * self.format.samples()
    }
}
