//! Painting late is painting at once.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use spice_proto::display::{ImageFlags, Ropd, SurfaceFormat};
use spice_proto::{Point, Rect, SurfaceId};

use super::{Added, SurfaceLimits, SurfaceShape, SurfaceTable};
use crate::codec::quic::{self, QuicFormat};
use crate::qxl::{
    Bitmap, BitmapFormat, Clip, CopyBits, DrawCopy, DrawFill, DrawOp, Drawable, Effect, Image, ImageSource,
    QuicImage,
};

const SIDE: u32 = 24;
const ALL: Rect = Rect::new(0, 0, SIDE, SIDE);

/// What a guest or somebody who looks at its surfaces does.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there are few of them")]
enum Act {
    Draw(Drawable),
    Create(u32, bool),
    Destroy(u32),
    Look(u32, Rect),
}

fn table(pending: usize) -> SurfaceTable {
    SurfaceTable::new(SurfaceLimits { pending, ..SurfaceLimits::default() })
}

fn create(table: &mut SurfaceTable, id: u32, content: Option<&Bitmap>) {
    let shape = SurfaceShape { width: SIDE, height: SIDE, format: SurfaceFormat::RGB32 };
    let _ = table.create(SurfaceId(id), shape, content);
}

fn bitmap(width: u32, height: u32, seed: u32) -> Bitmap {
    let pixels: Vec<u8> =
        (0..width * height).flat_map(|at| (seed ^ at.wrapping_mul(0x9e37_79b9)).to_le_bytes()).collect();
    Bitmap::new(BitmapFormat::RGB32, (width, height), width * 4, true, pixels.into()).unwrap()
}

fn drawable(surface: u32, bbox: Rect, clip: Clip, op: DrawOp) -> Drawable {
    Drawable { surface: SurfaceId(surface), bbox, clip, effect: Effect::OPAQUE, mm_time: 0, op }
}

fn fill(surface: u32, bbox: Rect, colour: u32) -> Drawable {
    drawable(surface, bbox, Clip::None, DrawOp::Fill(DrawFill::solid(colour)))
}

fn bbox() -> impl Strategy<Value = Rect> {
    let side = SIDE as i32;
    (0..side, 0..side, 1..=SIDE, 1..=SIDE).prop_map(|(x, y, width, height)| {
        Rect::new(x, y, width.min(SIDE - x.unsigned_abs()), height.min(SIDE - y.unsigned_abs()))
    })
}

fn draw() -> impl Strategy<Value = Drawable> {
    let clip = prop_oneof![
        3 => Just(Clip::None),
        1 => vec(bbox(), 0..4).prop_map(|rects| Clip::Rects(rects.into())),
    ];
    let point = (-2..SIDE as i32, -2..SIDE as i32).prop_map(|(x, y)| Point::new(x, y));
    (0..4_u32, 0..4_u32, bbox(), bbox(), clip, point, 0..3_u32, 0..10_u8).prop_map(
        |(surface, other, bbox, area, clip, point, colour, kind)| {
            let same = Rect::new(point.x, point.y, bbox.width(), bbox.height());
            let fill = |rop| DrawOp::Fill(DrawFill { rop, ..DrawFill::solid(0x0101_0101 << colour) });
            let op = match kind {
                0 | 1 => fill(Ropd::OP_PUT),
                2 => fill(Ropd::OP_XOR),
                3 => fill(Ropd::OP_OR),
                4 => DrawOp::Invers(None),
                5 => DrawOp::CopyBits(CopyBits { source: point }),
                6 => DrawOp::Copy(DrawCopy::put(Image::surface(SurfaceId(other)), same)),
                7 => DrawOp::Copy(DrawCopy {
                    rop: Ropd::OP_XOR,
                    ..DrawCopy::put(Image::surface(SurfaceId(other)), same)
                }),
                8 => {
                    let own = Image { source: ImageSource::Own(area), ..Image::surface(SurfaceId(0)) };
                    DrawOp::Copy(DrawCopy::put(own, Rect::new(0, 0, bbox.width(), bbox.height())))
                }
                _ => {
                    let pixels = Arc::new(bitmap(area.width(), area.height(), colour));
                    let part = Rect::new(0, 0, bbox.width(), bbox.height());
                    DrawOp::Copy(DrawCopy::put(Image::bitmap(0, pixels), part))
                }
            };
            drawable(surface, bbox, clip, op)
        },
    )
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        30 => draw().prop_map(Act::Draw),
        2 => (0..4_u32, any::<bool>()).prop_map(|(id, content)| Act::Create(id, content)),
        1 => (0..4_u32).prop_map(Act::Destroy),
        3 => (0..4_u32, bbox()).prop_map(|(id, area)| Act::Look(id, area)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_the_tree_keeps_is_all_that_has_to_be_painted(
        acts in vec(act(), 1..120),
        pending in prop_oneof![Just(3_usize), Just(512)],
    ) {
        let (mut at_once, mut late) = (table(0), table(pending));
        for id in 0..4 {
            create(&mut at_once, id, None);
            create(&mut late, id, None);
        }
        for act in acts {
            match act {
                Act::Draw(drawable) => {
                    let drawable = Arc::new(drawable);
                    prop_assert_eq!(at_once.draw(&drawable).is_ok(), late.draw(&drawable).is_ok());
                }
                Act::Create(id, content) => {
                    let content = content.then(|| bitmap(SIDE, SIDE, id));
                    create(&mut at_once, id, content.as_ref());
                    create(&mut late, id, content.as_ref());
                }
                Act::Destroy(id) => {
                    prop_assert_eq!(
                        at_once.destroy(SurfaceId(id)).is_ok(),
                        late.destroy(SurfaceId(id)).is_ok()
                    );
                }
                Act::Look(id, area) => prop_assert_eq!(
                    at_once.canvas(SurfaceId(id), area).map(|canvas| canvas.read(area)),
                    late.canvas(SurfaceId(id), area).map(|canvas| canvas.read(area))
                ),
            }
            prop_assert!(at_once.pending() == 0 && late.pending() <= pending);
        }
        for id in (0..4).map(SurfaceId) {
            let expected = at_once.canvas(id, ALL).map(|canvas| canvas.read(ALL));
            prop_assert_eq!(late.canvas(id, ALL).map(|canvas| canvas.read(ALL)), expected, "surface {}", id);
        }
        prop_assert!(late.painted() <= at_once.painted());
        prop_assert_eq!(late.pending(), 0);
    }
}

fn add(table: &mut SurfaceTable, drawable: Drawable) -> (Added, usize) {
    let drawn = table.draw(&Arc::new(drawable)).unwrap();
    (drawn.added, drawn.covered.len())
}

#[test]
fn what_is_covered_is_never_painted() {
    let mut table = table(512);
    create(&mut table, 0, None);
    for colour in 0..100 {
        let (_, covered) = add(&mut table, fill(0, Rect::new(2, 2, 10, 10), colour));
        assert_eq!(covered, usize::from(colour > 0));
    }
    add(&mut table, fill(0, Rect::new(0, 0, 6, SIDE), 200));
    assert_eq!(add(&mut table, fill(0, Rect::new(6, 0, 6, SIDE), 201)), (Added::Pending, 1));
    assert_eq!(table.canvas(SurfaceId(0), ALL).unwrap().pixel(Point::new(3, 3)), Some(200));
    assert_eq!(table.painted(), 2);
}

#[test]
fn what_a_copy_reads_is_not_hidden_before_it() {
    let mut table = table(512);
    create(&mut table, 0, None);
    add(&mut table, fill(0, Rect::new(0, 0, 8, 8), 7));
    let copy = DrawOp::CopyBits(CopyBits { source: Point::new(0, 0) });
    add(&mut table, drawable(0, Rect::new(12, 12, 8, 8), Clip::None, copy));
    assert_eq!(add(&mut table, fill(0, Rect::new(0, 0, 8, 8), 9)).1, 0);
    // With the copy covered as well, both go.
    assert_eq!(add(&mut table, fill(0, ALL, 1)).1, 3);
    assert_eq!(table.canvas(SurfaceId(0), ALL).unwrap().pixel(Point::new(14, 14)), Some(1));
    assert_eq!(table.painted(), 1);
}

#[test]
fn a_surface_that_nobody_reads_ends_without_being_painted() {
    let mut table = table(512);
    create(&mut table, 0, None);
    create(&mut table, 1, None);
    add(&mut table, fill(1, ALL, 5));
    let copy = |x| {
        let area = Rect::new(0, 0, 4, 4);
        let op = DrawOp::Copy(DrawCopy::put(Image::surface(SurfaceId(1)), area));
        drawable(0, Rect::new(x, 0, 4, 4), Clip::None, op)
    };
    add(&mut table, copy(0));
    add(&mut table, fill(1, Rect::new(10, 10, 4, 4), 6));
    // The copy is painted, with what it reads; what came after it on the surface is not.
    assert_eq!(table.destroy(SurfaceId(1)).unwrap().len(), 1);
    assert_eq!(table.painted(), 2);
    assert_eq!(table.canvas(SurfaceId(0), ALL).unwrap().pixel(Point::new(1, 1)), Some(5));
    assert_eq!(add_error(&mut table, copy(4)), "surface 1 does not exist");
}

fn add_error(table: &mut SurfaceTable, drawable: Drawable) -> String {
    table.draw(&Arc::new(drawable)).unwrap_err().to_string()
}

#[test]
fn drawn_twice_may_be_not_at_all() {
    let mut table = table(512);
    create(&mut table, 0, None);
    let with = |rop| drawable(0, ALL, Clip::None, DrawOp::Fill(DrawFill { rop, ..DrawFill::solid(0xff) }));
    assert_eq!(add(&mut table, with(Ropd::OP_XOR)), (Added::Pending, 0));
    assert!(matches!(add(&mut table, with(Ropd::OP_XOR)), (Added::Cancels(_), 1)));
    assert_eq!(table.pending(), 0);
    assert_eq!(add(&mut table, with(Ropd::OP_OR)), (Added::Pending, 0));
    assert_eq!(add(&mut table, with(Ropd::OP_OR)), (Added::Repeats, 0));
    assert_eq!(table.pending(), 1);
}

#[test]
fn what_waits_is_bounded_in_number_and_in_bytes() {
    let mut table =
        SurfaceTable::new(SurfaceLimits { pending: 10, pending_bytes: 20_000, ..SurfaceLimits::default() });
    create(&mut table, 0, None);
    for x in 0..20 {
        add(&mut table, fill(0, Rect::new(x, 0, 1, 1), 1));
        assert!(table.pending() <= 10);
    }
    let pixels = Arc::new(bitmap(64, 64, 1));
    let op = DrawOp::Copy(DrawCopy::put(Image::bitmap(0, Arc::clone(&pixels)), Rect::new(0, 0, 4, 4)));
    for y in 0..6 {
        add(&mut table, drawable(0, Rect::new(0, y * 4, 4, 4), Clip::None, op.clone()));
        assert!(Arc::strong_count(&pixels) <= 3, "more than one waits");
    }
    assert!(table.painted() > 20);
}

#[test]
fn a_chain_of_readers_is_as_deep_as_two_surfaces() {
    const SURFACES: u32 = 1000;
    let mut table = table(512);
    (0..SURFACES).for_each(|id| create(&mut table, id, None));
    for round in 0..4 {
        add(&mut table, fill(0, Rect::new(0, 0, 4, 4), round));
        for id in 1..SURFACES {
            let area = Rect::new(0, 0, 4, 4);
            let op = DrawOp::Copy(DrawCopy::put(Image::surface(SurfaceId(id - 1)), area));
            add(&mut table, drawable(id, area, Clip::None, op));
        }
    }
    let last = table.canvas(SurfaceId(SURFACES - 1), ALL).unwrap();
    assert_eq!(last.pixel(Point::new(0, 0)), Some(3));
}

/// Viewers are sent a guest's stream as it is, so it has to be what its image says before any of them hears of it.
#[test]
fn a_stream_of_another_size_than_its_image_is_refused() {
    let mut table = table(8);
    create(&mut table, 0, None);
    let mut copy = |data: Vec<u8>, width| {
        let quic = QuicImage { width, height: 4, data: data.into() };
        let source = Image { id: 1, flags: ImageFlags::empty(), source: ImageSource::Quic(Arc::new(quic)) };
        let area = Rect::new(0, 0, 4, 4);
        let op = DrawOp::Copy(DrawCopy::put(source, area));
        table.draw(&Arc::new(drawable(0, area, Clip::None, op))).map(|drawn| drawn.area)
    };
    let stream = quic::encode(&[7; 64], 4, 4, 16, QuicFormat::Rgb32).unwrap();
    assert_eq!(copy(stream.clone(), 4).unwrap(), Rect::new(0, 0, 4, 4));
    let said = copy(stream.clone(), 5).unwrap_err().to_string();
    assert!(said.contains("5x4") && said.contains("4x4"), "{said}");
    let said = copy(stream[..10].to_vec(), 4).unwrap_err().to_string();
    assert!(said.contains("stream"), "{said}");
}
