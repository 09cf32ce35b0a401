//! Images as viewers unpack them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use spice_display::codec::glz;
use spice_display::codec::lz::{self, LzFormat};
use spice_display::codec::zlib;
use spice_display::qxl::{Bitmap, BitmapFormat, Image, ImageSource, QuicImage};
use spice_proto::Rect;
use spice_proto::display::{
    self as wire, BitmapFlags, ImageData, ImageFlags, ImageType, JpegAlphaFlags, JpegAlphaImage,
};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::kept::Kept;

/// What a viewer keeps of images, and how many it was sent of each type.
#[derive(Debug)]
pub(crate) struct Images {
    glz: glz::Decoder,
    pub(crate) kept: Kept,
    counts: BTreeMap<ImageType, u64>,
}

/// Pixels that the dictionary can hold: what [`Images`] says of itself to the server.
pub(crate) const GLZ_WINDOW: u32 = 1 << 20;

/// Most pixels of an image.
const MAX_PIXELS: u64 = 1 << 26;

/// Most bytes of a GLZ stream that fits in the window: no pixel takes more than five.
const MAX_GLZ_BYTES: u64 = GLZ_WINDOW as u64 * 5 + 64;

impl Images {
    /// Of a viewer that keeps images of so many pixels.
    pub(crate) fn new(pixels: u64) -> Self {
        let kept = Kept::new(pixels);
        Self { glz: glz::Decoder::new(GLZ_WINDOW.into()), kept, counts: BTreeMap::new() }
    }

    pub(crate) fn count(&self, kind: ImageType) -> u64 {
        self.counts.get(&kind).copied().unwrap_or(0)
    }

    pub(crate) fn image(&mut self, image: wire::Image) -> Result<Image, String> {
        let wire::Image { id, flags, width, height, data } = image;
        *self.counts.entry(data.image_type()).or_default() += 1;
        let source = match data {
            ImageData::Surface(surface) => ImageSource::Surface(surface),
            ImageData::Quic(data) => ImageSource::Quic(Arc::new(QuicImage { width, height, data })),
            ImageData::Bitmap(bitmap) => {
                let palette = match bitmap.palette {
                    Some(palette) => Some(self.kept.palette(palette, bitmap.flags)?),
                    None => None,
                };
                let top_down = bitmap.flags.contains(BitmapFlags::TOP_DOWN);
                let size = (bitmap.x, bitmap.y);
                let bitmap = Bitmap::new(bitmap.format, size, bitmap.stride, top_down, bitmap.data);
                let bitmap = bitmap.map_err(|error| error.to_string())?;
                ImageSource::Bitmap(Arc::new(bitmap.with_palette(palette)))
            }
            ImageData::Lz4(data) => {
                ImageSource::Bitmap(Arc::new(unpack_lz4(&data, Rect::new(0, 0, width, height))?))
            }
            ImageData::LzRgb(data) => ImageSource::Bitmap(Arc::new(unpack_lz(&data, (width, height))?)),
            ImageData::LzPalette(packed) => {
                let bitmap = unpack_lz(&packed.data, (width, height))?;
                let palette = self.kept.palette(packed.palette, packed.flags)?;
                ImageSource::Bitmap(Arc::new(bitmap.with_palette(Some(palette))))
            }
            ImageData::GlzRgb(data) => {
                ImageSource::Bitmap(Arc::new(self.unpack_glz(&data.to_bytes(), (width, height))?))
            }
            ImageData::ZlibGlzRgb(packed) => {
                let stream = zlib::decode(&packed.data.to_bytes(), packed.glz_size, MAX_GLZ_BYTES);
                let stream = stream.map_err(|error| error.to_string())?;
                ImageSource::Bitmap(Arc::new(self.unpack_glz(&stream, (width, height))?))
            }
            ImageData::Jpeg(data) => ImageSource::Bitmap(Arc::new(unpack_jpeg(&data, (width, height))?)),
            ImageData::JpegAlpha(packed) => {
                ImageSource::Bitmap(Arc::new(unpack_jpeg_alpha(&packed, (width, height))?))
            }
            ImageData::FromCache | ImageData::FromCacheLossless => return self.kept.image(id),
            other => return Err(format!("image {other:?}")),
        };
        let image = Image { id, flags: flags & ImageFlags::HIGH_BITS_SET, source };
        self.kept.keep(&image, flags, u64::from(width) * u64::from(height))?;
        Ok(image)
    }

    fn unpack_glz(&mut self, data: &[u8], size: (u32, u32)) -> Result<Bitmap, String> {
        let picture = self.glz.decode(data).map_err(|error| error.to_string())?;
        same_size((picture.width, picture.height), size)?;
        let format = BitmapFormat(picture.format.wire());
        let stride = picture.stride() as u32;
        let bitmap = Bitmap::new(format, size, stride, picture.top_down, picture.pixels);
        bitmap.map_err(|error| error.to_string())
    }
}

fn same_size(stream: (u32, u32), image: (u32, u32)) -> Result<(), String> {
    if stream == image { Ok(()) } else { Err(format!("a stream of {stream:?} in an image of {image:?}")) }
}

fn unpack_lz(data: &[u8], size: (u32, u32)) -> Result<Bitmap, String> {
    let picture = lz::decode(data, MAX_PIXELS).map_err(|error| error.to_string())?;
    same_size((picture.width, picture.height), size)?;
    let format = match picture.format {
        LzFormat::Plt1Le => BitmapFormat::BIT1_LE,
        LzFormat::Plt1Be => BitmapFormat::BIT1_BE,
        LzFormat::Plt4Le => BitmapFormat::BIT4_LE,
        LzFormat::Plt4Be => BitmapFormat::BIT4_BE,
        LzFormat::Plt8 => BitmapFormat::BIT8,
        LzFormat::Rgb16 => BitmapFormat::RGB16,
        LzFormat::Rgb24 => BitmapFormat::RGB24,
        LzFormat::Rgb32 => BitmapFormat::RGB32,
        LzFormat::Rgba => BitmapFormat::RGBA,
        LzFormat::A8 => BitmapFormat::A8,
        LzFormat::Xxxa => return Err("alpha alone, and no image to go with it".into()),
    };
    let stride = picture.stride() as u32;
    Bitmap::new(format, size, stride, picture.top_down, picture.pixels.into())
        .map_err(|error| error.to_string())
}

fn unpack_lz4(data: &[u8], size: Rect) -> Result<Bitmap, String> {
    let &[top_down, format, ..] = data else { return Err("LZ4 image without a head".into()) };
    let format = BitmapFormat(format);
    let depth = if format == BitmapFormat::RGB16 { 2 } else { 4 };
    let len = size.width() as usize * size.height() as usize * depth;
    let mut pixels = Vec::new();
    let mut blocks = data.get(2..).unwrap_or_default();
    while let Some((size, rest)) = blocks.split_first_chunk() {
        let size = u32::from_be_bytes(*size) as usize;
        let block = rest.get(..size).ok_or("LZ4 block beyond its image")?;
        let room = len.saturating_sub(pixels.len());
        pixels.extend(lz4_flex::block::decompress(block, room).map_err(|error| error.to_string())?);
        blocks = rest.get(size..).unwrap_or_default();
    }
    if pixels.len() != len {
        return Err(format!("LZ4 image of {} bytes instead of {len}", pixels.len()));
    }
    let stride = size.width() * depth as u32;
    Bitmap::new(format, (size.width(), size.height()), stride, top_down != 0, Bytes::from(pixels))
        .map_err(|error| error.to_string())
}

fn unpack_jpeg(data: &[u8], size: (u32, u32)) -> Result<Bitmap, String> {
    let pixels: Vec<u8> = jpeg_colours(data, size)?.into_iter().flat_map(|[b, g, r]| [b, g, r, 0]).collect();
    Bitmap::new(BitmapFormat::RGB32, size, size.0 * 4, true, pixels.into()).map_err(|error| error.to_string())
}

/// Colours from a JPEG stream, and alpha from an LZ stream beside it.
fn unpack_jpeg_alpha(packed: &JpegAlphaImage, size: (u32, u32)) -> Result<Bitmap, String> {
    let colours = jpeg_colours(&packed.jpeg, size)?;
    let alpha = lz::decode(&packed.alpha, MAX_PIXELS).map_err(|error| error.to_string())?;
    same_size((alpha.width, alpha.height), size)?;
    let top_down = packed.flags.contains(JpegAlphaFlags::TOP_DOWN);
    if (alpha.format, alpha.top_down) != (LzFormat::Xxxa, top_down) {
        return Err(format!("{alpha:?} as the alpha of an image that is top down {top_down}"));
    }
    let mut alpha: Vec<&[u8]> = alpha.pixels.chunks(alpha.stride()).collect();
    if !top_down {
        alpha.reverse();
    }
    let alpha = alpha.into_iter().flatten().skip(3).step_by(4);
    let pixels: Vec<u8> = colours.into_iter().zip(alpha).flat_map(|([b, g, r], a)| [b, g, r, *a]).collect();
    Bitmap::new(BitmapFormat::RGBA, size, size.0 * 4, true, pixels.into()).map_err(|error| error.to_string())
}

/// Blue, green and red of the pixels of a JPEG stream, the top row first.
fn jpeg_colours(data: &[u8], size: (u32, u32)) -> Result<Vec<[u8; 3]>, String> {
    let side = u16::MAX.into();
    let options = DecoderOptions::default().set_max_width(side).set_max_height(side).set_strict_mode(true);
    let options = options.jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    decoder.decode_headers().map_err(|error| error.to_string())?;
    let info = decoder.info().ok_or("a JPEG stream of no size")?;
    same_size((info.width.into(), info.height.into()), size)?;
    if u64::from(size.0) * u64::from(size.1) > MAX_PIXELS {
        return Err(format!("a JPEG stream of {size:?}"));
    }
    let pixels = decoder.decode().map_err(|error| error.to_string())?;
    Ok(pixels.as_chunks().0.iter().map(|&[r, g, b]| [b, g, r]).collect())
}

#[cfg(test)]
mod tests {
    use spice_display::codec::jpeg::{self, JpegFormat, JpegSource};
    use spice_proto::display::ImageFlags;

    use super::*;

    fn unpacked(data: ImageData, (width, height): (u32, u32)) -> Result<Arc<Bitmap>, String> {
        let image = wire::Image { id: 0, flags: ImageFlags::empty(), width, height, data };
        match Images::new(0).image(image)?.source {
            ImageSource::Bitmap(bitmap) => Ok(bitmap),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn jpeg_comes_back_the_right_way_up_and_with_its_alpha() {
        // A red top half, a blue bottom half, between which colours run a little, and an alpha that counts rows.
        let rows: Vec<[u8; 4]> =
            (0..32_u8).map(|y| if y < 16 { [0, 0, 255, y] } else { [255, 0, 0, y] }).collect();
        let down: Vec<u8> = rows.iter().flat_map(|pixel| pixel.repeat(16)).collect();
        let up: Vec<u8> = rows.iter().rev().flat_map(|pixel| pixel.repeat(16)).collect();
        for (data, top_down) in [(&down, true), (&up, false)] {
            let format = JpegFormat::Rgba;
            let source = JpegSource { format, width: 16, height: 32, stride: 64, top_down, data };
            let stream = jpeg::encode(&source, jpeg::QUALITY).unwrap();
            let colours = unpacked(ImageData::Jpeg(stream.into()), (16, 32)).unwrap();
            let packed = jpeg::encode_alpha(&source, jpeg::QUALITY).unwrap();
            let both = unpacked(ImageData::JpegAlpha(packed.clone()), (16, 32)).unwrap();
            assert_eq!((colours.format(), both.format()), (BitmapFormat::RGB32, BitmapFormat::RGBA));
            for (y, expected) in rows.iter().enumerate() {
                let pixels = [&colours, &both].map(|bitmap| bitmap.row(y as u32).as_chunks::<4>().0);
                for (pixel, both) in pixels[0].iter().zip(pixels[1]) {
                    assert_eq!((pixel[..3].to_vec(), pixel[3]), (both[..3].to_vec(), 0));
                    let near = pixel.iter().zip(expected).take(3).all(|(a, b)| a.abs_diff(*b) < 8);
                    assert!(near || matches!(y, 15 | 16), "{y}: {pixel:?}");
                    assert_eq!(both[3], expected[3]);
                }
            }
            let flags = packed.flags ^ JpegAlphaFlags::TOP_DOWN;
            assert!(
                unpacked(ImageData::JpegAlpha(JpegAlphaImage { flags, ..packed.clone() }), (16, 32)).is_err()
            );
            assert!(unpacked(ImageData::JpegAlpha(packed), (32, 16)).is_err());
        }
    }
}
