//! Streams of the C encoder, pictures there and back, and streams that nobody's encoder wrote.

use proptest::prelude::*;

use super::super::made::{KINDS, Kind, digest, streams};
use super::parse::MAX_LITERALS;
use super::recent::NEAR;
use super::*;

const LIMIT: u64 = 1 << 18;

/// Streams of the C encoder, one of each format.
const KNOWN: &[u8] = include_bytes!("../../../tests/data/lz/made.lz");

/// What the C decoder makes of them.
const DIGESTS: [u64; 11] = [
    0x0faf_b1b6_56b5_7665,
    0x7e71_dc43_135b_e464,
    0x29de_7524_6330_891a,
    0xd1e7_9aa9_4436_f802,
    0x3729_9f96_5ee3_e416,
    0x335c_81bb_9dc9_ebcc,
    0x31cb_d9be_d430_7ce5,
    0x91bd_560b_0476_9a0b,
    0x07be_6ee5_cf38_09f9,
    0x50c8_da03_6df5_1210,
    0xfc3d_e018_432f_eb44,
];

#[test]
fn streams_of_the_c_encoder_decode() {
    let streams = streams(KNOWN);
    assert_eq!(streams.len(), DIGESTS.len());
    for ((stream, known), format) in streams.into_iter().zip(DIGESTS).zip(LzFormat::ALL) {
        let image = decode(stream, LIMIT).unwrap();
        assert_eq!(image.format, format);
        assert_eq!(digest(&image.pixels), known, "{image:?} {:#x}", digest(&image.pixels));
        Picture::of(&image).comes_back();
    }
}

#[derive(Clone, Debug)]
struct Picture {
    format: LzFormat,
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Picture {
    fn new(kind: Kind, format: LzFormat, (width, height): (u32, u32), seed: u64) -> Self {
        let row = format.row_len(width) as usize;
        let mut pixels = kind.pixels(format.unit_len(), row, height as usize, seed);
        match format {
            LzFormat::Rgb16 => pixels.chunks_exact_mut(2).for_each(|pixel| pixel[1] &= 0x7f),
            LzFormat::Rgb32 => pixels.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 0),
            LzFormat::Xxxa => pixels.chunks_exact_mut(4).for_each(|pixel| pixel[..3].fill(0)),
            _ => {}
        }
        Self { format, width, height, pixels }
    }

    fn of(image: &LzImage) -> Self {
        let LzImage { format, width, height, ref pixels, .. } = *image;
        Self { format, width, height, pixels: pixels.clone() }
    }

    fn source(&self) -> LzSource<'_> {
        let Self { format, width, height, ref pixels } = *self;
        let stride = format.row_len(width) as usize;
        LzSource { format, width, height, stride, top_down: !width.is_multiple_of(3), data: pixels }
    }

    fn encode(&self) -> Vec<u8> {
        let mut stream = Vec::new();
        encode(&self.source(), &mut stream).unwrap();
        stream
    }

    fn comes_back(&self) {
        let stream = self.encode();
        let LzImage { format, width, height, top_down, pixels } = decode(&stream, LIMIT).unwrap();
        assert_eq!((format, width, height), (self.format, self.width, self.height));
        assert_eq!(top_down, self.source().top_down);
        assert!(pixels == self.pixels, "{format:?} {width}x{height}");
        let worst = self.pixels.len() + self.pixels.len() / MAX_LITERALS + LzHeader::LEN + 8;
        assert!(stream.len() <= worst, "{} bytes of {}", stream.len(), self.pixels.len());
        assert_eq!(self.encode(), stream);
    }
}

prop_compose! {
    fn picture()(
        kind in proptest::sample::select(&KINDS[..]),
        format in proptest::sample::select(&LzFormat::ALL[..]),
        width in prop_oneof![1..=9_u32, 1..=513_u32],
        height in prop_oneof![1..=9_u32, 1..=257_u32],
        seed: u64,
    ) -> Picture {
        Picture::new(kind, format, (width, height), seed)
    }
}

#[test]
fn narrow_low_and_long_pictures_come_back() {
    let sizes =
        [(1, 1), (2, 1), (1, 2), (3, 1), (2, 2), (5, 1), (3, 3), (1, 67), (65, 1), (513, 257), (13_000, 4)];
    for size in sizes {
        for (format, kind) in LzFormat::ALL.into_iter().flat_map(|format| KINDS.map(|kind| (format, kind))) {
            Picture::new(kind, format, size, 0x0102_0304).comes_back();
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
        of in 0..LzFormat::ALL.len(),
        flips in proptest::collection::vec((any::<usize>(), 0..8_u32), 1..6),
    ) {
        let mut stream = streams(KNOWN)[of].to_vec();
        for (at, bit) in flips {
            let at = at % stream.len();
            stream[at] ^= 1 << bit;
        }
        decodes_safely(&stream);
    }

    #[test]
    fn any_bytes_behind_a_header_are_an_error_or_a_picture(
        format in proptest::sample::select(&LzFormat::ALL[..]),
        width in 1..=80_u32,
        height in 1..=80_u32,
        body in proptest::collection::vec(prop_oneof![any::<u8>(), 0..40_u8, Just(0xff)], 0..900),
    ) {
        decodes_safely(&stream(LzHeader { format, width, height, top_down: true }, &body));
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

fn stream(header: LzHeader, body: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    header.write(&mut stream);
    stream.extend_from_slice(body);
    stream
}

fn row(format: LzFormat, width: u32, body: &[u8]) -> Result<Vec<u8>, LzError> {
    let header = LzHeader { format, width, height: 1, top_down: true };
    decode(&stream(header, body), LIMIT).map(|image| image.pixels)
}

#[test]
fn the_stream_is_what_it_is_known_to_be() {
    let picture = Picture { format: LzFormat::Rgb32, width: 4, height: 2, pixels: [1, 2, 3, 0].repeat(8) };
    let mut source = picture.source();
    source.top_down = true;
    let mut stream = Vec::new();
    encode(&source, &mut stream).unwrap();
    let header = b"  ZL\0\x01\0\x01\0\0\0\x08\0\0\0\x04\0\0\0\x02\0\0\0\x10\0\0\0\x01";
    // A literal, then seven pixels at distance one.
    assert_eq!(stream, [&header[..], &[0, 1, 2, 3, 0xe0, 0, 0]].concat());
    assert_eq!(
        LzHeader::read(&stream),
        Ok(LzHeader { format: LzFormat::Rgb32, width: 4, height: 2, top_down: true })
    );
}

#[test]
fn bits_that_are_not_coded_decode_as_zero() {
    for (format, pixels, decoded) in [
        (LzFormat::Rgb32, [1, 2, 3, 255], [1, 2, 3, 0]),
        (LzFormat::Xxxa, [1, 2, 3, 255], [0, 0, 0, 255]),
        (LzFormat::Rgba, [1, 2, 3, 255], [1, 2, 3, 255]),
    ] {
        let picture = Picture { format, width: 1, height: 1, pixels: pixels.to_vec() };
        assert_eq!(decode(&picture.encode(), 1).unwrap().pixels, decoded);
    }
    let picture =
        Picture { format: LzFormat::Rgb16, width: 2, height: 1, pixels: vec![0xff, 0xff, 0xff, 0x7f] };
    assert_eq!(decode(&picture.encode(), 2).unwrap().pixels, [0xff, 0x7f, 0xff, 0x7f]);
}

#[test]
fn what_lies_between_rows_is_not_read() {
    for format in LzFormat::ALL {
        let picture = Picture::new(Kind::Text, format, (21, 6), 3);
        let row = picture.source().stride;
        let mut loose: Vec<_> =
            picture.pixels.chunks(row).flat_map(|row| [row, &[0xaa; 9]].concat()).collect();
        loose.truncate(loose.len() - 9);
        let source = LzSource { stride: row + 9, data: &loose, ..picture.source() };
        let mut stream = Vec::new();
        encode(&source, &mut stream).unwrap();
        assert_eq!(stream, picture.encode());
    }
}

#[test]
fn pictures_that_are_not_there_are_not_encoded() {
    let of = |len, width, height, stride| {
        let data = &vec![0; len];
        let mut out = vec![7];
        let source = LzSource { format: LzFormat::Rgb32, width, height, stride, top_down: true, data };
        let result = encode(&source, &mut out);
        assert_eq!(out.len() == 1, result.is_err());
        result
    };
    assert_eq!(of(24, 2, 3, 8), Ok(()));
    assert_eq!(of(23, 2, 3, 8), Err(LzError::Short { needed: 24, len: 23 }));
    assert_eq!(of(24, 2, 3, 7), Err(LzError::Stride { row: 8, stride: 7 }));
    assert_eq!(of(24, 2, 3, usize::MAX), Err(LzError::Short { needed: usize::MAX, len: 24 }));
    assert_eq!(of(24, 0, 3, 0), Err(LzError::Empty { width: 0, height: 3 }));
    assert_eq!(of(24, 2, 0, 8), Err(LzError::Empty { width: 2, height: 0 }));
    let (width, height) = (1 << 14, 1 << 14);
    let most = ((1 << 14) - 1) << 14;
    assert_eq!(of(24, width, height, 1 << 16), Err(LzError::TooLarge { width, height, most }));
    assert_eq!(
        of(24, u32::MAX, u32::MAX, 8).unwrap_err(),
        LzError::TooLarge { width: u32::MAX, height: u32::MAX, most: 0 }
    );
}

#[test]
fn a_stream_cut_anywhere_is_truncated_and_one_that_goes_on_is_refused() {
    for stream in streams(KNOWN) {
        for len in 0..stream.len() {
            assert_eq!(decode(&stream[..len], LIMIT), Err(LzError::Truncated), "{len} of {}", stream.len());
        }
        assert_eq!(decode(&[stream, &[0, 0]].concat(), LIMIT), Err(LzError::Trailing(2)));
    }
}

#[test]
fn headers_that_are_refused() {
    let (large, most) = (u32::MAX, LIMIT);
    let stride = |row, stride| LzError::Stride { row, stride };
    let too_large = |width, height| LzError::TooLarge { width, height, most };
    let cases: [([u32; 7], _); 15] = [
        ([header::MAGIC + 1, header::VERSION, 8, 2, 2, 8, 1], LzError::Magic(header::MAGIC + 1)),
        ([header::MAGIC, 1, 8, 2, 2, 8, 1], LzError::Version(1)),
        ([header::MAGIC, header::VERSION, 0, 2, 2, 8, 1], LzError::Format(0)),
        ([header::MAGIC, header::VERSION, 12, 2, 2, 8, 1], LzError::Format(12)),
        ([header::MAGIC, header::VERSION, large, 2, 2, 8, 1], LzError::Format(large)),
        ([header::MAGIC, header::VERSION, 8, 0, 2, 0, 1], LzError::Empty { width: 0, height: 2 }),
        ([header::MAGIC, header::VERSION, 8, 2, 0, 8, 1], LzError::Empty { width: 2, height: 0 }),
        ([header::MAGIC, header::VERSION, 8, 2, 2, 12, 1], stride(8, 12)),
        ([header::MAGIC, header::VERSION, 1, 9, 2, 1, 1], stride(2, 1)),
        ([header::MAGIC, header::VERSION, 8, 1 << 30, 1, 0, 1], stride(1 << 32, 0)),
        ([header::MAGIC, header::VERSION, 11, large, large, large, 1], too_large(large, large)),
        ([header::MAGIC, header::VERSION, 1, 1 << 16, 1 << 16, 1 << 13, 1], too_large(1 << 16, 1 << 16)),
        ([header::MAGIC, header::VERSION, 6, 513, 512, 1026, 1], too_large(513, 512)),
        // Allowed sizes, which sixteen bytes cannot fill.
        ([header::MAGIC, header::VERSION, 8, 512, 512, 2048, 1], LzError::Truncated),
        ([header::MAGIC, header::VERSION, 5, 1, 4081, 1, 1], LzError::Truncated),
    ];
    for (words, error) in cases {
        let mut stream: Vec<_> = words.into_iter().flat_map(u32::to_be_bytes).collect();
        if !matches!(error, LzError::Truncated | LzError::TooLarge { .. }) {
            assert_eq!(LzHeader::read(&stream), Err(error.clone()));
        }
        stream.extend_from_slice(&[0x80; 16]);
        assert_eq!(decode(&stream, LIMIT), Err(error));
    }
    assert_eq!(decode(&[], LIMIT), Err(LzError::Truncated));
    // No memory for sizes that a stream cannot fill, whatever is allowed.
    let header = LzHeader { format: LzFormat::A8, width: large, height: large, top_down: true };
    assert!(decode(&stream(header, &[0xff; 64]), u64::MAX).is_err());
}

#[test]
fn references_stay_within_the_picture() {
    use LzFormat::{A8, Rgb16, Rgb24};
    assert_eq!(row(A8, 4, &[0, 9, 0x20, 0]), Ok(vec![9; 4]));
    assert_eq!(row(A8, 4, &[0x20, 0]), Err(LzError::Reference));
    assert_eq!(row(A8, 4, &[0, 9, 0x20, 1]), Err(LzError::Reference));
    assert_eq!(row(A8, 4, &[0, 9, 0x3f, 255, 255, 255]), Err(LzError::Reference));
    assert_eq!(row(A8, 3, &[0, 9, 0x20, 0]), Err(LzError::Overrun));
    assert_eq!(row(A8, 2, &[2, 9, 9, 9]), Err(LzError::Overrun));
    assert_eq!(row(A8, 4, &[0, 9, 0x20]), Err(LzError::Truncated));
    assert_eq!(row(A8, 4, &[3, 9, 9, 9]), Err(LzError::Truncated));
    assert_eq!(row(Rgb16, 3, &[0, 0x81, 2, 0x20, 0]), Ok([2, 1].repeat(3)));
    assert_eq!(row(Rgb24, 2, &[0, 1, 2, 3, 0x20, 0]), Ok([1, 2, 3].repeat(2)));
    assert_eq!(row(Rgb24, 2, &[0, 1, 2, 3, 0x40, 0]), Err(LzError::Overrun));
    // A length that never ends is given up where the picture does.
    assert_eq!(row(A8, 600, &[&[0, 9, 0xe0][..], &[255; 1 << 16]].concat()), Err(LzError::Overrun));
    // Two pixels in turn, by a reference that overlaps itself.
    assert_eq!(row(A8, 10, &[1, 5, 6, 0xc0, 1]), Ok([5, 6].repeat(5)));
}

/// A few bytes of noise, zeros, and the noise again.
fn far_apart(distance: usize) -> Picture {
    let noise = Kind::Noise.pixels(1, 40, 1, 9);
    let pixels = [&noise[..], &vec![0; distance - noise.len()], &noise].concat();
    Picture { format: LzFormat::A8, width: pixels.len() as u32, height: 1, pixels }
}

#[test]
fn references_go_back_as_far_as_they_can_be_coded() {
    let len = |distance| {
        let picture = far_apart(distance);
        picture.comes_back();
        picture.encode().len() - (distance - 40) / 255
    };
    let farthest = NEAR + (1 << 16);
    let near = len(NEAR);
    assert!((near + 2..near + 4).contains(&len(NEAR + 1)));
    assert!((near + 2..near + 4).contains(&len(farthest)));
    assert!(len(farthest + 1) > near + 35);
}
