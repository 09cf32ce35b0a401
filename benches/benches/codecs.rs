//! Image codecs on three kinds of made-up pictures: source bytes a second.

use std::hint::black_box;

use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use spice_display::codec::{glz, jpeg, lz, quic, zlib};

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;
const STRIDE: usize = WIDTH as usize * 4;
const PIXELS: u64 = WIDTH as u64 * HEIGHT as u64;

struct Noise(u32);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 16
    }
}

/// RGB32 pixels, by column and row.
fn picture(pixel: impl Fn(u32, u32) -> u32) -> Bytes {
    let rows = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
    rows.flat_map(|(x, y)| pixel(x, y).to_le_bytes()).collect()
}

/// Dark glyphs of 7 x 12 pixels with grey edges, forty of them in no order.
fn text() -> Bytes {
    let mut noise = Noise(1);
    let glyphs: Vec<_> = (0..40 * 84)
        .map(|_| [0x00ff_ffff, 0x00ff_ffff, 0x0080_8080, 0x0020_2020][noise.next() as usize % 4])
        .collect();
    let letters: Vec<_> = (0..100 * 40).map(|_| noise.next() % 40).collect();
    picture(|x, y| {
        let letter = letters[(y / 16 * 100 + x / 8) as usize];
        match (x % 8, y % 16) {
            (x @ 0..7, y @ 2..14) => glyphs[(letter * 84 + (y - 2) * 7 + x) as usize],
            _ => 0x00ff_ffff,
        }
    })
}

/// Slopes with noise in their low bits.
fn photo() -> Bytes {
    let mut noise = Noise(2);
    let grain: Vec<_> = (0..PIXELS).map(|_| noise.next() & 0x0003_0303).collect();
    picture(|x, y| {
        let (red, green, blue) =
            ((x * x / 3000 + y / 4) & 255, (y * 2 / 5 + x / 8) & 255, ((x ^ y) / 7) & 255);
        ((red << 16) | (green << 8) | blue) ^ grain[(y * WIDTH + x) as usize]
    })
}

/// Windows with frames, title bars with a slope, and text in one of them, on a plain ground.
fn desktop() -> Bytes {
    let text = text();
    let texts = text.as_chunks().0;
    picture(|x, y| {
        let (column, row) = (x % 300, y % 200);
        match (column, row) {
            (0..20, _) | (_, 0..16) => 0x0030_5070,
            (20..22, _) | (298.., _) | (_, 198..) => 0x0010_1010,
            (_, 16..36) => 0x0040_80c0 + (column / 8),
            _ if x < 300 => u32::from_le_bytes(texts[(y * WIDTH + x) as usize]),
            _ => 0x00f0_f0f0,
        }
    })
}

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn by_quic(group: &mut Group<'_>, data: &[u8]) -> usize {
    let format = quic::QuicFormat::Rgb32;
    let encode = || quic::encode(black_box(data), WIDTH, HEIGHT, STRIDE, format).unwrap_or_default();
    group.bench_function("quic encode", |b| b.iter(encode));
    let stream = encode();
    group.bench_function("quic decode", |b| b.iter(|| quic::decode(black_box(&stream), PIXELS)));
    stream.len()
}

fn by_lz(group: &mut Group<'_>, data: &[u8]) -> usize {
    let encode = || {
        let mut stream = Vec::new();
        let (format, data) = (lz::LzFormat::Rgb32, black_box(data));
        let source =
            lz::LzSource { format, width: WIDTH, height: HEIGHT, stride: STRIDE, top_down: true, data };
        lz::encode(&source, &mut stream).map(|()| stream).unwrap_or_default()
    };
    group.bench_function("lz encode", |b| b.iter(encode));
    let stream = encode();
    group.bench_function("lz decode", |b| b.iter(|| lz::decode(black_box(&stream), PIXELS)));
    stream.len()
}

/// The library's: what it packs takes six bytes more in a message.
fn by_lz4(group: &mut Group<'_>, data: &[u8]) -> usize {
    let mut packed = vec![0; lz4_flex::block::get_maximum_output_size(data.len())];
    group.bench_function("lz4 encode", |b| {
        b.iter(|| lz4_flex::block::compress_into(black_box(data), &mut packed));
    });
    lz4_flex::block::compress_into(data, &mut packed).unwrap_or_default()
}

fn by_jpeg(group: &mut Group<'_>, data: &[u8]) -> usize {
    let of = |format, data| {
        let (width, height, stride) = (WIDTH, HEIGHT, STRIDE);
        jpeg::JpegSource { format, width, height, stride, top_down: true, data }
    };
    let encode = || {
        let source = of(jpeg::JpegFormat::Rgb32, black_box(data));
        jpeg::encode(&source, jpeg::QUALITY).unwrap_or_default()
    };
    group.bench_function("jpeg encode", |b| b.iter(encode));
    group.bench_function("jpeg and alpha encode", |b| {
        b.iter(|| jpeg::encode_alpha(&of(jpeg::JpegFormat::Rgba, black_box(data)), jpeg::QUALITY));
    });
    encode().len()
}

/// By itself, and the whole way with zlib.
fn by_glz(group: &mut Group<'_>, data: Bytes) -> (usize, usize) {
    let (format, width, height, stride) = (glz::GlzFormat::Rgb32, WIDTH, HEIGHT, STRIDE);
    let source = glz::GlzSource { format, width, height, stride, top_down: true, data };
    // Out of reach is what is not there: a picture without others before it.
    let mut dictionary = glz::Dictionary::new(1 << 20);
    group.bench_function("glz encode, first", |b| b.iter(|| dictionary.encode(black_box(&source), 0)));
    group.bench_function("glz encode, again", |b| b.iter(|| dictionary.encode(black_box(&source), 1)));
    group.bench_function("zlib_glz encode, first", |b| {
        b.iter(|| {
            let encoded = dictionary.encode(black_box(&source), 0);
            encoded.map(|encoded| {
                zlib::ZlibBody::new(&encoded.body).map(|body| body.behind(&encoded.header(0, 0)))
            })
        });
    });

    let Ok(encoded) = dictionary.encode(&source, 0) else { return (0, 0) };
    let stream = |id: u64| [&encoded.header(id, 0)[..], &encoded.body].concat();
    let mut viewer = glz::Decoder::new(PIXELS);
    group.bench_function("glz decode", |b| b.iter(|| viewer.decode(&stream(viewer.next_id()))));
    // The first picture, every time: the viewer is new.
    let Ok(body) = zlib::ZlibBody::new(&encoded.body) else { return (0, 0) };
    let packed = body.behind(&encoded.header(0, 0));
    let data = packed.data.to_bytes();
    group.bench_function("zlib_glz decode", |b| {
        b.iter(|| {
            let stream = zlib::decode(black_box(&data), packed.glz_size, u64::MAX);
            stream.map(|stream| glz::Decoder::new(PIXELS).decode(&stream))
        });
    });
    (encoded.body.len() + glz::GlzHeader::LEN, packed.data.len())
}

fn codecs(c: &mut Criterion) {
    for (name, data) in [("text", text()), ("photo", photo()), ("desktop", desktop())] {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(data.len() as u64));
        let quic = by_quic(&mut group, &data);
        let lz = by_lz(&mut group, &data);
        let lz4 = by_lz4(&mut group, &data);
        let jpeg = by_jpeg(&mut group, &data);
        let len = data.len();
        let (glz, zlib_glz) = by_glz(&mut group, data);
        group.finish();
        println!(
            "{name}, bytes of {len}: quic {quic}, lz {lz}, lz4 {lz4}, jpeg {jpeg}, glz {glz}, zlib_glz {zlib_glz}"
        );
    }
}

criterion_group!(benches, codecs);
criterion_main!(benches);
