//! Where a surface lies in a guest's memory.

use spice_proto::display::SurfaceFormat;

use crate::memory::QxlPhysical;

/// Where a surface lies in the guest's memory, and how. What is drawn on it is not there until it is put there:
/// [`Canvas::write_back`](crate::canvas::Canvas::write_back). A recording's surfaces have no such place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SurfacePlace {
    /// The group of memory slots that the address is of.
    pub group: u32,
    /// Where its memory begins, whichever row that is.
    pub address: QxlPhysical,
    /// Bytes from row to row; below 0, the bottom row comes first.
    pub stride: i32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// How its pixels are kept.
    pub format: SurfaceFormat,
}

impl SurfacePlace {
    /// Bytes from the beginning of its memory to that of row `y`, counted from the top.
    pub(crate) fn row(&self, y: u32) -> u64 {
        let rows = if self.stride < 0 { self.height.saturating_sub(1).saturating_sub(y) } else { y };
        u64::from(rows) * u64::from(self.stride.unsigned_abs())
    }

    /// Bytes of all rows.
    pub(crate) fn len(&self) -> u64 {
        u64::from(self.height) * u64::from(self.stride.unsigned_abs())
    }
}

/// Bits of a pixel in a guest's memory, unless there is no such format.
pub(crate) const fn bits_per_pixel(format: SurfaceFormat) -> Option<u32> {
    Some(match format {
        SurfaceFormat::A1 => 1,
        SurfaceFormat::A8 => 8,
        SurfaceFormat::RGB555 | SurfaceFormat::RGB565 => 16,
        SurfaceFormat::RGB32 | SurfaceFormat::ARGB32 => 32,
        _ => return None,
    })
}
