//! What drawing messages are made of: clips, brushes, masks, images, paths, glyphs.

mod bitmap;
mod brush;
mod clip;
mod composite;
mod image;
mod packed;
mod palette;
mod path;
mod pointer;
mod rop;
mod text;

pub use bitmap::{BitmapFlags, BitmapFormat, BitmapImage};
pub use brush::{Brush, Mask, MaskFlags, Pattern};
pub use clip::{Clip, DisplayBase};
pub use composite::{CompositeFlags, Fixed16_16, Transform};
pub use image::{Image, ImageData, ImageFlags, ImageType};
pub use packed::{JpegAlphaFlags, JpegAlphaImage, LzPaletteImage, ZlibGlzImage};
pub use palette::{ImagePalette, Palette, PaletteId};
pub use path::{Fixed28_4, LineAttr, LineFlags, Path, PathFlags, PathSegment, PointFix};
pub use rop::{AlphaFlags, Rop3, Ropd, ScaleMode};
pub use text::{Glyph, Glyphs, StringFlags};

pub(crate) use pointer::{Behind, Part, drawing};
