//! What the viewer sends.

use super::stream::{PreferredVideoCodecs, StreamReport};
use crate::open_enum;
use crate::wire::{messages, record, wire_newtype};

messages! {
    /// From the viewer.
    pub enum ClientMessage in "display" {
        /// The first message: how much the viewer can keep.
        101 Init(Init, all),
        /// How a video stream fares.
        102 StreamReport(StreamReport, all),
        /// The image compression that the viewer would like (`SpiceMsgcDisplayPreferredCompression`).
        103 PreferredCompression(ImageCompression, all),
        /// A frame of the graphics processor has been shown (`SpiceMsgcDisplayGlDrawDone`).
        104 GlDrawDone,
        /// The video codecs that the viewer would like, best first.
        105 PreferredVideoCodecs(PreferredVideoCodecs, all),
    }
}

open_enum! {
    /// A way to pack images (`SPICE_IMAGE_COMPRESSION_*`).
    pub enum ImageCompression: u8 {
        /// None.
        OFF = 1,
        /// GLZ or QUIC, by the image.
        AUTO_GLZ = 2,
        /// LZ or QUIC, by the image.
        AUTO_LZ = 3,
        /// QUIC.
        QUIC = 4,
        /// GLZ.
        GLZ = 5,
        /// LZ.
        LZ = 6,
        /// LZ4.
        LZ4 = 7,
    }
}

wire_newtype!(ImageCompression(u8));

record! {
    /// `SpiceMsgcDisplayInit`.
    #[derive(Copy, Eq)]
    pub struct Init {
        /// Names the viewer's pixmap cache, which its displays share.
        pub pixmap_cache_id: u8,
        /// Pixels that the pixmap cache can hold.
        pub pixmap_cache_size: i64,
        /// Names the viewer's GLZ dictionary, which its displays share.
        pub glz_dictionary_id: u8,
        /// Pixels that the GLZ dictionary can hold.
        pub glz_dictionary_window_size: i32,
    }
}
