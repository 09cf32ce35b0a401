//! Images of other sizes than their box, and blending.

use spice_display::qxl::{
    Brush, DrawAlphaBlend, DrawCopy, DrawOp, DrawOpaque, DrawRop3, DrawTransparent, Image,
};
use spice_proto::Rect;
use spice_proto::display::{AlphaFlags, BitmapFormat, Rop3, Ropd, ScaleMode};

use super::Scratch;
use super::cell::Sheet;
use super::images::Kind;
use super::rops::{prepare_source, whole};

/// Parts of images of 32x32 pixels, or their whole.
const AREAS: [Rect; 8] = [
    Rect::new(0, 0, 32, 32),
    Rect::new(0, 0, 8, 8),
    Rect::new(24, 25, 8, 7),
    Rect::new(5, 3, 13, 7),
    Rect::new(1, 1, 1, 1),
    Rect::new(0, 0, 31, 3),
    Rect::new(2, 4, 25, 13),
    Rect::new(3, 0, 12, 27),
];

const MODES: [ScaleMode; 2] = [ScaleMode::INTERPOLATE, ScaleMode::NEAREST];

pub(super) fn scaling(sheet: &mut Sheet) {
    prepare_source(sheet);
    let kinds = [
        Kind::Bitmap(BitmapFormat::RGB32),
        Kind::Bitmap(BitmapFormat::RGBA),
        Kind::Bitmap(BitmapFormat::RGB16),
        Kind::Bitmap(BitmapFormat::BIT8),
        Kind::BottomUp(BitmapFormat::RGB32),
    ];
    for source_area in AREAS {
        for scale_mode in MODES {
            for kind in kinds {
                for rop in [Ropd::OP_PUT, Ropd::OP_XOR] {
                    let name = format!("COPY {kind:?} {source_area:?} {scale_mode} {rop:?}");
                    sheet.case(name, |images, _| {
                        let source = images.image(kind, 32, 32);
                        DrawOp::Copy(DrawCopy { scale_mode, rop, ..DrawCopy::put(source, source_area) })
                    });
                }
            }
            sheet.case(format!("COPY a surface {source_area:?} {scale_mode}"), |_, _| {
                let source = Image::surface(Scratch::Source.id());
                DrawOp::Copy(DrawCopy { scale_mode, ..DrawCopy::put(source, source_area) })
            });
            sheet.case(format!("OPAQUE {source_area:?} {scale_mode}"), |images, _| {
                DrawOp::Opaque(DrawOpaque {
                    source: images.image(Kind::Bitmap(BitmapFormat::RGB32), 32, 32),
                    source_area,
                    brush: Brush::Solid(0x00f0_0ff0),
                    rop: Ropd::OP_XOR,
                    scale_mode,
                    mask: None,
                })
            });
            sheet.case(format!("ROP3 {source_area:?} {scale_mode}"), |images, _| {
                DrawOp::Rop3(DrawRop3 {
                    source: images.image(Kind::Bitmap(BitmapFormat::RGB32), 32, 32),
                    source_area,
                    brush: Brush::Solid(0x00f0_0ff0),
                    rop3: Rop3(0x96),
                    scale_mode,
                    mask: None,
                })
            });
        }
        sheet.case(format!("TRANSPARENT {source_area:?}"), |images, _| {
            DrawOp::Transparent(DrawTransparent {
                source: images.image(Kind::Bitmap(BitmapFormat::BIT1_BE), 32, 32),
                source_area,
                source_colour: 0,
                true_colour: 0,
            })
        });
    }
}

pub(super) fn alpha(sheet: &mut Sheet) {
    prepare_source(sheet);
    let alphas = [0, 1, 77, 127, 128, 254, 255];
    for flags in (0..4).map(AlphaFlags::from_bits_retain) {
        for alpha in alphas {
            for kind in [
                Kind::Bitmap(BitmapFormat::RGBA),
                Kind::Bitmap(BitmapFormat::RGB32),
                Kind::HighBits,
                Kind::Bitmap(BitmapFormat::RGB16),
                Kind::Bitmap(BitmapFormat::A8),
            ] {
                sheet.case(format!("ALPHA_BLEND {kind:?} {flags:?} {alpha}"), |images, bbox| {
                    let source = images.image(kind, 32, 32);
                    let source_area = whole(bbox).translate(1, 1);
                    DrawOp::AlphaBlend(DrawAlphaBlend { flags, alpha, source, source_area })
                });
            }
            sheet.case(format!("ALPHA_BLEND a surface {flags:?} {alpha}"), |_, bbox| {
                let source = Image::surface(Scratch::Source.id());
                DrawOp::AlphaBlend(DrawAlphaBlend { flags, alpha, source, source_area: whole(bbox) })
            });
            for source_area in AREAS {
                sheet.case(format!("ALPHA_BLEND {source_area:?} {flags:?} {alpha}"), |images, _| {
                    let source = images.image(Kind::Bitmap(BitmapFormat::RGBA), 32, 32);
                    DrawOp::AlphaBlend(DrawAlphaBlend { flags, alpha, source, source_area })
                });
            }
        }
    }
}
