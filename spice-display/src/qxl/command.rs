//! The commands of the QXL rings, as owned values.

use std::sync::Arc;

use bytes::Bytes;
use spice_proto::cursor::CursorType;
use spice_proto::display::{Ropd, SurfaceFormat};
use spice_proto::{Point, Point16, Rect, SurfaceId};

use super::Bitmap;

/// One thing that a guest hands over: a command from a ring, or something that happened to its device.
#[derive(Clone, Debug)]
pub enum GuestEvent {
    /// From the command or the cursor ring.
    Command(Command),
    /// From the device's registers.
    Device(DeviceEvent),
}

/// A command of the command ring or the cursor ring (`QXLCommand`).
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DeviceEvent {
    /// The primary surface begins, in place of any earlier one.
    CreatePrimary(PrimarySurface),
    /// The primary surface ends.
    DestroyPrimary,
    /// Every surface ends, the primary one too.
    DestroySurfaces,
}

/// The primary surface's shape (`QXLSurfaceCreate`).
#[derive(Clone, Debug)]
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
#[derive(Clone, Copy, Debug)]
pub struct UpdateArea {
    /// The surface that is read.
    pub surface: SurfaceId,
    /// The pixels that are read.
    pub area: Rect,
    /// The guest's own number for the request.
    pub update_id: u32,
}

/// `QXLSurfaceCmd`.
#[derive(Clone, Debug)]
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

/// A drawing command (`QXLDrawable`).
#[derive(Clone, Debug)]
pub struct Drawable {
    /// What it draws on.
    pub surface: SurfaceId,
    /// Where, before clipping. It may reach beyond the surface.
    pub bbox: Rect,
    /// Which part of `bbox` it touches.
    pub clip: Clip,
    /// What it does to what lies below, by the guest's word.
    pub effect: Effect,
    /// The guest's multimedia clock, in milliseconds.
    pub mm_time: u32,
    /// What it draws.
    pub op: DrawOp,
}

/// The part of a drawable's box that is drawn (`QXLClip`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clip {
    /// All of it.
    None,
    /// What lies in one of these; they may overlap and reach beyond the surface.
    Rects(Arc<[Rect]>),
}

spice_proto::open_enum! {
    /// What a drawable does to what lies below it (`QXL_EFFECT_*`).
    pub enum Effect: u8 {
        /// The old pixels show through.
        BLEND = 0,
        /// The old pixels do not matter.
        OPAQUE = 1,
        /// Drawn twice, it undoes itself.
        REVERT_ON_DUP = 2,
        /// Drawn twice, it is black.
        BLACKNESS_ON_DUP = 3,
        /// Drawn twice, it is white.
        WHITENESS_ON_DUP = 4,
        /// Opaque as far as its brush is.
        OPAQUE_BRUSH = 5,
        /// Drawn twice, it does nothing.
        NOP_ON_DUP = 6,
        /// It does nothing.
        NOP = 7,
    }
}

/// The drawing operation itself (`QXL_DRAW_*`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DrawOp {
    /// Pixels of an image or of a surface (`QXL_DRAW_COPY`).
    Copy(DrawCopy),
    /// Pixels of the same surface, from elsewhere (`QXL_COPY_BITS`).
    CopyBits(CopyBits),
    /// A brush (`QXL_DRAW_FILL`).
    Fill(DrawFill),
}

/// `QXLFill` without a mask.
#[derive(Clone, Debug)]
pub struct DrawFill {
    /// With what.
    pub brush: Brush,
    /// How it meets the old pixels.
    pub rop: Ropd,
}

/// What fills (`QXLBrush`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Brush {
    /// One colour, `0x00RRGGBB` on a 32-bit surface.
    Solid(u32),
}

/// `QXLCopy` without a mask: `source_area` of `source` is drawn over the box.
#[derive(Clone, Debug)]
pub struct DrawCopy {
    /// Where the pixels come from.
    pub source: ImageSource,
    /// Which of them; of the same size as the box unless the image is scaled.
    pub source_area: Rect,
    /// How they meet the old pixels.
    pub rop: Ropd,
}

/// `QXLCopyBits`: the box is filled with the pixels of the same surface that have their top left corner at `source`.
#[derive(Clone, Copy, Debug)]
pub struct CopyBits {
    /// The top left corner of what is copied.
    pub source: Point,
}

/// The image of a drawing command (`QXLImage`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ImageSource {
    /// Pixels that came with the command.
    Bitmap(Arc<Bitmap>),
    /// What a surface holds when the command is drawn.
    Surface(SurfaceId),
}

impl Drawable {
    /// The other surface that this draw reads, if it reads one.
    #[must_use]
    pub fn reads(&self) -> Option<SurfaceId> {
        match &self.op {
            DrawOp::Copy(DrawCopy { source: ImageSource::Surface(surface), .. }) => Some(*surface),
            _ => None,
        }
    }

    /// Bytes that stay in memory because of this drawable: its own and its image's.
    #[must_use]
    pub fn weight(&self) -> usize {
        let image = match &self.op {
            DrawOp::Copy(DrawCopy { source: ImageSource::Bitmap(bitmap), .. }) => bitmap.data().len(),
            _ => 0,
        };
        let clip = match &self.clip {
            Clip::None => 0,
            Clip::Rects(rects) => size_of_val::<[Rect]>(rects),
        };
        size_of::<Self>() + image + clip
    }
}

/// `QXLCursorCmd`.
#[derive(Clone, Debug)]
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
