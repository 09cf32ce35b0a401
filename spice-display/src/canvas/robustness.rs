//! Commands of every kind, with operands of every kind and size, anywhere.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use spice_proto::display::{ImageFlags, Palette, PaletteId, Rop3, Ropd, ScaleMode, SurfaceFormat};
use spice_proto::{Point, Rect, SurfaceId};

use super::{Canvas, PaintError, Surfaces, clip_region};
use crate::codec::quic::{self, QuicFormat};
use crate::qxl::{
    Bitmap, BitmapFormat, Brush, Clip, CopyBits, DrawCopy, DrawFill, DrawOp, DrawOpaque, DrawRop3,
    DrawTransparent, Drawable, Effect, Image, ImageSource, Mask, Pattern, QuicImage,
};
use crate::region::Region;

const FORMATS: [SurfaceFormat; 6] = [
    SurfaceFormat::A1,
    SurfaceFormat::A8,
    SurfaceFormat::RGB555,
    SurfaceFormat::RGB565,
    SurfaceFormat::RGB32,
    SurfaceFormat::ARGB32,
];

const BITMAPS: [BitmapFormat; 10] = [
    BitmapFormat::BIT1_LE,
    BitmapFormat::BIT1_BE,
    BitmapFormat::BIT4_LE,
    BitmapFormat::BIT4_BE,
    BitmapFormat::BIT8,
    BitmapFormat::RGB16,
    BitmapFormat::RGB24,
    BitmapFormat::RGB32,
    BitmapFormat::RGBA,
    BitmapFormat::A8,
];

/// Surfaces by their ids.
struct Table(Vec<Canvas>);

impl Surfaces for Table {
    fn canvas(&self, id: SurfaceId) -> Option<&Canvas> {
        self.0.get(id.0 as usize)
    }
}

fn coordinate() -> impl Strategy<Value = i32> {
    prop_oneof![
        12 => -6..30,
        1 => prop::sample::select(vec![i32::MIN, i32::MIN + 1, -0x8000, 0x7fff, i32::MAX - 1, i32::MAX]),
    ]
}

fn point() -> impl Strategy<Value = Point> {
    (coordinate(), coordinate()).prop_map(|(x, y)| Point::new(x, y))
}

fn rect() -> impl Strategy<Value = Rect> {
    let any = (coordinate(), coordinate(), coordinate(), coordinate())
        .prop_map(|(left, top, right, bottom)| Rect { top, left, bottom, right });
    let small = (-4..22, -4..22, 0..20_u32, 0..20_u32)
        .prop_map(|(x, y, width, height)| Rect::new(x, y, width, height));
    prop_oneof![1 => any, 4 => small]
}

/// A canvas of any format with any pixels.
fn canvas() -> impl Strategy<Value = Canvas> {
    (prop::sample::select(&FORMATS[..]), 0..24_u32, 0..24_u32, any::<u32>()).prop_map(
        |(format, width, height, seed)| {
            let mut canvas = Canvas::new(format, width, height).unwrap();
            for (at, number) in (0..width * height).zip(seed..) {
                let (x, y) = ((at % width).cast_signed(), (at / width).cast_signed());
                canvas.fill(&Rect::new(x, y, 1, 1).into(), number.wrapping_mul(0x9e37_79b1));
            }
            canvas
        },
    )
}

fn bitmap() -> impl Strategy<Value = Bitmap> {
    let size = (1..20_u32, 1..20_u32, 0..6_u32);
    (
        prop::sample::select(&BITMAPS[..]),
        size,
        any::<bool>(),
        vec(any::<u32>(), 0..300),
        any::<bool>(),
        vec(any::<u8>(), 64),
    )
        .prop_map(|(format, (width, height, behind), top_down, entries, has_palette, bytes)| {
            let stride = width * 4 + behind;
            let data: Vec<u8> = bytes.into_iter().cycle().take((stride * height) as usize).collect();
            let palette = has_palette.then(|| Arc::new(Palette { id: PaletteId(1), entries }));
            Bitmap::new(format, (width, height), stride, top_down, data.into()).unwrap().with_palette(palette)
        })
}

fn quic() -> impl Strategy<Value = QuicImage> {
    let formats =
        [QuicFormat::Rgb16, QuicFormat::Rgb24, QuicFormat::Rgb32, QuicFormat::Rgba, QuicFormat::Gray];
    (
        prop::sample::select(formats.to_vec()),
        1..20_u32,
        1..20_u32,
        0..3_u32,
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(format, width, height, lie, cut, broken)| {
            let stride = width as usize * format.bytes_per_pixel();
            let pixels: Vec<u8> = (0..stride * height as usize).map(|at| (at * 7 % 256) as u8).collect();
            let mut data = quic::encode(&pixels, width, height, stride, format).unwrap();
            if broken {
                data.truncate(cut.index(data.len()));
            }
            let width = if lie == 0 { width * 5000 } else { width };
            QuicImage { width, height, data: data.into() }
        })
}

fn image() -> impl Strategy<Value = Image> {
    let source = prop_oneof![
        4 => bitmap().prop_map(|bitmap| ImageSource::Bitmap(Arc::new(bitmap))),
        2 => (0..7_u32).prop_map(|id| ImageSource::Surface(SurfaceId(id))),
        1 => rect().prop_map(ImageSource::Own),
        1 => quic().prop_map(|quic| ImageSource::Quic(Arc::new(quic))),
    ];
    (source, any::<u8>()).prop_map(|(source, flags)| {
        let flags = ImageFlags::from_bits_retain(flags) & (ImageFlags::CACHE_ME | ImageFlags::HIGH_BITS_SET);
        Image { id: 1, flags, source }
    })
}

fn brush() -> impl Strategy<Value = Brush> {
    prop_oneof![
        Just(Brush::None),
        any::<u32>().prop_map(Brush::Solid),
        (image(), point()).prop_map(|(image, pos)| Brush::Pattern(Pattern { image, pos })),
    ]
}

fn mask() -> impl Strategy<Value = Option<Mask>> {
    let mask =
        (any::<bool>(), point(), image()).prop_map(|(inverted, pos, image)| Mask { inverted, pos, image });
    prop_oneof![3 => Just(None), 1 => mask.prop_map(Some)]
}

fn rop() -> impl Strategy<Value = Ropd> {
    prop_oneof![Just(Ropd::OP_PUT), any::<u16>().prop_map(Ropd::from_bits_retain)]
}

fn mode() -> impl Strategy<Value = ScaleMode> {
    prop::sample::select(vec![ScaleMode::INTERPOLATE, ScaleMode::NEAREST])
}

fn copy() -> impl Strategy<Value = DrawCopy> {
    (image(), rect(), rop(), mode(), mask()).prop_map(|(source, source_area, rop, scale_mode, mask)| {
        DrawCopy { source, source_area, rop, scale_mode, mask }
    })
}

fn operation() -> impl Strategy<Value = DrawOp> {
    let opaque = (copy(), brush()).prop_map(|(copy, brush)| {
        let DrawCopy { source, source_area, rop, scale_mode, mask } = copy;
        DrawOpaque { source, source_area, brush, rop, scale_mode, mask }
    });
    let rop3 = (copy(), brush(), any::<u8>()).prop_map(|(copy, brush, rop3)| {
        let DrawCopy { source, source_area, scale_mode, mask, .. } = copy;
        DrawRop3 { source, source_area, brush, rop3: Rop3(rop3), scale_mode, mask }
    });
    let transparent = (image(), rect(), any::<u32>()).prop_map(|(source, source_area, true_colour)| {
        DrawTransparent { source, source_area, source_colour: 0, true_colour }
    });
    prop_oneof![
        copy().prop_map(DrawOp::Copy),
        copy().prop_map(DrawOp::Blend),
        opaque.prop_map(DrawOp::Opaque),
        rop3.prop_map(DrawOp::Rop3),
        transparent.prop_map(DrawOp::Transparent),
        (brush(), rop(), mask()).prop_map(|(brush, rop, mask)| DrawOp::Fill(DrawFill { brush, rop, mask })),
        point().prop_map(|source| DrawOp::CopyBits(CopyBits { source })),
        mask().prop_map(DrawOp::Blackness),
        mask().prop_map(DrawOp::Whiteness),
        mask().prop_map(DrawOp::Invers),
    ]
}

/// Boxes, some of which are as large as what is copied to them.
fn drawable() -> impl Strategy<Value = Drawable> {
    (operation(), rect(), vec(rect(), 0..6), any::<bool>(), any::<bool>()).prop_map(
        |(op, mut bbox, rects, clipped, same_size)| {
            let area = match &op {
                DrawOp::Copy(op) | DrawOp::Blend(op) => Some(op.source_area),
                DrawOp::Opaque(op) => Some(op.source_area),
                DrawOp::Rop3(op) => Some(op.source_area),
                DrawOp::Transparent(op) => Some(op.source_area),
                _ => None,
            };
            if let Some(area) = area.filter(|_| same_size) {
                bbox = Rect::new(bbox.left, bbox.top, area.width(), area.height());
            }
            let clip = if clipped { Clip::Rects(rects.into()) } else { Clip::None };
            Drawable { surface: SurfaceId(0), bbox, clip, effect: Effect::BLEND, mm_time: 0, op }
        },
    )
}

/// All its pixels, and where they are.
fn pixels(canvas: &Canvas) -> impl Iterator<Item = (Point, u32)> {
    let size = (canvas.width().cast_signed(), canvas.height().cast_signed());
    let points = (0..size.1).flat_map(move |y| (0..size.0).map(move |x| Point::new(x, y)));
    points.map(|at| (at, canvas.pixel(at).unwrap()))
}

fn check(
    canvas: &Canvas,
    others: Vec<Canvas>,
    drawable: &Drawable,
    region: &Region,
) -> Result<(), TestCaseError> {
    let mut painted = canvas.clone();
    let mut surfaces = vec![canvas.clone()];
    surfaces.extend(others);
    let result = painted.paint(drawable, region, &Table(surfaces));
    for ((at, before), (_, after)) in pixels(canvas).zip(pixels(&painted)) {
        if result.is_err() || !region.contains_point(at) {
            prop_assert_eq!(before, after, "{:?} has changed, {:?}", at, result);
        }
        if canvas.format() == SurfaceFormat::A1 {
            prop_assert!(after == 0 || after == 0xff, "{:#x} is no bit", after);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn any_command_changes_its_region_only(
        canvas in canvas(),
        others in vec(canvas(), 5),
        drawable in drawable(),
    ) {
        let region = clip_region(drawable.bbox, &drawable.clip, canvas.bounds());
        check(&canvas, others, &drawable, &region)?;
    }

    #[test]
    fn a_region_that_has_nothing_to_do_with_the_box_is_no_danger(
        canvas in canvas(),
        others in vec(canvas(), 5),
        drawable in drawable(),
        rects in vec(rect(), 0..6),
    ) {
        check(&canvas, others, &drawable, &Region::from_iter(rects))?;
    }

    #[test]
    fn a_part_of_a_command_is_that_part_of_its_pixels(
        canvas in canvas(),
        others in vec(canvas(), 5),
        drawable in drawable(),
        parts in vec(rect(), 0..6),
    ) {
        let whole = clip_region(drawable.bbox, &drawable.clip, canvas.bounds());
        let part = whole.intersect(&Region::from_iter(parts));
        let mut surfaces = vec![canvas.clone()];
        surfaces.extend(others);
        let surfaces = Table(surfaces);
        let (mut all, mut some) = (canvas.clone(), canvas.clone());
        let results = (all.paint(&drawable, &whole, &surfaces), some.paint(&drawable, &part, &surfaces));
        prop_assert_eq!(results.0.is_ok(), results.1.is_ok());
        for (((at, before), (_, all)), (_, some)) in pixels(&canvas).zip(pixels(&all)).zip(pixels(&some)) {
            prop_assert_eq!(some, if part.contains_point(at) { all } else { before });
        }
    }
}

#[test]
fn a_stream_that_is_not_what_it_says_is_refused() {
    let pixels = [7; 4 * 4 * 4];
    let data: bytes::Bytes = quic::encode(&pixels, 4, 4, 16, QuicFormat::Rgb32).unwrap().into();
    let paint = |image: QuicImage| {
        let source = Image { source: ImageSource::Quic(Arc::new(image)), ..Image::surface(SurfaceId(0)) };
        let bbox = Rect::new(0, 0, 4, 4);
        let op = DrawOp::Copy(DrawCopy::put(source, bbox));
        let drawable = Drawable {
            surface: SurfaceId(0),
            bbox,
            clip: Clip::None,
            effect: Effect::OPAQUE,
            mm_time: 0,
            op,
        };
        let mut canvas = Canvas::new(SurfaceFormat::RGB32, 4, 4).unwrap();
        canvas.paint(&drawable, &bbox.into(), &Table(Vec::new()))
    };
    assert_eq!(paint(QuicImage { width: 4, height: 4, data: data.clone() }), Ok(()));
    let lie = PaintError::QuicSize { width: 4, height: 4, announced: (4, 5) };
    assert_eq!(paint(QuicImage { width: 4, height: 5, data: data.clone() }), Err(lie));
    let cut = paint(QuicImage { width: 4, height: 4, data: data.slice(..20) });
    assert!(matches!(cut, Err(PaintError::Quic(_))), "{cut:?}");
    let empty = paint(QuicImage { width: 0, height: 0, data: bytes::Bytes::new() });
    assert!(matches!(empty, Err(PaintError::Quic(_))), "{empty:?}");
}
