//! Masks.

use spice_display::qxl::{DrawCopy, DrawFill, DrawOp, DrawOpaque, DrawRop3, Mask};
use spice_proto::display::{BitmapFormat, Rop3, Ropd, ScaleMode};
use spice_proto::{Point, Rect};

use super::cell::Sheet;
use super::images::{Images, Kind};
use super::rops::{BrushKind, brush, whole};

/// The operations that have a mask.
pub(super) const MASKED: [&str; 8] =
    ["FILL", "FILL XOR", "COPY", "OPAQUE", "ROP3", "BLACKNESS", "WHITENESS", "INVERS"];

/// One of [`MASKED`].
pub(super) fn masked(images: &mut Images, bbox: Rect, name: &str, mask: Option<Mask>) -> DrawOp {
    let fill = |images: &mut Images, rop, mask| {
        DrawOp::Fill(DrawFill { brush: brush(images, BrushKind::Solid, bbox), rop, mask })
    };
    let source = images.image(Kind::Bitmap(BitmapFormat::RGB32), bbox.width(), bbox.height());
    let (source_area, scale_mode) = (whole(bbox), ScaleMode::INTERPOLATE);
    match name {
        "FILL" => fill(images, Ropd::OP_PUT, mask),
        "FILL XOR" => fill(images, Ropd::OP_XOR, mask),
        "COPY" => DrawOp::Copy(DrawCopy { mask, ..DrawCopy::put(source, source_area) }),
        "OPAQUE" => DrawOp::Opaque(DrawOpaque {
            source,
            source_area,
            brush: brush(images, BrushKind::Solid, bbox),
            rop: Ropd::OP_AND,
            scale_mode,
            mask,
        }),
        "ROP3" => DrawOp::Rop3(DrawRop3 {
            source,
            source_area,
            brush: brush(images, BrushKind::Solid, bbox),
            rop3: Rop3(0xb8),
            scale_mode,
            mask,
        }),
        "BLACKNESS" => DrawOp::Blackness(mask),
        "WHITENESS" => DrawOp::Whiteness(mask),
        _ => DrawOp::Invers(mask),
    }
}

pub(super) fn masks(sheet: &mut Sheet) {
    for name in MASKED {
        for format in [BitmapFormat::BIT1_BE, BitmapFormat::BIT1_LE] {
            for (size, pos) in
                [((64, 64), (0, 0)), ((64, 64), (33, 5)), ((19, 40), (0, 0)), ((40, 9), (7, 2))]
            {
                for (top_down, inverted) in [(true, false), (true, true), (false, false), (false, true)] {
                    let case = format!("{name} {format} {size:?} at {pos:?} {top_down} inverted {inverted}");
                    sheet.case(case, |images, bbox| {
                        let image = images.mask(format, size, top_down);
                        let mask = Mask { inverted, pos: Point::new(pos.0, pos.1), image };
                        masked(images, bbox, name, Some(mask))
                    });
                }
            }
        }
    }
}
