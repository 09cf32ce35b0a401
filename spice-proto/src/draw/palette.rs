//! Palettes of images.

use bytes::Bytes;

use super::pointer::{Behind, Pointee};
use crate::wire::{In, Parsed, Wire, Writer, counted, field, id, named};

id! {
    /// A palette's name in the viewer's cache; 0 is the name of none.
    pub struct PaletteId(u64);
}

/// A palette (`SpicePalette`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    /// Its name, in the viewer's cache (`unique`).
    pub id: PaletteId,
    /// The colour of each pixel value, `0x00RRGGBB`; at most 65,535.
    pub entries: Vec<u32>,
}

impl Wire for Palette {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, id) = field("palette.unique", body, input)?;
        let (input, count) = field::<u16>("palette.num_ents", body, input)?;
        let (input, entries) = named("palette.ents", counted(body, input, count.into(), 4))?;
        Ok((input, Self { id, entries }))
    }

    fn put(&self, writer: &mut Writer) {
        self.id.put(writer);
        let count = u16::try_from(self.entries.len()).unwrap_or(u16::MAX);
        count.put(writer);
        for entry in self.entries.iter().take(count.into()) {
            entry.put(writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self { id: Wire::arbitrary(source)?, entries: crate::wire::arbitrary_list(source, 256)? })
    }
}

/// Where an image's palette is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImagePalette {
    /// In the message.
    Sent(Palette),
    /// In the viewer's cache, under this name.
    Cached(PaletteId),
}

impl ImagePalette {
    /// Whether the viewer has it, which is what `SPICE_BITMAP_FLAGS_PAL_FROM_CACHE` says.
    pub(super) const fn is_cached(&self) -> bool {
        matches!(self, Self::Cached(_))
    }

    /// Appends its name or its offset; 0 where there is none.
    pub(super) fn put<'a>(palette: Option<&'a Self>, writer: &mut Writer, behind: &mut Behind<'a>) {
        match palette {
            None => 0_u32.put(writer),
            Some(Self::Sent(palette)) => behind.point(writer, Pointee::Palette(palette)),
            Some(Self::Cached(id)) => id.put(writer),
        }
    }

    #[cfg(feature = "arbitrary")]
    pub(super) fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(match source.arbitrary()? {
            true => Self::Sent(Wire::arbitrary(source)?),
            false => Self::Cached(Wire::arbitrary(source)?),
        })
    }
}
