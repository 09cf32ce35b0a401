//! CVE-2020-14355, stream by stream: what spice-common's QUIC decoder was made to read and write where it must not.
//! There, a stream without data, sizes that wrap, runs that leave their row, and samples without a bucket were not
//! looked at. Each is a row of a table here, and ends in its error, with no more memory than its picture may have.
//!
//! A guest's whole command with such an image is in [`cve`](crate::cve).

use allocation_counter::measure;
use spice_display::codec::quic::{self, MAX_PIXELS, QuicError, QuicFormat, QuicHeader, QuicImage};

const FORMATS: [QuicFormat; 5] =
    [QuicFormat::Gray, QuicFormat::Rgb16, QuicFormat::Rgb24, QuicFormat::Rgb32, QuicFormat::Rgba];

const MAGIC: u32 = u32::from_le_bytes(*b"QUIC");

/// Most pixels of the pictures that are decoded here.
const LIMIT: u64 = 1 << 14;

/// Decodes, with no more memory at any time than a picture of that many pixels takes, and its rows at work.
fn decode(stream: &[u8], most: u64) -> Result<QuicImage, QuicError> {
    let mut result = None;
    let used = measure(|| result = Some(quic::decode(stream, most)));
    let header = QuicHeader::read(stream).ok();
    let header = header.filter(|header| header.pixels() <= most);
    let bound = header.map_or(0, |header| header.pixels() * 4 + u64::from(header.width) * 3 * 4 + 8192);
    assert!(used.bytes_max <= bound, "{} bytes for {header:?}", used.bytes_max);
    result.unwrap()
}

/// Does not allocate at all.
fn refused_at_once(stream: &[u8], most: u64) -> QuicError {
    let mut result = None;
    let used = measure(|| result = Some(quic::decode(stream, most)));
    assert_eq!(used.bytes_total, 0);
    result.unwrap().unwrap_err()
}

fn header(kind: u32, width: u32, height: u32) -> Vec<u8> {
    [MAGIC, 0, kind, width, height].into_iter().flat_map(u32::to_le_bytes).collect()
}

/// A stream with these bits behind its header: zeros and ones, in order; spaces are for the reader.
fn stream(format: QuicFormat, width: u32, height: u32, bits: &str) -> Vec<u8> {
    let bits: Vec<u32> = bits.bytes().filter(|bit| *bit != b' ').map(|bit| u32::from(bit & 1)).collect();
    let words = bits
        .chunks(32)
        .map(|word| word.iter().enumerate().fold(0, |all, (at, bit)| all | (bit << (31 - at))));
    header(format.wire(), width, height).into_iter().chain(words.flat_map(u32::to_le_bytes)).collect()
}

fn pixels(format: QuicFormat, width: u32, height: u32) -> Vec<u8> {
    let len = width * height * format.bytes_per_pixel() as u32;
    (0..len).map(|at| (at.wrapping_mul(0x9e37_79b1) >> 13) as u8).collect()
}

fn encoded(format: QuicFormat, width: u32, height: u32) -> Vec<u8> {
    let row = width as usize * format.bytes_per_pixel();
    quic::encode(&pixels(format, width, height), width, height, row, format).unwrap()
}

#[test]
fn a_stream_without_data_is_no_picture() {
    assert_eq!(refused_at_once(&[], LIMIT), QuicError::Truncated);
    for format in FORMATS {
        let head = header(format.wire(), 1, 1);
        for len in 0..=head.len() {
            assert_eq!(refused_at_once(&head[..len], LIMIT), QuicError::Truncated, "{format:?}, {len} bytes");
        }
        // Up to a word is missing.
        for over in 1..4 {
            let begun = [&head[..], &vec![0x80; over]].concat();
            assert_eq!(refused_at_once(&begun, LIMIT), QuicError::Truncated, "{format:?}, {over} bytes over");
        }
        let (wide, high) = (header(format.wire(), 65, 1), header(format.wire(), 1, 65));
        for head in [wide, high] {
            let short = [&head[..], &[0x80; 8]].concat();
            assert_eq!(refused_at_once(&short, LIMIT), QuicError::Truncated, "{format:?}");
        }
    }
}

#[test]
fn what_is_no_quic_header_is_refused() {
    let data = [0x80; 4000];
    let rows: [(&str, [u32; 5], QuicError); 10] = [
        (
            "magic of another byte order",
            [MAGIC.swap_bytes(), 0, 4, 8, 8],
            QuicError::Magic(MAGIC.swap_bytes()),
        ),
        ("no magic", [0, 0, 4, 8, 8], QuicError::Magic(0)),
        ("LZ", [u32::from_be_bytes(*b"LZ  "), 0, 4, 8, 8], QuicError::Magic(u32::from_be_bytes(*b"LZ  "))),
        ("version 0.1", [MAGIC, 1, 4, 8, 8], QuicError::Version(1)),
        ("version 1.0", [MAGIC, 1 << 16, 4, 8, 8], QuicError::Version(1 << 16)),
        ("every version", [MAGIC, u32::MAX, 4, 8, 8], QuicError::Version(u32::MAX)),
        ("no type", [MAGIC, 0, 0, 8, 8], QuicError::Format(0)),
        ("a type too many", [MAGIC, 0, 6, 8, 8], QuicError::Format(6)),
        ("a type of another byte order", [MAGIC, 0, 4 << 24, 8, 8], QuicError::Format(4 << 24)),
        ("a negative type", [MAGIC, 0, u32::MAX, 8, 8], QuicError::Format(u32::MAX)),
    ];
    for (name, words, expected) in rows {
        let stream: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).chain(data).collect();
        assert_eq!(refused_at_once(&stream, MAX_PIXELS), expected, "{name}");
    }
}

#[test]
fn sizes_that_wrap_or_cannot_be_there_cost_nothing() {
    // Eight thousand bits: as many samples at the most, as runs go no further than their row.
    let data = [0x80; 1000];
    let sizes: [(&str, u32, u32); 19] = [
        ("no columns", 0, 8),
        ("no rows", 8, 0),
        ("nothing", 0, 0),
        ("no columns, all rows", 0, u32::MAX),
        ("all of both", u32::MAX, u32::MAX),
        ("all columns", u32::MAX, 1),
        ("all rows", 1, u32::MAX),
        ("a product of 2^32, which is 0 in 32 bits", 1 << 16, 1 << 16),
        ("a product of 2^32 + 2^16, which is 2^16 in 32 bits", 1 << 16, (1 << 16) + 1),
        ("a product of 2^32 + 1 in 32 bits", 641, 6_700_417),
        ("bytes of a row that are 4 in 32 bits", (1 << 30) + 1, 1),
        ("bytes of a row that are 4 in 32 bits, and rows", (1 << 30) + 1, 4),
        ("bytes of all rows that are 0 in 32 bits", 1 << 15, 1 << 15),
        ("negative columns", 1 << 31, 1),
        ("negative rows", 1, 1 << 31),
        ("both negative", 1 << 31, 1 << 31),
        ("the least negative", (1 << 31) - 1, 2),
        ("more columns than there are bits", 8001, 1),
        ("more rows than there are bits", 1, 8001),
    ];
    for format in FORMATS {
        for (name, width, height) in sizes {
            let stream = [&header(format.wire(), width, height)[..], &data].concat();
            for most in [LIMIT, MAX_PIXELS, u64::MAX] {
                let expected = match u64::from(width) * u64::from(height) {
                    0 => QuicError::Empty { width, height },
                    pixels if pixels > most => QuicError::TooLarge { width, height, most },
                    _ => QuicError::Truncated,
                };
                let refused = refused_at_once(&stream, most);
                // With no limit at all, more than an address space is too large as well.
                let beyond = QuicError::TooLarge { width, height, most };
                assert!(refused == expected || refused == beyond, "{format:?}, {name}: {refused:?}");
            }
        }
    }
}

#[test]
fn a_picture_is_not_larger_than_it_may_be() {
    for format in FORMATS {
        let stream = encoded(format, 24, 16);
        let too_large = |most| QuicError::TooLarge { width: 24, height: 16, most };
        for most in [0, 1, 24, 383] {
            assert_eq!(refused_at_once(&stream, most), too_large(most), "{format:?}");
        }
        assert!(decode(&stream, 384).is_ok());
    }
}

/// The size in the header is another than that of the rows that follow it.
#[test]
fn sizes_that_lie_are_too_long_for_their_stream_or_another_picture() {
    for format in FORMATS {
        let honest = encoded(format, 24, 16);
        let told = |width, height| {
            let stream = [&header(format.wire(), width, height)[..], &honest[QuicHeader::LEN..]].concat();
            decode(&stream, LIMIT)
        };
        let known = |error| matches!(error, QuicError::Truncated | QuicError::Code | QuicError::Run);
        for (width, height) in [(48, 16), (24, 32), (384, 2), (16, 48), (100, 100), (128, 128)] {
            let error = told(width, height).unwrap_err();
            assert!(known(error), "{format:?}, {width}x{height}");
        }
        // A few pixels more can come of bits that are read as what they were not.
        for (width, height) in [(25, 16), (24, 17), (23, 16), (24, 15), (1, 1), (384, 1), (1, 384)] {
            match told(width, height) {
                Ok(image) => assert_eq!((image.format, image.width, image.height), (format, width, height)),
                Err(error) => assert!(known(error), "{format:?}, {width}x{height}"),
            }
        }
    }
}

/// The type in the header has other channels, or other bits a channel, than what follows it.
#[test]
fn types_that_lie_are_an_error_or_another_picture() {
    for (of, told) in FORMATS.into_iter().flat_map(|of| FORMATS.map(|told| (of, told))) {
        let honest = encoded(of, 24, 16);
        let stream = [&header(told.wire(), 24, 16)[..], &honest[QuicHeader::LEN..]].concat();
        let samples = |format| match format {
            QuicFormat::Gray => 8,
            QuicFormat::Rgb16 => 15,
            QuicFormat::Rgb24 | QuicFormat::Rgb32 => 24,
            QuicFormat::Rgba => 32,
        };
        match decode(&stream, LIMIT) {
            // Noise does not become less: more bits than there are cannot be decoded.
            Ok(image) => {
                assert!(samples(told) <= samples(of), "{of:?} told to be {told:?}");
                assert_eq!((image.format, image.width, image.height), (told, 24, 16));
                assert_eq!(image.pixels.len(), 24 * 16 * told.bytes_per_pixel());
                assert!(image.pixels.len() == pixels(of, 24, 16).len() || of != told);
            }
            Err(QuicError::Truncated | QuicError::Code | QuicError::Run) => assert_ne!(of, told),
            Err(error) => panic!("{of:?} told to be {told:?}: {error:?}"),
        }
    }
}

/// A first row of zeros in eight columns: the code of eight bits, then, once the model has seen it, of one.
const LEVEL_ROW: &str = "10000000 1111111";

#[test]
fn runs_stay_in_their_row() {
    let gray = |width, height, bits: &str| decode(&stream(QuicFormat::Gray, width, height, bits), LIMIT);
    // Three pixels, and a run of five: four ones for one pixel each, a zero, and a bit for the rest.
    let honest = format!("{LEVEL_ROW} 111 1111 0 1");
    assert_eq!(gray(8, 2, &honest).map(|image| image.pixels), Ok(vec![0; 16]));
    let encoder = quic::encode(&[0; 16], 8, 2, 8, QuicFormat::Gray).unwrap();
    assert!(encoder.starts_with(&stream(QuicFormat::Gray, 8, 2, &honest)));

    let ones = "1".repeat(4000);
    let rows: [(&str, u32, u32, String); 9] = [
        ("a one more, for two pixels", 8, 2, format!("{LEVEL_ROW} 111 11111 0 0")),
        ("a run without end", 8, 2, format!("{LEVEL_ROW} 111 {ones}")),
        ("a rest beyond the end", 7, 2, "10000000 111111 111 1111 0 1".to_string()),
        ("no pixel left", 4, 2, "10000000 111 111 11 0".to_string()),
        ("no pixel left, without end", 4, 2, format!("10000000 111 111 {ones}")),
        ("in the last of many rows", 8, 40, format!("{LEVEL_ROW} 111 1111 0 1 111 {ones}")),
        ("from the first row on", 4000, 2, format!("10000000 {} 111 {}", "1".repeat(3999), "1".repeat(4000))),
        ("the longest order there is", 16_000 / 2, 2, format!("10000000 {} 111 {ones}", "1".repeat(7999))),
        ("the longest rest there is", 8, 2, format!("{LEVEL_ROW} 111 {} 0 {ones}", "1".repeat(31))),
    ];
    for (name, width, height, bits) in rows {
        assert_eq!(gray(width, height, &bits), Err(QuicError::Run), "{name}");
    }
    // A run is for all colours, and alpha has its own.
    for (format, first) in [(QuicFormat::Rgb24, 3), (QuicFormat::Rgb32, 3), (QuicFormat::Rgba, 3)] {
        let row = format!("{} {}", "10000000".repeat(first), "1".repeat(7 * first));
        let alpha = if format == QuicFormat::Rgba { LEVEL_ROW } else { "" };
        let bits = format!("{row} {alpha} {} {ones}", "1".repeat(3 * first));
        assert_eq!(decode(&stream(format, 8, 2, &bits), LIMIT), Err(QuicError::Run), "{format:?}");
    }
    let row = format!("{} {}", "10000000".repeat(3), "1".repeat(7 * 3));
    let bits = format!("{row} {LEVEL_ROW} {} 1111 0 1 111 {ones}", "1".repeat(9));
    assert_eq!(decode(&stream(QuicFormat::Rgba, 8, 2, &bits), LIMIT), Err(QuicError::Run), "alpha");
}

/// A sample beyond its bits has no bucket in the model: `find_bucket` of the C decoder read past its table.
#[test]
fn samples_stay_in_their_bits() {
    let (eight, five) = ("0".repeat(18), "0".repeat(21));
    // After a zero, the code that escapes: 18 of eight bits, 21 of five, and what is above.
    let gray = |bits: &str| decode(&stream(QuicFormat::Gray, 2, 1, &format!("10000000 {bits}")), LIMIT);
    for (name, above, expected) in [
        ("the first that is escaped, 18", "00000000", Ok(18)),
        ("the last sample, 255", "11101101", Ok(255)),
        ("one too many, 256", "11101110", Err(QuicError::Code)),
        ("a hundred too many", "11111101", Err(QuicError::Code)),
        ("as many as the bits can say, 273", "11111111", Err(QuicError::Code)),
    ] {
        let residual = |image: QuicImage| match image.pixels[1] {
            // Small distances of either sign are small numbers.
            sample if sample < 128 => u32::from(sample) * 2,
            sample => (256 - u32::from(sample)) * 2 - 1,
        };
        assert_eq!(gray(&format!("{eight}{above}")).map(residual), expected, "{name}");
    }
    for (name, above, fits) in [
        ("the first that is escaped, 21", "0000", true),
        ("the last sample, 31", "1010", true),
        ("one too many, 32", "1011", false),
        ("as many as the bits can say, 36", "1111", false),
    ] {
        for at in 0..3 {
            let codes: Vec<String> = (0..3)
                .map(|channel| if channel == at { format!("{five}{above}") } else { "1".to_string() })
                .collect();
            let bits = format!("10000 10000 10000 {}", codes.concat());
            let decoded = decode(&stream(QuicFormat::Rgb16, 2, 1, &bits), LIMIT);
            assert_eq!(decoded.map(drop), if fits { Ok(()) } else { Err(QuicError::Code) }, "{name}, {at}");
        }
    }
    // Every channel of every format, and alpha.
    for (format, channels) in [(QuicFormat::Rgb24, 3), (QuicFormat::Rgb32, 3), (QuicFormat::Rgba, 4)] {
        for at in 0..channels {
            let code = |channel| match channel == at {
                true => format!("{eight}11111111"),
                false => "1".to_string(),
            };
            let colours = (0..3).map(code).collect::<String>();
            let alpha = if channels == 4 { format!("10000000 {}", code(3)) } else { String::new() };
            let bits = format!("{} {colours} {alpha}", "10000000".repeat(3));
            let refused = decode(&stream(format, 2, 1, &bits), LIMIT).unwrap_err();
            assert_eq!(refused, QuicError::Code, "{format:?}, {at}");
        }
    }
}

#[test]
fn bits_beyond_the_end_are_no_pixels() {
    // Enough bits for the least that such a picture takes, and fewer than its codes do: what is missing reads as zeros,
    // which are escapes and ends of runs, and as ones only where they are there.
    let rows: [(&str, QuicFormat, u32, u32, String); 6] = [
        ("a code", QuicFormat::Gray, 33, 1, format!("10000000 {}", "0".repeat(24))),
        ("a first code of many", QuicFormat::Gray, 32, 1, "00000000".repeat(4)),
        (
            "an escape, of which zeros are there",
            QuicFormat::Gray,
            20,
            1,
            format!("10000000 {}", "0".repeat(24)),
        ),
        ("the end of a run", QuicFormat::Gray, 49, 2, format!("10000000 {} 111 11111", "1".repeat(48))),
        ("the second row", QuicFormat::Gray, 24, 2, format!("10000000 {} 1", "1".repeat(23))),
        ("alpha", QuicFormat::Rgba, 8, 1, format!("{} {}", "10000000".repeat(3), "1".repeat(8))),
    ];
    for (name, format, width, height, bits) in rows {
        let refused = decode(&stream(format, width, height, &bits), LIMIT).unwrap_err();
        assert_eq!(refused, QuicError::Truncated, "{name}");
    }
}

#[test]
fn a_stream_cut_at_any_byte_is_truncated() {
    for format in FORMATS {
        for (width, height) in [(1, 1), (7, 5), (33, 9), (64, 2)] {
            let stream = encoded(format, width, height);
            let whole = decode(&stream, LIMIT).unwrap();
            for len in 0..stream.len() {
                // The last word is for decoders that read ahead.
                match decode(&stream[..len], LIMIT) {
                    Ok(image) => assert!(len + 4 >= stream.len() && image == whole, "{format:?}, {len}"),
                    Err(error) => {
                        assert_eq!(error, QuicError::Truncated, "{format:?}, {len}");
                        assert!(len + 4 < stream.len(), "{format:?}, {len}");
                    }
                }
            }
        }
    }
}

/// Zeros, ones, and every byte there is, behind headers of every type: whatever they are, they are bounded.
#[test]
fn what_nobody_encoded_is_an_error_or_a_picture_of_its_size() {
    let (mut pictures, mut refused) = (0, 0);
    for format in FORMATS {
        for byte in 0..=255_u8 {
            for (width, height) in [(1, 1), (3, 3), (17, 1), (1, 17), (40, 30)] {
                let stream = [&header(format.wire(), width, height)[..], &[byte; 4096]].concat();
                match decode(&stream, LIMIT) {
                    Ok(image) => {
                        assert_eq!((image.format, image.width, image.height), (format, width, height));
                        assert_eq!(image.pixels.len(), image.stride() * height as usize);
                        pictures += 1;
                    }
                    Err(error) => {
                        let known = [QuicError::Truncated, QuicError::Code, QuicError::Run];
                        assert!(known.contains(&error), "{format:?} of {byte:#x}: {error:?}");
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(pictures > 5000 && refused > 200, "{pictures} pictures, {refused} refused");
}
