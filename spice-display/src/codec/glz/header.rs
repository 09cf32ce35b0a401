//! What a stream begins with.

use super::super::lz::header::{MAGIC, VERSION};
use super::{GlzError, GlzFormat};

/// The first bytes of a stream: what it is a picture of, and its place among those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlzHeader {
    /// What the pixels are.
    pub format: GlzFormat,
    /// Columns, one at least.
    pub width: u32,
    /// Rows, one at least.
    pub height: u32,
    /// Whether the first row of the stream is the top one.
    pub top_down: bool,
    /// The picture's number among those of its viewer, the first being 0.
    pub id: u64,
    /// How many pictures before this one the viewer has to keep. It may forget the others.
    pub head_distance: u32,
}

impl GlzHeader {
    /// Bytes of a header.
    pub const LEN: usize = 33;

    const FORMAT: u8 = 0x0f;
    const TOP_DOWN: u8 = 0x10;

    /// Reads the header of a stream, and says nothing of what follows it.
    ///
    /// # Errors
    /// Fewer bytes than a header, another magic number or version, an unknown format, no pixel, a stride that is not
    /// that of rows with nothing between them, more pictures to keep than there have been.
    pub fn read(data: &[u8]) -> Result<Self, GlzError> {
        let bytes = data.first_chunk::<{ Self::LEN }>().ok_or(GlzError::Truncated)?;
        let [m0, m1, m2, m3, v0, v1, v2, v3, kind, rest @ ..] = *bytes;
        let magic = u32::from_be_bytes([m0, m1, m2, m3]);
        if magic != MAGIC {
            return Err(GlzError::Magic(magic));
        }
        let version = u32::from_be_bytes([v0, v1, v2, v3]);
        if version != VERSION {
            return Err(GlzError::Version(version));
        }
        let format =
            GlzFormat::from_wire(kind & Self::FORMAT).ok_or(GlzError::Format(kind & Self::FORMAT))?;
        let &[width, height, stride, id_high, id_low, head_distance] = rest.as_chunks::<4>().0 else {
            return Err(GlzError::Truncated);
        };
        let [width, height, stride, id_high, id_low, head_distance] =
            [width, height, stride, id_high, id_low, head_distance].map(u32::from_be_bytes);
        if width == 0 || height == 0 {
            return Err(GlzError::Empty { width, height });
        }
        let row = u64::from(width) * format.bytes_per_pixel() as u64;
        if u64::from(stride) != row {
            return Err(GlzError::Stride { row, stride });
        }
        let id = (u64::from(id_high) << 32) | u64::from(id_low);
        if u64::from(head_distance) > id {
            return Err(GlzError::Head { id, head_distance });
        }
        Ok(Self { format, width, height, top_down: kind & !Self::FORMAT != 0, id, head_distance })
    }

    /// The header as it stands before a body.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let Self { format, width, height, top_down, id, head_distance } = *self;
        let kind = format.wire() | if top_down { Self::TOP_DOWN } else { 0 };
        let stride = width.wrapping_mul(format.bytes_per_pixel() as u32);
        let [m0, m1, m2, m3] = MAGIC.to_be_bytes();
        let [v0, v1, v2, v3] = VERSION.to_be_bytes();
        let [w0, w1, w2, w3] = width.to_be_bytes();
        let [h0, h1, h2, h3] = height.to_be_bytes();
        let [s0, s1, s2, s3] = stride.to_be_bytes();
        let [i0, i1, i2, i3, i4, i5, i6, i7] = id.to_be_bytes();
        let [d0, d1, d2, d3] = head_distance.to_be_bytes();
        [
            m0, m1, m2, m3, v0, v1, v2, v3, kind, w0, w1, w2, w3, h0, h1, h2, h3, s0, s1, s2, s3, i0, i1, i2,
            i3, i4, i5, i6, i7, d0, d1, d2, d3,
        ]
    }

    /// How many pixels the picture has.
    pub const fn pixels(&self) -> u64 {
        self.width as u64 * self.height as u64
    }
}
