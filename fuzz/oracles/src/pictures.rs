//! Pictures of any kind through every codec that keeps them, and GLZ that comes behind zlib.

use spice_display::codec::glz::{self, GlzFormat};
use spice_display::codec::lz::{self, LzFormat};
use spice_display::codec::quic::{self, QuicFormat};
use spice_display::codec::zlib;

const MAX_PIXELS: u64 = 1 << 16;
const MAX_BYTES: u64 = 1 << 16;

/// A picture as a guest has it.
#[derive(Debug)]
struct Picture<'a> {
    format: LzFormat,
    width: u32,
    height: u32,
    stride: usize,
    top_down: bool,
    data: &'a [u8],
}

impl<'a> Picture<'a> {
    /// Its kind, width and what is between its rows, then the rows; what is over is not part of it.
    fn read(data: &'a [u8]) -> Option<Self> {
        let (&[kind, width, gap], rows) = data.split_first_chunk()?;
        let format = LzFormat::from_wire(u32::from(kind >> 1) % 11 + 1)?;
        let width = u32::from(width) + 1;
        let row = format.row_len(width) as usize;
        let stride = row + usize::from(gap % 8);
        // The last row goes without the rest of its stride.
        let height = (rows.len() + stride - row) / stride;
        let data = rows.get(..height.checked_sub(1)? * stride + row)?;
        Some(Self { format, width, height: height as u32, stride, top_down: kind & 1 == 0, data })
    }

    /// What comes of it: no bytes between rows, and zeros where nothing is coded.
    fn coded(&self) -> Vec<u8> {
        let row = self.format.row_len(self.width) as usize;
        let mut pixels: Vec<u8> =
            self.data.chunks(self.stride).flat_map(|line| line.iter().take(row)).copied().collect();
        let mask = match self.format {
            LzFormat::Rgb16 => [0xff, 0x7f, 0xff, 0x7f],
            LzFormat::Rgb32 => [0xff, 0xff, 0xff, 0],
            LzFormat::Xxxa => [0, 0, 0, 0xff],
            _ => return pixels,
        };
        pixels.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte &= mask);
        pixels
    }
}

/// A picture comes back, pixel by pixel, from every codec that has its format.
pub fn encode_decode(data: &[u8]) {
    let Some(picture) = Picture::read(data) else { return };
    let coded = picture.coded();
    by_lz(&picture, &coded);
    by_quic(&picture, &coded);
    by_glz(&picture, &coded);
}

fn by_lz(picture: &Picture<'_>, coded: &[u8]) {
    let &Picture { format, width, height, stride, top_down, data } = picture;
    let mut stream = Vec::new();
    lz::encode(&lz::LzSource { format, width, height, stride, top_down, data }, &mut stream)
        .expect("its rows are there");
    let image = lz::decode(&stream, u64::MAX).expect("it was just encoded");
    assert_eq!((image.format, image.width, image.height, image.top_down), (format, width, height, top_down));
    assert!(image.pixels == coded, "LZ {picture:?}");
}

/// The rows as they lie: QUIC has no order of rows.
fn by_quic(picture: &Picture<'_>, coded: &[u8]) {
    let &Picture { width, height, stride, data, .. } = picture;
    let format = match picture.format {
        LzFormat::Plt8 | LzFormat::A8 => QuicFormat::Gray,
        LzFormat::Rgb16 => QuicFormat::Rgb16,
        LzFormat::Rgb24 => QuicFormat::Rgb24,
        LzFormat::Rgb32 => QuicFormat::Rgb32,
        LzFormat::Rgba => QuicFormat::Rgba,
        _ => return,
    };
    let stream = quic::encode(data, width, height, stride, format).expect("its rows are there");
    let image = quic::decode(&stream, u64::MAX).expect("it was just encoded");
    assert_eq!((image.format, image.width, image.height), (format, width, height));
    assert!(image.pixels == coded, "QUIC {picture:?}");
}

/// Twice, so that the second time there is something to refer to, and once of the two behind zlib.
fn by_glz(picture: &Picture<'_>, coded: &[u8]) {
    let &Picture { width, height, stride, top_down, data, .. } = picture;
    let format = match picture.format {
        LzFormat::Rgb16 => GlzFormat::Rgb16,
        LzFormat::Rgb24 => GlzFormat::Rgb24,
        LzFormat::Rgb32 => GlzFormat::Rgb32,
        LzFormat::Rgba => GlzFormat::Rgba,
        _ => return,
    };
    let window = width * height * 2;
    let mut dictionary = glz::Dictionary::new(window);
    let mut viewer = glz::Decoder::new(window.into());
    let data = bytes::Bytes::copy_from_slice(data);
    for behind_zlib in [false, true] {
        let source = glz::GlzSource { format, width, height, stride, top_down, data: data.clone() };
        let encoded = dictionary.encode(&source, 1).expect("its rows are there");
        let header = encoded.header(viewer.next_id(), encoded.before);
        let mut stream = [&header[..], &encoded.body].concat();
        if behind_zlib {
            let packed = zlib::ZlibBody::new(&encoded.body).expect("it is short").behind(&header);
            let unpacked = zlib::decode(&packed.data.to_bytes(), packed.glz_size, stream.len() as u64);
            let unpacked = unpacked.expect("it was just packed");
            assert!(unpacked == stream, "zlib {picture:?}");
            stream = unpacked;
        }
        let image = viewer.decode(&stream).expect("it was just encoded");
        assert_eq!(
            (image.format, image.width, image.height, image.top_down),
            (format, width, height, top_down)
        );
        assert!(image.pixels == coded, "GLZ {picture:?}");
    }
}

/// By the first byte: a zlib stream behind the size that it is to have, or a GLZ body that is packed here, behind a
/// header that is taken. What comes of it is as long as it was promised, within the limit, and a picture or an error.
pub fn zlib_glz(data: &[u8]) {
    let Some((&mode, data)) = data.split_first() else { return };
    let stream = if mode & 1 == 0 {
        let Some((size, data)) = data.split_first_chunk() else { return };
        let size = u32::from_le_bytes(*size);
        let Ok(stream) = zlib::decode(data, size, MAX_BYTES) else { return };
        assert!(stream.len() as u64 == u64::from(size) && stream.len() as u64 <= MAX_BYTES);
        stream
    } else {
        let Some((&[width, height], body)) = data.split_first_chunk() else { return };
        let Some(format) = GlzFormat::from_wire(6 + (mode >> 1) % 4) else { return };
        let (width, height) = (u32::from(width) + 1, u32::from(height) + 1);
        let top_down = mode & 8 == 0;
        let header = glz::GlzHeader { format, width, height, top_down, id: 0, head_distance: 0 };
        [&header.to_bytes()[..], body].concat()
    };
    let Some((header, body)) = stream.split_first_chunk() else { return };
    let packed = zlib::ZlibBody::new(body).expect("it is short").behind(header);
    let data = packed.data.to_bytes();
    assert_eq!(packed.glz_size as usize, stream.len());
    for size in [0, 1, packed.glz_size.saturating_sub(1), packed.glz_size + 1, u32::MAX] {
        assert!(size == packed.glz_size || zlib::decode(&data, size, 1 << 20).is_err());
    }
    let again = zlib::decode(&data, packed.glz_size, stream.len() as u64).expect("it was just packed");
    assert!(again == stream);
    if let Ok(image) = glz::Decoder::new(MAX_PIXELS).decode(&again) {
        assert!(u64::from(image.width) * u64::from(image.height) <= MAX_PIXELS);
        assert_eq!(image.pixels.len(), image.stride() * image.height as usize);
    }
}
