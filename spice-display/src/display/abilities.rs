//! What a viewer can draw by itself.

use spice_proto::caps::{Capabilities, DisplayCap};
use spice_proto::display::SurfaceFormat;

/// What not every viewer can draw. What one cannot is painted here, and it gets the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Abilities {
    /// COMPOSITE.
    pub(super) composite: bool,
    /// Surfaces of alpha alone.
    pub(super) alpha_surfaces: bool,
}

impl Abilities {
    /// What a viewer says it can.
    pub(super) fn new(caps: &Capabilities) -> Self {
        Self {
            composite: caps.has_display(DisplayCap::COMPOSITE),
            alpha_surfaces: caps.has_display(DisplayCap::A8_SURFACE),
        }
    }

    /// Whether the viewer can keep a surface of this format.
    pub(super) fn keeps(self, format: SurfaceFormat) -> bool {
        self.alpha_surfaces || !matches!(format, SurfaceFormat::A8 | SurfaceFormat::A1)
    }
}
