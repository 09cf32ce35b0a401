//! Images of drawing commands.

use spice_display::qxl::{Bitmap, Image, ImageSource};
use spice_proto::display::Palette;

use super::Writer;
use crate::replay::fields::Fields;

/// The bytes lie in one piece (`QXL_BITMAP_DIRECT`).
const DIRECT: u8 = 1 << 0;
/// The top row comes first (`QXL_BITMAP_TOP_DOWN`).
const TOP_DOWN: u8 = 1 << 2;

/// Bytes of an image's head (`QXLImageDescriptor`).
const HEAD: usize = 18;

impl Writer<'_> {
    /// `QXLImage`; none for a part of the surface that is drawn on.
    pub(super) fn image(&mut self, Image { id, flags, source }: &Image) -> u64 {
        let head = |len: usize, kind, width, height| {
            let mut fields = Fields::with_capacity(HEAD + len);
            fields.u64(*id).u8(kind).u8(flags.bits()).u32(width).u32(height);
            fields
        };
        let fields = match source {
            ImageSource::Own(_) => return 0,
            ImageSource::Bitmap(bitmap) => {
                let mut fields = head(30, 0, bitmap.width(), bitmap.height());
                self.bitmap(&mut fields, bitmap);
                fields
            }
            ImageSource::Quic(quic) => {
                let len = quic.data.len();
                let mut fields = head(24 + len, 1, quic.width, quic.height);
                fields.count(len).chunk(len).bytes(&quic.data);
                fields
            }
            ImageSource::Surface(surface) => {
                let mut fields = head(4, 104, 0, 0);
                fields.u32(self.shown(*surface));
                fields
            }
        };
        self.keep(fields)
    }

    /// `QXLBitmap`.
    fn bitmap(&mut self, fields: &mut Fields, bitmap: &Bitmap) {
        let flags = if bitmap.is_top_down() { DIRECT | TOP_DOWN } else { DIRECT };
        let palette = bitmap.palette().map_or(0, |palette| self.palette(palette));
        let data = self.arena.share(bitmap.data());
        fields.u8(bitmap.format().0).u8(flags).u32(bitmap.width()).u32(bitmap.height());
        fields.u32(bitmap.stride()).u64(palette).u64(data);
    }

    /// `QXLPalette`.
    fn palette(&mut self, Palette { id, entries }: &Palette) -> u64 {
        let mut fields = Fields::with_capacity(10 + size_of_val(entries.as_slice()));
        fields.u64(id.0).u16(u16::try_from(entries.len()).unwrap_or(u16::MAX));
        for entry in entries {
            fields.u32(*entry);
        }
        self.keep(fields)
    }
}
