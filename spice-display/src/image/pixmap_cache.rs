//! The images that one viewer keeps for one display.
//!
//! What spice-gtk does, and so what it is told:
//! - It counts how often it was told to keep an id, and forgets the image when it was told as often that it is gone
//!   (`INVAL_LIST`). So an id is brought once and then only replaced (`CACHE_REPLACE_ME`), which does not count.
//! - It waits for an image that it does not have, for ever, and draws nothing more on that display.
//! - It keeps an image as it was sent, not as it was drawn, with [`ImageFlags::HIGH_BITS_SET`] carried out on it, and
//!   with a palette's colours in the format of the surface that was drawn on. [`ImageKey`] has all of that.
//! - It keeps an image also when nothing of it is drawn, where the command may draw it: the sources of all commands but
//!   COMPOSITE. It may pass over those of brushes. Masks it keeps in a format of their own, under the same ids. So
//!   sources are marked, and nothing else is.
//! - What it holds for all its displays lies in one place, so `INVAL_ALL_PIXMAPS` of one would empty the others': a
//!   display that has to begin anew has its images forgotten one by one ([`PixmapCache::evict_all`]).
//!
//! The viewer says how many pixels it keeps. That is split among its displays, and what goes first is what was not used
//! longest. An image of the message that is being made never goes, so one that has no place beside those is sent and not
//! kept.

use spice_proto::display::{ImageData, ImageFlags, InvalList, Resource, ResourceType};

use super::digest::ImageKey;
pub(crate) use super::held::Fidelity;
use super::held::{Bring, Held, Message};
use crate::lru::LruLimits;

/// The most pixels, whatever the viewer says: 128 MiB. spice-gtk says 20 Mi.
const MOST_PIXELS: u64 = 32 << 20;

/// The most images of a display. What is known of one takes this side some 150 bytes.
const MOST_IMAGES: usize = 16 << 10;

/// A viewer's images of one display.
#[derive(Debug)]
pub(crate) struct PixmapCache(Held<u128>);

/// A message that is being made, and may refer to images. Dropped, it was never made.
#[derive(Debug)]
pub(crate) struct PixmapMessage<'a>(Message<'a, u128>);

impl PixmapCache {
    /// Of a viewer that says it keeps `stated` pixels for all its displays. One that states nothing, or less, keeps none.
    pub(crate) fn new(stated: i64, displays: u8) -> Self {
        let stated = u64::try_from(stated).unwrap_or(0).min(MOST_PIXELS);
        let weight = stated / u64::from(displays.max(1));
        Self(Held::new(LruLimits { entries: MOST_IMAGES, weight }))
    }

    /// The next message. Messages are made in the order in which they are sent.
    pub(crate) fn begin(&mut self) -> PixmapMessage<'_> {
        PixmapMessage(self.0.begin())
    }

    /// What is to be sent before any other message, once a message has been made or given up.
    pub(crate) fn take_inval_list(&mut self) -> Option<InvalList> {
        let gone = self.0.take_gone();
        let resource = |id| Resource { kind: ResourceType::PIXMAP, id };
        (!gone.is_empty()).then(|| InvalList(gone.into_iter().map(resource).collect()))
    }

    /// The viewer is to forget what it keeps for this display.
    pub(crate) fn evict_all(&mut self) {
        self.0.evict_all();
    }

    /// The viewer has forgotten everything.
    pub(crate) fn forget_all(&mut self) {
        self.0.forget_all();
    }
}

impl PixmapMessage<'_> {
    /// The id and the data of an image that the viewer has, as `need` has it. None if it has to be brought.
    pub(crate) fn refer(&mut self, key: &ImageKey, need: Fidelity) -> Option<(u64, ImageData)> {
        self.0.refer(key.id, &key.digest, need).then_some((key.id, ImageData::FromCache))
    }

    /// The id and the flag of an image that the message brings, as its packing leaves it. None where it is not kept.
    pub(crate) fn bring(&mut self, key: &ImageKey, fidelity: Fidelity) -> Option<(u64, ImageFlags)> {
        match self.0.bring(key.id, key.digest, key.pixels, fidelity) {
            Bring::New => Some((key.id, ImageFlags::CACHE_ME)),
            Bring::Better => Some((key.id, ImageFlags::CACHE_REPLACE_ME)),
            Bring::Once => None,
        }
    }

    /// The message will be sent, behind [`PixmapCache::take_inval_list`].
    pub(crate) fn commit(self) {
        self.0.commit();
    }
}

#[cfg(test)]
mod tests;
