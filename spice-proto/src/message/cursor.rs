//! The cursor channel: the pointer's shape and place.

use bytes::Bytes;

use crate::geometry::Point16;
use crate::open_enum;
use crate::wire::{In, Parsed, Wire, Writer, field, flags, messages, named, record, rest, wire_newtype};

messages! {
    /// From the server.
    pub enum ServerMessage in "cursor" {
        /// The first message: the pointer as it is, an empty cache.
        101 Init(Init, all),
        /// There is no pointer, the cache is empty.
        102 Reset,
        /// The pointer has another shape.
        103 Set(Set, all),
        /// The pointer is here, and shown.
        104 Move(Point16, all),
        /// The pointer is not shown.
        105 Hide,
        /// The pointer leaves a trail.
        106 Trail(Trail, all),
        /// One shape leaves the cache.
        107 InvalOne(u64, all),
        /// Every shape leaves the cache.
        108 InvalAll,
    }
}

open_enum! {
    /// How a shape's pixels are kept (`SPICE_CURSOR_TYPE_*`).
    pub enum CursorType: u8 {
        /// 32 bits with alpha, premultiplied.
        ALPHA = 0,
        /// An and-mask and an exclusive-or-mask of one bit each.
        MONO = 1,
        /// 4 bits, 16 colours, a mask.
        COLOR4 = 2,
        /// 8 bits, 256 colours, a mask.
        COLOR8 = 3,
        /// 16 bits, a mask.
        COLOR16 = 4,
        /// 24 bits, a mask.
        COLOR24 = 5,
        /// 32 bits, a mask.
        COLOR32 = 6,
    }
}

wire_newtype!(CursorType(u8));

flags! {
    /// What a [`Cursor`] holds (`SPICE_CURSOR_FLAGS_*`).
    pub struct CursorFlags: u16 {
        /// No shape at all: no header, no data.
        const NONE = 1;
        /// The viewer is to keep it under its header's `unique`.
        const CACHE_ME = 2;
        /// The viewer has it under its header's `unique`: no data.
        const FROM_CACHE = 4;
    }
}

record! {
    /// `SpiceMsgCursorInit`.
    #[derive(Eq)]
    pub struct Init {
        /// Where the pointer is.
        pub position: Point16,
        /// How many copies trail it.
        pub trail_length: u16,
        /// How often a copy is made.
        pub trail_frequency: u16,
        /// Not 0 where it is shown.
        pub visible: u8,
        /// Its shape.
        pub cursor: Cursor,
    }
}

record! {
    /// `SpiceMsgCursorSet`.
    #[derive(Eq)]
    pub struct Set {
        /// Where the pointer is.
        pub position: Point16,
        /// Not 0 where it is shown.
        pub visible: u8,
        /// Its shape.
        pub cursor: Cursor,
    }
}

record! {
    /// `SpiceMsgCursorTrail`.
    #[derive(Copy, Eq)]
    pub struct Trail {
        /// How many copies.
        pub length: u16,
        /// How often a copy is made.
        pub frequency: u16,
    }
}

record! {
    /// `SpiceCursorHeader`.
    #[derive(Copy, Eq)]
    pub struct CursorHeader {
        /// The shape's name in the cache.
        pub unique: u64,
        /// How the data is kept.
        pub kind: CursorType,
        /// Columns.
        pub width: u16,
        /// Rows.
        pub height: u16,
        /// The column that points.
        pub hot_spot_x: u16,
        /// The row that points.
        pub hot_spot_y: u16,
    }
}

/// A shape as it goes to the viewer (`SpiceCursor`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What of it is there. [`CursorFlags::NONE`] is set exactly where `header` is `None`; encoding makes it so.
    pub flags: CursorFlags,
    /// Its measures, unless there is no shape.
    pub header: Option<CursorHeader>,
    /// Its pixels, unless the viewer has them.
    pub data: Bytes,
}

impl Cursor {
    /// No shape.
    #[must_use]
    pub fn none() -> Self {
        Self { flags: CursorFlags::NONE, header: None, data: Bytes::new() }
    }
}

impl Wire for Cursor {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, flags) = field::<CursorFlags>("flags", body, input)?;
        let (input, header) = if flags.contains(CursorFlags::NONE) {
            (input, None)
        } else {
            let (input, header) = field("header", body, input)?;
            (input, Some(header))
        };
        let (input, data) = named("data", rest(body, input))?;
        Ok((input, Self { flags, header, data }))
    }

    fn put(&self, writer: &mut Writer) {
        let mut flags = self.flags;
        flags.set(CursorFlags::NONE, self.header.is_none());
        flags.put(writer);
        if let Some(header) = &self.header {
            header.put(writer);
        }
        self.data.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let header = source.arbitrary::<bool>()?.then(|| Wire::arbitrary(source)).transpose()?;
        let mut flags: CursorFlags = Wire::arbitrary(source)?;
        flags.set(CursorFlags::NONE, header.is_none());
        Ok(Self { flags, header, data: Wire::arbitrary(source)? })
    }
}
