//! Pixels as they go into messages: bare, or packed.

use bytes::Bytes;
use spice_proto::display::{BitmapFlags, BitmapImage, ImageData, ImagePalette, LzPaletteImage, Palette};

use super::choice::Method;
use crate::codec::jpeg::{self, JpegFormat, JpegSource};
use crate::codec::lz::{self, LzFormat, LzSource};
use crate::codec::quic::{self, QuicFormat};
use crate::qxl::{Bitmap, BitmapFormat};

/// A bitmap's pixels as a message has them, by a method that needs no dictionary; bare where that is not larger.
pub(crate) fn pack(method: Method, bitmap: &Bitmap) -> ImageData {
    let data = match method {
        Method::Raw => None,
        Method::Quic => pack_quic(bitmap),
        Method::Lz => pack_lz(bitmap),
        Method::Jpeg => pack_jpeg(bitmap),
        Method::Glz(_) | Method::GlzAlone | Method::GlzZlib(_) | Method::GlzAloneZlib => None,
        Method::Lz4 => pack_lz4(bitmap),
    };
    data.unwrap_or_else(|| bare_data(bitmap))
}

/// A bitmap's pixels as they are.
fn bare_data(bitmap: &Bitmap) -> ImageData {
    ImageData::Bitmap(BitmapImage {
        format: bitmap.format(),
        flags: if bitmap.is_top_down() { BitmapFlags::TOP_DOWN } else { BitmapFlags::empty() },
        x: bitmap.width(),
        y: bitmap.height(),
        stride: bitmap.stride(),
        palette: bitmap.palette().map(|palette| ImagePalette::Sent(Palette::clone(palette))),
        data: bitmap.data().clone(),
    })
}

/// What was packed, if it is smaller than the bitmap.
fn smaller(packed: Vec<u8>, bitmap: &Bitmap) -> Option<Bytes> {
    // The vector has grown by doubling: what is kept is kept tight.
    (packed.len() < bitmap.data().len()).then(|| Bytes::from(packed.into_boxed_slice()))
}

fn pack_quic(bitmap: &Bitmap) -> Option<ImageData> {
    let format = match bitmap.format() {
        BitmapFormat::RGB16 => QuicFormat::Rgb16,
        BitmapFormat::RGB24 => QuicFormat::Rgb24,
        BitmapFormat::RGB32 => QuicFormat::Rgb32,
        BitmapFormat::RGBA => QuicFormat::Rgba,
        _ => return None,
    };
    let (width, height) = (bitmap.width(), bitmap.height());
    let rows = (0..height).map(|y| bitmap.row(y));
    let packed = quic::encode_rows(rows, width, height, format).ok()?;
    smaller(packed, bitmap).map(ImageData::Quic)
}

fn pack_jpeg(bitmap: &Bitmap) -> Option<ImageData> {
    let source = JpegSource {
        format: JpegFormat::of_bitmap(bitmap.format())?,
        width: bitmap.width(),
        height: bitmap.height(),
        stride: bitmap.stride() as usize,
        top_down: bitmap.is_top_down(),
        data: bitmap.data(),
    };
    if source.format == JpegFormat::Rgba {
        let image = jpeg::encode_alpha(&source, jpeg::QUALITY).ok()?;
        let is_smaller = image.jpeg.len() + image.alpha.len() < bitmap.data().len();
        return is_smaller.then_some(ImageData::JpegAlpha(image));
    }
    smaller(jpeg::encode(&source, jpeg::QUALITY).ok()?, bitmap).map(ImageData::Jpeg)
}

fn pack_lz(bitmap: &Bitmap) -> Option<ImageData> {
    let source = LzSource {
        format: LzFormat::of_bitmap(bitmap.format())?,
        width: bitmap.width(),
        height: bitmap.height(),
        stride: bitmap.stride() as usize,
        top_down: bitmap.is_top_down(),
        data: bitmap.data(),
    };
    let mut packed = Vec::new();
    lz::encode(&source, &mut packed).ok()?;
    let data = smaller(packed, bitmap)?;
    Some(match bitmap.palette() {
        Some(palette) => ImageData::LzPalette(LzPaletteImage {
            flags: if bitmap.is_top_down() { BitmapFlags::TOP_DOWN } else { BitmapFlags::empty() },
            palette: ImagePalette::Sent(Palette::clone(palette)),
            data,
        }),
        None if bitmap.depth() < 8 || bitmap.format() == BitmapFormat::BIT8 => return None,
        None => ImageData::LzRgb(data),
    })
}

/// Packs with LZ4 what viewers can unpack: pixels of 16 or 32 bits. `None` when it would not be smaller.
fn pack_lz4(bitmap: &Bitmap) -> Option<ImageData> {
    if bitmap.stride() == bitmap.width() * (bitmap.depth() / 8) {
        return pack_rows(bitmap.data(), bitmap.format(), bitmap.is_top_down()).map(ImageData::Lz4);
    }
    let rows: Vec<u8> = (0..bitmap.height()).flat_map(|y| bitmap.row(y)).copied().collect();
    pack_rows(&rows, bitmap.format(), true).map(ImageData::Lz4)
}

/// LZ4 as the protocol has it (`canvas_base.c` of spice-common reads it so): the order of the rows, the format, then
/// one block behind its length. `None` when it would not be smaller than the pixels.
fn pack_rows(pixels: &[u8], format: BitmapFormat, top_down: bool) -> Option<Bytes> {
    const HEAD: usize = 6;
    let mut packed = vec![0; HEAD + lz4_flex::block::get_maximum_output_size(pixels.len())];
    let len = lz4_flex::block::compress_into(pixels, packed.get_mut(HEAD..)?).ok()?;
    let block = u32::try_from(len).ok()?.to_be_bytes();
    packed.get_mut(..2)?.copy_from_slice(&[u8::from(top_down), format.0]);
    packed.get_mut(2..HEAD)?.copy_from_slice(&block);
    packed.truncate(HEAD + len);
    (packed.len() < pixels.len()).then(|| {
        packed.shrink_to_fit();
        packed.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpack(data: &[u8], len: usize) -> Vec<u8> {
        let block = u32::from_be_bytes(data[2..6].try_into().unwrap()) as usize;
        assert_eq!(data.len(), 6 + block);
        lz4_flex::block::decompress(&data[6..], len).unwrap()
    }

    fn data(data: Vec<u8>, width: u32, stride: u32, top_down: bool, format: BitmapFormat) -> ImageData {
        let height = u32::try_from(data.len()).unwrap() / stride;
        let bitmap = Bitmap::new(format, (width, height), stride, top_down, data.into()).unwrap();
        pack(if format == BitmapFormat::A8 { Method::Lz } else { Method::Lz4 }, &bitmap)
    }

    #[test]
    fn what_packs_is_packed_and_what_does_not_stays_bare() {
        let flat = data(vec![7; 64 * 64 * 4], 64, 64 * 4, true, BitmapFormat::RGB32);
        let ImageData::Lz4(packed) = &flat else { panic!("{flat:?}") };
        assert_eq!(&packed[..2], [1, 8]);
        assert_eq!(unpack(packed, 64 * 64 * 4), vec![7; 64 * 64 * 4]);

        let mut state = 1_u32;
        let noise: Vec<u8> = (0..64 * 64 * 4)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        let noise = data(noise, 64, 64 * 4, true, BitmapFormat::RGB32);
        assert!(matches!(noise, ImageData::Bitmap(_)));
        let alpha = data(vec![7; 64 * 64], 64, 64, true, BitmapFormat::A8);
        assert!(matches!(alpha, ImageData::LzRgb(_)));
    }

    #[test]
    fn a_bitmap_with_room_behind_its_rows_is_packed_without_it() {
        let stride = 40 * 4 + 12;
        let mut rows = vec![0xee; stride as usize * 10];
        for row in rows.chunks_exact_mut(stride as usize) {
            row[..160].fill(3);
        }
        let ImageData::Lz4(packed) = data(rows, 40, stride, false, BitmapFormat::RGBA) else { panic!() };
        assert_eq!(packed[1], 9);
        assert_eq!(unpack(&packed, 1600), vec![3; 1600]);
    }
}
