//! The display channel: surfaces, what is drawn on them, and video.

mod client;
mod draw;
mod gl;
mod monitors;
mod server;
mod stream;
mod surface;

pub use crate::draw::{
    AlphaFlags, BitmapFlags, BitmapFormat, BitmapImage, Brush, Clip, CompositeFlags, DisplayBase, Fixed16_16,
    Fixed28_4, Glyph, Glyphs, Image, ImageData, ImageFlags, ImagePalette, ImageType, JpegAlphaFlags,
    JpegAlphaImage, LineAttr, LineFlags, LzPaletteImage, Mask, MaskFlags, Palette, PaletteId, Path,
    PathFlags, PathSegment, Pattern, PointFix, Rop3, Ropd, ScaleMode, StringFlags, Transform, ZlibGlzImage,
};

pub use client::{ClientMessage, ImageCompression, Init};
pub use draw::{
    CopyBits, DrawAlphaBlend, DrawBlackness, DrawBlend, DrawComposite, DrawCopy, DrawFill, DrawInvers,
    DrawOpaque, DrawRop3, DrawStroke, DrawText, DrawTransparent, DrawWhiteness,
};
pub use gl::{GlDraw, GlScanoutFlags, GlScanoutUnix};
pub use monitors::{Head, MonitorsConfig};
pub use server::{InvalList, Resource, ResourceType, ServerMessage};
pub use stream::{
    PreferredVideoCodecs, StreamActivateReport, StreamClip, StreamCreate, StreamData, StreamDataSized,
    StreamFlags, StreamId, StreamReport, VideoCodec,
};
pub use surface::{Mode, SurfaceCreate, SurfaceFlags, SurfaceFormat};
