//! What lies in guest memory behind a command, from bytes: rectangles, paths, glyphs, transforms (`spice/qxl_dev.h`).
//!
//! A command that came out of a ring and one that came out of a recording hold the same bytes.

use bytes::Bytes;
use spice_proto::display::{
    Fixed16_16, Fixed28_4, Glyph, Glyphs, Path, PathFlags, PathSegment, PointFix, StringFlags, Transform,
};
use spice_proto::{Point, Rect};

/// Why bytes are not what they are said to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RawError {
    /// Fewer or more bytes than so many things take.
    #[error("{count} {what} do not take {len} bytes")]
    Length {
        /// What the bytes are said to be.
        what: &'static str,
        /// How many.
        count: u64,
        /// Bytes that there are.
        len: usize,
    },
    /// The last one is not there in full.
    #[error("{what} {index} ends beyond the {len} bytes of all")]
    Cut {
        /// What the bytes are said to be.
        what: &'static str,
        /// Which, from 0.
        index: usize,
        /// Bytes that there are.
        len: usize,
    },
    /// Glyphs without a depth.
    #[error("a string of flags {0:#x} has no glyphs")]
    Depth(u16),
    /// A segment of a path that cannot be kept.
    #[error("a path segment of flags {0:#x} is not known")]
    PathFlags(u32),
}

/// A reader of little-endian numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    left: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// The next bytes, or `None` at the end.
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.left.split_at_checked(len)?;
        self.left = left;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, left) = self.left.split_first_chunk()?;
        self.left = left;
        Some(*taken)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn point(&mut self) -> Option<Point> {
        Some(Point::new(self.i32()?, self.i32()?))
    }

    /// A rectangle: top, left, bottom, right.
    pub(super) fn rect(&mut self) -> Option<Rect> {
        let (top, left, bottom, right) = (self.i32()?, self.i32()?, self.i32()?, self.i32()?);
        Some(Rect::from_edges(left, top, right, bottom))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    pub(super) const fn len(&self) -> usize {
        self.left.len()
    }
}

/// Bytes of a rectangle in guest memory.
const RECT: usize = 16;
/// Bytes of a point of a path.
const POINT: usize = 8;
/// Bytes of a segment of a path without its points.
const SEGMENT: usize = 8;

/// Exactly `count` rectangles.
pub(super) fn rects(data: &[u8], count: u32) -> Result<Vec<Rect>, RawError> {
    if u64::from(count) * RECT as u64 != data.len() as u64 {
        return Err(RawError::Length { what: "rectangles", count: count.into(), len: data.len() });
    }
    let mut cursor = Cursor::new(data);
    Ok(std::iter::from_fn(|| cursor.rect()).collect())
}

/// The segments of a path. Up to a segment's head of bytes at the end mean nothing, as with the C server.
pub(super) fn path(data: &[u8]) -> Result<Path, RawError> {
    let mut cursor = Cursor::new(data);
    let mut segments = Vec::new();
    while cursor.len() > SEGMENT {
        let cut = RawError::Cut { what: "path segment", index: segments.len(), len: data.len() };
        let (Some(flags), Some(count)) = (cursor.u32(), cursor.u32()) else { return Err(cut) };
        let len = u64::from(count) * POINT as u64;
        let Some(points) = usize::try_from(len).ok().and_then(|len| cursor.take(len)) else {
            return Err(cut);
        };
        let mut points = Cursor::new(points);
        let point = || Some(PointFix { x: Fixed28_4(points.i32()?), y: Fixed28_4(points.i32()?) });
        let kept = u8::try_from(flags).map_err(|_| RawError::PathFlags(flags))?;
        segments.push(PathSegment {
            flags: PathFlags::from_bits_retain(kept),
            points: std::iter::from_fn(point).collect(),
        });
    }
    Ok(Path { segments })
}

/// Exactly `length` glyphs of the depth that `flags` say.
pub(super) fn glyphs(data: &Bytes, length: u16, flags: u16) -> Result<Glyphs, RawError> {
    let [low, _] = flags.to_le_bytes();
    let string_flags = StringFlags::from_bits_retain(low);
    let depth = string_flags.depth().ok_or(RawError::Depth(flags))?;
    let mut cursor = Cursor::new(data);
    let mut glyphs = Vec::new();
    while !cursor.is_empty() {
        let index = glyphs.len();
        let glyph = glyph(&mut cursor, data, depth);
        glyphs.push(glyph.ok_or(RawError::Cut { what: "glyph", index, len: data.len() })?);
    }
    if glyphs.len() != usize::from(length) {
        return Err(RawError::Length { what: "glyphs", count: length.into(), len: data.len() });
    }
    Ok(Glyphs { flags: string_flags, glyphs })
}

fn glyph(cursor: &mut Cursor<'_>, data: &Bytes, depth: u32) -> Option<Glyph> {
    let (render_pos, origin) = (cursor.point()?, cursor.point()?);
    let (width, height) = (cursor.u16()?, cursor.u16()?);
    let raster = cursor.take(usize::try_from(Glyph::size(depth, width, height)).ok()?)?;
    Some(Glyph { render_pos, origin, width, height, data: data.slice_ref(raster) })
}

/// Six numbers, row by row.
pub(super) fn transform(data: &[u8]) -> Option<Transform> {
    let mut cursor = Cursor::new(data);
    let mut number = || cursor.i32().map(Fixed16_16);
    Some(Transform {
        t00: number()?,
        t01: number()?,
        t02: number()?,
        t10: number()?,
        t11: number()?,
        t12: number()?,
    })
}

/// The lengths of dashes and gaps.
pub(super) fn style(data: &[u8]) -> Vec<Fixed28_4> {
    let mut cursor = Cursor::new(data);
    std::iter::from_fn(|| cursor.i32().map(Fixed28_4)).collect()
}
