//! What the graphics processor shows, without a copy of its pixels.

use crate::wire::{flags, record};

flags! {
    /// `SPICE_GL_SCANOUT_FLAGS_*`.
    pub struct GlScanoutFlags: u32 {
        /// The top row comes first.
        const Y0TOP = 1;
    }
}

record! {
    /// `SpiceMsgDisplayGlScanoutUnix`: a dma-buf that holds what is shown.
    ///
    /// Its file descriptor (`drm_dma_buf_fd`) takes no byte of the body. It travels beside the bytes: the body is
    /// followed by one byte more, `@`, that no data header counts and whose `SCM_RIGHTS` control message carries the
    /// descriptor. That byte stands there without a control message where the sender has no descriptor. So this
    /// message makes sense on a Unix socket without TLS only, and whoever reads the stream has to take that byte off
    /// it; viewers expect it only where `drm_fourcc_format` is not 0.
    #[derive(Copy, Eq)]
    pub struct GlScanoutUnix {
        /// Columns.
        pub width: u32,
        /// Rows.
        pub height: u32,
        /// Bytes from row to row.
        pub stride: u32,
        /// How the pixels are kept, a code of `drm_fourcc.h`.
        pub drm_fourcc_format: u32,
        /// The order of its rows.
        pub flags: GlScanoutFlags,
    }
}

record! {
    /// `SpiceMsgDisplayGlDraw`: this part of the scanout is new. To be answered by
    /// [`GlDrawDone`](super::ClientMessage::GlDrawDone).
    #[derive(Copy, Eq)]
    pub struct GlDraw {
        /// Pixels from the left.
        pub x: u32,
        /// Pixels from the top.
        pub y: u32,
        /// Columns (`w`).
        pub width: u32,
        /// Rows (`h`).
        pub height: u32,
    }
}
