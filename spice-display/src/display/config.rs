//! How a display treats its guest and its viewers.

use core::time::Duration;

use spice_channel::{ChannelConfig, PipeLimits};

use super::wan::WanCompression;
use crate::image::Compression;
use crate::surface::SurfaceLimits;

/// What an operator decides about a display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisplayConfig {
    /// Its connections.
    pub connections: ChannelConfig,
    /// What a viewer's pipe may hold before it is squashed.
    pub pipe: PipeLimits,
    /// What the guest may ask for.
    pub surfaces: SurfaceLimits,
    /// How viewers get their images that do not say how they would like them.
    pub compression: Compression,
    /// What the hashes of images begin with, by which viewers keep them. Drawn at random it keeps a guest from making two
    /// images that are taken for one, to show its own viewers a wrong picture: `spice-server` draws it.
    pub seed: u64,
    /// Which viewers get JPEG in the place of QUIC. What they were shown with loss is repaired once it is left alone.
    pub jpeg: WanCompression,
    /// Which viewers get GLZ packed once more with zlib.
    pub zlib_glz: WanCompression,
    /// How long a host waits at most for viewers to show what the graphics processor has drawn. A viewer that takes longer
    /// is not waited for again until it has answered a draw within this time, counted from when the draw was due.
    pub gl_draw_limit: Duration,
}

impl Default for DisplayConfig {
    fn default() -> Self {
        // 8192 messages are a megabyte of the smallest draws, so no link is limited by the window.
        Self {
            connections: ChannelConfig { ack_window: 8192, ..ChannelConfig::default() },
            pipe: PipeLimits { items: 256, bytes: 16 << 20 },
            surfaces: SurfaceLimits::default(),
            compression: Compression::default(),
            seed: 0,
            jpeg: WanCompression::default(),
            zlib_glz: WanCompression::default(),
            gl_draw_limit: Duration::from_millis(100),
        }
    }
}
