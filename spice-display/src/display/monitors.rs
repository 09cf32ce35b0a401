//! What the guest's monitors show.

use spice_proto::SurfaceId;
use spice_proto::display::{Head, MonitorsConfig, ServerMessage};

use crate::surface::{Surface, SurfaceTable};

/// Which parts of the primary surface are monitors: what the guest has said, and before it says anything, one that
/// shows all of it.
///
/// A guest that says so at all says it anew after each primary surface. Viewers keep the monitors of the one before
/// until then, so that no window closes to open again.
#[derive(Debug, Default)]
pub(super) struct Monitors {
    config: Option<MonitorsConfig>,
    /// How many the guest's driver could show, by its last word; it stays when a primary surface ends.
    max_allowed: Option<u16>,
    /// The guest's driver has said what its monitors show.
    speaks: bool,
}

impl Monitors {
    /// The guest's word. Monitors without a pixel are switched off and left out; without any other nothing changes, and
    /// that is the answer then.
    pub(super) fn set(&mut self, mut config: MonitorsConfig) -> bool {
        self.speaks = true;
        config.heads.retain(|head| head.width > 0 && head.height > 0);
        if config.heads.is_empty() {
            return false;
        }
        self.max_allowed = Some(config.max_allowed);
        self.config = Some(config);
        true
    }

    /// A primary surface begins.
    pub(super) fn handle_primary(&mut self) {
        self.config = None;
    }

    /// The guest's driver is gone; the next one may never say a word.
    pub(super) fn handle_unload(&mut self) {
        self.speaks = false;
    }

    /// Whether the guest is going to say what they show.
    pub(super) fn are_expected(&self) -> bool {
        self.speaks && self.config.is_none()
    }

    /// What a viewer is told while there is a primary surface, or it shows a scanout.
    pub(super) fn message(&self, surfaces: &SurfaceTable, scanout: bool) -> Option<ServerMessage> {
        let shape = surfaces.surface(SurfaceId::PRIMARY).map(Surface::shape);
        if let Some(config) = self.config.as_ref().filter(|_| scanout || shape.is_some()) {
            return Some(ServerMessage::MonitorsConfig(config.clone()));
        }
        let shape = shape?;
        let head = Head {
            monitor_id: 0,
            surface_id: SurfaceId::PRIMARY,
            width: shape.width,
            height: shape.height,
            x: 0,
            y: 0,
            flags: 0,
        };
        let max_allowed = self.max_allowed.unwrap_or(1);
        Some(ServerMessage::MonitorsConfig(MonitorsConfig { max_allowed, heads: vec![head] }))
    }
}
