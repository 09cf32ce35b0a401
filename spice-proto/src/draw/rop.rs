//! How new pixels meet old ones, and how images are scaled.

use crate::open_enum;
use crate::wire::{flags, wire_newtype};

flags! {
    /// A raster operation in the descriptive form (`SPICE_ROPD_*`): one operator and which operands are inverted.
    pub struct Ropd: u16 {
        /// The image is inverted first.
        const INVERS_SRC = 1;
        /// The brush is inverted first.
        const INVERS_BRUSH = 2;
        /// The old pixels are inverted first.
        const INVERS_DEST = 4;
        /// The new pixels take the place of the old.
        const OP_PUT = 8;
        /// New or old.
        const OP_OR = 16;
        /// New and old.
        const OP_AND = 32;
        /// New exclusive-or old.
        const OP_XOR = 64;
        /// Black.
        const OP_BLACKNESS = 128;
        /// White.
        const OP_WHITENESS = 256;
        /// The old pixels, inverted.
        const OP_INVERS = 512;
        /// The result is inverted.
        const INVERS_RES = 1024;
    }
}

open_enum! {
    /// How an image of another size than its box is drawn (`SPICE_IMAGE_SCALE_MODE_*`).
    pub enum ScaleMode: u8 {
        /// Between pixels, a mean.
        INTERPOLATE = 0,
        /// The nearest pixel.
        NEAREST = 1,
    }
}

/// A ternary raster operation, by the number that Windows has for it: bit 4·p + 2·s + d is the result for a bit p of
/// the brush, s of the image and d of the old pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rop3(pub u8);

wire_newtype!(ScaleMode(u8), Rop3(u8));

flags! {
    /// Whose alpha counts (`SPICE_ALPHA_FLAGS_*`).
    pub struct AlphaFlags: u8 {
        /// The surface drawn on has alpha, which is blended as well.
        const DEST_HAS_ALPHA = 1;
        /// The image is a surface that has alpha.
        const SRC_SURFACE_HAS_ALPHA = 2;
    }
}
