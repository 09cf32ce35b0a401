//! What all viewers of a display share.

use spice_proto::display::MonitorsConfig;

use super::encoder::Encoder;
use super::snapshots::Snapshots;
use crate::image::ImageKeys;
use crate::surface::SurfaceTable;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) surfaces: SurfaceTable,
    pub(super) snapshots: Snapshots,
    pub(super) encoder: Encoder,
    pub(super) keys: ImageKeys,
    /// What parts of the primary surface the guest's monitors show, once it has said so.
    pub(super) monitors: Option<MonitorsConfig>,
}
