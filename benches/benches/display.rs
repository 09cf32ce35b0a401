//! Painting, regions, and one drawing command for many viewers.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use spice_channel::{Channel, ChannelLink, ClientId, Time};
use spice_display::canvas::{Canvas, Surfaces};
use spice_display::qxl::{
    Clip, Command, DeviceEvent, DrawCopy, DrawFill, DrawOp, Drawable, Effect, GuestEvent, Image,
    PrimarySurface,
};
use spice_display::region::Region;
use spice_display::{RedWorker, WorkerConfig};
use spice_proto::caps::{Capabilities, CapabilitySet};
use spice_proto::display::{ClientMessage, Init, SurfaceFormat};
use spice_proto::{HeaderKind, Point, Rect, SurfaceId};

struct Source(Canvas);

impl Surfaces for Source {
    fn canvas(&self, _: SurfaceId) -> Option<&Canvas> {
        Some(&self.0)
    }
}

fn canvas(c: &mut Criterion) {
    let mut group = c.benchmark_group("canvas 1920x1080");
    let bounds = Rect::new(0, 0, 1920, 1080);
    let all = Region::from(bounds);
    group.throughput(Throughput::Bytes(1920 * 1080 * 4));
    let (target, source) =
        (Canvas::new(SurfaceFormat::RGB32, 1920, 1080), Canvas::new(SurfaceFormat::RGB32, 1920, 1080));
    let (Some(mut target), Some(source)) = (target, source) else { return };
    let source = Source(source);
    let copy = Drawable {
        surface: SurfaceId::PRIMARY,
        bbox: bounds,
        clip: Clip::None,
        effect: Effect::OPAQUE,
        mm_time: 0,
        op: DrawOp::Copy(DrawCopy::put(Image::surface(SurfaceId(1)), bounds)),
    };
    group.bench_function("fill", |b| b.iter(|| target.fill(black_box(&all), 0x0012_3456)));
    group.bench_function("copy", |b| {
        b.iter(|| target.paint(black_box(&copy), &all, &source));
    });
    group.bench_function("copy_bits", |b| b.iter(|| target.copy_bits(&all, black_box(Point::new(0, -16)))));
    group.bench_function("read", |b| b.iter(|| target.read(black_box(bounds))));
}

fn region(c: &mut Criterion) {
    let checkers: Region =
        (0..32).flat_map(|y| (0..32).map(move |x| Rect::new(x * 20 + y % 2 * 10, y * 10, 10, 10))).collect();
    let rect = Region::from(Rect::new(100, 100, 300, 100));
    c.bench_function("region subtract, 1024 rectangles", |b| b.iter(|| black_box(&checkers).subtract(&rect)));
}

fn worker(viewers: u64) -> RedWorker {
    let mut worker = RedWorker::new(&WorkerConfig::default());
    let primary = PrimarySurface { width: 1280, height: 720, format: SurfaceFormat::RGB32, content: None };
    let _ = worker.handle_event(GuestEvent::Device(DeviceEvent::CreatePrimary(primary)));
    let init = ClientMessage::Init(Init {
        pixmap_cache_id: 1,
        pixmap_cache_size: 0,
        glz_dictionary_id: 1,
        glz_dictionary_window_size: 0,
    });
    let body = init.encode().to_bytes();
    let mut bytes = Vec::new();
    HeaderKind::Mini.encode(1, init.id(), u32::try_from(body.len()).unwrap_or(0), &mut bytes);
    bytes.extend_from_slice(&body);
    let caps = Capabilities { common: CapabilitySet::new([3_u32]), channel: CapabilitySet::default() };
    for id in (0..viewers).map(ClientId) {
        let display = worker.display_mut();
        display.connect(id, ChannelLink { caps: caps.clone() }, Time::ZERO);
        let _ = display.handle_bytes(id, &bytes, Time::ZERO);
        while let Some(transmit) = display.poll_transmit(id, Time::ZERO) {
            display.handle_written(id, transmit.len, Time::ZERO);
        }
    }
    worker
}

/// Ten small fills, painted once and sent to every viewer: what a viewer costs beyond the first.
fn fanout(c: &mut Criterion) {
    let mut group = c.benchmark_group("ten fills to viewers");
    for viewers in [1, 10, 100] {
        group.throughput(Throughput::Elements(10 * viewers));
        group.bench_function(viewers.to_string(), |b| {
            b.iter_batched_ref(
                || worker(viewers),
                |worker| {
                    for number in 0..10 {
                        let _ = worker.handle_event(GuestEvent::Command(Command::Draw(Drawable {
                            surface: SurfaceId::PRIMARY,
                            bbox: Rect::new(number * 20, 40, 16, 16),
                            clip: Clip::None,
                            effect: Effect::OPAQUE,
                            mm_time: 0,
                            op: DrawOp::Fill(DrawFill::solid(7)),
                        })));
                    }
                    for id in (0..viewers).map(ClientId) {
                        while let Some(transmit) = worker.display_mut().poll_transmit(id, Time::ZERO) {
                            worker.display_mut().handle_written(id, transmit.len, Time::ZERO);
                        }
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
}

criterion_group!(benches, canvas, region, fanout);
criterion_main!(benches);
