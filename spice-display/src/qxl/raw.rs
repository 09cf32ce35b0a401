//! What lies in guest memory behind a command, from bytes: rectangles, paths, glyphs, transforms (`spice/qxl_dev.h`).
//!
//! A command that came out of a ring and one that came out of a recording hold the same bytes.

use bytes::Bytes;
use spice_proto::cursor::CursorType;
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

/// The segments of a path. Up to a segment's head of bytes at the end mean nothing, nor do the flags above the lowest
/// eight, as with the C server.
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
        let [low, ..] = flags.to_le_bytes();
        segments.push(PathSegment {
            flags: PathFlags::from_bits_retain(low),
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

/// Bytes of a pointer's shape of this size; none for a kind that is not known.
pub(super) fn cursor_shape_len(kind: CursorType, width: u16, height: u16) -> Option<u64> {
    let (width, height) = (u64::from(width), u64::from(height));
    let mask = width.div_ceil(8) * height;
    Some(match kind {
        CursorType::ALPHA => width * height * 4,
        CursorType::MONO => mask * 2,
        CursorType::COLOR4 => width.div_ceil(2) * height + 16 * 4 + mask,
        CursorType::COLOR8 => width * height + 256 * 4 + mask,
        CursorType::COLOR16 => width * height * 2 + mask,
        CursorType::COLOR24 => width * height * 3 + mask,
        CursorType::COLOR32 => width * height * 4 + mask,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    #[test]
    fn rectangles_have_their_top_first_and_are_all_there() {
        let data = numbers(&[1, 2, 3, 4, u32::MAX, 0, 7, 8]);
        let expected = [Rect::from_edges(2, 1, 4, 3), Rect::from_edges(0, -1, 8, 7)];
        assert_eq!(rects(&data, 2).unwrap(), expected);
        assert!(rects(&[], 0).unwrap().is_empty());
        for (len, count) in [(32, 1), (32, 3), (31, 2), (32, u32::MAX), (0, 1), (0, 1 << 28)] {
            let wrong = RawError::Length { what: "rectangles", count: count.into(), len };
            assert_eq!(rects(&data[..len], count), Err(wrong));
        }
    }

    #[test]
    fn a_path_has_its_segments_one_behind_the_other() {
        let data = numbers(&[0xab01, 1, 16, 32, 2, 0, 18, 2, 5, 6, 7, 8]);
        let Path { segments } = path(&data).unwrap();
        let flags: Vec<u8> = segments.iter().map(|segment| segment.flags.bits()).collect();
        assert_eq!(flags, [1, 2, 18]);
        let counts: Vec<usize> = segments.iter().map(|segment| segment.points.len()).collect();
        assert_eq!(counts, [1, 0, 2]);
        assert_eq!(segments[2].points[1], PointFix { x: Fixed28_4(7), y: Fixed28_4(8) });
    }

    #[test]
    fn a_path_ends_with_a_whole_segment() {
        let whole = numbers(&[1, 1, 16, 32]);
        // What is no more than a segment's head is not looked at.
        for tail in 0..=SEGMENT {
            let data = [&whole[..], &[0xff; SEGMENT][..tail]].concat();
            assert_eq!(path(&data).unwrap(), path(&whole).unwrap(), "{tail} bytes behind");
        }
        let cut = |data: &[u8], index| {
            let len = data.len();
            assert_eq!(path(data), Err(RawError::Cut { what: "path segment", index, len }));
        };
        cut(&whole[..15], 0);
        cut(&[&whole[..], &[0xff; 9]].concat(), 1);
        cut(&numbers(&[1, 1 << 29, 0, 0]), 0);
        cut(&numbers(&[1, u32::MAX, 0, 0]), 0);
    }

    #[test]
    fn glyphs_are_all_there_and_as_many_as_they_are_said_to_be() {
        let head = numbers(&[1, 2, 3, u32::MAX]);
        // 9 columns and 2 rows of one bit take 4 bytes, of four bits 10, of eight 18.
        for (flags, size, depth) in [(1, 4, 1), (2, 10, 4), (4, 18, 8), (7, 4, 1), (0x0102, 10, 4)] {
            let one = [&head[..], &[9, 0, 2, 0], &vec![depth; size]].concat();
            let two = Bytes::from([&one[..], &one].concat());
            let both = glyphs(&two, 2, flags).unwrap();
            assert_eq!(both.flags.bits(), flags.to_le_bytes()[0]);
            for glyph in &both.glyphs {
                assert_eq!((glyph.render_pos, glyph.origin), (Point::new(1, 2), Point::new(3, -1)));
                assert_eq!((glyph.width, glyph.height, &glyph.data[..]), (9, 2, &vec![depth; size][..]));
            }
            for count in [0, 1, 3, u16::MAX] {
                let wrong = RawError::Length { what: "glyphs", count: count.into(), len: two.len() };
                assert_eq!(glyphs(&two, count, flags), Err(wrong));
            }
            for len in 1..two.len() {
                let cut = glyphs(&two.slice(..len), 2, flags);
                assert!(cut.is_err(), "{len} of {} bytes: {cut:?}", two.len());
            }
            assert!(glyphs(&Bytes::new(), 0, flags).unwrap().glyphs.is_empty());
        }
        assert_eq!(glyphs(&Bytes::new(), 0, 8), Err(RawError::Depth(8)));
        assert_eq!(glyphs(&Bytes::new(), 0, 0x0100), Err(RawError::Depth(0x0100)));
    }

    #[test]
    fn a_glyph_of_the_largest_size_is_no_reason_to_panic() {
        let data = Bytes::from([&numbers(&[0; 4])[..], &[0xff; 4]].concat());
        assert_eq!(glyphs(&data, 1, 4), Err(RawError::Cut { what: "glyph", index: 0, len: 20 }));
    }

    #[test]
    fn a_transform_is_six_numbers_row_by_row() {
        let data = numbers(&[1, 2, 3, 4, 5, 6]);
        let Transform { t00, t01, t02, t10, t11, t12 } = transform(&data).unwrap();
        assert_eq!([t00, t01, t02, t10, t11, t12].map(|number| number.0), [1, 2, 3, 4, 5, 6]);
        assert_eq!(transform(&data[..23]), None);
    }

    proptest! {
        /// Nothing panics, and nothing is made up: what is answered has been in the bytes.
        #[test]
        fn noise_is_an_error_or_no_more_than_its_bytes(
            noise in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(255), any::<u8>()], 0..200),
            count in any::<u32>(), length in 0..9_u16, flags in any::<u16>(),
        ) {
            if let Ok(rects) = rects(&noise, count) {
                prop_assert_eq!(rects.len() * RECT, noise.len());
            }
            if let Ok(Path { segments }) = path(&noise) {
                let taken: usize = segments.iter().map(|segment| SEGMENT + segment.points.len() * POINT).sum();
                prop_assert!(taken <= noise.len() && noise.len() - taken <= SEGMENT);
            }
            if let Ok(Glyphs { glyphs, .. }) = glyphs(&Bytes::from(noise.clone()), length, flags) {
                let taken: usize = glyphs.iter().map(|glyph| 20 + glyph.data.len()).sum();
                prop_assert_eq!(taken, noise.len());
            }
            prop_assert_eq!(transform(&noise).is_some(), noise.len() >= 24);
            prop_assert_eq!(style(&noise).len(), noise.len() / 4);
        }
    }
}
