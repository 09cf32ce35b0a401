//! What the host asks a device's worker for.

use std::os::fd::OwnedFd;
use std::sync::mpsc::SyncSender;

use spice_display::memory::QxlPhysical;
use spice_display::qxl::GlScanout;
use spice_proto::display::GlDraw;
use spice_proto::{Rect, SurfaceId};

use crate::abi::qxl::{QXLCommandExt, QXLDevMemSlot, QXLDevSurfaceCreate};

/// Rectangles that were drawn since they were last asked for.
pub(crate) type Dirty = Vec<Rect>;

/// Something that is asked for, and who is told when it is done.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) what: What,
    pub(crate) done: Done,
}

/// Who is told.
#[derive(Debug)]
pub(crate) enum Done {
    /// Nobody.
    Nobody,
    /// A thread that waits.
    Waits(SyncSender<Dirty>),
    /// The host, by the number that it has given (`async_complete`).
    Cookie(u64),
}

/// What is asked for.
#[derive(Debug)]
pub(crate) enum What {
    /// The pixels of an area are to be in the guest's memory.
    UpdateArea {
        surface: SurfaceId,
        area: Rect,
        /// Most rectangles that are told of; nothing where nobody wants any.
        most: Option<usize>,
        /// Whether what was drawn in it counts as told then.
        clear: bool,
    },
    AddMemslot(QXLDevMemSlot),
    DelMemslot {
        group: u32,
        slot: u32,
    },
    ResetMemslots,
    CreatePrimary(QXLDevSurfaceCreate),
    DestroyPrimary,
    DestroySurface(SurfaceId),
    DestroySurfaces,
    /// The pixels of all surfaces are to be in the guest's memory.
    FlushSurfaces,
    Monitors {
        group: u32,
        address: QxlPhysical,
    },
    /// The host's commands of a machine that was saved.
    LoadCommands(Vec<QXLCommandExt>),
    ResetCursor,
    /// The guest's driver is gone.
    DriverUnload,
    /// The graphics processor shows this buffer, or none any more.
    GlScanout(Option<(GlScanout, OwnedFd)>),
    /// The graphics processor has drawn there; who waits is told when viewers have shown it.
    GlDraw(GlDraw),
    /// The guest has no memory left, and waits for what it has given away.
    OutOfMemory,
    /// The machine stands still: guest memory is to be what a snapshot of it needs.
    Stop,
}

impl What {
    /// Whether everything that the guest has in its rings comes before it.
    pub(crate) fn comes_after_rings(&self) -> bool {
        matches!(
            self,
            Self::UpdateArea { .. }
                | Self::DestroyPrimary
                | Self::DestroySurface(_)
                | Self::DestroySurfaces
                | Self::FlushSurfaces
                | Self::OutOfMemory
        )
    }
}
