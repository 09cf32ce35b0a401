//! Monitors on the primary surface.

use bytes::Bytes;

use crate::ids::SurfaceId;
use crate::wire::{In, Parsed, Wire, Writer, counted, field, named, record};

record! {
    /// One monitor (`SpiceHead`).
    #[derive(Copy, Eq)]
    pub struct Head {
        /// Its number.
        pub monitor_id: u32,
        /// The surface that it shows.
        pub surface_id: SurfaceId,
        /// Columns.
        pub width: u32,
        /// Rows.
        pub height: u32,
        /// Where on the surface, from the left.
        pub x: u32,
        /// Where on the surface, from the top.
        pub y: u32,
        /// No flag is defined.
        pub flags: u32,
    }
}

/// `SpiceMsgDisplayMonitorsConfig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorsConfig {
    /// The most monitors that the guest could have.
    pub max_allowed: u16,
    /// The monitors, at most 65,535.
    pub heads: Vec<Head>,
}

impl Wire for MonitorsConfig {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, count) = field::<u16>("count", body, input)?;
        let (input, max_allowed) = field("max_allowed", body, input)?;
        let (input, heads) = named("heads", counted(body, input, count.into(), 28))?;
        Ok((input, Self { max_allowed, heads }))
    }

    fn put(&self, writer: &mut Writer) {
        let count = u16::try_from(self.heads.len()).unwrap_or(u16::MAX);
        count.put(writer);
        self.max_allowed.put(writer);
        for head in self.heads.iter().take(count.into()) {
            head.put(writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self { max_allowed: Wire::arbitrary(source)?, heads: crate::wire::arbitrary_list(source, 64)? })
    }
}
