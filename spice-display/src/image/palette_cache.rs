//! The palettes that one viewer keeps for one display.
//!
//! As with images, the guest's name for a palette (`unique`) is not used: a palette is its colours, its id is made of
//! them, and they are compared. The C server takes the guest's word, and sends palettes without a name each time; such
//! ones are kept here as well.
//!
//! What spice-gtk does, and so what it is told:
//! - It keeps a palette under the id that is in it. A second one under the id takes the place of the first.
//! - It ends on a palette that it does not have.
//! - It keeps a palette also when nothing of its image is drawn, under the conditions for images (`pixmap_cache`), and
//!   never that of a mask.
//! - Each of its displays has palettes of its own.

use std::sync::Arc;

use spice_proto::display::{BitmapFlags, ImagePalette, Palette, PaletteId};
use twox_hash::XxHash3_128;

use super::held::{Bring, Fidelity, Held, Message};
use crate::lru::LruLimits;

/// How many palettes a viewer keeps (`CLIENT_PALETTE_CACHE_SIZE`).
const MOST: usize = 128;

/// The most colours of one that is kept: more have no pixel.
const MOST_COLOURS: usize = 256;

/// A viewer's palettes.
#[derive(Debug)]
pub(crate) struct PaletteCache(Held<Colours>);

/// A message that is being made, and may refer to palettes. Dropped, it was never made.
#[derive(Debug)]
pub(crate) struct PaletteMessage<'a>(Message<'a, Colours>);

/// A palette without its name.
#[derive(Clone, Debug)]
struct Colours(Arc<Palette>);

impl PartialEq for Colours {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.entries == other.0.entries
    }
}

impl Default for PaletteCache {
    fn default() -> Self {
        Self(Held::new(LruLimits { entries: MOST, weight: MOST as u64 }))
    }
}

impl PaletteCache {
    /// The next message. Messages are made in the order in which they are sent.
    pub(crate) fn begin(&mut self) -> PaletteMessage<'_> {
        PaletteMessage(self.0.begin())
    }

    /// What is to be sent before any other message, one `INVAL_PALETTE` each, once a message has been made or given up.
    pub(crate) fn take_gone(&mut self) -> impl Iterator<Item = PaletteId> {
        self.0.take_gone().into_iter().map(PaletteId)
    }

    /// The viewer has been told to forget them all.
    pub(crate) fn forget_all(&mut self) {
        self.0.forget_all();
    }
}

impl PaletteMessage<'_> {
    /// A palette of the message's, and the flag that goes with it. It has to be sent so.
    pub(crate) fn pass(&mut self, palette: &Arc<Palette>) -> (BitmapFlags, ImagePalette) {
        let sent = |id| Palette { id: PaletteId(id), entries: palette.entries.clone() };
        if palette.entries.len() > MOST_COLOURS {
            return (BitmapFlags::empty(), ImagePalette::Sent(sent(0)));
        }
        let (id, colours) = (id(&palette.entries), Colours(Arc::clone(palette)));
        if self.0.refer(id, &colours, Fidelity::Exact) {
            return (BitmapFlags::PAL_FROM_CACHE, ImagePalette::Cached(PaletteId(id)));
        }
        match self.0.bring(id, colours, 1, Fidelity::Exact) {
            Bring::New => (BitmapFlags::PAL_CACHE_ME, ImagePalette::Sent(sent(id))),
            Bring::Better | Bring::Once => (BitmapFlags::empty(), ImagePalette::Sent(sent(0))),
        }
    }

    /// The message will be sent, behind [`PaletteCache::take_gone`].
    pub(crate) fn commit(self) {
        self.0.commit();
    }
}

/// The same for all viewers. Never 0, which is the name of none.
fn id(entries: &[u32]) -> u64 {
    let mut hash = XxHash3_128::new();
    for entry in entries {
        hash.write(&entry.to_le_bytes());
    }
    (hash.finish_128() as u64).max(1)
}

#[cfg(test)]
mod tests;
