//! What drawing messages are made of: clips, brushes, masks, images.

mod brush;
mod clip;
mod image;
mod rop;

pub use brush::{Brush, Mask, MaskFlags};
pub use clip::{Clip, DisplayBase};
pub use image::{BitmapFlags, BitmapImage, Image, ImageData, ImageFlags, ImageType};
pub use rop::{Ropd, ScaleMode};

#[cfg(feature = "arbitrary")]
pub(crate) use image::arbitrary_image;
pub(crate) use image::{parse_image, put_image};
