//! The memory of surfaces.

use spice_display::qxl::Bitmap;
use spice_display::qxl::parse::MAX_SURFACE;
use spice_proto::display::SurfaceFormat;

/// A surface's memory, which the server writes when the guest wants to read it.
#[derive(Debug)]
pub(in crate::replay) struct Pixels {
    pub(in crate::replay) memory: Vec<u8>,
    /// Bytes from row to row; below 0, the bottom row comes first.
    pub(in crate::replay) stride: i32,
}

impl Pixels {
    /// Memory for a surface, with its content where it begins with one. None for what no surface is: a format that does
    /// not exist, or more than [`MAX_SURFACE`] bytes.
    pub(in crate::replay) fn new(
        (width, height): (u32, u32),
        format: SurfaceFormat,
        content: Option<&Bitmap>,
    ) -> Option<Self> {
        if let Some(content) = content {
            let stride = i32::try_from(content.stride()).ok()?;
            let stride = if content.is_top_down() { stride } else { -stride };
            return Some(Self { memory: content.data().to_vec(), stride });
        }
        let bits: u64 = match format {
            SurfaceFormat::A1 => 1,
            SurfaceFormat::A8 => 8,
            SurfaceFormat::RGB555 | SurfaceFormat::RGB565 => 16,
            SurfaceFormat::RGB32 | SurfaceFormat::ARGB32 => 32,
            _ => return None,
        };
        let stride = (u64::from(width) * bits).div_ceil(32) * 4;
        let len = stride.checked_mul(height.into()).filter(|len| *len <= MAX_SURFACE)?;
        Some(Self { memory: vec![0; usize::try_from(len).ok()?], stride: i32::try_from(stride).ok()? })
    }
}
