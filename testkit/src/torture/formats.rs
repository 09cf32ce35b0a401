//! Surfaces of all formats.

use spice_display::qxl::{CopyBits, DrawAlphaBlend, DrawCopy, DrawFill, DrawOp, DrawRop3, DrawTransparent};
use spice_proto::display::{AlphaFlags, BitmapFormat, Ropd, ScaleMode, SurfaceFormat};
use spice_proto::{Point, Rect};

use super::Scratch;
use super::cell::Sheet;
use super::images::Kind;
use super::lines::line;
use super::masks::{MASKED, masked};
use super::rops::{BrushKind, brush, ternary_rops, whole};
use super::text::{DEPTHS, words};

pub(super) fn formats(sheet: &mut Sheet) {
    for scratch in [Scratch::Argb, Scratch::Rgb, Scratch::Rgb555, Scratch::Rgb565, Scratch::Alpha] {
        let palettes = !matches!(scratch.format(), SurfaceFormat::RGB565 | SurfaceFormat::A8);
        let kinds: Vec<Kind> = if palettes { Kind::ALL.to_vec() } else { Kind::direct().collect() };
        for kind in kinds {
            for rop in [Ropd::OP_PUT, Ropd::OP_XOR] {
                sheet.off_screen(scratch, format!("COPY {kind:?} {rop:?}"), |images, bbox| {
                    let source = images.image(kind, bbox.width(), bbox.height());
                    DrawOp::Copy(DrawCopy { rop, ..DrawCopy::put(source, whole(bbox)) })
                });
            }
            for scale_mode in [ScaleMode::INTERPOLATE, ScaleMode::NEAREST] {
                sheet.off_screen(scratch, format!("COPY {kind:?} scaled {scale_mode}"), |images, _| {
                    let source = images.image(kind, 16, 16);
                    let area = Rect::new(1, 2, 11, 13);
                    DrawOp::Copy(DrawCopy { scale_mode, ..DrawCopy::put(source, area) })
                });
            }
            for alpha in [255, 100] {
                sheet.off_screen(scratch, format!("ALPHA_BLEND {kind:?} {alpha}"), |images, bbox| {
                    DrawOp::AlphaBlend(DrawAlphaBlend {
                        flags: AlphaFlags::empty(),
                        alpha,
                        source: images.image(kind, bbox.width(), bbox.height()),
                        source_area: whole(bbox),
                    })
                });
            }
            sheet.off_screen(scratch, format!("TRANSPARENT {kind:?}"), |images, bbox| {
                DrawOp::Transparent(DrawTransparent {
                    source: images.image(kind, bbox.width(), bbox.height()),
                    source_area: whole(bbox),
                    source_colour: 0,
                    true_colour: 0x00ff_ffff,
                })
            });
        }
        let flat = [BrushKind::Solid, BrushKind::Pattern(Kind::Bitmap(BitmapFormat::RGB32))];
        for kind in flat {
            for rop in [Ropd::OP_PUT, Ropd::OP_AND, Ropd::OP_XOR | Ropd::INVERS_RES] {
                sheet.off_screen(scratch, format!("FILL {kind:?} {rop:?}"), |images, bbox| {
                    DrawOp::Fill(DrawFill { brush: brush(images, kind, bbox), rop, mask: None })
                });
                sheet.off_screen(scratch, format!("STROKE {kind:?} {rop:?}"), |images, bbox| {
                    line(images, bbox, 5, 1, kind, rop)
                });
            }
            for depth in DEPTHS {
                sheet.off_screen(scratch, format!("TEXT {kind:?} {depth:?}"), |images, bbox| {
                    words(images, bbox, depth, kind, false)
                });
            }
        }
        for name in MASKED.into_iter().filter(|name| *name != "ROP3") {
            sheet.off_screen(scratch, format!("{name} masked"), |images, bbox| {
                let mask = images.any_mask();
                masked(images, bbox, name, Some(mask))
            });
        }
        // The C server has no ROP3 for surfaces of 8 bits.
        let ternary = ternary_rops().step_by(17).filter(|_| scratch != Scratch::Alpha);
        for rop3 in ternary {
            sheet.off_screen(scratch, format!("ROP3 {rop3:?}"), |images, bbox| {
                DrawOp::Rop3(DrawRop3 {
                    source: images.image(Kind::Bitmap(BitmapFormat::RGB32), bbox.width(), bbox.height()),
                    source_area: whole(bbox),
                    brush: brush(images, BrushKind::Solid, bbox),
                    rop3,
                    scale_mode: ScaleMode::INTERPOLATE,
                    mask: None,
                })
            });
        }
        for (x, y) in [(3, 0), (-3, 1)] {
            sheet.off_screen(scratch, format!("COPY_BITS {x} {y}"), |_, bbox| {
                DrawOp::CopyBits(CopyBits { source: Point::new(bbox.left + x, bbox.top + y) })
            });
        }
    }
}
