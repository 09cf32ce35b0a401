//! Surfaces, and parts of them, as the messages that viewers get.

use spice_proto::display::{
    Clip, DisplayBase, DrawCopy, Head, Image, ImageData, ImageFlags, Mask, MonitorsConfig, Ropd, ScaleMode,
    ServerMessage, SurfaceCreate, SurfaceFlags,
};
use spice_proto::{Rect, SurfaceId};

use crate::surface::{SurfaceShape, SurfaceTable};

/// The message that brings `area` of a surface to what an image of that size shows.
pub(super) fn image_message(id: SurfaceId, area: Rect, data: ImageData) -> ServerMessage {
    let (width, height) = (area.width(), area.height());
    ServerMessage::DrawCopy(DrawCopy {
        base: DisplayBase { surface_id: id, bbox: area, clip: Clip::None },
        source: Some(Image { id: 0, flags: ImageFlags::empty(), width, height, data }),
        source_area: Rect::new(0, 0, width, height),
        rop: Ropd::OP_PUT,
        scale_mode: ScaleMode::INTERPOLATE,
        mask: Mask::default(),
    })
}

pub(super) fn create_message(id: SurfaceId, shape: SurfaceShape) -> ServerMessage {
    ServerMessage::SurfaceCreate(SurfaceCreate {
        surface_id: id,
        width: shape.width,
        height: shape.height,
        format: shape.format,
        flags: if id == SurfaceId::PRIMARY { SurfaceFlags::PRIMARY } else { SurfaceFlags::empty() },
    })
}

/// The monitors, while there is a primary surface; as long as the guest has not said what they show, there is one that
/// shows all of it.
pub(super) fn monitors_message(
    surfaces: &SurfaceTable,
    monitors: Option<&MonitorsConfig>,
) -> Option<ServerMessage> {
    let shape = surfaces.surface(SurfaceId::PRIMARY)?.shape();
    if let Some(monitors) = monitors {
        return Some(ServerMessage::MonitorsConfig(monitors.clone()));
    }
    let head = Head {
        monitor_id: 0,
        surface_id: SurfaceId::PRIMARY,
        width: shape.width,
        height: shape.height,
        x: 0,
        y: 0,
        flags: 0,
    };
    Some(ServerMessage::MonitorsConfig(MonitorsConfig { max_allowed: 1, heads: vec![head] }))
}
