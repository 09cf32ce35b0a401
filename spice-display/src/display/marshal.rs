//! Commands and surfaces as the messages that viewers get.

use spice_proto::display::{
    Brush, Clip, CopyBits, DisplayBase, DrawCopy, DrawFill, Head, Image, ImageData, ImageFlags, Mask,
    MonitorsConfig, Ropd, ScaleMode, ServerMessage, SurfaceCreate, SurfaceFlags,
};
use spice_proto::{Rect, SurfaceId};

use crate::image::{ImageMethod, bitmap_image, pixel_image};
use crate::qxl::{self, DrawOp, Drawable, ImageSource};
use crate::surface::{Surface, SurfaceShape, SurfaceTable};

/// The message that has a viewer draw what the guest drew.
pub(super) fn draw_message(drawable: &Drawable, method: ImageMethod) -> ServerMessage {
    let clip = match &drawable.clip {
        qxl::Clip::None => Clip::None,
        qxl::Clip::Rects(rects) => Clip::Rects(rects.to_vec()),
    };
    let base = DisplayBase { surface_id: drawable.surface, bbox: drawable.bbox, clip };
    match &drawable.op {
        DrawOp::Fill(fill) => {
            let qxl::Brush::Solid(colour) = fill.brush;
            ServerMessage::DrawFill(DrawFill {
                base,
                brush: Brush::Solid(colour),
                rop: fill.rop,
                mask: Mask::default(),
            })
        }
        DrawOp::CopyBits(copy) => ServerMessage::CopyBits(CopyBits { base, src_pos: copy.source }),
        DrawOp::Copy(copy) => {
            let image = match &copy.source {
                ImageSource::Bitmap(bitmap) => bitmap_image(bitmap, method),
                ImageSource::Surface(surface) => surface_image(*surface, copy.source_area),
            };
            ServerMessage::DrawCopy(copy_message(base, image, copy.source_area, copy.rop))
        }
    }
}

/// The message that brings `area` of a surface to where it is now.
pub(super) fn damage_message(
    id: SurfaceId,
    surface: &Surface,
    area: Rect,
    method: ImageMethod,
) -> ServerMessage {
    let (width, height) = (area.width(), area.height());
    let image = pixel_image(surface.canvas().read(area), (width, height), surface.bitmap_format(), method);
    let base = DisplayBase { surface_id: id, bbox: area, clip: Clip::None };
    ServerMessage::DrawCopy(copy_message(base, image, Rect::new(0, 0, width, height), Ropd::OP_PUT))
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

/// One monitor that shows the whole primary surface, while there is one.
pub(super) fn monitors_message(surfaces: &SurfaceTable) -> Option<ServerMessage> {
    let canvas = surfaces.surface(SurfaceId::PRIMARY)?.canvas();
    let head = Head {
        monitor_id: 0,
        surface_id: SurfaceId::PRIMARY,
        width: canvas.width(),
        height: canvas.height(),
        x: 0,
        y: 0,
        flags: 0,
    };
    Some(ServerMessage::MonitorsConfig(MonitorsConfig { max_allowed: 1, heads: vec![head] }))
}

fn copy_message(base: DisplayBase, image: Image, source_area: Rect, rop: Ropd) -> DrawCopy {
    DrawCopy {
        base,
        source: Some(image),
        source_area,
        rop,
        scale_mode: ScaleMode::INTERPOLATE,
        mask: Mask::default(),
    }
}

fn surface_image(surface: SurfaceId, area: Rect) -> Image {
    Image {
        id: 0,
        flags: ImageFlags::empty(),
        width: u32::try_from(area.right).unwrap_or(0),
        height: u32::try_from(area.bottom).unwrap_or(0),
        data: ImageData::Surface(surface),
    }
}
