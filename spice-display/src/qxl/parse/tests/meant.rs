//! Random commands.

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
    Bitmap, BitmapFormat, Brush, Clip, Command, CopyBits, CursorCommand, CursorShape, DrawAlphaBlend,
    DrawComposite, DrawCopy, DrawFill, DrawOp, DrawOpaque, DrawRop3, DrawStroke, DrawText, DrawTransparent,
    Drawable, Effect, Image, ImageSource, Mask, Pattern, QuicImage, SurfaceCommand, UpdateArea,
};

/// What a drawable's own area is, where it reads that.
const OWN: Rect = Rect::new(3, 4, 5, 6);

pub(super) fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        12 => drawable().prop_map(Command::Draw),
        1 => (rect(), any::<u32>(), any::<u32>()).prop_map(|(area, update_id, surface)| {
            Command::Update(UpdateArea { surface: SurfaceId(surface), area, update_id })
        }),
        1 => vec(1..=255_u8, 0..60).prop_map(|text| Command::Message(text.into())),
        3 => cursor().prop_map(Command::Cursor),
        3 => surface().prop_map(Command::Surface),
    ]
}

/// The same without what the first revision of QXL does not have, or `None` where there is nothing else.
pub(super) fn without_surfaces(command: Command) -> Option<Command> {
    Some(match command {
        Command::Draw(Drawable { op: DrawOp::Composite(_), .. }) => return None,
        Command::Draw(Drawable { op: DrawOp::AlphaBlend(op), .. }) if !op.flags.is_empty() => return None,
        Command::Draw(drawable) => Command::Draw(Drawable { surface: SurfaceId::PRIMARY, ..drawable }),
        Command::Update(update) => Command::Update(UpdateArea { surface: SurfaceId::PRIMARY, ..update }),
        other => other,
    })
}

fn drawable() -> impl Strategy<Value = Drawable> {
    let clip = prop_oneof![Just(Clip::None), vec(rect(), 0..9).prop_map(|rects| Clip::Rects(rects.into())),];
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

fn op() -> impl Strategy<Value = DrawOp> {
    let modes = || (any::<u16>(), any::<u8>());
    let copy = || {
        (image(), modes(), mask()).prop_map(|((source, source_area), (rop, scale), mask)| DrawCopy {
            source,
            source_area,
            rop: Ropd::from_bits_retain(rop),
            scale_mode: ScaleMode(scale),
            mask,
        })
    };
    prop_oneof![
        Just(DrawOp::Nop),
        (brush(), any::<u16>(), mask()).prop_map(|(brush, rop, mask)| {
            DrawOp::Fill(DrawFill { brush, rop: Ropd::from_bits_retain(rop), mask })
        }),
        (source(), brush(), modes(), mask()).prop_map(
            |((source, source_area), brush, (rop, scale), mask)| {
                let (rop, scale_mode) = (Ropd::from_bits_retain(rop), ScaleMode(scale));
                DrawOp::Opaque(DrawOpaque { source, source_area, brush, rop, scale_mode, mask })
            }
        ),
        copy().prop_map(DrawOp::Copy),
        point().prop_map(|source| DrawOp::CopyBits(CopyBits { source })),
        copy().prop_map(DrawOp::Blend),
        mask().prop_map(DrawOp::Blackness),
        mask().prop_map(DrawOp::Whiteness),
        mask().prop_map(DrawOp::Invers),
        (source(), brush(), modes(), mask()).prop_map(
            |((source, source_area), brush, (rop, scale), mask)| {
                let (rop3, scale_mode) = (Rop3(rop.to_le_bytes()[0]), ScaleMode(scale));
                DrawOp::Rop3(DrawRop3 { source, source_area, brush, rop3, scale_mode, mask })
            }
        ),
        (path(), line(), brush(), any::<u16>(), any::<u16>()).prop_map(|(path, attr, brush, fore, back)| {
            DrawOp::Stroke(DrawStroke {
                path: Arc::new(path),
                attr,
                brush,
                fore_mode: Ropd::from_bits_retain(fore),
                back_mode: Ropd::from_bits_retain(back),
            })
        }),
        (glyphs(), rect(), brush(), brush(), any::<u16>(), any::<u16>()).prop_map(
            |(glyphs, back_area, fore_brush, back_brush, fore, back)| {
                DrawOp::Text(DrawText {
                    glyphs: Arc::new(glyphs),
                    back_area,
                    fore_brush,
                    back_brush,
                    fore_mode: Ropd::from_bits_retain(fore),
                    back_mode: Ropd::from_bits_retain(back),
                })
            }
        ),
        (source(), any::<u32>(), any::<u32>()).prop_map(
            |((source, source_area), source_colour, true_colour)| {
                DrawOp::Transparent(DrawTransparent { source, source_area, source_colour, true_colour })
            }
        ),
        (source(), any::<u8>(), 0..4_u8).prop_map(|((source, source_area), alpha, flags)| {
            let flags = AlphaFlags::from_bits_retain(flags);
            DrawOp::AlphaBlend(DrawAlphaBlend { flags, alpha, source, source_area })
        }),
        (
            source(),
            proptest::option::of(image()),
            any::<u32>(),
            proptest::option::of(transform()),
            proptest::option::of(transform()),
            any::<[i16; 4]>(),
        )
            .prop_map(|((source, _), mask, flags, source_transform, transform, [a, b, c, d])| {
                let mask = mask.map(|(mask, _)| mask);
                DrawOp::Composite(DrawComposite {
                    flags: CompositeFlags::from_bits_retain(flags),
                    source,
                    mask_transform: transform.filter(|_| mask.is_some()),
                    mask,
                    source_transform,
                    source_origin: Point16 { x: a, y: b },
                    mask_origin: Point16 { x: c, y: d },
                })
            }),
    ]
}

/// An image that may be of the surface itself, and a part of it.
fn source() -> impl Strategy<Value = (Image, Rect)> {
    let own = Image { source: ImageSource::Own(OWN), ..Image::surface(SurfaceId::PRIMARY) };
    prop_oneof![5 => image(), 1 => Just((own, Rect::new(1, 2, 30, 40)))]
}

/// An image, and a part of it.
fn image() -> impl Strategy<Value = (Image, Rect)> {
    let source = prop_oneof![
        3 => bitmap().prop_map(|bitmap| ImageSource::Bitmap(Arc::new(bitmap))),
        1 => (1..90_u32, 1..90_u32, data(0..99)).prop_map(|(width, height, data)| {
            ImageSource::Quic(Arc::new(QuicImage { width, height, data }))
        }),
        1 => any::<u32>().prop_map(|surface| ImageSource::Surface(SurfaceId(surface))),
    ];
    (source, any::<u64>(), 0..4_u8, any::<[u8; 4]>()).prop_map(|(source, id, flags, part)| {
        let (width, height) = match &source {
            ImageSource::Bitmap(bitmap) => (bitmap.width(), bitmap.height()),
            ImageSource::Quic(quic) => (quic.width, quic.height),
            _ => (1000, 1000),
        };
        let [x0, y0, x1, y1] = part.map(u32::from);
        let edge = |of: u32, part: u32| (of * part / 510).cast_signed();
        let area = Rect::from_edges(
            edge(width, x0),
            edge(height, y0),
            edge(width, 510 - x1),
            edge(height, 510 - y1),
        );
        (Image { id, flags: ImageFlags::from_bits_retain(flags), source }, area)
    })
}

fn bitmap() -> impl Strategy<Value = Bitmap> {
    let palette = (any::<u64>(), vec(any::<u32>(), 0..20));
    (1..=10_u8, 1..20_u32, 1..9_u32, 0..6_u32, any::<bool>(), palette, any::<u8>()).prop_map(
        |(format, width, height, gap, top_down, (id, entries), seed)| {
            let bits = [1, 1, 4, 4, 8, 16, 24, 32, 32, 8][usize::from(format) - 1];
            let stride = (width * bits).div_ceil(8) + gap;
            let data: Vec<u8> = (0..stride * height).map(|at| at.to_le_bytes()[0] ^ seed).collect();
            let bitmap =
                Bitmap::new(BitmapFormat(format), (width, height), stride, top_down, data.into()).unwrap();
            let palette = (format <= 5).then(|| Arc::new(Palette { id: PaletteId(id), entries }));
            bitmap.with_palette(palette)
        },
    )
}

fn mask() -> impl Strategy<Value = Option<Mask>> {
    let mask = (any::<bool>(), point(), image());
    proptest::option::of(mask.prop_map(|(inverted, pos, (image, _))| Mask { inverted, pos, image }))
}

fn brush() -> impl Strategy<Value = Brush> {
    prop_oneof![
        Just(Brush::None),
        any::<u32>().prop_map(Brush::Solid),
        (source(), point()).prop_map(|((image, _), pos)| Brush::Pattern(Pattern { image, pos })),
    ]
}

fn path() -> impl Strategy<Value = Path> {
    let points = vec(point().prop_map(|at| PointFix { x: Fixed28_4(at.x), y: Fixed28_4(at.y) }), 1..7);
    let segment = (points, any::<u8>()).prop_map(|(points, flags)| {
        let mut flags = PathFlags::from_bits_retain(flags);
        let curved = points.len() - usize::from(flags.contains(PathFlags::BEGIN));
        flags.set(PathFlags::BEZIER, curved.is_multiple_of(3));
        PathSegment { flags, points }
    });
    vec(segment, 0..5).prop_map(|segments| Path { segments })
}

fn line() -> impl Strategy<Value = LineAttr> {
    let style = proptest::option::of(vec(any::<i32>().prop_map(Fixed28_4), 0..9));
    (any::<u8>(), style).prop_map(|(flags, style)| {
        let mut flags = LineFlags::from_bits_retain(flags);
        flags.set(LineFlags::STYLED, style.is_some());
        LineAttr { flags, style }
    })
}

fn glyphs() -> impl Strategy<Value = Glyphs> {
    let glyph = (point(), point(), 0..20_u16, 0..5_u16, any::<u8>());
    (1..16_u8, vec(glyph, 0..6)).prop_filter_map("no depth", |(flags, glyphs)| {
        let flags = StringFlags::from_bits_retain(flags);
        let depth = flags.depth()?;
        let glyphs = glyphs.into_iter().map(|(render_pos, origin, width, height, fill)| Glyph {
            render_pos,
            origin,
            width,
            height,
            data: vec![fill; Glyph::size(depth, width, height) as usize].into(),
        });
        Some(Glyphs { flags, glyphs: glyphs.collect() })
    })
}

fn cursor() -> impl Strategy<Value = CursorCommand> {
    let position = || any::<[i16; 2]>().prop_map(|[x, y]| Point16 { x, y });
    let shape = (any::<u64>(), 0..7_u8, 0..9_u16, 0..9_u16, any::<[u16; 2]>(), data(1500..1700)).prop_map(
        |(unique, kind, width, height, [hot_spot_x, hot_spot_y], data)| CursorShape {
            unique,
            kind: CursorType(kind),
            width,
            height,
            hot_spot_x,
            hot_spot_y,
            data,
        },
    );
    prop_oneof![
        Just(CursorCommand::Hide),
        position().prop_map(CursorCommand::Move),
        any::<[u16; 2]>().prop_map(|[length, frequency]| CursorCommand::Trail { length, frequency }),
        (position(), any::<bool>(), shape).prop_map(|(position, visible, shape)| CursorCommand::Set {
            position,
            visible,
            shape: Arc::new(shape),
        }),
    ]
}

fn surface() -> impl Strategy<Value = SurfaceCommand> {
    let formats = [
        (SurfaceFormat::RGB32, BitmapFormat::RGB32),
        (SurfaceFormat::ARGB32, BitmapFormat::RGBA),
        (SurfaceFormat::RGB555, BitmapFormat::RGB16),
        (SurfaceFormat::A8, BitmapFormat::A8),
    ];
    let format = proptest::sample::select(formats.to_vec());
    let content = (any::<bool>(), any::<bool>(), 0..9_u32, data(1600..1601));
    prop_oneof![
        (1..=u32::MAX).prop_map(|surface| SurfaceCommand::Destroy { surface: SurfaceId(surface) }),
        (1..=u32::MAX, format, 1..10_u32, 1..10_u32, content).prop_map(
            |(surface, (format, bitmap), width, height, (keep, top_down, gap, data))| {
                let stride = width * 4 + gap;
                let data = data.slice(..(stride * height) as usize);
                let content = Bitmap::new(bitmap, (width, height), stride, top_down, data).unwrap();
                let content = keep.then(|| Arc::new(content));
                SurfaceCommand::Create { surface: SurfaceId(surface), width, height, format, content }
            }
        ),
    ]
}

fn data(len: std::ops::Range<usize>) -> impl Strategy<Value = Bytes> {
    (len, any::<u8>()).prop_map(|(len, seed)| (0..len).map(|at| at.to_le_bytes()[0] ^ seed).collect())
}

fn transform() -> impl Strategy<Value = Transform> {
    any::<[i32; 6]>().prop_map(|numbers| {
        let [t00, t01, t02, t10, t11, t12] = numbers.map(Fixed16_16);
        Transform { t00, t01, t02, t10, t11, t12 }
    })
}

fn point() -> impl Strategy<Value = Point> {
    any::<[i32; 2]>().prop_map(|[x, y]| Point::new(x, y))
}

fn rect() -> impl Strategy<Value = Rect> {
    any::<[i32; 4]>().prop_map(|[left, top, right, bottom]| Rect::from_edges(left, top, right, bottom))
}
