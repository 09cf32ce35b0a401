//! What a viewer keeps because it was told to, as spice-gtk does.

use std::collections::BTreeMap;
use std::sync::Arc;

use spice_display::qxl::Image;
use spice_proto::display::{BitmapFlags, ImageFlags, ImagePalette, Palette, PaletteId};

/// Images and palettes by their ids. Where spice-gtk would wait for ever, or count what nobody takes back, is an error.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Pixels of images that may be kept: what the viewer says of itself to the server.
    pub(crate) pixels: u64,
    images: BTreeMap<u64, (Image, u64)>,
    palettes: BTreeMap<PaletteId, Arc<Palette>>,
}

impl Kept {
    pub(crate) fn new(pixels: u64) -> Self {
        Self { pixels, ..Self::default() }
    }

    /// An image of so many pixels has come, and is perhaps to be kept.
    pub(crate) fn keep(&mut self, image: &Image, flags: ImageFlags, pixels: u64) -> Result<(), String> {
        let id = image.id;
        if flags.contains(ImageFlags::CACHE_ME) {
            if self.images.insert(id, (image.clone(), pixels)).is_some() {
                return Err(format!("image {id:#x} is to be kept twice"));
            }
        } else if flags.contains(ImageFlags::CACHE_REPLACE_ME)
            && self.images.insert(id, (image.clone(), pixels)).is_none()
        {
            return Err(format!("image {id:#x} takes the place of none"));
        }
        let pixels: u64 = self.images.values().map(|(_, pixels)| pixels).sum();
        if pixels <= self.pixels { Ok(()) } else { Err(format!("images of {pixels} pixels are kept")) }
    }

    /// An image that was kept.
    pub(crate) fn image(&self, id: u64) -> Result<Image, String> {
        let kept = self.images.get(&id).ok_or_else(|| format!("image {id:#x} was never sent"))?;
        Ok(kept.0.clone())
    }

    /// An image is not needed any more.
    pub(crate) fn forget(&mut self, id: u64) -> Result<(), String> {
        self.images.remove(&id).map(drop).ok_or_else(|| format!("image {id:#x} was never kept"))
    }

    /// The palette of an image that has one.
    pub(crate) fn palette(
        &mut self,
        palette: ImagePalette,
        flags: BitmapFlags,
    ) -> Result<Arc<Palette>, String> {
        match palette {
            ImagePalette::Sent(palette) => {
                let palette = Arc::new(palette);
                if flags.contains(BitmapFlags::PAL_CACHE_ME) {
                    self.palettes.insert(palette.id, Arc::clone(&palette));
                }
                Ok(palette)
            }
            ImagePalette::Cached(id) => {
                self.palettes.get(&id).cloned().ok_or_else(|| format!("palette {id} is not known"))
            }
        }
    }

    /// A palette is not needed any more.
    pub(crate) fn forget_palette(&mut self, id: PaletteId) -> Result<(), String> {
        self.palettes.remove(&id).map(drop).ok_or_else(|| format!("palette {id} was never kept"))
    }

    /// No palette is.
    pub(crate) fn forget_palettes(&mut self) {
        self.palettes.clear();
    }
}
