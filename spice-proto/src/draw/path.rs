//! Lines: where they run and how they are dashed.

use bytes::Bytes;

use super::pointer::{Behind, Part, Pointee, optional, required};
use crate::error::DecodeErrorKind;
use crate::wire::{Fault, In, Parsed, Wire, Writer, counted, field, flags, named, record, wire_newtype};

/// A number in sixteenths (`SPICE_FIXED28_4`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed28_4(pub i32);

wire_newtype!(Fixed28_4(i32));

record! {
    /// A position between pixels (`SpicePointFix`).
    #[derive(Copy, Eq, Hash, Default)]
    pub struct PointFix {
        /// Pixels from the left.
        pub x: Fixed28_4,
        /// Pixels from the top.
        pub y: Fixed28_4,
    }
}

flags! {
    /// `SPICE_PATH_*`.
    pub struct PathFlags: u8 {
        /// The first point begins a figure; without it, the segment goes on where the last one ended.
        const BEGIN = 1;
        /// The last point ends the figure.
        const END = 2;
        /// The figure's end is joined with its beginning.
        const CLOSE = 8;
        /// The points are those of cubic Bézier curves, three for each after where it begins.
        const BEZIER = 16;
    }
}

/// A run of points of a path (`SpicePathSeg`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathSegment {
    /// What the points are.
    pub flags: PathFlags,
    /// The points.
    pub points: Vec<PointFix>,
}

impl Wire for PathSegment {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, flags) = field("segment.flags", body, input)?;
        let (input, count) = field::<u32>("segment.count", body, input)?;
        let (input, points) = named("segment.points", counted(body, input, count as usize, 8))?;
        Ok((input, Self { flags, points }))
    }

    fn put(&self, writer: &mut Writer) {
        self.flags.put(writer);
        u32::try_from(self.points.len()).unwrap_or(u32::MAX).put(writer);
        for point in &self.points {
            point.put(writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self { flags: Wire::arbitrary(source)?, points: crate::wire::arbitrary_list(source, 8)? })
    }
}

/// Where a line runs (`SpicePath`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Its segments.
    pub segments: Vec<PathSegment>,
}

impl Path {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, count) = field::<u32>("path.num_segments", body, input)?;
        let (input, segments) = named("path.segments", counted(body, input, count as usize, 5))?;
        Ok((input, Self { segments }))
    }

    pub(super) fn put(&self, writer: &mut Writer) {
        u32::try_from(self.segments.len()).unwrap_or(u32::MAX).put(writer);
        for segment in &self.segments {
            segment.put(writer);
        }
    }
}

/// An offset, which is never 0.
impl Part for Path {
    fn parse_part<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        required(body, input, Self::parse)
    }

    fn put_part<'a>(&'a self, writer: &mut Writer, behind: &mut Behind<'a>) {
        behind.point(writer, Pointee::Path(self));
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary_part(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self { segments: crate::wire::arbitrary_list(source, 8)? })
    }
}

flags! {
    /// `SPICE_LINE_FLAGS_*`.
    pub struct LineFlags: u8 {
        /// A dashed line begins with a gap.
        const START_WITH_GAP = 4;
        /// The line is dashed.
        const STYLED = 8;
    }
}

/// How a line is dashed (`SpiceLineAttr`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineAttr {
    /// How. [`LineFlags::STYLED`] is set exactly where there is a style; encoding makes it so.
    pub flags: LineFlags,
    /// The lengths of dashes and gaps in turn, in pixels, at most 255; none where the line is solid.
    pub style: Option<Vec<Fixed28_4>>,
}

impl Part for LineAttr {
    fn parse_part<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, flags) = field::<LineFlags>("attr.flags", body, input)?;
        if !flags.contains(LineFlags::STYLED) {
            return Ok((input, Self { flags, style: None }));
        }
        let (input, count) = field::<u8>("attr.style_nseg", body, input)?;
        let lengths = |body, place| counted(body, place, count.into(), 4);
        let (left, style) = named("attr.style", optional(body, input, lengths))?;
        match style {
            None if count > 0 => {
                named("attr.style", Err(Fault::at(input, DecodeErrorKind::Offset { target: 0 })))
            }
            style => Ok((left, Self { flags, style: Some(style.unwrap_or_default()) })),
        }
    }

    fn put_part<'a>(&'a self, writer: &mut Writer, behind: &mut Behind<'a>) {
        let mut flags = self.flags;
        flags.set(LineFlags::STYLED, self.style.is_some());
        flags.put(writer);
        let Some(style) = &self.style else { return };
        let count = u8::try_from(style.len()).unwrap_or(u8::MAX);
        count.put(writer);
        match style.get(..count.into()) {
            None | Some([]) => 0_u32.put(writer),
            Some(lengths) => behind.point(writer, Pointee::Style(lengths)),
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary_part(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let style = match source.arbitrary()? {
            true => Some(crate::wire::arbitrary_list(source, 255)?),
            false => None,
        };
        let mut flags: LineFlags = Wire::arbitrary(source)?;
        flags.set(LineFlags::STYLED, style.is_some());
        Ok(Self { flags, style })
    }
}
