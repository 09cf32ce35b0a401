//! Text, as glyphs that are drawn already.

use bytes::Bytes;

use super::pointer::{Behind, Part, Pointee, required};
use crate::error::DecodeErrorKind;
use crate::geometry::Point;
use crate::wire::{Fault, In, Parsed, Wire, Writer, field, flags, named, shared};

flags! {
    /// `SPICE_STRING_FLAGS_*`.
    pub struct StringFlags: u8 {
        /// The glyphs have 1 bit of alpha.
        const RASTER_A1 = 1;
        /// The glyphs have 4 bits of alpha.
        const RASTER_A4 = 2;
        /// The glyphs have 8 bits of alpha.
        const RASTER_A8 = 4;
        /// The top row comes first.
        const RASTER_TOP_DOWN = 8;
    }
}

impl StringFlags {
    /// Bits of a pixel of a glyph: 1, 4 or 8, and where several flags say so, the least. `None` where no flag does;
    /// such a string has no glyphs.
    #[must_use]
    pub const fn depth(self) -> Option<u32> {
        if self.contains(Self::RASTER_A1) {
            Some(1)
        } else if self.contains(Self::RASTER_A4) {
            Some(4)
        } else if self.contains(Self::RASTER_A8) {
            Some(8)
        } else {
            None
        }
    }
}

/// One glyph (`SpiceRasterGlyph`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glyph {
    /// Where it stands on the surface.
    pub render_pos: Point,
    /// Its top left corner, from there.
    pub origin: Point,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Its alpha, [`Glyph::size`] bytes: each row begins with a byte of its own.
    pub data: Bytes,
}

impl Glyph {
    /// Bytes of a glyph of `width` x `height` pixels of `depth` bits.
    #[must_use]
    pub const fn size(depth: u32, width: u16, height: u16) -> u64 {
        (depth as u64 * width as u64).div_ceil(8) * height as u64
    }

    fn parse<'a>(body: &'a Bytes, input: In<'a>, depth: u32) -> Parsed<'a, Self> {
        let (input, render_pos) = field("glyph.render_pos", body, input)?;
        let (input, origin) = field("glyph.glyph_origin", body, input)?;
        let (input, width) = field("glyph.width", body, input)?;
        let (input, height) = field("glyph.height", body, input)?;
        let len = Self::size(depth, width, height).try_into().unwrap_or(usize::MAX);
        let (input, data) = named("glyph.data", shared(body, input, len))?;
        Ok((input, Self { render_pos, origin, width, height, data }))
    }

    fn put(&self, writer: &mut Writer) {
        self.render_pos.put(writer);
        self.origin.put(writer);
        self.width.put(writer);
        self.height.put(writer);
        self.data.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>, depth: u32) -> arbitrary::Result<Self> {
        let (width, height) = (source.int_in_range(0..=20)?, source.int_in_range(0..=4)?);
        let mut data: Vec<u8> = source.arbitrary()?;
        data.resize(Self::size(depth, width, height).try_into().unwrap_or(0), 0x5a);
        Ok(Self {
            render_pos: Wire::arbitrary(source)?,
            origin: Wire::arbitrary(source)?,
            width,
            height,
            data: data.into(),
        })
    }
}

/// A string of glyphs (`SpiceString`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glyphs {
    /// How deep they are, and the order of their rows.
    pub flags: StringFlags,
    /// The glyphs, at most 65,535; none where [`StringFlags::depth`] is `None`, and encoding leaves them out there.
    pub glyphs: Vec<Glyph>,
}

/// Bytes of a glyph without a pixel.
const MIN_GLYPH: usize = 20;

impl Glyphs {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, count) = field::<u16>("string.length", body, input)?;
        let at = input;
        let (mut input, flags) = field::<StringFlags>("string.flags", body, input)?;
        if count == 0 {
            return Ok((input, Self { flags, glyphs: Vec::new() }));
        }
        let Some(depth) = flags.depth() else {
            let kind = DecodeErrorKind::Value { value: flags.bits().into() };
            return named("string.flags", Err(Fault::at(at, kind)));
        };
        let needed = usize::from(count) * MIN_GLYPH;
        if needed > input.len() {
            let kind = DecodeErrorKind::Truncated { missing: needed - input.len() };
            return named("string.glyphs", Err(Fault::at(input, kind)));
        }
        let mut glyphs = Vec::with_capacity(count.into());
        for _ in 0..count {
            let (left, glyph) = Glyph::parse(body, input, depth)?;
            glyphs.push(glyph);
            input = left;
        }
        Ok((input, Self { flags, glyphs }))
    }

    pub(super) fn put(&self, writer: &mut Writer) {
        let glyphs = if self.flags.depth().is_some() { self.glyphs.as_slice() } else { &[] };
        let count = u16::try_from(glyphs.len()).unwrap_or(u16::MAX);
        count.put(writer);
        self.flags.put(writer);
        for glyph in glyphs.iter().take(count.into()) {
            glyph.put(writer);
        }
    }
}

/// An offset, which is never 0.
impl Part for Glyphs {
    fn parse_part<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        required(body, input, Self::parse)
    }

    fn put_part<'a>(&'a self, writer: &mut Writer, behind: &mut Behind<'a>) {
        behind.point(writer, Pointee::Glyphs(self));
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary_part(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let flags: StringFlags = Wire::arbitrary(source)?;
        let glyphs = match flags.depth() {
            Some(depth) => {
                let count = source.int_in_range(0..=4)?;
                (0..count).map(|_| Glyph::arbitrary(source, depth)).collect::<arbitrary::Result<_>>()?
            }
            None => Vec::new(),
        };
        Ok(Self { flags, glyphs })
    }
}
