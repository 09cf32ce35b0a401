//! Pixels as they go into messages: bare, or packed with LZ4.

use bytes::Bytes;
use spice_proto::display::{BitmapFlags, BitmapImage, Image, ImageData, ImageFlags};

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

/// The image of a guest's bitmap.
pub(crate) fn bitmap_image(bitmap: &Bitmap, method: ImageMethod) -> Image {
    let row = bitmap.width() * Bitmap::PIXEL;
    let packed = (method == ImageMethod::Lz4 && bitmap.data().len() >= PACK_FROM)
        .then(|| {
            if bitmap.stride() == row {
                pack(bitmap.data(), bitmap.format(), bitmap.is_top_down())
            } else {
                let rows: Vec<u8> = (0..bitmap.height()).flat_map(|y| bitmap.row(y)).copied().collect();
                pack(&rows, bitmap.format(), true)
            }
        })
        .flatten();
    let data = packed.map_or_else(
        || {
            ImageData::Bitmap(BitmapImage {
                format: bitmap.format(),
                flags: if bitmap.is_top_down() { BitmapFlags::TOP_DOWN } else { BitmapFlags::empty() },
                x: bitmap.width(),
                y: bitmap.height(),
                stride: bitmap.stride(),
                palette: None,
                data: bitmap.data().clone(),
            })
        },
        ImageData::Lz4,
    );
    Image {
        id: bitmap.id(),
        flags: ImageFlags::empty(),
        width: bitmap.width(),
        height: bitmap.height(),
        data,
    }
}

/// The image of `width` x `height` pixels in tight rows, top first.
pub(crate) fn pixel_image(
    pixels: Bytes,
    (width, height): (u32, u32),
    format: BitmapFormat,
    method: ImageMethod,
) -> Image {
    let packed = if method == ImageMethod::Lz4 && pixels.len() >= PACK_FROM {
        pack(&pixels, format, true)
    } else {
        None
    };
    let data = packed.map_or_else(
        || {
            ImageData::Bitmap(BitmapImage {
                format,
                flags: BitmapFlags::TOP_DOWN,
                x: width,
                y: height,
                stride: width * Bitmap::PIXEL,
                palette: None,
                data: pixels,
            })
        },
        ImageData::Lz4,
    );
    Image { id: 0, flags: ImageFlags::empty(), width, height, data }
}

/// LZ4 as the protocol has it (`canvas_base.c` of spice-common reads it so): the order of the rows, the format, then
/// one block behind its length. `None` when it would not be smaller than the pixels.
fn pack(pixels: &[u8], format: BitmapFormat, top_down: bool) -> Option<Bytes> {
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

    #[test]
    fn what_packs_is_packed_and_what_does_not_stays_bare() {
        let flat = pixel_image(vec![7; 64 * 64 * 4].into(), (64, 64), BitmapFormat::RGB32, ImageMethod::Lz4);
        let ImageData::Lz4(data) = &flat.data else { panic!("{flat:?}") };
        assert_eq!(&data[..2], [1, 8]);
        assert_eq!(unpack(data, 64 * 64 * 4), vec![7; 64 * 64 * 4]);

        let mut state = 1_u32;
        let noise: Vec<u8> = (0..64 * 64 * 4)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        let image = pixel_image(noise.into(), (64, 64), BitmapFormat::RGB32, ImageMethod::Lz4);
        assert!(matches!(image.data, ImageData::Bitmap(_)));
    }

    #[test]
    fn a_bitmap_with_room_behind_its_rows_is_packed_without_it() {
        let stride = 40 * 4 + 12;
        let mut data = vec![0xee; stride as usize * 10];
        for row in data.chunks_exact_mut(stride as usize) {
            row[..160].fill(3);
        }
        let bitmap = Bitmap::new(9, BitmapFormat::RGBA, (40, 10), stride, false, data.into()).unwrap();
        let image = bitmap_image(&bitmap, ImageMethod::Lz4);
        let ImageData::Lz4(data) = image.data else { panic!() };
        assert_eq!(data[1], 9);
        assert_eq!(unpack(&data, 1600), vec![3; 1600]);
    }
}
