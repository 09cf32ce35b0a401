//! A command as the host has it.

use spice_display::qxl::Command;
use spice_proto::SurfaceId;

use super::arena::Arena;
use super::write::Writer;
use crate::abi::qxl::{QXLCommand, QXLCommandExt};

/// A command with its memory. The host knows it by the address of its first field, which is also what it finds in the
/// command's `release_info.id`.
#[derive(Debug)]
#[repr(C)]
pub(super) struct ReplayCommand {
    pub(super) ext: QXLCommandExt,
    pub(super) arena: Arena,
    /// The surface whose id is free when the command comes back.
    pub(super) ends: Option<SurfaceId>,
}

impl ReplayCommand {
    /// Lays a command out. `surfaces` says what surfaces are called.
    pub(super) fn new(command: &Command, surfaces: &dyn Fn(SurfaceId) -> SurfaceId) -> Box<Self> {
        let mut laid_out =
            Box::new(Self { ext: QXLCommandExt::default(), arena: Arena::default(), ends: None });
        let id = (&raw mut *laid_out).expose_provenance() as u64;
        let (kind, data) = Writer { arena: &mut laid_out.arena, id, surfaces }.command(command);
        laid_out.ext.cmd = QXLCommand { data, kind: kind.0, padding: 0 };
        laid_out
    }
}
