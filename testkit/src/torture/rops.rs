//! Raster operations of two and three operands.

use spice_display::qxl::{
    Brush, Clip, CopyBits, DrawCopy, DrawFill, DrawOp, DrawOpaque, DrawRop3, DrawTransparent, Image,
    ImageSource, Pattern,
};
use spice_proto::display::{BitmapFormat, Rop3, Ropd, ScaleMode};
use spice_proto::{Point, Rect};

use super::Scratch;
use super::cell::Sheet;
use super::images::{Images, Kind};

/// Every raster operation with every inversion of `source`, the old pixels and the result.
pub(super) fn all_rops(source: Ropd, old: Ropd) -> Vec<Ropd> {
    let mut rops = vec![Ropd::OP_BLACKNESS, Ropd::OP_WHITENESS, Ropd::OP_INVERS, Ropd::empty()];
    for op in [Ropd::OP_PUT, Ropd::OP_OR, Ropd::OP_AND, Ropd::OP_XOR] {
        for inversions in 0..8_u8 {
            let mut rop = op;
            rop.set(source, inversions & 1 != 0);
            rop.set(old, inversions & 2 != 0);
            rop.set(Ropd::INVERS_RES, inversions & 4 != 0);
            rops.push(rop);
        }
    }
    rops
}

/// How a brush comes.
#[derive(Clone, Copy, Debug)]
pub(super) enum BrushKind {
    None,
    Solid,
    Pattern(Kind),
    Surface,
}

pub(super) const BRUSHES: [BrushKind; 4] = [
    BrushKind::None,
    BrushKind::Solid,
    BrushKind::Pattern(Kind::Bitmap(BitmapFormat::RGB32)),
    BrushKind::Surface,
];

pub(super) fn brush(images: &mut Images, kind: BrushKind, bbox: Rect) -> Brush {
    let pos = Point::new(bbox.left - 40 + images.below(60).cast_signed(), bbox.top + 5);
    match kind {
        BrushKind::None => Brush::None,
        BrushKind::Solid => Brush::Solid(images.below(1 << 24)),
        BrushKind::Pattern(kind) => Brush::Pattern(Pattern { image: images.image(kind, 7, 5), pos }),
        BrushKind::Surface => Brush::Pattern(Pattern { image: Image::surface(Scratch::Source.id()), pos }),
    }
}

/// The whole image over the box.
pub(super) fn whole(bbox: Rect) -> Rect {
    Rect::new(0, 0, bbox.width(), bbox.height())
}

pub(super) fn prepare_source(sheet: &mut Sheet) {
    let image = sheet.images.image(Kind::Bitmap(BitmapFormat::RGBA), 32, 32);
    sheet.prepare(Scratch::Source, image);
}

fn clip(bbox: Rect) -> (Rect, Clip) {
    let (x, y) = (bbox.left, bbox.top);
    let rects = [
        Rect::new(x + 1, y + 1, 9, 5),
        Rect::new(x + 4, y + 3, 12, 12),
        Rect::new(x - 9, y + 20, 100, 2),
        Rect::new(x + 20, y - 3, 1, 60),
    ];
    (bbox, Clip::Rects(rects.into()))
}

pub(super) fn fill(sheet: &mut Sheet) {
    prepare_source(sheet);
    for kind in BRUSHES {
        for rop in all_rops(Ropd::INVERS_BRUSH, Ropd::INVERS_DEST) {
            for clipped in [false, true] {
                sheet.clipped(
                    format!("FILL {kind:?} {rop:?} clipped {clipped}"),
                    |bbox| if clipped { clip(bbox) } else { (bbox, Clip::None) },
                    |images, bbox| {
                        DrawOp::Fill(DrawFill { brush: brush(images, kind, bbox), rop, mask: None })
                    },
                );
            }
        }
    }
    for kind in Kind::ALL {
        for rop in [Ropd::OP_PUT, Ropd::OP_XOR] {
            sheet.case(format!("FILL with a pattern {kind:?} {rop:?}"), |images, bbox| {
                let brush = brush(images, BrushKind::Pattern(kind), bbox);
                DrawOp::Fill(DrawFill { brush, rop, mask: None })
            });
        }
    }
}

pub(super) fn copy(sheet: &mut Sheet) {
    prepare_source(sheet);
    for kind in Kind::ALL {
        for rop in all_rops(Ropd::INVERS_SRC, Ropd::INVERS_DEST) {
            sheet.case(format!("COPY {kind:?} {rop:?}"), |images, bbox| {
                let source = images.image(kind, bbox.width() + 3, bbox.height() + 2);
                let area = whole(bbox).translate(2, 1);
                DrawOp::Copy(DrawCopy { rop, ..DrawCopy::put(source, area) })
            });
        }
    }
    for rop in all_rops(Ropd::INVERS_SRC, Ropd::INVERS_DEST) {
        sheet.clipped(format!("BLEND a surface {rop:?}"), clip, |_, bbox| {
            let source = Image::surface(Scratch::Source.id());
            DrawOp::Blend(DrawCopy { rop, ..DrawCopy::put(source, whole(bbox)) })
        });
    }
}

pub(super) fn other(sheet: &mut Sheet) {
    prepare_source(sheet);
    for kind in BRUSHES {
        for rop in all_rops(Ropd::INVERS_BRUSH, Ropd::INVERS_SRC) {
            sheet.case(format!("OPAQUE {kind:?} {rop:?}"), |images, bbox| {
                let source = images.image(Kind::Bitmap(BitmapFormat::RGB24), bbox.width(), bbox.height());
                DrawOp::Opaque(DrawOpaque {
                    source,
                    source_area: whole(bbox),
                    brush: brush(images, kind, bbox),
                    rop,
                    scale_mode: ScaleMode::INTERPOLATE,
                    mask: None,
                })
            });
        }
    }
    for kind in Kind::ALL {
        sheet.case(format!("TRANSPARENT {kind:?}"), |images, bbox| {
            let source = images.image(kind, bbox.width(), bbox.height());
            let colour = first_colour(&source);
            DrawOp::Transparent(DrawTransparent {
                source,
                source_area: whole(bbox),
                source_colour: colour,
                true_colour: colour | 0xff00_0000,
            })
        });
    }
    for (x, y) in [(0, 0), (3, 0), (-3, 0), (0, 2), (0, -2), (2, 2), (-2, 2), (2, -2), (-3, -2)] {
        for clipped in [false, true] {
            sheet.clipped(
                format!("COPY_BITS from {x}, {y} clipped {clipped}"),
                |bbox| if clipped { clip(bbox) } else { (bbox, Clip::None) },
                |_, bbox| DrawOp::CopyBits(CopyBits { source: Point::new(bbox.left + x, bbox.top + y) }),
            );
        }
    }
    for rop in [Ropd::OP_PUT, Ropd::OP_XOR] {
        sheet.case(format!("OPAQUE of the surface itself {rop:?}"), |images, bbox| {
            let own = bbox.translate(-2, -1);
            DrawOp::Opaque(DrawOpaque {
                source: Image { source: ImageSource::Own(own), ..Image::surface(Scratch::Source.id()) },
                source_area: whole(bbox),
                brush: brush(images, BrushKind::Solid, bbox),
                rop,
                scale_mode: ScaleMode::INTERPOLATE,
                mask: None,
            })
        });
    }
}

/// The colour of an image's first pixel, as far as that is easily known.
fn first_colour(image: &Image) -> u32 {
    match &image.source {
        ImageSource::Bitmap(bitmap) => match (bitmap.palette(), bitmap.row(0)) {
            (Some(palette), _) => palette.entries.get(1).copied().unwrap_or(0),
            (None, &[blue, green, red, ..]) => u32::from_le_bytes([blue, green, red, 0]),
            _ => 0,
        },
        _ => 0,
    }
}

/// The operations of three operands that are none of fewer, which is all that the C server has.
pub(super) fn ternary_rops() -> impl Iterator<Item = Rop3> {
    (0..=u8::MAX).filter(|rop| !is_binary(*rop)).map(Rop3)
}

/// Whether one of brush, source and old pixel does not matter.
fn is_binary(rop: u8) -> bool {
    let ignores = |shift: u32, bits: u8| (rop >> shift ^ rop) & bits == 0;
    ignores(4, 0x0f) || ignores(2, 0x33) || ignores(1, 0x55)
}

pub(super) fn rop3(sheet: &mut Sheet) {
    prepare_source(sheet);
    for rop3 in ternary_rops() {
        for kind in [BrushKind::Solid, BrushKind::Pattern(Kind::Bitmap(BitmapFormat::RGB32))] {
            sheet.case(format!("ROP3 {rop3:?} {kind:?}"), |images, bbox| {
                let source = images.image(Kind::Bitmap(BitmapFormat::RGB32), bbox.width(), bbox.height());
                let mut brush = brush(images, kind, bbox);
                if let Brush::Pattern(pattern) = &mut brush {
                    // To the left of and above the box: the C server reads before its pattern otherwise.
                    pattern.pos = Point::new(bbox.left - 9, bbox.top - 6);
                }
                DrawOp::Rop3(DrawRop3 {
                    source,
                    source_area: whole(bbox),
                    brush,
                    rop3,
                    scale_mode: ScaleMode::INTERPOLATE,
                    mask: None,
                })
            });
        }
    }
}
