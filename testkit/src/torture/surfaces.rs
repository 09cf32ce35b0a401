//! What surfaces begin with, images of a surface itself, and the top bytes of surfaces without alpha.

use spice_display::qxl::{
    Brush, CopyBits, DrawAlphaBlend, DrawComposite, DrawCopy, DrawFill, DrawOp, DrawOpaque, DrawRop3,
    DrawTransparent, Image, ImageSource,
};
use spice_proto::display::{AlphaFlags, BitmapFormat, CompositeFlags, Rop3, Ropd, ScaleMode};
use spice_proto::{Point, Point16, Rect};

use super::Scratch;
use super::cell::Sheet;
use super::images::{Images, Kind};
use super::lines::line;
use super::masks::{MASKED, masked};
use super::rops::{BRUSHES, BrushKind, all_rops, brush, prepare_source, whole};

pub(super) fn surfaces(sheet: &mut Sheet) {
    prepare_source(sheet);
    contents(sheet);
    itself(sheet);
    for kind in [Kind::Bitmap(BitmapFormat::RGB32), Kind::Bitmap(BitmapFormat::RGBA), Kind::HighBits] {
        top_bytes(sheet, kind);
    }
}

/// Surfaces that keep what the guest has put there.
fn contents(sheet: &mut Sheet) {
    let kept = [
        (Scratch::Rgb, BitmapFormat::RGB32),
        (Scratch::Argb, BitmapFormat::RGBA),
        (Scratch::Rgb555, BitmapFormat::RGB16),
        (Scratch::Alpha, BitmapFormat::A8),
    ];
    for (scratch, format) in kept {
        for top_down in [true, false] {
            for behind in [0, 16] {
                let content = sheet.images.content(format, top_down, behind);
                let name = format!("CONTENT {scratch:?} top down {top_down}, {behind} bytes behind");
                sheet.begun(scratch, name, content);
                // A fresh surface is drawn on as any other.
                let name = format!("CONTENT {scratch:?} top down {top_down}, drawn on");
                sheet.off_screen(scratch, name, |_, bbox| {
                    DrawOp::CopyBits(CopyBits { source: Point::new(bbox.left + 2, bbox.top - 2) })
                });
            }
        }
    }
}

/// Images that are a part of the surface that is drawn on, with every operation that has one. Brushes and masks are none
/// with the C server.
fn itself(sheet: &mut Sheet) {
    let operations =
        ["OPAQUE", "ROP3", "TRANSPARENT", "ALPHA_BLEND", "ALPHA_BLEND scaled", "OPAQUE scaled", "COMPOSITE"];
    for name in operations {
        for (x, y) in [(0, 0), (-2, 1), (2, 2)] {
            let case = format!("ITSELF {name} from {x}, {y}");
            sheet.case(case, |_, bbox| own(bbox, name, bbox.translate(x, y)));
        }
        // The C server takes no other surface as an image.
        for scratch in [Scratch::Rgb, Scratch::Argb, Scratch::Rgb555, Scratch::Alpha] {
            if scratch == Scratch::Alpha && name == "ROP3" {
                // The C server has no ROP3 for surfaces of 8 bits.
                continue;
            }
            sheet.off_screen(scratch, format!("ITSELF {name}"), |_, bbox| {
                own(bbox, name, bbox.translate(1, -1))
            });
        }
    }
}

fn own(bbox: Rect, name: &str, area: Rect) -> DrawOp {
    let source = Image { source: ImageSource::Own(area), ..Image::surface(Scratch::Source.id()) };
    let (brush, scale_mode, mask) = (Brush::Solid(0x00f0_0ff0), ScaleMode::INTERPOLATE, None);
    let source_area = if name.ends_with("scaled") { Rect::new(2, 1, 11, 9) } else { whole(bbox) };
    match name {
        "OPAQUE" | "OPAQUE scaled" => {
            let rop = Ropd::OP_XOR;
            DrawOp::Opaque(DrawOpaque { source, source_area, brush, rop, scale_mode, mask })
        }
        "ROP3" => DrawOp::Rop3(DrawRop3 { source, source_area, brush, rop3: Rop3(0xca), scale_mode, mask }),
        "TRANSPARENT" => DrawOp::Transparent(DrawTransparent {
            source,
            source_area,
            source_colour: 0,
            true_colour: 0x00ff_ffff,
        }),
        "COMPOSITE" => composite(CompositeFlags::empty(), 0x03, source),
        _ => {
            let (flags, alpha) = (AlphaFlags::empty(), 120);
            DrawOp::AlphaBlend(DrawAlphaBlend { flags, alpha, source, source_area })
        }
    }
}

/// A COMPOSITE without mask and transforms.
fn composite(flags: CompositeFlags, operator: u32, source: Image) -> DrawOp {
    let at = Point16 { x: 0, y: 0 };
    DrawOp::Composite(DrawComposite {
        flags: flags | CompositeFlags::from_bits_retain(operator | 3 << 8),
        source,
        mask: None,
        source_transform: None,
        mask_transform: None,
        source_origin: at,
        mask_origin: at,
    })
}

/// What operations leave in the byte that means nothing, seen by who takes it for alpha.
fn top_bytes(sheet: &mut Sheet, below: Kind) {
    let seen = |sheet: &mut Sheet, name: String, op: &dyn Fn(&mut Images, Rect) -> DrawOp| {
        let background = sheet.images.image(below, 32, 32);
        let name = format!("TOP {name}, on {below:?}");
        sheet.shown(Scratch::Rgb, AlphaFlags::SRC_SURFACE_HAS_ALPHA, background, name, op);
    };
    seen(sheet, "NOP".into(), &|_, _| DrawOp::Nop);
    for kind in BRUSHES {
        for rop in all_rops(Ropd::INVERS_BRUSH, Ropd::INVERS_DEST) {
            seen(sheet, format!("FILL {kind:?} {rop:?}"), &|images, bbox| {
                DrawOp::Fill(DrawFill { brush: brush(images, kind, bbox), rop, mask: None })
            });
        }
    }
    for kind in Kind::ALL {
        for rop in [Ropd::OP_PUT, Ropd::OP_XOR] {
            seen(sheet, format!("COPY {kind:?} {rop:?}"), &|images, bbox| {
                let source = images.image(kind, bbox.width(), bbox.height());
                DrawOp::Copy(DrawCopy { rop, ..DrawCopy::put(source, whole(bbox)) })
            });
        }
        seen(sheet, format!("COPY scaled {kind:?}"), &|images, _| {
            DrawOp::Copy(DrawCopy::put(images.image(kind, 16, 16), Rect::new(1, 2, 11, 13)))
        });
        for alpha in [255, 100] {
            seen(sheet, format!("ALPHA_BLEND {kind:?} {alpha}"), &|images, bbox| {
                let flags = AlphaFlags::DEST_HAS_ALPHA;
                let source = images.image(kind, bbox.width(), bbox.height());
                DrawOp::AlphaBlend(DrawAlphaBlend { flags, alpha, source, source_area: whole(bbox) })
            });
        }
    }
    for operator in [0x00, 0x01, 0x03, 0x08, 0x0c, 0x30] {
        for flags in [CompositeFlags::empty(), CompositeFlags::DEST_OPAQUE] {
            seen(sheet, format!("COMPOSITE {operator:#x} {flags:?}"), &|images, _| {
                composite(flags, operator, images.image(Kind::Bitmap(BitmapFormat::RGBA), 32, 32))
            });
        }
    }
    for name in MASKED {
        seen(sheet, format!("{name} masked"), &|images, bbox| {
            let mask = images.any_mask();
            masked(images, bbox, name, Some(mask))
        });
    }
    for rop in [Ropd::OP_PUT, Ropd::OP_XOR] {
        seen(sheet, format!("STROKE {rop:?}"), &|images, bbox| {
            line(images, bbox, 5, 1, BrushKind::Solid, rop)
        });
    }
}
