//! COMPOSITE.

use spice_display::qxl::{DrawComposite, DrawOp, Image};
use spice_proto::Point16;
use spice_proto::display::{BitmapFormat, CompositeFlags, Fixed16_16, Transform};

use super::Scratch;
use super::cell::Sheet;
use super::images::{Images, Kind};
use super::rops::prepare_source;

/// Every operator that QXL names.
const OPERATORS: [u8; 29] = [
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x30, 0x31, 0x32,
    0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e,
];

#[derive(Clone, Copy, Debug)]
enum MaskKind {
    None,
    Alpha,
    Colour,
    Component,
}

const MASKS: [MaskKind; 4] = [MaskKind::None, MaskKind::Alpha, MaskKind::Colour, MaskKind::Component];

struct Recipe {
    operator: u8,
    source: Kind,
    mask: MaskKind,
    flags: CompositeFlags,
    repeat: (u32, u32),
    filter: (u32, u32),
    transforms: (Option<Transform>, Option<Transform>),
    origins: (Point16, Point16),
    size: u32,
}

impl Recipe {
    fn new(operator: u8, source: Kind, mask: MaskKind) -> Self {
        let origin = Point16 { x: 0, y: 0 };
        Self {
            operator,
            source,
            mask,
            flags: CompositeFlags::empty(),
            repeat: (0, 0),
            filter: (3, 3),
            transforms: (None, None),
            origins: (origin, origin),
            size: 32,
        }
    }

    fn op(&self, images: &mut Images) -> DrawOp {
        let mask = match self.mask {
            MaskKind::None => None,
            MaskKind::Alpha => Some(Kind::Bitmap(BitmapFormat::A8)),
            MaskKind::Colour | MaskKind::Component => Some(Kind::Bitmap(BitmapFormat::RGBA)),
        };
        let mut flags = self.flags
            | CompositeFlags::from_bits_retain(
                u32::from(self.operator)
                    | self.filter.0 << 8
                    | self.filter.1 << 11
                    | self.repeat.0 << 14
                    | self.repeat.1 << 16,
            );
        flags.set(CompositeFlags::COMPONENT_ALPHA, matches!(self.mask, MaskKind::Component));
        DrawOp::Composite(DrawComposite {
            flags,
            source: images.image(self.source, self.size, self.size),
            mask: mask.map(|kind| images.image(kind, self.size, self.size)),
            source_transform: self.transforms.0,
            mask_transform: self.transforms.1.filter(|_| mask.is_some()),
            source_origin: self.origins.0,
            mask_origin: self.origins.1,
        })
    }
}

const RGBA: Kind = Kind::Bitmap(BitmapFormat::RGBA);
const RGB: Kind = Kind::Bitmap(BitmapFormat::RGB32);

pub(super) fn operators(sheet: &mut Sheet) {
    prepare_source(sheet);
    for operator in OPERATORS {
        for mask in MASKS {
            for source in [RGBA, RGB] {
                let recipe = Recipe::new(operator, source, mask);
                sheet.case(format!("COMPOSITE {operator:#x} {source:?} {mask:?}"), |images, _| {
                    recipe.op(images)
                });
            }
            for (scratch, flags) in [
                (Scratch::Argb, CompositeFlags::empty()),
                (Scratch::Argb, CompositeFlags::DEST_OPAQUE),
                (Scratch::Alpha, CompositeFlags::empty()),
                (Scratch::Rgb565, CompositeFlags::empty()),
            ] {
                let recipe = Recipe { flags, ..Recipe::new(operator, RGBA, mask) };
                let name = format!("COMPOSITE {operator:#x} {flags:?} {mask:?}");
                sheet.off_screen(scratch, name, |images, _| recipe.op(images));
            }
        }
        sheet.case(format!("COMPOSITE {operator:#x} an opaque surface"), |images, _| {
            let recipe = Recipe {
                flags: CompositeFlags::SOURCE_OPAQUE,
                ..Recipe::new(operator, RGBA, MaskKind::None)
            };
            let DrawOp::Composite(op) = recipe.op(images) else { return DrawOp::Nop };
            DrawOp::Composite(DrawComposite { source: Image::surface(Scratch::Source.id()), ..op })
        });
    }
}

fn transform(numbers: [f64; 6]) -> Transform {
    let [t00, t01, t02, t10, t11, t12] = numbers.map(|number| {
        #[expect(clippy::cast_possible_truncation, reason = "made-up numbers are small")]
        Fixed16_16((number * 65536.0).round() as i32)
    });
    Transform { t00, t01, t02, t10, t11, t12 }
}

pub(super) fn transforms(sheet: &mut Sheet) {
    let matrices = [
        [1.0, 0.0, 3.0, 0.0, 1.0, -2.0],
        [0.5, 0.0, 0.0, 0.0, 0.5, 0.0],
        [2.0, 0.0, -3.25, 0.0, 1.5, 1.0],
        [0.3, 0.0, 2.6, 0.0, 0.7, 3.1],
        [0.0, -1.0, 20.0, 1.0, 0.0, 0.0],
        [-1.0, 0.0, 25.0, 0.0, -1.0, 27.0],
        [0.8, 0.6, -4.0, -0.6, 0.8, 10.5],
        [1.2, 0.3, 0.0, 0.1, 0.9, 0.0],
    ];
    for operator in [0x01, 0x03, 0x0c] {
        for repeat in 0..4 {
            for filter in [0, 1, 3, 4] {
                for matrix in matrices {
                    let recipe = Recipe {
                        repeat: (repeat, 0),
                        filter: (filter, 3),
                        transforms: (Some(transform(matrix)), None),
                        size: 13,
                        ..Recipe::new(operator, RGBA, MaskKind::None)
                    };
                    let name = format!("COMPOSITE {operator:#x} repeat {repeat} filter {filter} {matrix:?}");
                    sheet.case(name, |images, _| recipe.op(images));
                }
            }
        }
    }
    for repeat in 0..4 {
        for mask in [MaskKind::Alpha, MaskKind::Component] {
            for (x, y) in [(0, 0), (5, -3), (-40, 100)] {
                for source in [RGBA, RGB, Kind::Bitmap(BitmapFormat::RGB16), Kind::Bitmap(BitmapFormat::A8)] {
                    let recipe = Recipe {
                        repeat: (repeat, 3 - repeat),
                        filter: (3, 4),
                        transforms: (None, Some(transform(matrices[3]))),
                        origins: (Point16 { x, y }, Point16 { x: y, y: x }),
                        size: 11,
                        ..Recipe::new(0x03, source, mask)
                    };
                    sheet.case(
                        format!("COMPOSITE repeat {repeat} {mask:?} {source:?} {x} {y}"),
                        |images, _| recipe.op(images),
                    );
                }
            }
        }
    }
}
