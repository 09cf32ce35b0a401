//! Streams of the C encoder, pictures there and back, and streams that nobody's encoder wrote.

use proptest::prelude::*;

use super::*;

const FORMATS: [QuicFormat; 5] =
    [QuicFormat::Gray, QuicFormat::Rgb16, QuicFormat::Rgb24, QuicFormat::Rgb32, QuicFormat::Rgba];

/// A stream of the C encoder, what it is of, and the digest of what the C decoder makes of it.
struct Known {
    stream: &'static [u8],
    format: QuicFormat,
    size: (u32, u32),
    digest: u64,
}

macro_rules! known {
    ($name:literal, $format:ident, $size:expr, $digest:literal) => {
        Known {
            stream: include_bytes!(concat!("../../../tests/data/quic/", $name, ".quic")),
            format: QuicFormat::$format,
            size: $size,
            digest: $digest,
        }
    };
}

const KNOWN: [Known; 6] = [
    known!("xspice-400x300-rgba", Rgba, (400, 300), 0x6cbc_0ed4_c2e3_4b54),
    known!("xspice-24x24-rgba", Rgba, (24, 24), 0x3ca6_77fa_639a_14a6),
    known!("made-rgb32", Rgb32, (3000, 5), 0xb76f_d778_364b_fb71),
    known!("made-rgb24", Rgb24, (47, 33), 0x9313_68bc_2fda_0a83),
    known!("made-rgb16", Rgb16, (61, 40), 0x1fe4_fb76_0557_c23d),
    known!("made-gray", Gray, (90, 31), 0x7869_9325_69ee_2ab0),
];

const LIMIT: u64 = 1 << 18;

/// FNV-1a.
fn digest(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn streams_of_the_c_encoder_decode_and_come_back_to_the_byte() {
    for known in KNOWN {
        let image = decode(known.stream, LIMIT).unwrap();
        assert_eq!((image.format, (image.width, image.height)), (known.format, known.size));
        assert_eq!(digest(&image.pixels), known.digest, "{image:?}");
        let again = encode(&image.pixels, image.width, image.height, image.stride(), image.format).unwrap();
        assert!(again == known.stream, "{image:?}");
    }
}

#[test]
fn a_picture_of_one_pixel() {
    let stream = encode(&[10, 20, 30, 40], 1, 1, 4, QuicFormat::Rgba).unwrap();
    let image = decode(&stream, 1).unwrap();
    assert_eq!(image.pixels, [10, 20, 30, 40]);
    // A header, four codes of eight bits, and a word over.
    assert_eq!(stream.len(), QuicHeader::LEN + 8);
    assert_eq!(QuicHeader::read(&stream), Ok(QuicHeader { format: QuicFormat::Rgba, width: 1, height: 1 }));
}

#[test]
fn bits_that_are_not_coded_decode_as_zero() {
    let stream = encode(&[1, 2, 3, 255], 1, 1, 4, QuicFormat::Rgb32).unwrap();
    assert_eq!(decode(&stream, 1).unwrap().pixels, [1, 2, 3, 0]);
    let stream = encode(&[0xff, 0xff], 1, 1, 2, QuicFormat::Rgb16).unwrap();
    assert_eq!(decode(&stream, 1).unwrap().pixels, [0xff, 0x7f]);
}

#[test]
fn what_lies_between_rows_is_not_read() {
    let (width, height) = (7, 5);
    for format in FORMATS {
        let tight = Picture { kind: Kind::Noise, format, width, height, seed: 3 }.pixels();
        let row = width as usize * format.bytes_per_pixel();
        let mut loose: Vec<_> = tight.chunks(row).flat_map(|row| [row, &[0xaa; 9]].concat()).collect();
        loose.truncate(loose.len() - 9);
        let stream = encode(&tight, width, height, row, format).unwrap();
        assert_eq!(encode(&loose, width, height, row + 9, format).as_ref(), Ok(&stream));
        assert_eq!(encode_rows(tight.chunks(row), width, height, format), Ok(stream));
    }
}

#[test]
fn pictures_that_are_not_there_are_not_encoded() {
    let of = |len, width, height, stride| {
        encode(&vec![0; len], width, height, stride, QuicFormat::Rgb32).map(|_| ())
    };
    assert_eq!(of(24, 2, 3, 8), Ok(()));
    assert_eq!(of(23, 2, 3, 8), Err(QuicError::MissingRow { row: 2 }));
    assert_eq!(of(16, 2, 3, 8), Err(QuicError::MissingRow { row: 2 }));
    assert_eq!(of(24, 2, 3, 7), Err(QuicError::Stride { row: 8, stride: 7 }));
    assert_eq!(of(24, 0, 3, 0), Err(QuicError::Empty { width: 0, height: 3 }));
    assert_eq!(of(24, 2, 0, 8), Err(QuicError::Empty { width: 2, height: 0 }));
    let (width, height) = (1 << 15, 1 << 14);
    assert_eq!(of(24, width, height, 1 << 17), Err(QuicError::TooLarge { width, height, most: MAX_PIXELS }));
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Noise,
    Gradient,
    Flat,
    /// Slopes with a little noise.
    Natural,
    /// Level parts and single odd pixels.
    Ragged,
}

#[derive(Clone, Copy, Debug)]
struct Picture {
    kind: Kind,
    format: QuicFormat,
    width: u32,
    height: u32,
    seed: u64,
}

impl Picture {
    /// Its bytes, with zeros where a format codes nothing.
    fn pixels(&self) -> Vec<u8> {
        let mut state = self.seed | 1;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 32) as u32
        };
        let mut pixels = Vec::new();
        for (y, x) in (0..self.height).flat_map(|y| (0..self.width).map(move |x| (y, x))) {
            let random = noise();
            let pixel = match self.kind {
                Kind::Noise => random,
                Kind::Gradient => u32::from_le_bytes([x as u8, y as u8, (x + y) as u8, (x * 3) as u8]),
                Kind::Flat => self.seed as u32,
                Kind::Natural => {
                    let slope = (x * x / 23 + y * 5) as u8;
                    u32::from_le_bytes([slope, slope / 2, 255 - slope, 255]) ^ (random & 0x0003_0103)
                }
                Kind::Ragged if random.is_multiple_of(11) => random,
                Kind::Ragged => u32::from_le_bytes([(x / 9) as u8, (y / 4) as u8, 7, (x / 17) as u8]),
            };
            let bytes = match self.format {
                QuicFormat::Rgb16 => pixel & 0x7fff,
                QuicFormat::Rgb32 => pixel & 0x00ff_ffff,
                _ => pixel,
            };
            pixels.extend_from_slice(&bytes.to_le_bytes()[..self.format.bytes_per_pixel()]);
        }
        pixels
    }

    fn comes_back(&self) {
        let pixels = self.pixels();
        let row = self.width as usize * self.format.bytes_per_pixel();
        let stream = encode(&pixels, self.width, self.height, row, self.format).unwrap();
        assert!(stream.len().is_multiple_of(4));
        let image = decode(&stream, LIMIT).unwrap();
        assert_eq!((image.format, image.width, image.height), (self.format, self.width, self.height));
        assert!(image.pixels == pixels, "{self:?}");
        assert_eq!(image.stride() * image.height as usize, image.pixels.len());
    }
}

const KINDS: [Kind; 5] = [Kind::Noise, Kind::Gradient, Kind::Flat, Kind::Natural, Kind::Ragged];

prop_compose! {
    fn picture()(
        kind in proptest::sample::select(&KINDS[..]),
        format in proptest::sample::select(&FORMATS[..]),
        width in 1..=65_u32,
        height in 1..=67_u32,
        seed: u64,
    ) -> Picture {
        Picture { kind, format, width, height, seed }
    }
}

#[test]
fn narrow_low_and_long_pictures_come_back() {
    for (width, height) in [(1, 1), (2, 2), (3, 3), (4, 2), (1, 67), (65, 1), (2048, 2), (13_000, 4)] {
        for (format, kind) in FORMATS.into_iter().flat_map(|format| KINDS.map(|kind| (format, kind))) {
            Picture { kind, format, width, height, seed: 0x0102_0304 }.comes_back();
        }
    }
}

proptest! {
    #[test]
    fn any_picture_comes_back(picture in picture()) {
        picture.comes_back();
    }

    #[test]
    fn flipped_bits_are_an_error_or_another_picture(
        of in 0..KNOWN.len(),
        flips in proptest::collection::vec((any::<usize>(), 0..8_u32), 1..6),
    ) {
        let mut stream = KNOWN[of].stream.to_vec();
        for (at, bit) in flips {
            let at = at % stream.len();
            stream[at] ^= 1 << bit;
        }
        decodes_safely(&stream);
    }

    #[test]
    fn any_bytes_behind_a_header_are_an_error_or_a_picture(
        format in 1..=5_u32,
        width in 1..=80_u32,
        height in 1..=80_u32,
        words in proptest::collection::vec(prop_oneof![any::<u32>(), Just(0), Just(u32::MAX)], 0..900),
    ) {
        decodes_safely(&stream(&[MAGIC, 0, format, width, height], &words));
    }

    #[test]
    fn any_bytes_at_all_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        decodes_safely(&bytes);
    }
}

fn decodes_safely(stream: &[u8]) {
    if let Ok(image) = decode(stream, LIMIT) {
        assert!(u64::from(image.width) * u64::from(image.height) <= LIMIT);
        assert_eq!(image.pixels.len(), image.stride() * image.height as usize);
    }
}

const MAGIC: u32 = 0x4349_5551;

fn stream(header: &[u32], body: &[u32]) -> Vec<u8> {
    header.iter().chain(body).flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn a_stream_cut_anywhere_is_truncated() {
    for known in KNOWN.into_iter().skip(1) {
        let stream = known.stream;
        for len in 0..stream.len() {
            // The last word is there for decoders that read ahead of what they need.
            let whole = len >= stream.len() - 4;
            match decode(&stream[..len], LIMIT) {
                Ok(image) if whole => assert_eq!(digest(&image.pixels), known.digest),
                other => assert_eq!(other, Err(QuicError::Truncated), "{len} bytes of {}", stream.len()),
            }
        }
    }
}

#[test]
fn headers_that_are_refused() {
    let body = [0x8080_8080; 16];
    let (large, most) = (u32::MAX, LIMIT);
    let empty = |width, height| QuicError::Empty { width, height };
    let too_large = |width, height| QuicError::TooLarge { width, height, most };
    let cases = [
        ([MAGIC + 1, 0, 4, 2, 2], QuicError::Magic(MAGIC + 1)),
        ([MAGIC, 1, 4, 2, 2], QuicError::Version(1)),
        ([MAGIC, 0, 0, 2, 2], QuicError::Format(0)),
        ([MAGIC, 0, 6, 2, 2], QuicError::Format(6)),
        ([MAGIC, 0, large, 2, 2], QuicError::Format(large)),
        ([MAGIC, 0, 4, 0, 2], empty(0, 2)),
        ([MAGIC, 0, 4, 2, 0], empty(2, 0)),
        ([MAGIC, 0, 4, large, large], too_large(large, large)),
        ([MAGIC, 0, 5, 1 << 31, 2], too_large(1 << 31, 2)),
        ([MAGIC, 0, 1, 1 << 16, 1 << 16], too_large(1 << 16, 1 << 16)),
        ([MAGIC, 0, 2, 513, 512], too_large(513, 512)),
        // Allowed sizes, which sixteen words cannot fill.
        ([MAGIC, 0, 4, 512, 512], QuicError::Truncated),
        ([MAGIC, 0, 4, 1, 1 << 18], QuicError::Truncated),
        ([MAGIC, 0, 1, 1 << 18, 1], QuicError::Truncated),
    ];
    for (header, error) in cases {
        assert_eq!(decode(&stream(&header, &body), LIMIT), Err(error.clone()), "{header:?}");
        if !matches!(error, QuicError::Truncated | QuicError::TooLarge { .. }) {
            assert_eq!(QuicHeader::read(&stream(&header, &[])), Err(error));
        }
    }
    assert_eq!(decode(&[], LIMIT), Err(QuicError::Truncated));
    // No memory for sizes that a stream cannot fill, whatever is allowed.
    assert_eq!(decode(&stream(&[MAGIC, 0, 5, large, large], &body), u64::MAX).map(|_| ()).ok(), None);
}

#[test]
fn nothing_is_read_or_written_past_a_row_or_a_table() {
    // A level picture, whose stream goes on from some word with bits that no encoder writes there.
    let cases = [
        // Runs without end, to the end of the stream.
        (64, 2, u32::MAX, 2000, QuicError::Run),
        (3000, 3, u32::MAX, 2000, QuicError::Run),
        // Eighteen zeros are an escape in the code of small residuals; ones after them, a residual above 255.
        (400, 1, 0x0000_3fff, 200, QuicError::Code),
        (400, 1, 0x0000_3fff, 1, QuicError::Truncated),
        // Zeros are escapes for residuals that the codes would do without, but they end.
        (64, 8, 0, 3, QuicError::Truncated),
    ];
    for format in [QuicFormat::Gray, QuicFormat::Rgb24, QuicFormat::Rgba] {
        for (width, height, word, words, expected) in &cases {
            let picture = Picture { kind: Kind::Flat, format, width: *width, height: *height, seed: 0 };
            let row = *width as usize * format.bytes_per_pixel();
            let level = encode(&picture.pixels(), *width, *height, row, format).unwrap();
            let results: Vec<_> = (QuicHeader::LEN / 4..level.len() / 4)
                .map(|kept| [&level[..kept * 4], &stream(&[], &vec![*word; *words])].concat())
                .map(|stream| decode(&stream, LIMIT).map(|_| ()))
                .collect();
            assert!(
                results.contains(&Err(expected.clone())),
                "{format:?} {width}x{height} {word:#x}: {results:?}"
            );
        }
    }
}
