//! What tells images apart, whatever their guest calls them.
//!
//! A guest says which images viewers are to keep, and gives each an id. The C server takes that for the image: one that
//! comes again under the id is shown as it was. But ids of Linux guests are 32 bits of a hash of the pixels, which come
//! to be the same for two images of some ten thousand, and a guest may say anything. So ids are not used here. An image
//! is what it shows: its [`ImageKey`] is made of its pixels, of how they are laid out, and of what viewers make of them.
//!
//! The hash is XXH3 of 128 bits, which runs as fast as memory does (58 GB/s out of the cache, where LZ packs 0.5), so
//! that an image costs nothing next to what it costs to send it once. That two images of a desktop have the same is
//! out of the question (one in 10^20 for 10^9 images). It is no cryptographic hash: who knows the seed can make two such
//! images, and would show the viewers of its own guest a wrong picture; so the seed had better be drawn at random.
//!
//! The key's id is what the viewer knows the image by: the hash again, with the number of the display before it. All
//! displays of a viewer share one cache there. Since their ids are disjoint and each has a part of the cache to itself,
//! none needs to know what another has evicted, and none has to wait for another (`WAIT_FOR_CHANNELS`). And all viewers
//! of a display know an image by the same id, so what they are sent is the same, too.

use spice_proto::ChannelId;
use spice_proto::display::{ImageFlags, Palette, SurfaceFormat};
use twox_hash::XxHash3_128;

use crate::qxl::{Bitmap, Image, ImageSource, QuicImage};

/// What an image is, as far as a viewer that keeps it would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageKey {
    pub(super) id: u64,
    pub(super) digest: u128,
    pub(super) pixels: u64,
}

/// Makes the keys of one display's images.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImageKeys {
    display: ChannelId,
    seed: u64,
}

impl ImageKeys {
    /// For this display. Keys of another seed have nothing to do with each other.
    pub(crate) const fn new(display: ChannelId, seed: u64) -> Self {
        Self { display, seed }
    }

    /// The key of an image that is drawn on a surface of format `target`. Viewers turn a palette's colours into that
    /// format before they keep the image. None for what a surface shows, which nobody keeps.
    pub(crate) fn key(&self, image: &Image, target: SurfaceFormat) -> Option<ImageKey> {
        let mut hash = XxHash3_128::with_seed(self.seed);
        let high_bits = image.flags.contains(ImageFlags::HIGH_BITS_SET);
        let pixels = match &image.source {
            ImageSource::Bitmap(bitmap) => {
                let (format, top_down) = (bitmap.format().0, bitmap.is_top_down());
                hash.write(&[0, format, u8::from(top_down), u8::from(high_bits)]);
                hash.write(&size(bitmap.width(), bitmap.height()));
                if let Some(palette) = bitmap.palette() {
                    hash.write(&target.0.to_le_bytes());
                    write_palette(&mut hash, palette);
                }
                write_pixels(&mut hash, bitmap);
                u64::from(bitmap.width()) * u64::from(bitmap.height())
            }
            ImageSource::Quic(quic) => {
                let QuicImage { width, height, data } = &**quic;
                hash.write(&[1, u8::from(high_bits)]);
                hash.write(&size(*width, *height));
                hash.write(data);
                u64::from(*width) * u64::from(*height)
            }
            ImageSource::Surface(_) | ImageSource::Own(_) => return None,
        };
        let digest = hash.finish_128();
        Some(ImageKey { id: self.id(digest), digest, pixels })
    }

    const fn id(&self, digest: u128) -> u64 {
        (self.display.0 as u64) << 56 | digest as u64 >> 8
    }
}

fn size(width: u32, height: u32) -> [u8; 8] {
    (u64::from(width) << 32 | u64::from(height)).to_le_bytes()
}

fn write_palette(hash: &mut XxHash3_128, palette: &Palette) {
    hash.write(&(palette.entries.len() as u64).to_le_bytes());
    for entry in &palette.entries {
        hash.write(&entry.to_le_bytes());
    }
}

/// What lies between rows is not part of the image. Rows are taken in the order in which they lie.
fn write_pixels(hash: &mut XxHash3_128, bitmap: &Bitmap) {
    let (height, row) = (bitmap.height(), bitmap.row(0).len());
    if row == bitmap.stride() as usize {
        hash.write(bitmap.data());
        return;
    }
    for y in 0..height {
        hash.write(bitmap.row(if bitmap.is_top_down() { y } else { height - 1 - y }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use spice_proto::display::{BitmapFormat, PaletteId};
    use spice_proto::{Rect, SurfaceId};

    use super::*;

    const KEYS: ImageKeys = ImageKeys::new(ChannelId(3), 7);

    fn bitmap(format: BitmapFormat, size: (u32, u32), stride: u32, top_down: bool, data: &[u8]) -> Bitmap {
        Bitmap::new(format, size, stride, top_down, data.to_vec().into()).unwrap()
    }

    fn key(bitmap: Bitmap) -> ImageKey {
        KEYS.key(&Image::bitmap(1, Arc::new(bitmap)), SurfaceFormat::RGB32).unwrap()
    }

    #[test]
    fn only_what_is_seen_of_an_image_is_in_its_key() {
        let tight = || bitmap(BitmapFormat::BIT8, (2, 2), 2, false, &[1, 2, 3, 4]);
        let padded = bitmap(BitmapFormat::BIT8, (2, 2), 3, false, &[1, 2, 9, 3, 4, 8]);
        assert_eq!(key(tight()), key(padded));
        let image = |id, flags| Image { id, flags, source: ImageSource::Bitmap(Arc::new(tight())) };
        let named = |id, flags| KEYS.key(&image(id, flags), SurfaceFormat::RGB32);
        assert_eq!(named(1, ImageFlags::CACHE_ME), named(2, ImageFlags::empty()));
        assert_eq!(named(1, ImageFlags::CACHE_ME).unwrap().pixels, 4);
    }

    #[test]
    fn whatever_viewers_would_notice_makes_another_key() {
        let palette =
            |id, entries: &[u32]| Some(Arc::new(Palette { id: PaletteId(id), entries: entries.to_vec() }));
        let tight = || bitmap(BitmapFormat::BIT8, (2, 2), 2, true, &[1, 2, 3, 4]);
        let on = |target, flags, bitmap: Bitmap| {
            let image = Image { id: 1, flags, source: ImageSource::Bitmap(Arc::new(bitmap)) };
            KEYS.key(&image, target).unwrap().digest
        };
        let plain = |bitmap| on(SurfaceFormat::RGB32, ImageFlags::empty(), bitmap);
        let quic = |width, data: &'static [u8]| {
            let quic = Arc::new(QuicImage { width, height: 2, data: data.into() });
            let image = Image { source: ImageSource::Quic(quic), ..Image::surface(SurfaceId(1)) };
            KEYS.key(&image, SurfaceFormat::RGB32).unwrap().digest
        };
        let mut digests = vec![
            plain(tight()),
            plain(bitmap(BitmapFormat::BIT8, (2, 2), 2, false, &[1, 2, 3, 4])),
            plain(bitmap(BitmapFormat::BIT8, (2, 2), 2, true, &[1, 2, 3, 5])),
            plain(bitmap(BitmapFormat::BIT8, (4, 1), 4, true, &[1, 2, 3, 4])),
            plain(bitmap(BitmapFormat::BIT8, (1, 4), 1, true, &[1, 2, 3, 4])),
            plain(bitmap(BitmapFormat::A8, (2, 2), 2, true, &[1, 2, 3, 4])),
            on(SurfaceFormat::RGB32, ImageFlags::HIGH_BITS_SET, tight()),
            plain(tight().with_palette(palette(1, &[7]))),
            plain(tight().with_palette(palette(1, &[8]))),
            on(SurfaceFormat::RGB555, ImageFlags::empty(), tight().with_palette(palette(1, &[7]))),
            quic(2, &[1, 2, 3, 4]),
            quic(3, &[1, 2, 3, 4]),
            quic(2, &[1, 2, 3]),
        ];
        assert_eq!(
            plain(tight().with_palette(palette(1, &[7]))),
            plain(tight().with_palette(palette(2, &[7])))
        );
        assert_eq!(on(SurfaceFormat::RGB555, ImageFlags::empty(), tight()), plain(tight()));
        let all = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), all);
    }

    #[test]
    fn displays_have_ids_of_their_own_and_surfaces_have_none() {
        let image = Image::bitmap(1, Arc::new(bitmap(BitmapFormat::BIT8, (2, 1), 2, true, &[1, 2])));
        let id = |display| {
            let keys = ImageKeys::new(ChannelId(display), 7);
            keys.key(&image, SurfaceFormat::RGB32).unwrap().id
        };
        assert_eq!((id(0) >> 56, id(1) >> 56, id(255) >> 56), (0, 1, 255));
        assert_eq!(id(0), id(1) & (u64::MAX >> 8));
        assert_ne!(id(0), 0);
        assert_eq!(KEYS.key(&Image::surface(SurfaceId(1)), SurfaceFormat::RGB32), None);
        let own = Image { source: ImageSource::Own(Rect::new(0, 0, 1, 1)), ..Image::surface(SurfaceId(1)) };
        assert_eq!(KEYS.key(&own, SurfaceFormat::RGB32), None);
    }
}
