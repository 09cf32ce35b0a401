//! Surfaces, and parts of them, as the messages that viewers get.

use spice_proto::display::{
    Clip, DisplayBase, DrawCopy, Image, ImageData, ImageFlags, Mask, Ropd, ScaleMode, ServerMessage,
    SurfaceCreate, SurfaceFlags,
};
use spice_proto::{Rect, SurfaceId};

use crate::surface::SurfaceShape;

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
