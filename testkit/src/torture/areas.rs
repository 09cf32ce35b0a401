//! Parts of images that reach beyond them.

use spice_display::qxl::{Brush, DrawAlphaBlend, DrawOp, DrawOpaque, DrawTransparent, Image, ImageSource};
use spice_proto::Rect;
use spice_proto::display::{AlphaFlags, BitmapFormat, Ropd, ScaleMode};

use super::Scratch;
use super::cell::Sheet;
use super::images::{Images, Kind};
use super::rops::prepare_source;

/// Columns and rows of the images.
const SIDE: u32 = 20;

/// Parts that begin before an image of 20x20 pixels, end beyond it, both, or have nothing of it; the first four are of
/// the size of a box.
const AREAS: [Rect; 12] = [
    Rect::new(-4, 3, 25, 27),
    Rect::new(4, -5, 25, 27),
    Rect::new(-1, -30, 25, 27),
    Rect::new(20, 0, 25, 27),
    Rect::new(-3, -2, 8, 9),
    Rect::new(15, 14, 9, 11),
    Rect::new(-5, -6, 50, 60),
    Rect::new(-40, 0, 10, 10),
    Rect::new(19, 19, 2, 2),
    Rect::new(-1, 0, 1, 20),
    Rect::new(0, -7, 20, 8),
    Rect::new(100, 100, 7, 7),
];

/// What a source is.
#[derive(Clone, Copy, Debug)]
enum Source {
    Image(Kind),
    Surface,
    Itself,
}

const SOURCES: [Source; 6] = [
    Source::Image(Kind::Bitmap(BitmapFormat::RGB32)),
    Source::Image(Kind::Bitmap(BitmapFormat::RGBA)),
    Source::Image(Kind::Bitmap(BitmapFormat::RGB16)),
    Source::Image(Kind::Bitmap(BitmapFormat::BIT4_BE)),
    Source::Surface,
    Source::Itself,
];

impl Source {
    fn image(self, images: &mut Images, bbox: Rect) -> Image {
        let own = Rect::new(bbox.left, bbox.top, SIDE, SIDE);
        match self {
            Self::Image(kind) => images.image(kind, SIDE, SIDE),
            Self::Surface => Image::surface(Scratch::Source.id()),
            Self::Itself => Image { source: ImageSource::Own(own), ..Image::surface(Scratch::Source.id()) },
        }
    }
}

pub(super) fn areas(sheet: &mut Sheet) {
    prepare_source(sheet);
    for source in SOURCES {
        for source_area in AREAS {
            for scale_mode in [ScaleMode::INTERPOLATE, ScaleMode::NEAREST] {
                sheet.case(format!("OPAQUE {source:?} {source_area:?} {scale_mode}"), |images, bbox| {
                    DrawOp::Opaque(DrawOpaque {
                        source: source.image(images, bbox),
                        source_area,
                        brush: Brush::Solid(0x0012_3456),
                        rop: Ropd::OP_XOR,
                        scale_mode,
                        mask: None,
                    })
                });
            }
            sheet.case(format!("TRANSPARENT {source:?} {source_area:?}"), |images, bbox| {
                DrawOp::Transparent(DrawTransparent {
                    source: source.image(images, bbox),
                    source_area,
                    source_colour: 0,
                    true_colour: 0x00ff_ffff,
                })
            });
            for (flags, alpha) in [(0, 255), (0, 90), (3, 255)] {
                let flags = AlphaFlags::from_bits_retain(flags);
                sheet.case(
                    format!("ALPHA_BLEND {source:?} {source_area:?} {flags:?} {alpha}"),
                    |images, bbox| {
                        let source = source.image(images, bbox);
                        DrawOp::AlphaBlend(DrawAlphaBlend { flags, alpha, source, source_area })
                    },
                );
            }
        }
    }
}
