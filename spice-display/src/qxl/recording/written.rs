//! What is written is what is read.

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use spice_proto::display::{
    CompositeFlags, Fixed28_4, Glyph, Glyphs, LineAttr, LineFlags, Palette, PaletteId, Path, PathFlags,
    PathSegment, Rop3, Ropd, ScaleMode, StringFlags, SurfaceFormat,
};
use spice_proto::{Point, Point16, Rect, SurfaceId};

use super::*;
use crate::qxl::{
    Bitmap, BitmapFormat, Brush, Clip, Command, DeviceEvent, DrawComposite, DrawCopy, DrawFill, DrawOp,
    DrawOpaque, DrawRop3, DrawStroke, DrawText, Drawable, Effect, Image, ImageSource, Mask, PrimarySurface,
    SurfaceCommand,
};

fn write(events: &[(GuestEvent, u64)]) -> Vec<u8> {
    let mut writer = RecordingWriter::new(Vec::new()).unwrap();
    for (event, nanos) in events {
        writer.event(event, Duration::from_nanos(*nanos)).unwrap();
    }
    writer.finish().unwrap()
}

fn read(bytes: &[u8]) -> Vec<(GuestEvent, u64)> {
    let mut recording = Recording::new(bytes).unwrap();
    let mut events = Vec::new();
    while let Some(recorded) = recording.next_event().unwrap() {
        let Event::Guest(event) = recorded.event else { panic!("{recorded:?}") };
        assert_eq!(recorded.number, events.len() as u64);
        events.push((event, u64::try_from(recorded.at.as_nanos()).unwrap()));
    }
    events
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(events in vec((made_up::event(), any::<u64>()), 0..6)) {
        prop_assert_eq!(read(&write(&events)), events);
    }
}

fn draw(op: DrawOp) -> GuestEvent {
    let surface = SurfaceId::PRIMARY;
    let (bbox, clip, effect) = (Rect::new(0, 0, 4, 4), Clip::None, Effect::OPAQUE);
    GuestEvent::Command(Command::Draw(Drawable { surface, bbox, clip, effect, mm_time: 0, op }))
}

fn bitmap(format: BitmapFormat, size: (u32, u32), stride: u32) -> Bitmap {
    let data = Bytes::from(vec![7; (stride * size.1) as usize]);
    Bitmap::new(format, size, stride, true, data).unwrap()
}

fn own(x: i32) -> Image {
    Image { source: ImageSource::Own(Rect::new(x, 0, 4, 4)), ..Image::surface(SurfaceId::PRIMARY) }
}

fn copy(source: Image, mask: Option<Mask>) -> GuestEvent {
    draw(DrawOp::Copy(DrawCopy { mask, ..DrawCopy::put(source, Rect::new(0, 0, 4, 4)) }))
}

fn stroke(segments: Vec<PathSegment>, style: Option<Vec<Fixed28_4>>) -> GuestEvent {
    draw(DrawOp::Stroke(DrawStroke {
        path: Arc::new(Path { segments }),
        attr: LineAttr { flags: LineFlags::empty(), style },
        brush: Brush::None,
        fore_mode: Ropd::OP_PUT,
        back_mode: Ropd::OP_PUT,
    }))
}

fn text(flags: StringFlags, count: usize, data: &'static [u8]) -> GuestEvent {
    let at = Point::default();
    let data = Bytes::from_static(data);
    let glyph = Glyph { render_pos: at, origin: at, width: 9, height: 1, data };
    draw(DrawOp::Text(DrawText {
        glyphs: Arc::new(Glyphs { flags, glyphs: vec![glyph; count] }),
        back_area: Rect::default(),
        fore_brush: Brush::None,
        back_brush: Brush::None,
        fore_mode: Ropd::OP_PUT,
        back_mode: Ropd::OP_PUT,
    }))
}

fn primary((width, height): (u32, u32), format: SurfaceFormat, content: Option<Bitmap>) -> GuestEvent {
    let content = content.map(Arc::new);
    GuestEvent::Device(DeviceEvent::CreatePrimary(PrimarySurface { width, height, format, content }))
}

fn off_screen(width: u32, format: SurfaceFormat, content: Option<Bitmap>) -> GuestEvent {
    GuestEvent::Command(Command::Surface(SurfaceCommand::Create {
        surface: SurfaceId(1),
        width,
        height: 2,
        format,
        content: content.map(Arc::new),
    }))
}

fn colours(count: usize) -> GuestEvent {
    let palette = Palette { id: PaletteId(1), entries: vec![0; count] };
    let bitmap = bitmap(BitmapFormat::BIT8, (4, 4), 4).with_palette(Some(Arc::new(palette)));
    copy(Image::bitmap(1, Arc::new(bitmap)), None)
}

#[test]
fn what_the_format_cannot_say_is_an_error_and_leaves_nothing_behind() {
    let rgb = || Image::bitmap(1, Arc::new(bitmap(BitmapFormat::RGB32, (4, 4), 16)));
    let mask = |image| Some(Mask { inverted: false, pos: Point::default(), image });
    let segment = |flags, count| PathSegment { flags, points: vec![Default::default(); count] };
    let line = || segment(PathFlags::BEGIN | PathFlags::END, 2);
    let fill = |image| Brush::Pattern(crate::qxl::Pattern { image, pos: Point::default() });
    let two_parts = DrawOp::Text(DrawText {
        glyphs: Arc::new(Glyphs { flags: StringFlags::RASTER_A1, glyphs: Vec::new() }),
        back_area: Rect::default(),
        fore_brush: fill(own(0)),
        back_brush: fill(own(1)),
        fore_mode: Ropd::OP_PUT,
        back_mode: Ropd::OP_PUT,
    });
    let (rgb32, rgb565) = (SurfaceFormat::RGB32, SurfaceFormat::RGB565);
    let cases = [
        ("two parts of the surface itself", draw(two_parts)),
        ("a copy of the surface itself", copy(own(0), None)),
        ("a mask that is the surface itself", copy(rgb(), mask(own(0)))),
        (
            "a fill's mask that is the surface itself",
            draw(DrawOp::Fill(DrawFill { mask: mask(own(0)), ..DrawFill::solid(1) })),
        ),
        ("a mask of COMPOSITE that is the surface itself", {
            let at = Point16 { x: 0, y: 0 };
            draw(DrawOp::Composite(DrawComposite {
                flags: CompositeFlags::empty(),
                source: rgb(),
                mask: Some(own(0)),
                source_transform: None,
                mask_transform: None,
                source_origin: at,
                mask_origin: at,
            }))
        }),
        ("a source area outside of its bitmap", {
            draw(DrawOp::Copy(DrawCopy::put(rgb(), Rect::new(1, 0, 4, 4))))
        }),
        ("a palette of more colours than are counted", colours(65_536)),
        ("a palette of more lines than an event may have", colours(65_530)),
        ("more dashes than are counted", stroke(vec![line()], Some(vec![Fixed28_4(16); 256]))),
        ("a last segment without points", stroke(vec![line(), segment(PathFlags::END, 0)], None)),
        ("a figure that begins nowhere", stroke(vec![segment(PathFlags::BEGIN, 0), line()], None)),
        ("glyphs without a depth", text(StringFlags::empty(), 1, &[])),
        ("glyphs of another size", text(StringFlags::RASTER_A4, 1, &[1, 2, 3, 4])),
        ("more glyphs than are counted", text(StringFlags::RASTER_A1, 65_536, &[1, 2])),
        ("content of another size", primary((4, 5), rgb32, Some(bitmap(BitmapFormat::RGB32, (4, 4), 16)))),
        ("content of another format", off_screen(4, rgb32, Some(bitmap(BitmapFormat::RGB16, (4, 2), 8)))),
        ("content of 565", off_screen(4, rgb565, Some(bitmap(BitmapFormat::RGB16, (4, 2), 8)))),
        ("a surface too wide", off_screen(1 << 29, rgb32, None)),
        ("a primary surface too large", primary((32_767, 32_767), rgb32, None)),
        ("a primary surface of any size", primary((u32::MAX, u32::MAX), rgb32, None)),
    ];
    let mut accepted = Vec::new();
    for (what, event) in cases {
        let before = (GuestEvent::Device(DeviceEvent::DestroyPrimary), 1);
        let mut writer = RecordingWriter::new(Vec::new()).unwrap();
        writer.event(&before.0, Duration::from_nanos(1)).unwrap();
        let written = writer.event(&event, Duration::from_nanos(2));
        if written.is_ok() {
            accepted.push(what);
            continue;
        }
        writer.event(&before.0, Duration::from_nanos(1)).unwrap();
        assert_eq!(read(&writer.finish().unwrap()), [before.clone(), before], "{what}");
    }
    assert!(accepted.is_empty(), "{accepted:#?}");
}

#[test]
fn no_mask_is_the_surface_itself() {
    let rgb = || Image::bitmap(1, Arc::new(bitmap(BitmapFormat::RGB32, (4, 4), 16)));
    let (source_area, brush) = (Rect::new(0, 0, 4, 4), Brush::Solid(1));
    let scale_mode = ScaleMode::INTERPOLATE;
    let ops = |mask: Option<Mask>| {
        [
            DrawOp::Copy(DrawCopy { mask: mask.clone(), ..DrawCopy::put(rgb(), source_area) }),
            DrawOp::Blend(DrawCopy { mask: mask.clone(), ..DrawCopy::put(rgb(), source_area) }),
            DrawOp::Fill(DrawFill { mask: mask.clone(), ..DrawFill::solid(1) }),
            DrawOp::Opaque(DrawOpaque {
                source: rgb(),
                source_area,
                brush: brush.clone(),
                rop: Ropd::OP_XOR,
                scale_mode,
                mask: mask.clone(),
            }),
            DrawOp::Rop3(DrawRop3 {
                source: rgb(),
                source_area,
                brush: brush.clone(),
                rop3: Rop3(0x96),
                scale_mode,
                mask: mask.clone(),
            }),
            DrawOp::Blackness(mask.clone()),
            DrawOp::Whiteness(mask.clone()),
            DrawOp::Invers(mask),
        ]
    };
    let mask = |image| Some(Mask { inverted: true, pos: Point::new(3, 2), image });
    for op in ops(mask(own(0))) {
        let mut writer = RecordingWriter::new(Vec::new()).unwrap();
        let written = writer.event(&draw(op.clone()), Duration::ZERO);
        assert!(matches!(written, Err(WriteError::OwnPlace)), "{op:?}: {written:?}");
    }
    let events: Vec<_> = ops(mask(rgb())).into_iter().chain(ops(None)).map(|op| (draw(op), 5)).collect();
    assert_eq!(read(&write(&events)), events);
}
