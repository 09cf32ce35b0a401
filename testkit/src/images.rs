//! Images as viewers unpack them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use spice_display::codec::glz;
use spice_display::codec::lz::{self, LzFormat};
use spice_display::qxl::{Bitmap, BitmapFormat, Image, ImageSource, QuicImage};
use spice_proto::Rect;
use spice_proto::display::{self as wire, BitmapFlags, ImageData, ImagePalette, ImageType, Palette};

/// What a viewer keeps of images, and how many it was sent of each type.
#[derive(Debug)]
pub(crate) struct Images {
    glz: glz::Decoder,
    counts: BTreeMap<ImageType, u64>,
}

/// Pixels that the dictionary can hold: what [`Images`] says of itself to the server.
pub(crate) const GLZ_WINDOW: u32 = 1 << 20;

/// Most pixels of an image.
const MAX_PIXELS: u64 = 1 << 26;

impl Images {
    pub(crate) fn new() -> Self {
        Self { glz: glz::Decoder::new(GLZ_WINDOW.into()), counts: BTreeMap::new() }
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
                let palette = bitmap.palette.map(sent).transpose()?;
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
                ImageSource::Bitmap(Arc::new(bitmap.with_palette(Some(sent(packed.palette)?))))
            }
            ImageData::GlzRgb(data) => {
                let picture = self.glz.decode(&data.to_bytes()).map_err(|error| error.to_string())?;
                same_size((picture.width, picture.height), (width, height))?;
                let format = BitmapFormat(picture.format.wire());
                let stride = picture.stride() as u32;
                let bitmap = Bitmap::new(format, (width, height), stride, picture.top_down, picture.pixels);
                ImageSource::Bitmap(Arc::new(bitmap.map_err(|error| error.to_string())?))
            }
            other => return Err(format!("image {other:?}")),
        };
        Ok(Image { id, flags, source })
    }
}

fn sent(palette: ImagePalette) -> Result<Arc<Palette>, String> {
    match palette {
        ImagePalette::Sent(palette) => Ok(Arc::new(palette)),
        ImagePalette::Cached(id) => Err(format!("palette {id} is not known")),
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
