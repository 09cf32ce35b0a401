//! TEXT.

use std::sync::Arc;

use spice_display::qxl::{DrawOp, DrawText};
use spice_proto::display::{BitmapFormat, Glyph, Glyphs, Ropd, StringFlags};
use spice_proto::{Point, Rect};

use super::cell::Sheet;
use super::images::{Images, Kind};
use super::rops::{BrushKind, brush, prepare_source};

pub(super) const DEPTHS: [StringFlags; 2] = [StringFlags::RASTER_A1, StringFlags::RASTER_A4];

pub(super) fn words(
    images: &mut Images,
    bbox: Rect,
    flags: StringFlags,
    kind: BrushKind,
    back: bool,
) -> DrawOp {
    let depth = flags.depth().unwrap_or(1);
    let glyphs = (0..4)
        .map(|place| {
            let (width, height) = (1 + images.below(11), 1 + images.below(13));
            let (width, height) = (u16::try_from(width).unwrap_or(1), u16::try_from(height).unwrap_or(1));
            let len = usize::try_from(Glyph::size(depth, width, height)).unwrap_or(0);
            let mut data: Vec<u8> = (0..len).map(|_| images.byte()).collect();
            if place == 1 {
                data.fill(0xff);
            }
            Glyph {
                render_pos: Point::new(bbox.left + place * 6, bbox.top + 9 + place),
                origin: Point::new(images.below(4).cast_signed() - 1, -images.below(9).cast_signed()),
                width,
                height,
                data: data.into(),
            }
        })
        .collect();
    DrawOp::Text(DrawText {
        glyphs: Arc::new(Glyphs { flags, glyphs }),
        back_area: if back { Rect::new(bbox.left + 2, bbox.top + 1, 15, 14) } else { Rect::default() },
        fore_brush: brush(images, kind, bbox),
        back_brush: brush(images, BrushKind::Pattern(Kind::Bitmap(BitmapFormat::RGB32)), bbox),
        fore_mode: Ropd::OP_PUT,
        back_mode: Ropd::OP_PUT,
    })
}

pub(super) fn text(sheet: &mut Sheet) {
    prepare_source(sheet);
    for depth in DEPTHS {
        for order in [StringFlags::empty(), StringFlags::RASTER_TOP_DOWN] {
            for kind in [
                BrushKind::Solid,
                BrushKind::Pattern(Kind::Bitmap(BitmapFormat::RGB32)),
                BrushKind::Pattern(Kind::Bitmap(BitmapFormat::RGBA)),
                BrushKind::Surface,
                BrushKind::None,
            ] {
                for back in [false, true] {
                    for round in 0..8 {
                        let name = format!("TEXT {depth:?} {order:?} {kind:?} back {back} {round}");
                        sheet.case(name, |images, bbox| words(images, bbox, depth | order, kind, back));
                    }
                }
            }
        }
    }
}
