//! Structures while their fields are appended: little-endian, and packed as `spice/qxl_dev.h` has them.

use spice_proto::{Point, Point16, Rect};

#[derive(Debug)]
pub(super) struct Fields(Vec<u8>);

impl Fields {
    /// A structure of about so many bytes.
    pub(super) fn with_capacity(len: usize) -> Self {
        Self(Vec::with_capacity(len))
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn u8(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    pub(super) fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn i32(&mut self, value: i32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// A number of things in memory, which all have fewer than four billion of anything.
    pub(super) fn count(&mut self, count: usize) -> &mut Self {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX))
    }

    pub(super) fn point(&mut self, point: Point) -> &mut Self {
        self.i32(point.x).i32(point.y)
    }

    pub(super) fn point16(&mut self, point: Point16) -> &mut Self {
        self.bytes(&point.x.to_le_bytes()).bytes(&point.y.to_le_bytes())
    }

    pub(super) fn rect(&mut self, rect: Rect) -> &mut Self {
        self.i32(rect.top).i32(rect.left).i32(rect.bottom).i32(rect.right)
    }

    /// The one chunk of a list (`QXLDataChunk`), whose data follows.
    pub(super) fn chunk(&mut self, len: usize) -> &mut Self {
        self.count(len).u64(0).u64(0)
    }

    /// Zeros up to this length.
    pub(super) fn padded(&mut self, len: usize) -> &mut Self {
        self.0.resize(self.0.len().max(len), 0);
        self
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
