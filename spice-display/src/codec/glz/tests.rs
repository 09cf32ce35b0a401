//! Streams of the C encoder, sequences there and back, windows, and streams that nobody's encoder wrote.

use proptest::prelude::*;

use super::super::made::{KINDS, Kind, Noise, digest, streams};
use super::*;

const FORMATS: [GlzFormat; 4] = [GlzFormat::Rgb16, GlzFormat::Rgb24, GlzFormat::Rgb32, GlzFormat::Rgba];

/// What the C encoder makes of a sequence of pictures in a window of 6000 pixels.
const KNOWN: &[u8] = include_bytes!("../../../tests/data/glz/made.glz");
const KNOWN_WINDOW: u32 = 6000;

/// What spice-gtk's decoder makes of them, in the formats they have.
const DIGESTS: [u64; 14] = [
    0x2198_37c4_4301_b885,
    0xf663_7df3_9254_f958,
    0x1d6c_2858_398a_8295,
    0x74b2_8344_3c6f_902b,
    0xb8d2_b616_5d75_9617,
    0x4fd5_891c_e51a_d98e,
    0x992c_7db4_df23_cccc,
    0xba7f_f94d_0dbd_70d3,
    0x3c79_c9ea_4050_0754,
    0xc8b7_a984_fb73_77e3,
    0xdd65_d7f4_ea56_b4bc,
    0x21b4_5539_d57e_f428,
    0x6be2_43bf_7de0_d83d,
    0x120d_6692_3cde_3ba0,
];

fn source(format: GlzFormat, (width, height): (u32, u32), pixels: Vec<u8>) -> GlzSource {
    let mut data = pixels;
    match format {
        GlzFormat::Rgb16 => data.chunks_exact_mut(2).for_each(|pixel| pixel[1] &= 0x7f),
        GlzFormat::Rgb32 => data.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 0),
        _ => {}
    }
    let stride = width as usize * format.bytes_per_pixel();
    GlzSource { format, width, height, stride, top_down: !width.is_multiple_of(3), data: data.into() }
}

fn picture(kind: Kind, format: GlzFormat, (width, height): (u32, u32), seed: u64) -> GlzSource {
    let unit = format.bytes_per_pixel();
    let pixels = kind.pixels(unit, width as usize * unit, height as usize, seed);
    source(format, (width, height), pixels)
}

/// A dictionary and a viewer of it.
struct Pair {
    dictionary: Dictionary,
    viewer: Decoder,
    id: u64,
}

impl Pair {
    fn new(window: u32) -> Self {
        Self { dictionary: Dictionary::new(window), viewer: Decoder::new(window.into()), id: 0 }
    }

    /// Encodes, decodes, compares, and answers the size of the stream.
    fn send(&mut self, source: &GlzSource) -> usize {
        let encoded = self.dictionary.encode(source, self.id as u32).unwrap();
        let stream = stream(&encoded, self.id);
        let image = self.viewer.decode(&stream).unwrap();
        let GlzSource { format, width, height, top_down, ref data, .. } = *source;
        assert_eq!(image, GlzImage { format, width, height, top_down, pixels: data.clone() });
        assert!(u64::from(encoded.farthest) <= self.id && encoded.farthest <= encoded.before);
        assert!(self.viewer.images() <= self.dictionary.images());
        self.id += 1;
        stream.len()
    }
}

fn stream(encoded: &Encoded, id: u64) -> Vec<u8> {
    let head = u64::from(encoded.before).min(id) as u32;
    [&encoded.header(id, head)[..], &encoded.body].concat()
}

#[test]
fn streams_of_the_c_encoder_decode() {
    let streams = streams(KNOWN);
    assert_eq!(streams.len(), DIGESTS.len());
    let mut decoder = Decoder::new(KNOWN_WINDOW.into());
    let mut dictionary = Dictionary::new(KNOWN_WINDOW);
    for ((stream, known), id) in streams.into_iter().zip(DIGESTS).zip(0..) {
        let header = GlzHeader::read(stream).unwrap();
        assert_eq!(header.id, id);
        let image = decoder.decode(stream).unwrap();
        assert_eq!(digest(&image.pixels), known, "{image:?} {:#x}", digest(&image.pixels));
        let encoded = dictionary
            .encode(&source(image.format, (image.width, image.height), image.pixels.to_vec()), u32::MAX);
        let encoded = encoded.unwrap();
        assert_eq!(encoded.before, header.head_distance, "the windows agree");
        assert_eq!(decoder.images(), dictionary.images());
        assert_eq!(decoder.pixels(), dictionary.pixels());
    }
}

#[test]
fn pictures_of_any_size_come_back() {
    let sizes =
        [(1, 1), (2, 1), (1, 2), (3, 1), (2, 2), (5, 1), (3, 3), (1, 67), (65, 1), (513, 257), (13_000, 4)];
    let mut pair = Pair::new(MAX_WINDOW);
    for size in sizes {
        for (format, kind) in FORMATS.into_iter().flat_map(|format| KINDS.map(|kind| (format, kind))) {
            let picture = picture(kind, format, size, 7);
            let first = pair.send(&picture);
            let again = pair.send(&picture);
            if matches!(kind, Kind::Noise) {
                let most = 50 + picture.data.len() / 255;
                assert!(again < most, "{format:?} {size:?}: {first}, again {again}");
            }
        }
    }
}

#[test]
fn pictures_encoded_alone_stand_for_those_of_the_dictionary() {
    let mut dictionary = Dictionary::new(20_000);
    let mut viewer = Decoder::new(20_000);
    let mut noise = Noise::new(9);
    for id in 0..400 {
        let size = (1 + noise.below(40) as u32, 1 + noise.below(20) as u32);
        let source = picture(KINDS[noise.below(5)], FORMATS[noise.below(4)], size, noise.below(3) as u64);
        let shared = dictionary.encode(&source, id as u32).unwrap();
        let alone = encode_alone(&source).unwrap();
        assert_eq!((alone.before, alone.farthest), (0, 0));
        let sent = if noise.below(2) == 0 { &shared } else { &alone };
        let stream = [&sent.header(id, shared.before)[..], &sent.body].concat();
        assert_eq!(viewer.decode(&stream).unwrap().pixels, source.data);
        assert!(alone.body.len() <= source.data.len() + source.data.len() / 32 + 2, "{source:?}");
    }
}

#[test]
fn a_window_holds_so_many_pictures_however_small() {
    let mut dictionary = Dictionary::new(MAX_WINDOW);
    let dot = picture(KINDS[0], GlzFormat::Rgb32, (1, 1), 1);
    for _ in 0..MAX_IMAGES + 3 {
        dictionary.encode(&dot, u32::MAX).unwrap();
    }
    assert_eq!(dictionary.images(), MAX_IMAGES);
}

#[test]
fn windows_agree_over_long_sequences() {
    for (window, seed) in [(400, 1), (3000, 2), (3000, 3), (20_000, 4)] {
        let mut pair = Pair::new(window);
        let mut noise = Noise::new(seed);
        let mut kept: Vec<GlzSource> = Vec::new();
        let mut referred = 0;
        for _ in 0..1500 {
            let width = 1 + noise.below(40) as u32;
            let height = 1 + noise.below((window / width / 3).min(30) as usize) as u32;
            let format = FORMATS[noise.below(4)];
            let mut pixels =
                picture(KINDS[noise.below(5)], format, (width, height), noise.below(5) as u64).data.to_vec();
            if let Some(old) = kept.iter().rev().filter(|old| old.format == format).nth(noise.below(12)) {
                let unit = format.bytes_per_pixel();
                let from = noise.below(old.data.len() / unit) * unit;
                let piece = &old.data[from..][..pixels.len().min(old.data.len() - from)];
                pixels[..piece.len()].copy_from_slice(piece);
            }
            let source = source(format, (width, height), pixels);
            pair.send(&source);
            kept.push(source);
            assert_eq!(pair.viewer.images(), pair.dictionary.images());
            assert_eq!(pair.viewer.pixels(), pair.dictionary.pixels());
            assert!(pair.dictionary.pixels() <= window.into());
            let images = pair.dictionary.images();
            let weight = kept[kept.len() - images..].iter().map(|source| source.data.len()).sum();
            assert_eq!(pair.dictionary.weight(), weight);
            referred += images;
        }
        assert!(referred > 3000, "windows of {window} pixels hold {referred} pictures over the time");
    }
}

#[test]
fn what_has_left_the_window_is_not_referred_to() {
    let noise = |seed| picture(Kind::Noise, GlzFormat::Rgb32, (20, 10), seed);
    let mut pair = Pair::new(600);
    let fresh = pair.send(&noise(1));
    pair.send(&noise(2));
    assert!(pair.send(&noise(1)) < 50);
    pair.send(&noise(3));
    assert_eq!(pair.dictionary.images(), 3);
    assert!(pair.send(&noise(1)) < 50, "the second of them is there still");
    assert!(pair.send(&noise(2)) > 600);
    for seed in 4..7 {
        pair.send(&noise(seed));
    }
    assert_eq!(pair.send(&noise(1)), fresh);
    let whole = picture(Kind::Noise, GlzFormat::Rgb32, (60, 10), 9);
    pair.send(&whole);
    assert_eq!(pair.dictionary.images(), 1);
    let error = GlzError::TooLarge { width: 601, height: 1, most: 600 };
    let too_large = picture(Kind::Flat, GlzFormat::Rgb32, (601, 1), 9);
    assert_eq!(pair.dictionary.encode(&too_large, 0).unwrap_err(), error);
    assert_eq!((pair.dictionary.images(), pair.dictionary.pixels()), (1, 600));
}

#[test]
fn a_frame_again_costs_little() {
    let (format, size) = (GlzFormat::Rgb32, (200, 150));
    for kind in KINDS {
        let mut pair = Pair::new(1 << 20);
        pair.send(&picture(kind, format, size, 1));
        for _ in 0..40 {
            // The first of them leaves the window on the way.
            let again = pair.send(&picture(kind, format, size, 1));
            assert!(again < 400, "{kind:?}: {again} bytes");
        }
    }
}

#[test]
fn reach_is_a_limit_in_pictures() {
    let noise = |seed| picture(Kind::Noise, GlzFormat::Rgba, (20, 20), seed);
    let mut dictionary = Dictionary::new(1 << 20);
    for seed in 0..5 {
        dictionary.encode(&noise(seed), u32::MAX).unwrap();
    }
    for (seed, reach, farthest) in
        [(4, 1, 1), (2, 3, 0), (2, 1, 1), (0, 8, 8), (1, 7, 0), (3, 0, 0), (3, 1, 1)]
    {
        let encoded = dictionary.encode(&noise(seed), reach).unwrap();
        assert_eq!(encoded.farthest, farthest, "{seed} {reach}");
        assert_eq!(encoded.body.len() > 1000, farthest == 0);
    }
}

#[test]
fn viewers_who_come_later_share_bodies() {
    let mut noise = Noise::new(5);
    let mut dictionary = Dictionary::new(4000);
    let mut viewers: Vec<(Decoder, u64)> = Vec::new();
    for number in 0..400_u64 {
        if number % 50 == 0 {
            viewers.push((Decoder::new(4000), 0));
        }
        let picture =
            picture(Kind::Repeats, FORMATS[noise.below(4)], (30, 1 + noise.below(20) as u32), number % 7);
        let youngest = viewers.iter().map(|(_, id)| *id).min().unwrap();
        let encoded = dictionary.encode(&picture, youngest as u32).unwrap();
        for (viewer, id) in &mut viewers {
            let image = viewer.decode(&stream(&encoded, *id)).unwrap();
            assert!(image.pixels == picture.data);
            *id += 1;
        }
    }
}

#[test]
fn the_same_sequence_gives_the_same_bytes() {
    let bytes = || {
        let mut dictionary = Dictionary::new(5000);
        (0..60)
            .map(|number| {
                let picture = picture(KINDS[number % 5], FORMATS[number % 4], (30, 20), number as u64 / 9);
                dictionary.encode(&picture, u32::MAX).unwrap().body
            })
            .collect::<Vec<_>>()
    };
    assert!(bytes() == bytes());
}

#[test]
fn what_lies_between_rows_is_not_read_or_kept() {
    for format in FORMATS {
        let tight = picture(Kind::Text, format, (21, 6), 3);
        let mut loose: Vec<_> =
            tight.data.chunks(tight.stride).flat_map(|row| [row, &[0xaa; 9]].concat()).collect();
        loose.truncate(loose.len() - 9);
        let loose = GlzSource { stride: tight.stride + 9, data: loose.into(), ..tight.clone() };
        let mut dictionary = Dictionary::new(1000);
        let body = dictionary.encode(&loose, 0).unwrap().body;
        assert_eq!(dictionary.weight(), tight.data.len());
        assert_eq!(body, Dictionary::new(1000).encode(&tight, 0).unwrap().body);
    }
}

#[test]
fn pictures_that_are_not_there_are_not_encoded() {
    let mut dictionary = Dictionary::new(100);
    let mut of = |len, width, height, stride| {
        let data = vec![0; len].into();
        let source = GlzSource { format: GlzFormat::Rgb32, width, height, stride, top_down: true, data };
        dictionary.encode(&source, 0).map(|_| ())
    };
    assert_eq!(of(24, 2, 3, 8), Ok(()));
    assert_eq!(of(23, 2, 3, 8), Err(GlzError::Rows(LzError::Short { needed: 24, len: 23 })));
    assert_eq!(of(24, 2, 3, 7), Err(GlzError::Rows(LzError::Stride { row: 8, stride: 7 })));
    assert_eq!(of(24, 0, 3, 0), Err(GlzError::Empty { width: 0, height: 3 }));
    assert_eq!(of(24, 2, 0, 8), Err(GlzError::Empty { width: 2, height: 0 }));
    let (width, height) = (u32::MAX, u32::MAX);
    assert_eq!(of(24, width, height, 8), Err(GlzError::TooLarge { width, height, most: 100 }));
    assert_eq!(dictionary.images(), 1);
}

#[test]
fn a_dictionary_is_small() {
    const { assert!(Dictionary::OVERHEAD < 4 << 20) };
    assert_eq!(Dictionary::new(u32::MAX).window(), MAX_WINDOW);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_sequence_comes_back(
        window in 300_u32..40_000,
        pictures in proptest::collection::vec(
            (0..5_usize, 0..4_usize, 1..=24_u32, 1..=12_u32, 0..4_u64),
            1..40,
        ),
    ) {
        let mut pair = Pair::new(window);
        for (kind, format, width, height, seed) in pictures {
            pair.send(&picture(KINDS[kind], FORMATS[format], (width, height), seed));
        }
    }

    #[test]
    fn flipped_bits_are_errors_or_other_pictures(
        flips in proptest::collection::vec((0..14_usize, any::<usize>(), 0..8_u32), 1..6),
    ) {
        let mut streams: Vec<_> = streams(KNOWN).into_iter().map(<[u8]>::to_vec).collect();
        for (of, at, bit) in flips {
            let at = at % streams[of].len();
            streams[of][at] ^= 1 << bit;
        }
        let mut decoder = Decoder::new(KNOWN_WINDOW.into());
        for stream in streams {
            decodes_safely(&mut decoder, &stream);
        }
    }

    #[test]
    fn any_bytes_behind_headers_are_errors_or_pictures(
        bodies in proptest::collection::vec(
            (
                0..4_usize,
                1..=30_u32,
                1..=30_u32,
                proptest::collection::vec(prop_oneof![any::<u8>(), 0..70_u8, Just(0xff)], 0..300),
            ),
            1..8,
        ),
    ) {
        let mut decoder = Decoder::new(1000);
        for (format, width, height, body) in bodies {
            let id = decoder.next_id();
            let head_distance = id.min(2) as u32;
            let header = GlzHeader { format: FORMATS[format], width, height, top_down: true, id, head_distance };
            decodes_safely(&mut decoder, &[&header.to_bytes()[..], &body].concat());
        }
    }
}

fn decodes_safely(decoder: &mut Decoder, stream: &[u8]) {
    let images = decoder.images();
    match decoder.decode(stream) {
        Ok(image) => assert_eq!(image.pixels.len(), image.stride() * image.height as usize),
        Err(_) => assert!(decoder.images() <= images),
    }
    assert!(decoder.pixels() <= KNOWN_WINDOW.into());
}

#[test]
fn a_stream_cut_anywhere_is_truncated_and_one_that_goes_on_is_refused() {
    let streams = streams(KNOWN);
    let mut decoder = Decoder::new(KNOWN_WINDOW.into());
    for stream in streams {
        for len in 0..stream.len() {
            assert_eq!(decoder.decode(&stream[..len]), Err(GlzError::Truncated), "{len} of {}", stream.len());
        }
        assert_eq!(decoder.decode(&[stream, &[0, 0]].concat()), Err(GlzError::Trailing(2)));
        decoder.decode(stream).unwrap();
    }
}

#[test]
fn headers_that_are_refused() {
    let good =
        GlzHeader { format: GlzFormat::Rgb32, width: 4, height: 2, top_down: true, id: 0, head_distance: 0 };
    let bytes = good.to_bytes();
    assert_eq!(&bytes[..21], b"  ZL\0\x01\0\x01\x18\0\0\0\x04\0\0\0\x02\0\0\0\x10");
    assert_eq!(GlzHeader::read(&bytes), Ok(good));
    let far = GlzHeader { id: u64::MAX - 1, head_distance: u32::MAX, top_down: false, ..good };
    assert_eq!(GlzHeader::read(&far.to_bytes()), Ok(far));

    let with = |at: usize, byte| {
        let mut bytes = bytes;
        bytes[at] = byte;
        GlzHeader::read(&bytes).unwrap_err()
    };
    assert_eq!(with(0, 0), GlzError::Magic(0x0020_5a4c));
    assert_eq!(with(7, 2), GlzError::Version(0x0001_0002));
    assert_eq!(with(8, 0x1a), GlzError::Format(10));
    assert_eq!(with(8, 0x10), GlzError::Format(0));
    assert_eq!(with(12, 0), GlzError::Empty { width: 0, height: 2 });
    assert_eq!(with(16, 0), GlzError::Empty { width: 4, height: 0 });
    assert_eq!(with(20, 17), GlzError::Stride { row: 16, stride: 17 });
    assert_eq!(with(32, 1), GlzError::Head { id: 0, head_distance: 1 });

    let mut decoder = Decoder::new(100);
    let mut refuse = |header: GlzHeader, len| {
        decoder.decode(&[&header.to_bytes()[..], &vec![0xe0; len]].concat()).unwrap_err()
    };
    assert_eq!(refuse(GlzHeader { id: 1, ..good }, 9), GlzError::Order { id: 1, next: 0 });
    let (width, height) = (101, 1);
    assert_eq!(
        refuse(GlzHeader { width, height, ..good }, 9),
        GlzError::TooLarge { width, height, most: 100 }
    );
    let (width, height) = (1 << 29, u32::MAX);
    assert_eq!(
        refuse(GlzHeader { width, height, ..good }, 9),
        GlzError::TooLarge { width, height, most: 100 }
    );
    assert_eq!(refuse(good, 0), GlzError::Truncated);
}

#[test]
fn references_stay_within_the_window() {
    let mut decoder = Decoder::new(100);
    let send = |decoder: &mut Decoder, format, width, head_distance, body: &[u8]| {
        let id = decoder.next_id();
        let header = GlzHeader { format, width, height: 1, top_down: true, id, head_distance };
        decoder.decode(&[&header.to_bytes()[..], body].concat()).map(|image| image.pixels.to_vec())
    };
    use GlzFormat::{Rgb24, Rgb32, Rgba};
    let abc = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    // Nothing before the first picture, nor before its first pixel.
    for body in [[0x20, 0, 0], [0x20, 0, 1], [0x20, 1, 0]] {
        assert_eq!(send(&mut decoder, Rgb24, 1, 0, &body), Err(GlzError::Reference));
    }
    assert_eq!(send(&mut decoder, Rgb24, 3, 0, &[&[2][..], &abc].concat()), Ok(abc.to_vec()));
    // One picture back, from its second pixel.
    assert_eq!(send(&mut decoder, Rgb24, 2, 1, &[0x41, 0, 1]), Ok(abc[3..].to_vec()));
    // Not past its end, not two pictures further, not another format, not more than fits.
    assert_eq!(send(&mut decoder, Rgb24, 3, 2, &[0x61, 0, 2]), Err(GlzError::Reference));
    assert_eq!(send(&mut decoder, Rgb24, 3, 2, &[0x23, 0, 2, 0, 9, 9, 9]), Err(GlzError::Reference));
    assert_eq!(send(&mut decoder, Rgb24, 3, 2, &[0x60, 0, 3]), Err(GlzError::Reference));
    assert_eq!(send(&mut decoder, Rgb24, 3, 2, &[0x60, 0, 0x7f, 255]), Err(GlzError::Reference));
    assert_eq!(send(&mut decoder, Rgb32, 3, 2, &[0x60, 0, 2]), Err(GlzError::Reference));
    assert_eq!(send(&mut decoder, Rgba, 3, 2, &[0x60, 0, 2]), Err(GlzError::Reference));
    assert_eq!(send(&mut decoder, Rgb24, 2, 2, &[0x60, 0, 2]), Err(GlzError::Overrun));
    assert_eq!(send(&mut decoder, Rgb24, 3, 2, &[0x60, 0]), Err(GlzError::Truncated));
    assert_eq!(send(&mut decoder, Rgb24, 3, 2, &[0x60, 0, 2]), Ok(abc.to_vec()));
    // Let go of by a header, whether or not the picture can be decoded.
    assert_eq!(send(&mut decoder, Rgb24, 3, 1, &[0x60, 0, 3]), Err(GlzError::Reference));
    assert_eq!((decoder.images(), decoder.pixels()), (1, 3));
    assert_eq!(send(&mut decoder, Rgb24, 3, 3, &[0x60, 0, 3]), Err(GlzError::Reference));
}
