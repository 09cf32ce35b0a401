//! Pixels that come with a command.

use std::sync::Arc;

use bytes::Bytes;
use spice_proto::display::{BitmapFormat, Palette};

/// Why a bitmap is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BitmapError {
    /// A format that does not exist.
    #[error("bitmap format {0} is not known")]
    Format(BitmapFormat),
    /// A palette is missing.
    #[error("a bitmap of format {0} needs a palette")]
    Palette(BitmapFormat),
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

/// A bitmap with its bytes (`QXLBitmap`), known to hold all its rows.
#[derive(Clone, PartialEq, Eq)]
pub struct Bitmap {
    format: BitmapFormat,
    width: u32,
    height: u32,
    stride: u32,
    top_down: bool,
    palette: Option<Arc<Palette>>,
    data: Bytes,
}

impl Bitmap {
    /// A bitmap with `stride` bytes from row to row, the top row first when `top_down`.
    ///
    /// # Errors
    /// A format that does not exist, a size of no pixel, a stride below the row, fewer bytes than `height` rows.
    pub fn new(
        format: BitmapFormat,
        (width, height): (u32, u32),
        stride: u32,
        top_down: bool,
        mut data: Bytes,
    ) -> Result<Self, BitmapError> {
        let bits = bits(format).ok_or(BitmapError::Format(format))?;
        if width == 0 || height == 0 {
            return Err(BitmapError::Empty { width, height });
        }
        if (u64::from(width) * u64::from(bits)).div_ceil(8) > u64::from(stride) {
            return Err(BitmapError::Stride { width, stride });
        }
        let needed = u64::from(stride) * u64::from(height);
        match usize::try_from(needed) {
            Ok(len) if len <= data.len() => data.truncate(len),
            _ => return Err(BitmapError::Short { needed, len: data.len() }),
        }
        Ok(Self { format, width, height, stride, top_down, palette: None, data })
    }

    /// The same, with this palette. A pixel beyond the palette's end is black.
    #[must_use]
    pub fn with_palette(mut self, palette: Option<Arc<Palette>>) -> Self {
        self.palette = palette;
        self
    }

    /// How its pixels are kept.
    #[must_use]
    pub fn format(&self) -> BitmapFormat {
        self.format
    }

    /// Bits of a pixel: 1, 4, 8, 16, 24 or 32.
    #[must_use]
    pub fn depth(&self) -> u32 {
        bits(self.format).unwrap_or(0)
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

    /// Bytes from row to row, at least those of a row's pixels.
    #[must_use]
    pub fn stride(&self) -> u32 {
        self.stride
    }

    /// Whether the first row of the data is the top one.
    #[must_use]
    pub fn is_top_down(&self) -> bool {
        self.top_down
    }

    /// The colours of its pixels' values, in formats that have them.
    #[must_use]
    pub fn palette(&self) -> Option<&Arc<Palette>> {
        self.palette.as_ref()
    }

    /// `stride` x `height` bytes.
    #[must_use]
    pub fn data(&self) -> &Bytes {
        &self.data
    }

    /// The bytes of row `y`, counted from the top, without what lies between it and the next; empty when there is no
    /// such row.
    #[must_use]
    pub fn row(&self, y: u32) -> &[u8] {
        if y >= self.height {
            return &[];
        }
        let line = if self.top_down { y } else { self.height - 1 - y };
        let start = line as usize * self.stride as usize;
        let len = (self.width as usize * self.depth() as usize).div_ceil(8);
        self.data.get(start..start + len).unwrap_or(&[])
    }

    /// Bytes that stay in memory because of it.
    #[must_use]
    pub fn weight(&self) -> usize {
        let palette = self.palette.as_ref().map_or(0, |palette| size_of_val(palette.entries.as_slice()));
        self.data.len() + palette
    }
}

const fn bits(format: BitmapFormat) -> Option<u32> {
    Some(match format {
        BitmapFormat::BIT1_LE | BitmapFormat::BIT1_BE => 1,
        BitmapFormat::BIT4_LE | BitmapFormat::BIT4_BE => 4,
        BitmapFormat::BIT8 | BitmapFormat::A8 => 8,
        BitmapFormat::RGB16 => 16,
        BitmapFormat::RGB24 => 24,
        BitmapFormat::RGB32 | BitmapFormat::RGBA => 32,
        _ => return None,
    })
}

impl core::fmt::Debug for Bitmap {
    /// Everything but the pixels.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { format, width, height, stride, top_down, palette, .. } = self;
        let colours = palette.as_ref().map_or(0, |palette| palette.entries.len());
        write!(f, "Bitmap {format} {width}x{height}, stride {stride}, top down {top_down}, {colours} colours")
    }
}
