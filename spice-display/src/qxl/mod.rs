//! What a guest says: QXL commands and device events, already read out of its memory and checked in shape.
//!
//! Everything here is owned and immutable; a [`Drawable`] is shared between the viewers' pipes behind `Arc`.
//! Names follow `spice/qxl_dev.h`.

mod bitmap;
mod command;
pub mod recording;

pub use bitmap::{Bitmap, BitmapError};
pub use command::{
    Brush, Clip, Command, CopyBits, CursorCommand, CursorShape, DeviceEvent, DrawCopy, DrawFill, DrawOp,
    Drawable, Effect, GuestEvent, ImageSource, PrimarySurface, SurfaceCommand, UpdateArea,
};
pub use spice_proto::display::BitmapFormat;
