//! What all viewers of a display share.

use super::encoder::Encoder;
use super::gl::Gl;
use super::monitors::Monitors;
use super::snapshots::Snapshots;
use crate::image::ImageKeys;
use crate::surface::SurfaceTable;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) surfaces: SurfaceTable,
    pub(super) snapshots: Snapshots,
    pub(super) encoder: Encoder,
    pub(super) keys: ImageKeys,
    pub(super) monitors: Monitors,
    pub(super) gl: Gl,
}
