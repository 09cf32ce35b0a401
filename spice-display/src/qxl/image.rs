//! Images of drawing commands.

use std::sync::Arc;

use bytes::Bytes;
use spice_proto::display::ImageFlags;
use spice_proto::{Rect, SurfaceId};

use super::Bitmap;

/// An image (`QXLImage`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The guest's name for it (`descriptor.id`).
    pub id: u64,
    /// [`ImageFlags::CACHE_ME`] and [`ImageFlags::HIGH_BITS_SET`], where the guest says so.
    pub flags: ImageFlags,
    /// Its pixels.
    pub source: ImageSource,
}

/// Where an image's pixels come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// Pixels that came with the command.
    Bitmap(Arc<Bitmap>),
    /// Pixels that came with the command, packed with QUIC.
    Quic(Arc<QuicImage>),
    /// What a surface holds when the command is drawn.
    Surface(SurfaceId),
    /// What the surface that is drawn on holds there when the command is drawn (`self_bitmap`).
    Own(Rect),
}

/// A QUIC image, as the guest has packed it.
#[derive(Clone, PartialEq, Eq)]
pub struct QuicImage {
    /// Columns, by the guest's word.
    pub width: u32,
    /// Rows, by the guest's word.
    pub height: u32,
    /// The stream. Nothing of it has been looked at.
    pub data: Bytes,
}

impl Image {
    /// Pixels that came with the command, which no viewer is to keep.
    #[must_use]
    pub const fn bitmap(id: u64, bitmap: Arc<Bitmap>) -> Self {
        Self { id, flags: ImageFlags::empty(), source: ImageSource::Bitmap(bitmap) }
    }

    /// What a surface holds.
    #[must_use]
    pub const fn surface(surface: SurfaceId) -> Self {
        Self { id: 0, flags: ImageFlags::empty(), source: ImageSource::Surface(surface) }
    }

    /// Bytes that stay in memory because of it.
    #[must_use]
    pub fn weight(&self) -> usize {
        match &self.source {
            ImageSource::Bitmap(bitmap) => bitmap.weight(),
            ImageSource::Quic(quic) => quic.data.len(),
            ImageSource::Surface(_) | ImageSource::Own(_) => 0,
        }
    }
}

impl core::fmt::Debug for QuicImage {
    /// Everything but the stream.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "QuicImage {}x{}, {} bytes", self.width, self.height, self.data.len())
    }
}
