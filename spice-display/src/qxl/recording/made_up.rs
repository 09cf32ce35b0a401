//! Made-up events of every kind, with every kind of operand.

use std::sync::Arc;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use spice_proto::cursor::CursorType;
use spice_proto::display::{
    AlphaFlags, CompositeFlags, Fixed16_16, Fixed28_4, Glyph, Glyphs, ImageFlags, LineAttr, LineFlags,
    Palette, PaletteId, Path, PathFlags, PathSegment, PointFix, Rop3, Ropd, ScaleMode, StringFlags,
    SurfaceFormat, Transform,
};
use spice_proto::{Point, Point16, Rect, SurfaceId};

use crate::qxl::{
    Bitmap, BitmapFormat, Brush, Clip, Command, CopyBits, CursorCommand, CursorShape, DeviceEvent,
    DrawAlphaBlend, DrawComposite, DrawCopy, DrawFill, DrawOp, DrawOpaque, DrawRop3, DrawStroke, DrawText,
    DrawTransparent, Drawable, Effect, GuestEvent, Image, ImageSource, Mask, Pattern, PrimarySurface,
    QuicImage, SurfaceCommand, UpdateArea,
};

fn rect() -> impl Strategy<Value = Rect> {
    any::<[i32; 4]>().prop_map(|[left, top, right, bottom]| Rect::from_edges(left, top, right, bottom))
}

fn point() -> impl Strategy<Value = Point> {
    any::<(i32, i32)>().prop_map(|(x, y)| Point::new(x, y))
}

fn point16() -> impl Strategy<Value = Point16> {
    any::<(i16, i16)>().prop_map(|(x, y)| Point16 { x, y })
}

fn bytes(len: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), len).prop_map(Bytes::from)
}

/// Some bytes, also such as look like the format itself.
fn any_bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        vec(any::<u8>(), 0..40).prop_map(Bytes::from),
        Just(Bytes::from_static(b"\nevent 1 0 1 1\nbinary 0 x 4:\n")),
    ]
}

fn palette() -> impl Strategy<Value = Arc<Palette>> {
    let entries = vec(any::<u32>(), 0..20);
    (any::<u64>(), entries).prop_map(|(id, entries)| Arc::new(Palette { id: PaletteId(id), entries }))
}

const FORMATS: [(BitmapFormat, u32); 10] = [
    (BitmapFormat::BIT1_LE, 1),
    (BitmapFormat::BIT1_BE, 1),
    (BitmapFormat::BIT4_LE, 4),
    (BitmapFormat::BIT4_BE, 4),
    (BitmapFormat::BIT8, 8),
    (BitmapFormat::RGB16, 16),
    (BitmapFormat::RGB24, 24),
    (BitmapFormat::RGB32, 32),
    (BitmapFormat::RGBA, 32),
    (BitmapFormat::A8, 8),
];

/// A bitmap of a format and a size, with up to 8 bytes behind each row.
fn sized_bitmap(
    (format, bits): (BitmapFormat, u32),
    (width, height): (u32, u32),
) -> impl Strategy<Value = Bitmap> {
    (any::<bool>(), 0..9_u32).prop_flat_map(move |(top_down, behind)| {
        let stride = (width * bits).div_ceil(8) + behind;
        bytes((stride * height) as usize)
            .prop_map(move |data| Bitmap::new(format, (width, height), stride, top_down, data).unwrap())
    })
}

fn bitmap(mask: bool) -> impl Strategy<Value = Arc<Bitmap>> {
    let size = (1..20_u32, 1..6_u32);
    (prop::sample::select(FORMATS.to_vec()), size, prop::option::of(palette()), palette()).prop_flat_map(
        move |(format, size, palette, needed)| {
            let needs = format.1 < 16 && format.0 != BitmapFormat::A8 && !mask;
            let palette = palette.or_else(|| needs.then(|| Arc::clone(&needed)));
            sized_bitmap(format, size).prop_map(move |bitmap| Arc::new(bitmap.with_palette(palette.clone())))
        },
    )
}

fn named_image(mask: bool) -> impl Strategy<Value = Image> {
    let quic = (any::<u32>(), any::<u32>(), any_bytes())
        .prop_map(|(width, height, data)| ImageSource::Quic(Arc::new(QuicImage { width, height, data })));
    let source = prop_oneof![
        4 => bitmap(mask).prop_map(ImageSource::Bitmap),
        1 => quic,
        // Small ids are those of surfaces that a test has.
        2 => prop_oneof![3 => 0..6_u32, 1 => any::<u32>()].prop_map(|id| ImageSource::Surface(SurfaceId(id))),
    ];
    (any::<u64>(), 0..4_u8, source).prop_map(|(id, flags, source)| Image {
        id,
        flags: ImageFlags::from_bits_retain(flags),
        source,
    })
}

/// The surface itself; a drawable has one part of it that it reads.
fn own() -> Image {
    let area = Rect::from_edges(-3, 5, i32::MAX, 9);
    Image { source: ImageSource::Own(area), ..Image::surface(SurfaceId::PRIMARY) }
}

fn image() -> impl Strategy<Value = Image> {
    prop_oneof![5 => named_image(false), 1 => Just(own())]
}

/// An image and a part of it.
fn source(image: impl Strategy<Value = Image>) -> impl Strategy<Value = (Image, Rect)> {
    (image, any::<[u32; 4]>()).prop_map(|(image, edges)| {
        let (width, height) = match &image.source {
            ImageSource::Bitmap(bitmap) => (bitmap.width(), bitmap.height()),
            ImageSource::Quic(quic) => (quic.width, quic.height),
            ImageSource::Surface(_) | ImageSource::Own(_) => (u32::MAX, u32::MAX),
        };
        let [a, b, c, d] = edges;
        let edge = |at: u32, len: u32| (at % len.saturating_add(1).min(1 << 31)).cast_signed();
        let ((a, b), (c, d)) = ((edge(a, width), edge(b, width)), (edge(c, height), edge(d, height)));
        (image, Rect::from_edges(a.min(b), c.min(d), a.max(b), c.max(d)))
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
    let mask = (any::<bool>(), point(), named_image(true));
    prop::option::of(mask.prop_map(|(inverted, pos, image)| Mask { inverted, pos, image }))
}

fn rop() -> impl Strategy<Value = Ropd> {
    any::<u16>().prop_map(Ropd::from_bits_retain)
}

fn scale_mode() -> impl Strategy<Value = ScaleMode> {
    any::<u8>().prop_map(ScaleMode)
}

fn copy() -> impl Strategy<Value = DrawCopy> {
    (source(named_image(false)), rop(), scale_mode(), mask()).prop_map(
        |((source, source_area), rop, scale_mode, mask)| DrawCopy {
            source,
            source_area,
            rop,
            scale_mode,
            mask,
        },
    )
}

fn path() -> impl Strategy<Value = Path> {
    let segment = (any::<u8>(), 1..4_usize).prop_flat_map(|(flags, curves)| {
        let flags = PathFlags::from_bits_retain(flags);
        let count = curves * 3 + usize::from(flags.contains(PathFlags::BEGIN));
        vec(any::<(i32, i32)>(), count).prop_map(move |points| PathSegment {
            flags,
            points: points.into_iter().map(|(x, y)| PointFix { x: Fixed28_4(x), y: Fixed28_4(y) }).collect(),
        })
    });
    vec(segment, 0..4).prop_map(|segments| Path { segments })
}

fn line_attr() -> impl Strategy<Value = LineAttr> {
    let style = vec(any::<i32>().prop_map(Fixed28_4), 0..256);
    (any::<u8>(), prop::option::of(style)).prop_map(|(flags, style)| {
        let mut flags = LineFlags::from_bits_retain(flags);
        flags.set(LineFlags::STYLED, style.is_some());
        LineAttr { flags, style }
    })
}

fn glyphs() -> impl Strategy<Value = Glyphs> {
    any::<u8>().prop_filter("a depth", |flags| flags & 7 != 0).prop_flat_map(|flags| {
        let flags = StringFlags::from_bits_retain(flags);
        let depth = flags.depth().unwrap();
        let glyph = (point(), point(), 0..9_u16, 0..9_u16).prop_flat_map(move |place| {
            let (render_pos, origin, width, height) = place;
            let len = usize::try_from(Glyph::size(depth, width, height)).unwrap();
            bytes(len).prop_map(move |data| Glyph { render_pos, origin, width, height, data })
        });
        vec(glyph, 0..5).prop_map(move |glyphs| Glyphs { flags, glyphs })
    })
}

fn transform() -> impl Strategy<Value = Option<Transform>> {
    let numbers = any::<[i32; 6]>().prop_map(|numbers| {
        let [t00, t01, t02, t10, t11, t12] = numbers.map(Fixed16_16);
        Transform { t00, t01, t02, t10, t11, t12 }
    });
    prop::option::of(numbers)
}

fn composite() -> impl Strategy<Value = DrawComposite> {
    let masked = (prop::option::of(named_image(false)), transform(), transform());
    (any::<u32>(), image(), masked, point16(), point16()).prop_map(
        |(flags, source, (mask, source_transform, mask_transform), source_origin, mask_origin)| {
            DrawComposite {
                flags: CompositeFlags::from_bits_retain(flags),
                source,
                mask,
                source_transform,
                mask_transform,
                source_origin,
                mask_origin,
            }
        },
    )
}

fn op() -> impl Strategy<Value = DrawOp> {
    let fill =
        (brush(), rop(), mask()).prop_map(|(brush, rop, mask)| DrawOp::Fill(DrawFill { brush, rop, mask }));
    let opaque = (source(image()), brush(), rop(), scale_mode(), mask()).prop_map(
        |((source, source_area), brush, rop, scale_mode, mask)| {
            DrawOp::Opaque(DrawOpaque { source, source_area, brush, rop, scale_mode, mask })
        },
    );
    let rop3 = (source(image()), brush(), any::<u8>().prop_map(Rop3), scale_mode(), mask()).prop_map(
        |((source, source_area), brush, rop3, scale_mode, mask)| {
            DrawOp::Rop3(DrawRop3 { source, source_area, brush, rop3, scale_mode, mask })
        },
    );
    let stroke =
        (path(), line_attr(), brush(), rop(), rop()).prop_map(|(path, attr, brush, fore_mode, back_mode)| {
            DrawOp::Stroke(DrawStroke { path: Arc::new(path), attr, brush, fore_mode, back_mode })
        });
    let text = (glyphs(), rect(), brush(), brush(), rop(), rop()).prop_map(
        |(glyphs, back_area, fore_brush, back_brush, fore_mode, back_mode)| {
            let glyphs = Arc::new(glyphs);
            DrawOp::Text(DrawText { glyphs, back_area, fore_brush, back_brush, fore_mode, back_mode })
        },
    );
    let transparent = (source(image()), any::<u32>(), any::<u32>()).prop_map(
        |((source, source_area), source_colour, true_colour)| {
            DrawOp::Transparent(DrawTransparent { source, source_area, source_colour, true_colour })
        },
    );
    let blend =
        (any::<u8>(), any::<u8>(), source(image())).prop_map(|(flags, alpha, (source, source_area))| {
            let flags = AlphaFlags::from_bits_retain(flags);
            DrawOp::AlphaBlend(DrawAlphaBlend { flags, alpha, source, source_area })
        });
    prop_oneof![
        Just(DrawOp::Nop),
        fill,
        opaque,
        copy().prop_map(DrawOp::Copy),
        point().prop_map(|source| DrawOp::CopyBits(CopyBits { source })),
        copy().prop_map(DrawOp::Blend),
        mask().prop_map(DrawOp::Blackness),
        mask().prop_map(DrawOp::Whiteness),
        mask().prop_map(DrawOp::Invers),
        rop3,
        stroke,
        text,
        transparent,
        blend,
        composite().prop_map(DrawOp::Composite),
    ]
}

pub(in crate::qxl) fn drawable() -> impl Strategy<Value = Drawable> {
    let clip = prop_oneof![Just(Clip::None), vec(rect(), 0..4).prop_map(|rects| Clip::Rects(rects.into())),];
    (any::<u32>(), rect(), clip, any::<u8>(), any::<u32>(), op()).prop_map(
        |(surface, bbox, clip, effect, mm_time, op)| Drawable {
            surface: SurfaceId(surface),
            bbox,
            clip,
            effect: Effect(effect),
            mm_time,
            op,
        },
    )
}

fn cursor() -> impl Strategy<Value = CursorCommand> {
    let kinds = [
        (CursorType::ALPHA, 4 * 16),
        (CursorType::MONO, 2 * 4),
        (CursorType::COLOR24, 3 * 16 + 4),
        (CursorType(200), 0),
    ];
    let shape = (prop::sample::select(kinds.to_vec()), any::<u64>(), any::<(u16, u16)>()).prop_flat_map(
        |((kind, len), unique, (hot_spot_x, hot_spot_y))| {
            bytes(len).prop_map(move |data| {
                let (width, height) = (4, 4);
                Arc::new(CursorShape { unique, kind, width, height, hot_spot_x, hot_spot_y, data })
            })
        },
    );
    prop_oneof![
        Just(CursorCommand::Hide),
        point16().prop_map(CursorCommand::Move),
        (point16(), any::<bool>(), shape).prop_map(|(position, visible, shape)| CursorCommand::Set {
            position,
            visible,
            shape
        }),
        any::<(u16, u16)>().prop_map(|(length, frequency)| CursorCommand::Trail { length, frequency }),
    ]
}

/// A surface's measures and its content.
fn surface() -> impl Strategy<Value = (SurfaceFormat, (u32, u32), Option<Arc<Bitmap>>)> {
    let kept = [
        (SurfaceFormat::RGB32, Some((BitmapFormat::RGB32, 32))),
        (SurfaceFormat::ARGB32, Some((BitmapFormat::RGBA, 32))),
        (SurfaceFormat::RGB555, Some((BitmapFormat::RGB16, 16))),
        (SurfaceFormat::A8, Some((BitmapFormat::A8, 8))),
        (SurfaceFormat::RGB565, None),
        (SurfaceFormat::A1, None),
        (SurfaceFormat(77), None),
    ];
    (prop::sample::select(kept.to_vec()), (1..9_u32, 1..9_u32), any::<bool>()).prop_flat_map(
        |((format, bitmap), size, keep)| {
            let content = match bitmap.filter(|_| keep) {
                Some(bitmap) => sized_bitmap(bitmap, size).prop_map(|bitmap| Some(Arc::new(bitmap))).boxed(),
                None => Just(None).boxed(),
            };
            (Just(format), Just(size), content)
        },
    )
}

/// An event that can be recorded.
pub(super) fn event() -> impl Strategy<Value = GuestEvent> {
    let create = (1..=u32::MAX, surface()).prop_map(|(id, (format, (width, height), content))| {
        SurfaceCommand::Create { surface: SurfaceId(id), width, height, format, content }
    });
    let destroy = (1..=u32::MAX).prop_map(|id| SurfaceCommand::Destroy { surface: SurfaceId(id) });
    let update = (any::<u32>(), rect(), any::<u32>()).prop_map(|(surface, area, update_id)| {
        Command::Update(UpdateArea { surface: SurfaceId(surface), area, update_id })
    });
    let primary = surface().prop_map(|(format, (width, height), content)| {
        DeviceEvent::CreatePrimary(PrimarySurface { width, height, format, content })
    });
    prop_oneof![
        30 => drawable().prop_map(|drawable| GuestEvent::Command(Command::Draw(drawable))),
        3 => cursor().prop_map(|cursor| GuestEvent::Command(Command::Cursor(cursor))),
        1 => any_bytes().prop_map(|message| GuestEvent::Command(Command::Message(message))),
        2 => create.prop_map(|create| GuestEvent::Command(Command::Surface(create))),
        1 => destroy.prop_map(|destroy| GuestEvent::Command(Command::Surface(destroy))),
        1 => update.prop_map(GuestEvent::Command),
        2 => primary.prop_map(GuestEvent::Device),
        1 => Just(GuestEvent::Device(DeviceEvent::DestroyPrimary)),
        1 => Just(GuestEvent::Device(DeviceEvent::DestroySurfaces)),
    ]
}
