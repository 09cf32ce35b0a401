//! Random guests: surfaces come and go, and everything is drawn on everything.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use spice_display::qxl::{
    Bitmap, BitmapFormat, Clip, Command, CopyBits, DeviceEvent, DrawAlphaBlend, DrawCopy, DrawFill, DrawOp,
    DrawTransparent, Drawable, Effect, GuestEvent, Image, PrimarySurface, SurfaceCommand,
};
use spice_proto::display::{AlphaFlags, SurfaceFormat};
use spice_proto::{Point, Rect, SurfaceId};

/// Surfaces of these scenes: ids below this one.
pub(crate) const SURFACES: u32 = 8;
/// Every surface of these scenes has this many columns and rows.
pub(crate) const SIDE: u32 = 48;

pub(crate) fn primary() -> GuestEvent {
    GuestEvent::Device(DeviceEvent::CreatePrimary(PrimarySurface {
        width: SIDE,
        height: SIDE,
        format: SurfaceFormat::RGB32,
        content: None,
    }))
}

pub(crate) fn fill(surface: u32, bbox: Rect, colour: u32) -> GuestEvent {
    let op = DrawOp::Fill(DrawFill::solid(colour));
    draw(surface, bbox, Clip::None, op)
}

pub(crate) fn copy_surface(surface: u32, bbox: Rect, source: u32, from: Point) -> GuestEvent {
    let op = DrawOp::Copy(DrawCopy::put(
        Image::surface(SurfaceId(source)),
        Rect::new(from.x, from.y, bbox.width(), bbox.height()),
    ));
    draw(surface, bbox, Clip::None, op)
}

pub(crate) fn create(surface: u32, content: Option<Arc<Bitmap>>) -> GuestEvent {
    GuestEvent::Command(Command::Surface(SurfaceCommand::Create {
        surface: SurfaceId(surface),
        width: SIDE,
        height: SIDE,
        format: format(surface),
        content,
    }))
}

pub(crate) fn destroy(surface: u32) -> GuestEvent {
    GuestEvent::Command(Command::Surface(SurfaceCommand::Destroy { surface: SurfaceId(surface) }))
}

pub(crate) fn draw(surface: u32, bbox: Rect, clip: Clip, op: DrawOp) -> GuestEvent {
    GuestEvent::Command(Command::Draw(Drawable {
        surface: SurfaceId(surface),
        bbox,
        clip,
        effect: Effect::OPAQUE,
        mm_time: 0,
        op,
    }))
}

pub(crate) fn bitmap(width: u32, height: u32, seed: u32) -> Arc<Bitmap> {
    let pixels: Vec<u8> = (0..width * height)
        .flat_map(|index| {
            (seed.wrapping_mul(2_654_435_761) ^ (index % 7).wrapping_mul(0x0101_0101)).to_le_bytes()
        })
        .collect();
    Arc::new(Bitmap::new(BitmapFormat::RGB32, (width, height), width * 4, true, pixels.into()).unwrap())
}

/// Without hard edges: what is packed with QUIC, or JPEG.
pub(crate) fn soft(width: u32, height: u32, seed: u32) -> Arc<Bitmap> {
    let format = if seed & 1 == 0 { BitmapFormat::RGB32 } else { BitmapFormat::RGBA };
    let [_, red, green, blue] = seed.to_le_bytes();
    let pixels: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x as u8, y as u8)))
        .flat_map(|(x, y)| [blue.wrapping_add(x), green.wrapping_add(y), red / 2 + x / 2 + y / 2, 128 + x])
        .collect();
    Arc::new(Bitmap::new(format, (width, height), width * 4, true, pixels.into()).unwrap())
}

fn surface() -> impl Strategy<Value = u32> {
    0..SURFACES
}

/// Surfaces of other formats, which the draws of the torture read and draw on.
fn format(surface: u32) -> SurfaceFormat {
    match surface {
        1 | 6 => SurfaceFormat::ARGB32,
        3 | 7 => SurfaceFormat::RGB555,
        4 => SurfaceFormat::RGB565,
        5 => SurfaceFormat::A8,
        _ => SurfaceFormat::RGB32,
    }
}

/// Something out of everything that can be drawn.
fn any_draw() -> impl Strategy<Value = GuestEvent> {
    static DRAWABLES: LazyLock<Vec<Drawable>> = LazyLock::new(testkit::torture::drawables);
    (surface(), any::<prop::sample::Index>()).prop_map(|(surface, index)| {
        let drawable = Drawable { surface: SurfaceId(surface), ..index.get(&DRAWABLES).clone() };
        GuestEvent::Command(Command::Draw(drawable))
    })
}

/// All of a surface blended, at any strength and with its alpha or without.
pub(crate) fn blend(source: u32, seed: u32) -> DrawOp {
    let [alpha, flags, ..] = seed.to_le_bytes();
    DrawOp::AlphaBlend(DrawAlphaBlend {
        flags: AlphaFlags::from_bits_truncate(flags),
        alpha,
        source: Image::surface(SurfaceId(source)),
        source_area: Rect::new(0, 0, SIDE, SIDE),
    })
}

/// All of a surface but the pixels of a few bits.
pub(crate) fn transparent(source: u32, seed: u32) -> DrawOp {
    DrawOp::Transparent(DrawTransparent {
        source: Image::surface(SurfaceId(source)),
        source_area: Rect::new(0, 0, SIDE, SIDE),
        source_colour: 0,
        true_colour: seed & 0x0101_0101,
    })
}

fn bbox() -> impl Strategy<Value = Rect> {
    let side = SIDE as i32;
    (0..side, 0..side, 1..=SIDE, 1..=SIDE).prop_map(move |(x, y, width, height)| {
        Rect::new(x, y, width.min(SIDE - x.unsigned_abs()), height.min(SIDE - y.unsigned_abs()))
    })
}

fn clip() -> impl Strategy<Value = Clip> {
    prop_oneof![
        3 => Just(Clip::None),
        1 => prop::collection::vec(bbox(), 0..4).prop_map(|rects| Clip::Rects(rects.into())),
    ]
}

fn corner() -> impl Strategy<Value = Point> {
    let side = SIDE as i32;
    (-4..side, -4..side).prop_map(|(x, y)| Point::new(x, y))
}

fn op() -> impl Strategy<Value = (Rect, DrawOp)> {
    (bbox(), corner(), surface(), any::<u32>(), 0..10_u8).prop_map(|(bbox, corner, other, seed, kind)| {
        let op = match kind {
            0 | 1 => DrawOp::Fill(DrawFill::solid(seed)),
            2 => DrawOp::CopyBits(CopyBits { source: Point::new(corner.x.max(0), corner.y.max(0)) }),
            3 => DrawOp::Copy(DrawCopy::put(
                Image::bitmap(seed.into(), bitmap(bbox.width(), bbox.height(), seed)),
                Rect::new(0, 0, bbox.width(), bbox.height()),
            )),
            8 => DrawOp::Copy(DrawCopy::put(
                Image::bitmap(seed.into(), soft(bbox.width(), bbox.height(), seed)),
                Rect::new(0, 0, bbox.width(), bbox.height()),
            )),
            9 => DrawOp::AlphaBlend(DrawAlphaBlend {
                flags: AlphaFlags::empty(),
                alpha: (seed >> 24) as u8,
                source: Image::bitmap(seed.into(), soft(bbox.width(), bbox.height(), seed)),
                source_area: Rect::new(0, 0, bbox.width(), bbox.height()),
            }),
            4 => blend(other, seed),
            5 => transparent(other, seed),
            _ => DrawOp::Copy(DrawCopy::put(
                Image::surface(SurfaceId(other)),
                Rect::new(corner.x.max(0), corner.y.max(0), bbox.width(), bbox.height()),
            )),
        };
        (bbox, op)
    })
}

/// One thing that a guest may do; some of them are refused, because a surface is or is not there.
pub(crate) fn event() -> impl Strategy<Value = GuestEvent> {
    let created = (1..7_u32, any::<bool>(), any::<u32>())
        .prop_map(|(surface, keep, seed)| create(surface, keep.then(|| bitmap(SIDE, SIDE, seed))));
    let destroyed = (1..7_u32).prop_map(destroy);
    prop_oneof![
        30 => any_draw(),
        40 => (surface(), op(), clip()).prop_map(|(id, (bbox, op), clip)| draw(id, bbox, clip, op)),
        6 => created,
        4 => destroyed,
        1 => Just(primary()),
        1 => Just(GuestEvent::Device(DeviceEvent::DestroyPrimary)),
        1 => Just(GuestEvent::Device(DeviceEvent::DestroySurfaces)),
    ]
}
