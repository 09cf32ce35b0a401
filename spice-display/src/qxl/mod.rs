//! What a guest says: QXL commands and device events, already read out of its memory and checked in shape.
//!
//! Everything here is owned and immutable; a [`Drawable`] is shared between the viewers' pipes behind `Arc`.
//! Names follow `spice/qxl_dev.h`.

mod bitmap;
mod check;
mod command;
mod draw;
mod image;
pub mod parse;
mod place;
mod raw;
pub mod recording;

pub use bitmap::{Bitmap, BitmapError};
pub use check::ShapeError;
pub use command::{
    Command, CursorCommand, CursorShape, DeviceEvent, GlScanout, GuestEvent, PrimarySurface, SurfaceCommand,
    UpdateArea,
};
pub use draw::{
    Brush, Clip, CopyBits, DrawAlphaBlend, DrawComposite, DrawCopy, DrawFill, DrawOp, DrawOpaque, DrawRop3,
    DrawStroke, DrawText, DrawTransparent, Drawable, Effect, Mask, Pattern,
};
pub use image::{Image, ImageSource, QuicImage};
pub use place::SurfacePlace;
pub(crate) use place::bits_per_pixel;
pub use raw::RawError;
pub use spice_proto::display::BitmapFormat;
