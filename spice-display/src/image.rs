//! Pixels as they go into messages: bare, or packed with LZ4.

use bytes::Bytes;
use spice_proto::display::{BitmapFlags, BitmapImage, ImageData, ImagePalette, Palette};

use crate::qxl::{Bitmap, BitmapFormat};

/// How a viewer gets its images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageMethod {
    /// Bare pixels.
    Raw,
    /// LZ4, where it is smaller.
    Lz4,
}

impl ImageMethod {
    /// How many there are.
    pub(crate) const COUNT: usize = 2;

    /// Its place in a table of all of them.
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Raw => 0,
            Self::Lz4 => 1,
        }
    }
}

/// Images below this many bytes are not worth packing.
const PACK_FROM: usize = 256;

/// A bitmap's pixels as a message has them.
pub(crate) fn bitmap_data(bitmap: &Bitmap, method: ImageMethod) -> ImageData {
    let packed = if method == ImageMethod::Lz4 { pack(bitmap) } else { None };
    packed.map_or_else(
        || {
            ImageData::Bitmap(BitmapImage {
                format: bitmap.format(),
                flags: if bitmap.is_top_down() { BitmapFlags::TOP_DOWN } else { BitmapFlags::empty() },
                x: bitmap.width(),
                y: bitmap.height(),
                stride: bitmap.stride(),
                palette: bitmap.palette().map(|palette| ImagePalette::Sent(Palette::clone(palette))),
                data: bitmap.data().clone(),
            })
        },
        ImageData::Lz4,
    )
}

/// Packs with LZ4 what viewers can unpack: pixels of 16 or 32 bits. `None` when it would not be smaller.
fn pack(bitmap: &Bitmap) -> Option<Bytes> {
    let packable = matches!(bitmap.format(), BitmapFormat::RGB16 | BitmapFormat::RGB32 | BitmapFormat::RGBA);
    if !packable || bitmap.data().len() < PACK_FROM {
        return None;
    }
    if bitmap.stride() == bitmap.width() * (bitmap.depth() / 8) {
        return pack_rows(bitmap.data(), bitmap.format(), bitmap.is_top_down());
    }
    let rows: Vec<u8> = (0..bitmap.height()).flat_map(|y| bitmap.row(y)).copied().collect();
    pack_rows(&rows, bitmap.format(), true)
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
        bitmap_data(&bitmap, ImageMethod::Lz4)
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
        assert!(matches!(alpha, ImageData::Bitmap(_)));
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
