//! Image codecs: hostile streams, and pictures there and back.

use spice_display::codec::{glz, lz};

const MAX_PIXELS: u64 = 1 << 16;
const WINDOW: u32 = 1 << 12;

/// An LZ stream is a picture within the limit or an error; a picture comes back from its encoding, and so does one
/// that is made of the same bytes.
pub fn lz(data: &[u8]) {
    if let Ok(image) = lz::decode(data, MAX_PIXELS) {
        assert!(u64::from(image.width) * u64::from(image.height) <= MAX_PIXELS);
        let again = encode(image.format, image.width, image.height, image.stride(), &image.pixels);
        let again = lz::decode(&again, MAX_PIXELS).expect("it has been a picture");
        assert_eq!((again.format, again.width, again.height), (image.format, image.width, image.height));
        assert!(again.pixels == image.pixels);
    }
    let Some((&[kind, width], pixels)) = data.split_first_chunk() else { return };
    let Some(format) = lz::LzFormat::from_wire(u32::from(kind % 11) + 1) else { return };
    let width = u32::from(width) + 1;
    let row = format.row_len(width) as usize;
    let height = pixels.len() / row;
    if height > 0 {
        let stream = encode(format, width, height as u32, row, pixels);
        let image = lz::decode(&stream, u64::MAX).expect("it was just encoded");
        assert_eq!((image.format, image.width, image.height as usize), (format, width, height));
        let mask = match format {
            lz::LzFormat::Rgb16 => [0xff, 0x7f, 0xff, 0x7f],
            lz::LzFormat::Rgb32 => [0xff, 0xff, 0xff, 0],
            lz::LzFormat::Xxxa => [0, 0, 0, 0xff],
            _ => [0xff; 4],
        };
        let coded = pixels.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte & mask);
        assert!(image.pixels.iter().copied().eq(coded.take(row * height)));
    }
}

fn encode(format: lz::LzFormat, width: u32, height: u32, stride: usize, data: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    let source = lz::LzSource { format, width, height, stride, top_down: true, data };
    lz::encode(&source, &mut stream).expect("the rows are there");
    stream
}

/// By the first byte: whole GLZ streams, bodies behind headers that are taken, or pictures there and back.
pub fn glz(data: &[u8]) {
    let Some((&mode, data)) = data.split_first() else { return };
    match mode % 3 {
        0 => glz_streams(data),
        1 => glz_bodies(data),
        _ => glz_there_and_back(data),
    }
}

/// Pieces, each behind a byte of length.
fn pieces(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&len, rest) = data.split_first()?;
        let (piece, rest) = rest.split_at(rest.len().min(len.into()));
        data = rest;
        Some(piece)
    })
}

fn glz_decode(viewer: &mut glz::Decoder, stream: &[u8]) {
    let images = viewer.images();
    match viewer.decode(stream) {
        Ok(image) => assert_eq!(image.pixels.len(), image.stride() * image.height as usize),
        Err(_) => assert!(viewer.images() <= images),
    }
    assert!(viewer.pixels() <= WINDOW.into());
}

fn glz_streams(data: &[u8]) {
    let mut viewer = glz::Decoder::new(WINDOW.into());
    for stream in pieces(data) {
        glz_decode(&mut viewer, stream);
    }
}

fn glz_bodies(data: &[u8]) {
    let mut viewer = glz::Decoder::new(WINDOW.into());
    for piece in pieces(data) {
        let Some((&[kind, width, height], body)) = piece.split_first_chunk() else { return };
        let Some(format) = glz::GlzFormat::from_wire(6 + kind % 4) else { return };
        let id = viewer.next_id();
        let header = glz::GlzHeader {
            format,
            width: u32::from(width) + 1,
            height: u32::from(height) + 1,
            top_down: kind & 4 == 0,
            id,
            head_distance: u64::from(kind >> 3).min(id) as u32,
        };
        glz_decode(&mut viewer, &[&header.to_bytes()[..], body].concat());
    }
}

fn glz_there_and_back(data: &[u8]) {
    let mut dictionary = glz::Dictionary::new(WINDOW / 16);
    let mut viewer = glz::Decoder::new(u64::from(WINDOW) / 16);
    for piece in pieces(data) {
        let Some((&[kind, width, times], seed)) = piece.split_first_chunk() else { return };
        let Some(format) = glz::GlzFormat::from_wire(6 + kind % 4) else { return };
        let mut pixels = seed.repeat(usize::from(times % 16) + 1);
        match format {
            glz::GlzFormat::Rgb16 => pixels.iter_mut().skip(1).step_by(2).for_each(|byte| *byte &= 0x7f),
            glz::GlzFormat::Rgb32 => pixels.iter_mut().skip(3).step_by(4).for_each(|byte| *byte = 0),
            _ => {}
        }
        let stride = (usize::from(width % 64) + 1) * format.bytes_per_pixel();
        let height = (pixels.len() / stride) as u32;
        pixels.truncate(stride * height as usize);
        let width = u32::from(width % 64) + 1;
        let top_down = kind & 4 == 0;
        let source = glz::GlzSource { format, width, height, stride, top_down, data: pixels.clone().into() };
        let reach = u32::from(kind >> 3);
        let Ok(encoded) = dictionary.encode(&source, reach) else { continue };
        assert!(encoded.farthest <= reach.min(encoded.before));
        let header = encoded.header(viewer.next_id(), encoded.before);
        let image = viewer.decode(&[&header[..], &encoded.body].concat()).expect("it was just encoded");
        assert_eq!(
            (image.format, image.width, image.height, image.top_down),
            (format, width, height, top_down)
        );
        assert!(image.pixels == pixels);
        assert_eq!((viewer.images(), viewer.pixels()), (dictionary.images(), dictionary.pixels()));
    }
}
