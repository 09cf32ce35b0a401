//! What all viewers of a display share.

use super::encoder::Encoder;
use super::snapshots::Snapshots;
use crate::surface::SurfaceTable;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) surfaces: SurfaceTable,
    pub(super) snapshots: Snapshots,
    pub(super) encoder: Encoder,
}
