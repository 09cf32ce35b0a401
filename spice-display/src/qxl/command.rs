//! The commands of the QXL rings, as owned values.

use std::sync::Arc;

use bytes::Bytes;
use spice_channel::DescriptorId;
use spice_proto::cursor::CursorType;
use spice_proto::display::{GlDraw, MonitorsConfig, SurfaceFormat};
use spice_proto::{Point16, Rect, SurfaceId};

use super::{Bitmap, Drawable};

/// One thing that a guest hands over: a command from a ring, or something that happened to its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestEvent {
    /// From the command or the cursor ring.
    Command(Command),
    /// From the device's registers.
    Device(DeviceEvent),
}

/// A command of the command ring or the cursor ring (`QXLCommand`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Moves, shapes or hides the pointer (`QXL_CMD_CURSOR`).
    Cursor(CursorCommand),
    /// Draws on a surface (`QXL_CMD_DRAW`).
    Draw(Drawable),
    /// A line for the host's log (`QXL_CMD_MESSAGE`).
    Message(Bytes),
    /// Creates or destroys an off-screen surface (`QXL_CMD_SURFACE`).
    Surface(SurfaceCommand),
    /// The guest wants to read this area back (`QXL_CMD_UPDATE`).
    Update(UpdateArea),
}

/// Something that a guest did to the device rather than through a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceEvent {
    /// The primary surface begins, in place of any earlier one.
    CreatePrimary(PrimarySurface),
    /// The primary surface ends.
    DestroyPrimary,
    /// Every surface ends, the primary one too.
    DestroySurfaces,
    /// The monitors show these parts of the primary surface.
    Monitors(MonitorsConfig),
    /// The pointer has no shape any more.
    ResetCursor,
    /// The guest's driver is gone, and what it said of its monitors with it.
    DriverUnload,
    /// The graphics processor shows this buffer, or none any more.
    GlScanout(Option<GlScanout>),
    /// It has drawn there in the buffer that it shows.
    GlDraw(GlDraw),
}

/// A buffer that the graphics processor shows (`spice_qxl_gl_scanout`), without its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlScanout {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from row to row.
    pub stride: u32,
    /// How its pixels are kept, a code of `drm_fourcc.h`; 0 is none.
    pub format: u32,
    /// The top row comes first (`y_0_top`).
    pub top_first: bool,
    /// The buffer itself, which whoever has the connections knows by this number for as long as this is the scanout.
    pub descriptor: DescriptorId,
}

/// The primary surface's shape (`QXLSurfaceCreate`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimarySurface {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// How its pixels are kept.
    pub format: SurfaceFormat,
    /// Its first content, rows from the top, where the guest keeps it (`QXL_SURF_FLAG_KEEP_DATA`); else it is black.
    pub content: Option<Arc<Bitmap>>,
}

/// `QXLUpdateCmd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateArea {
    /// The surface that is read.
    pub surface: SurfaceId,
    /// The pixels that are read.
    pub area: Rect,
    /// The guest's own number for the request.
    pub update_id: u32,
}

/// `QXLSurfaceCmd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SurfaceCommand {
    /// An off-screen surface begins.
    Create {
        /// Its id, never 0.
        surface: SurfaceId,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// How its pixels are kept.
        format: SurfaceFormat,
        /// Its first content, where the guest keeps it; else it is zero.
        content: Option<Arc<Bitmap>>,
    },
    /// An off-screen surface ends.
    Destroy {
        /// Its id.
        surface: SurfaceId,
    },
}

/// `QXLCursorCmd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CursorCommand {
    /// The pointer is not shown.
    Hide,
    /// The pointer goes there, and is shown.
    Move(Point16),
    /// The pointer gets another shape.
    Set {
        /// Where it is.
        position: Point16,
        /// Whether it is shown.
        visible: bool,
        /// What it looks like.
        shape: Arc<CursorShape>,
    },
    /// The pointer leaves a trail.
    Trail {
        /// How many copies.
        length: u16,
        /// How often, in milliseconds.
        frequency: u16,
    },
}

/// A pointer's shape (`QXLCursor`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorShape {
    /// The guest's name for it; 0 when it has none.
    pub unique: u64,
    /// How `data` is laid out.
    pub kind: CursorType,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// The column that points.
    pub hot_spot_x: u16,
    /// The row that points.
    pub hot_spot_y: u16,
    /// Pixels, and a mask after them in the palette formats.
    pub data: Bytes,
}
