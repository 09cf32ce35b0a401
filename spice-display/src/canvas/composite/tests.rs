use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use spice_proto::SurfaceId;
use spice_proto::display::{CompositeFlags, Fixed16_16, Rop3, Ropd, ScaleMode, Transform};

use super::*;
use crate::canvas::clip_region;
use crate::qxl::{Brush, Clip, DrawCopy, DrawOp, DrawRop3, DrawTransparent, Drawable, Effect, Image};

/// What pixman 0.42 makes of three pixels of ARGB32, by operator: `0x80402010` over `0xc0a08060`; `0xff8040ff` over
/// `0x80000040` by the alpha of `0x60c03090`; `0xc0a08060` over `0xff3060f0` by its channels.
const KNOWN: [(u8, [u32; 3]); 53] = [
    (0x00, [0x0000_0000, 0x0000_0000, 0x0000_0000]),
    (0x01, [0x8040_2010, 0x6030_1860, 0x4878_1836]),
    (0x02, [0xc0a0_8060, 0x8000_0040, 0xff30_60f0]),
    (0x03, [0xe090_6040, 0xb030_1888, 0xff8d_6ac0]),
    (0x04, [0xe0b0_8864, 0xb018_0c70, 0xff30_60f0]),
    (0x05, [0x6030_180c, 0x3018_0c30, 0x4878_1836]),
    (0x06, [0x6050_4030, 0x3000_0018, 0x481b_0e66]),
    (0x07, [0x2010_0804, 0x3018_0c30, 0x0000_0000]),
    (0x08, [0x6050_4030, 0x5000_0028, 0xb715_528a]),
    (0x09, [0xc080_583c, 0x8018_0c58, 0xff8d_6ac0]),
    (0x0a, [0x8060_4834, 0x6018_0c48, 0x481b_0e66]),
    (0x0b, [0x8060_4834, 0x8018_0c58, 0xb715_528a]),
    (0x0c, [0xffe0_a070, 0xe030_18a0, 0xffa8_78ff]),
    (0x0d, [0xffc0_9068, 0xe030_18a0, 0xff30_60f0]),
    (0x10, [0x0000_0000, 0x0000_0000, 0x0000_0000]),
    (0x11, [0x8040_2010, 0x6030_1860, 0x4878_1836]),
    (0x12, [0xc0a0_8060, 0x8000_0040, 0xff30_60f0]),
    (0x13, [0xffaa_754f, 0xe030_18a0, 0xff8d_6ac0]),
    (0x14, [0xffc0_9068, 0xe030_18a0, 0xff30_60f0]),
    (0x15, [0x4120_1008, 0x0000_0000, 0x4878_1836]),
    (0x16, [0x4136_2b20, 0x0000_0000, 0x481b_0d66]),
    (0x17, [0x3f1f_0f07, 0x6030_1860, 0x0000_0000]),
    (0x18, [0x7f6a_543f, 0x8000_0040, 0xb714_528a]),
    (0x19, [0xc08a_6547, 0x8000_0040, 0xff8d_6ac0]),
    (0x1a, [0x8056_3b28, 0x6030_1860, 0x481b_0d66]),
    (0x1b, [0xbe89_6447, 0xe030_18a0, 0xb714_528a]),
    (0x20, [0x0000_0000, 0x0000_0000, 0x0000_0000]),
    (0x21, [0x8040_2010, 0x6030_1860, 0x4878_1836]),
    (0x22, [0xc0a0_8060, 0x8000_0040, 0xff30_60f0]),
    (0x23, [0xc075_4a30, 0x8030_1870, 0xff8d_6ac0]),
    (0x24, [0xc0a0_8060, 0x8000_0040, 0xff30_60f0]),
    (0x25, [0x8040_2010, 0x6030_1860, 0x4878_1836]),
    (0x26, [0x806b_5540, 0x6000_0030, 0x481b_0d66]),
    (0x27, [0x0000_0000, 0x0000_0000, 0x0000_0000]),
    (0x28, [0x4035_2a20, 0x2000_0010, 0xb714_528a]),
    (0x29, [0xc075_4a30, 0x8030_1870, 0xff8d_6ac0]),
    (0x2a, [0x806b_5540, 0x6000_0030, 0x481b_0d66]),
    (0x2b, [0x4035_2a20, 0x2000_0010, 0xb714_528a]),
    (0x30, [0xe088_583a, 0xb018_0c70, 0xff2c_5bbd]),
    (0x31, [0xe0b8_906a, 0xb030_1888, 0xff91_6ff3]),
    (0x32, [0xe0b0_7840, 0xb018_0c88, 0xff42_65f0]),
    (0x33, [0xe090_6040, 0xb018_0c70, 0xff30_60c0]),
    (0x34, [0xe0b0_8864, 0xb030_1888, 0xff8d_6af0]),
    (0x35, [0xe0c0_9d6b, 0xb018_0c88, 0xffa6_76f7]),
    (0x36, [0xe0a0_4733, 0xb018_0c70, 0xff18_55ea]),
    (0x37, [0xe0b0_6840, 0xb018_0c88, 0xff7d_67f0]),
    (0x38, [0xe0b0_7d52, 0xb018_0c7a, 0xff48_63f0]),
    (0x39, [0xe080_7058, 0xb030_1870, 0xff71_5dba]),
    (0x3a, [0xe090_8064, 0xb030_1870, 0xff7b_66c0]),
    (0x3b, [0xe0b3_8667, 0xb01a_04b8, 0xff30_60f0]),
    (0x3c, [0xe0b2_8861, 0xb019_06b3, 0xff30_60f0]),
    (0x3d, [0xe0b5_8565, 0xb01a_06b0, 0xff30_60f0]),
    (0x3e, [0xe08b_623e, 0xb02d_19d5, 0xff30_60f0]),
];

const FORMATS: [SurfaceFormat; 6] = [
    SurfaceFormat::A1,
    SurfaceFormat::A8,
    SurfaceFormat::RGB555,
    SurfaceFormat::RGB565,
    SurfaceFormat::RGB32,
    SurfaceFormat::ARGB32,
];

struct Table(BTreeMap<u32, Canvas>);

impl Surfaces for Table {
    fn canvas(&self, id: SurfaceId) -> Option<&Canvas> {
        self.0.get(&id.0)
    }
}

fn surface(id: u32) -> Image {
    Image::surface(SurfaceId(id))
}

fn table(source: Canvas, mask: Canvas) -> Table {
    Table(BTreeMap::from([(1, source), (2, mask)]))
}

fn drawable(bbox: Rect, op: DrawOp) -> Drawable {
    let surface = SurfaceId(0);
    Drawable { surface, bbox, clip: Clip::None, effect: Effect::OPAQUE, mm_time: 0, op }
}

fn composite(flags: u32) -> DrawComposite {
    let flags = CompositeFlags::from_bits_retain(flags);
    DrawComposite {
        flags,
        source: surface(1),
        mask: flags.contains(CompositeFlags::HAS_MASK).then(|| surface(2)),
        source_transform: None,
        mask_transform: None,
        source_origin: Point16 { x: 0, y: 0 },
        mask_origin: Point16 { x: 0, y: 0 },
    }
}

fn filled(format: SurfaceFormat, (width, height): (u32, u32), bits: u32) -> Canvas {
    let mut canvas = Canvas::new(format, width, height).unwrap();
    canvas.fill(&canvas.bounds().into(), bits);
    canvas
}

/// A canvas of pixels that differ, in all their bits, from their neighbours.
fn mottled(format: SurfaceFormat, width: u32, height: u32, seed: u32) -> Canvas {
    let mut canvas = Canvas::new(format, width, height).unwrap();
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let bits = (y * width + x + seed).wrapping_mul(0x9e37_79b1).rotate_left(13).wrapping_mul(0x85eb_ca6b);
        let bits = if format == SurfaceFormat::A1 { (bits >> 31) * 0xff } else { bits };
        canvas.fill(&Rect::new(x as i32, y as i32, 1, 1).into(), bits);
    }
    canvas
}

fn numbers(numbers: [i32; 6]) -> Transform {
    let [t00, t01, t02, t10, t11, t12] = numbers.map(Fixed16_16);
    Transform { t00, t01, t02, t10, t11, t12 }
}

#[test]
fn operators_compute_what_pixman_does() {
    let mask = filled(SurfaceFormat::ARGB32, (1, 1), 0x60c0_3090);
    let cases = [
        (0x8040_2010, CompositeFlags::empty(), 0xc0a0_8060),
        (0xff80_40ff, CompositeFlags::HAS_MASK, 0x8000_0040),
        (0xc0a0_8060, CompositeFlags::HAS_MASK | CompositeFlags::COMPONENT_ALPHA, 0xff30_60f0),
    ];
    for (operator, expected) in KNOWN {
        for ((source, flags, below), expected) in cases.into_iter().zip(expected) {
            let surfaces = table(filled(SurfaceFormat::ARGB32, (1, 1), source), mask.clone());
            let mut canvas = filled(SurfaceFormat::ARGB32, (1, 1), below);
            let op = composite(flags.bits() | u32::from(operator));
            canvas
                .paint(&drawable(canvas.bounds(), DrawOp::Composite(op)), &canvas.bounds().into(), &surfaces)
                .unwrap();
            let got = canvas.pixel(Point::new(0, 0)).unwrap();
            assert_eq!(got, expected, "operator {operator:#x}, {flags:?}: {got:#010x}, not {expected:#010x}");
        }
    }
}

#[test]
fn what_is_no_operator_is_refused() {
    let surfaces = table(filled(SurfaceFormat::ARGB32, (1, 1), 0), Canvas::default());
    let known = KNOWN.map(|(operator, _)| operator);
    for operator in (0..=u8::MAX).filter(|operator| !known.contains(operator)) {
        let mut canvas = filled(SurfaceFormat::ARGB32, (1, 1), 7);
        let op = DrawOp::Composite(composite(operator.into()));
        let refused = canvas.paint(&drawable(canvas.bounds(), op), &canvas.bounds().into(), &surfaces);
        assert_eq!(refused, Err(PaintError::Operator(operator)));
        assert_eq!(canvas.pixel(Point::new(0, 0)), Some(7));
    }
}

#[test]
fn a_mean_has_weights_of_seven_bits() {
    let mut source = Canvas::new(SurfaceFormat::RGB32, 2, 1).unwrap();
    source.fill(&Rect::new(1, 0, 1, 1).into(), 0x00ff_8040);
    let mut canvas = Canvas::new(SurfaceFormat::RGB32, 4, 1).unwrap();
    let copy = DrawCopy::put(surface(1), source.bounds());
    let surfaces = table(source, Canvas::default());
    canvas.paint(&drawable(canvas.bounds(), DrawOp::Copy(copy)), &canvas.bounds().into(), &surfaces).unwrap();
    let row: Vec<_> = (0..4).map(|x| canvas.pixel(Point::new(x, 0)).unwrap() & 0x00ff_ffff).collect();
    assert_eq!(row, [0, 0x003f_2010, 0x00bf_6030, 0x00bf_6030]);
}

#[test]
fn a_box_far_beyond_the_surface_costs_what_is_seen_of_it() {
    let surfaces = table(mottled(SurfaceFormat::RGB32, 9, 9, 1), Canvas::default());
    let bbox = Rect::from_edges(i32::MIN, i32::MIN, i32::MAX, i32::MAX);
    let area = Rect::new(0, 0, 9, 9);
    for scale_mode in [ScaleMode::NEAREST, ScaleMode::INTERPOLATE] {
        let mut canvas = filled(SurfaceFormat::RGB32, (16, 16), 5);
        let copy = DrawCopy { scale_mode, ..DrawCopy::put(surface(1), area) };
        canvas.paint(&drawable(bbox, DrawOp::Copy(copy)), &canvas.bounds().into(), &surfaces).unwrap();
        assert_eq!(canvas, filled(SurfaceFormat::RGB32, (16, 16), 5), "pixman draws nothing so far away");
    }
}

fn number() -> impl Strategy<Value = i32> {
    prop_oneof![
        3 => any::<i32>(),
        3 => -40 * 65536..40 * 65536_i32,
        2 => (-3..=3_i32).prop_map(|whole| whole << 16),
        1 => prop::sample::select(vec![i32::MIN, i32::MAX, i32::MIN + 1, 0x7fff_0000]),
    ]
}

fn transform() -> impl Strategy<Value = Option<Transform>> {
    let scale = (1..300_000_i32, -900_000..900_000_i32, 1..300_000_i32, -900_000..900_000_i32)
        .prop_map(|(x, begin_x, y, begin_y)| numbers([x, 0, begin_x, 0, y, begin_y]));
    let any = prop::array::uniform6(number()).prop_map(numbers);
    prop::option::of(prop_oneof![scale, any])
}

fn origin() -> impl Strategy<Value = Point16> {
    let place = || prop_oneof![3 => -9..9_i16, 1 => any::<i16>()];
    (place(), place()).prop_map(|(x, y)| Point16 { x, y })
}

fn image() -> impl Strategy<Value = Canvas> {
    (prop::sample::select(FORMATS.to_vec()), 0..12_u32, 0..9_u32, any::<u32>())
        .prop_map(|(format, width, height, seed)| mottled(format, width, height, seed % 1000))
}

fn edge() -> impl Strategy<Value = i32> {
    prop_oneof![
        6 => -20..40_i32,
        1 => prop::sample::select(vec![i32::MIN, i32::MAX, -40_000, 40_000, 32_767, -32_768]),
    ]
}

fn area() -> impl Strategy<Value = Rect> {
    (edge(), edge(), edge(), edge()).prop_map(|(left, top, right, bottom)| Rect {
        top,
        left,
        bottom: bottom.max(top),
        right: right.max(left),
    })
}

fn operation() -> impl Strategy<Value = DrawOp> {
    let flags = (prop::sample::select(KNOWN.map(|(operator, _)| operator).to_vec()), any::<u32>())
        .prop_map(|(operator, flags)| flags & !0xff | u32::from(operator));
    let mixed = (flags, transform(), transform(), origin(), origin()).prop_map(
        |(flags, source_transform, mask_transform, source_origin, mask_origin)| {
            let mut op = composite(flags);
            (op.source_transform, op.mask_transform) = (source_transform, mask_transform);
            (op.source_origin, op.mask_origin) = (source_origin, mask_origin);
            DrawOp::Composite(op)
        },
    );
    let blended = (any::<u8>(), any::<u8>(), area()).prop_map(|(flags, alpha, source_area)| {
        let flags = AlphaFlags::from_bits_retain(flags);
        DrawOp::AlphaBlend(DrawAlphaBlend { flags, alpha, source: surface(1), source_area })
    });
    let scaled = (0..4_u8, any::<bool>(), area()).prop_map(|(what, nearest, source_area)| {
        let scale_mode = if nearest { ScaleMode::NEAREST } else { ScaleMode::INTERPOLATE };
        let (source, mask, brush) = (surface(1), None, Brush::None);
        match what {
            0 => DrawOp::Copy(DrawCopy { scale_mode, ..DrawCopy::put(source, source_area) }),
            1 => {
                let rop = Ropd::OP_XOR;
                DrawOp::Copy(DrawCopy { scale_mode, rop, ..DrawCopy::put(source, source_area) })
            }
            2 => DrawOp::Rop3(DrawRop3 { source, source_area, brush, rop3: Rop3(0xcc), scale_mode, mask }),
            _ => {
                let (source_colour, true_colour) = (0, 0);
                DrawOp::Transparent(DrawTransparent { source, source_area, source_colour, true_colour })
            }
        }
    });
    prop_oneof![3 => mixed, 1 => blended, 1 => scaled]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Nothing overflows or reaches beyond the canvas, whatever the numbers.
    #[test]
    fn any_numbers_paint_the_region_only(
        (canvas, source, mask) in (image(), image(), image()),
        (bbox, clip) in (area(), vec(area(), 0..4)),
        op in operation(),
    ) {
        let region = clip_region(bbox, &Clip::Rects(clip.into()), canvas.bounds());
        let mut painted = canvas.clone();
        let _refused = painted.paint(&drawable(bbox, op), &region, &table(source, mask));
        for y in 0..canvas.height() as i32 {
            for x in 0..canvas.width() as i32 {
                let at = Point::new(x, y);
                if !region.contains_point(at) {
                    prop_assert_eq!(painted.pixel(at), canvas.pixel(at));
                }
            }
        }
    }

    /// A piece of a row is what its pixels are one by one.
    #[test]
    fn rows_have_the_pixels_of_their_places(
        image in image(),
        (transform, origin) in (transform(), origin()),
        (flags, x, y) in (any::<u32>(), -50..50_i32, -20..20_i32),
    ) {
        let flags = CompositeFlags::from_bits_retain(flags);
        let origin = Point::new(origin.x.into(), origin.y.into());
        let sampler = Sampler::source(&image, flags, transform, origin);
        let mut row = [0; 100];
        sampler.fetch(x, y, &mut row);
        for (x, pixel) in (x..).zip(row) {
            prop_assert_eq!(pixel, sampler.pixel(x, y));
        }
    }
}
