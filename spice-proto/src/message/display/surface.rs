//! Surfaces.

use crate::ids::SurfaceId;
use crate::open_enum;
use crate::wire::{flags, record, wire_newtype};

open_enum! {
    /// How a surface's pixels are kept (`SPICE_SURFACE_FMT_*`).
    pub enum SurfaceFormat: u32 {
        /// 1 bit of alpha.
        A1 = 1,
        /// 8 bits of alpha.
        A8 = 8,
        /// 16 bits, x555.
        RGB555 = 16,
        /// 32 bits, the top byte means nothing.
        RGB32 = 32,
        /// 16 bits, 565.
        RGB565 = 80,
        /// 32 bits with alpha, premultiplied.
        ARGB32 = 96,
    }
}

wire_newtype!(SurfaceFormat(u32));

flags! {
    /// `SPICE_SURFACE_FLAGS_*`.
    pub struct SurfaceFlags: u32 {
        /// It is what a monitor shows.
        const PRIMARY = 1;
        /// Only video is drawn on it.
        const STREAMING_MODE = 2;
    }
}

record! {
    /// `SpiceMsgDisplayMode`: the size of the primary surface.
    #[derive(Copy, Eq)]
    pub struct Mode {
        /// Columns.
        pub x_res: u32,
        /// Rows.
        pub y_res: u32,
        /// Bits of a pixel: 32 for [`SurfaceFormat::RGB32`], 16 for [`SurfaceFormat::RGB555`].
        pub bits: u32,
    }
}

record! {
    /// `SpiceMsgSurfaceCreate`.
    #[derive(Copy, Eq)]
    pub struct SurfaceCreate {
        /// Its id.
        pub surface_id: SurfaceId,
        /// Columns.
        pub width: u32,
        /// Rows.
        pub height: u32,
        /// How its pixels are kept.
        pub format: SurfaceFormat,
        /// What it is for.
        pub flags: SurfaceFlags,
    }
}
