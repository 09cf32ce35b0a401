//! Pixels that come with a command.

use bytes::Bytes;
use spice_proto::display::BitmapFormat;

/// Why a bitmap is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BitmapError {
    /// A format that is not painted here.
    #[error("bitmap format {0} is not supported")]
    Format(BitmapFormat),
    /// No pixel at all.
    #[error("bitmap of {width}x{height} has no pixel")]
    Empty {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A row longer than the stride.
    #[error("bitmap rows of {width} pixels do not fit a stride of {stride} bytes")]
    Stride {
        /// Columns.
        width: u32,
        /// Bytes from row to row.
        stride: u32,
    },
    /// Fewer bytes than the rows need.
    #[error("bitmap of {needed} bytes has only {len}")]
    Short {
        /// What the rows take.
        needed: u64,
        /// What is there.
        len: usize,
    },
}

/// A bitmap of 32-bit pixels with its bytes (`QXLBitmap`), known to hold all its rows.
#[derive(Clone)]
pub struct Bitmap {
    id: u64,
    format: BitmapFormat,
    width: u32,
    height: u32,
    stride: u32,
    top_down: bool,
    data: Bytes,
}

impl Bitmap {
    /// Bytes of one pixel in the formats that are kept.
    pub const PIXEL: u32 = 4;

    /// A bitmap named `id` by its guest, with `stride` bytes from row to row, the top row first when `top_down`.
    ///
    /// # Errors
    /// A format of other than 32 bits, a size of no pixel, a stride below the row, fewer bytes than `height` rows.
    pub fn new(
        id: u64,
        format: BitmapFormat,
        (width, height): (u32, u32),
        stride: u32,
        top_down: bool,
        mut data: Bytes,
    ) -> Result<Self, BitmapError> {
        if !matches!(format, BitmapFormat::RGB32 | BitmapFormat::RGBA) {
            return Err(BitmapError::Format(format));
        }
        if width == 0 || height == 0 {
            return Err(BitmapError::Empty { width, height });
        }
        if u64::from(width) * u64::from(Self::PIXEL) > u64::from(stride) {
            return Err(BitmapError::Stride { width, stride });
        }
        let needed = u64::from(stride) * u64::from(height);
        match usize::try_from(needed) {
            Ok(len) if len <= data.len() => data.truncate(len),
            _ => return Err(BitmapError::Short { needed, len: data.len() }),
        }
        Ok(Self { id, format, width, height, stride, top_down, data })
    }

    /// The guest's name for it (`descriptor.id`).
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// How its pixels are kept: `RGB32` or `RGBA`.
    #[must_use]
    pub fn format(&self) -> BitmapFormat {
        self.format
    }

    /// Columns, at least 1.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows, at least 1.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Bytes from row to row, at least four for each column.
    #[must_use]
    pub fn stride(&self) -> u32 {
        self.stride
    }

    /// Whether the first row of the data is the top one.
    #[must_use]
    pub fn is_top_down(&self) -> bool {
        self.top_down
    }

    /// `stride` x `height` bytes.
    #[must_use]
    pub fn data(&self) -> &Bytes {
        &self.data
    }

    /// The pixels of row `y`, counted from the top, four bytes each; empty when there is no such row.
    #[must_use]
    pub fn row(&self, y: u32) -> &[u8] {
        if y >= self.height {
            return &[];
        }
        let line = if self.top_down { y } else { self.height - 1 - y };
        let start = line as usize * self.stride as usize;
        self.data.get(start..start + self.width as usize * Self::PIXEL as usize).unwrap_or(&[])
    }
}

impl core::fmt::Debug for Bitmap {
    /// Everything but the pixels.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { id, format, width, height, stride, top_down, .. } = self;
        write!(f, "Bitmap {id:#x} {format} {width}x{height}, stride {stride}, top down {top_down}")
    }
}
