//! How viewers get their pictures.

use spice_display::{Compression, WanCompression};

/// How viewers get their pictures, unless they say how they would like them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// How images are packed.
    pub compression: Compression,
    /// Which viewers get JPEG in the place of QUIC, and every bit later.
    pub jpeg: WanCompression,
    /// Which viewers get GLZ packed once more with zlib.
    pub zlib_glz: WanCompression,
}
