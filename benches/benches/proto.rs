//! Messages: encoding and decoding.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use spice_proto::display::{
    BitmapFlags, BitmapFormat, BitmapImage, Brush, Clip, DisplayBase, DrawCopy, DrawFill, Image, ImageData,
    ImageFlags, Mask, Ropd, ScaleMode, ServerMessage,
};
use spice_proto::{Rect, SurfaceId};

fn base() -> DisplayBase {
    DisplayBase { surface_id: SurfaceId::PRIMARY, bbox: Rect::new(10, 10, 256, 1024), clip: Clip::None }
}

fn fill() -> ServerMessage {
    ServerMessage::DrawFill(DrawFill {
        base: base(),
        brush: Brush::Solid(0x00ff_8800),
        rop: Ropd::OP_PUT,
        mask: Mask::default(),
    })
}

fn copy() -> ServerMessage {
    ServerMessage::DrawCopy(DrawCopy {
        base: base(),
        source: Some(Image {
            id: 1,
            flags: ImageFlags::empty(),
            width: 256,
            height: 1024,
            data: ImageData::Bitmap(BitmapImage {
                format: BitmapFormat::RGB32,
                flags: BitmapFlags::TOP_DOWN,
                x: 256,
                y: 1024,
                stride: 1024,
                palette: None,
                data: vec![0; 1 << 20].into(),
            }),
        }),
        source_area: Rect::new(0, 0, 256, 1024),
        rop: Ropd::OP_PUT,
        scale_mode: ScaleMode::INTERPOLATE,
        mask: Mask::default(),
    })
}

fn messages(c: &mut Criterion) {
    for (name, message) in [("fill", fill()), ("copy of 1 MiB", copy())] {
        let body = message.encode().to_bytes();
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(1));
        group.bench_function("encode", |b| b.iter(|| black_box(&message).encode()));
        group.bench_function("decode", |b| b.iter(|| ServerMessage::decode(message.id(), black_box(&body))));
    }
}

criterion_group!(benches, messages);
criterion_main!(benches);
