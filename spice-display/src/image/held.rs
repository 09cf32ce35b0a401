//! What a viewer holds, by ids, as far as its server has told it to: the core of the caches of images and palettes.
//!
//! A server that refers to what the viewer does not hold stops a display of spice-gtk for good, or ends the viewer. So
//! what a message does to the viewer counts only once the message is certain ([`Message::commit`]); else it never
//! happened. And a message never refers to what it brings itself, because the order in which a viewer looks at a
//! message's images is its own affair.
//!
//! What has to go for something new is told before the message that brings it ([`Held::take_gone`]), and nothing that
//! the message refers to goes for it.

use crate::lru::{Lru, LruLimits};

/// How much of something the viewer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fidelity {
    /// About what it shows (JPEG).
    Lossy,
    /// What it shows. Bits that mean nothing are not those of the original, for instance because LZ drops them.
    Shown,
    /// Every bit.
    Exact,
}

/// What one viewer holds.
#[derive(Debug)]
pub(super) struct Held<T> {
    held: Lru<u64, Item<T>>,
    gone: Vec<u64>,
    /// Counts messages.
    message: u64,
}

#[derive(Debug)]
struct Item<T> {
    content: T,
    fidelity: Fidelity,
    /// The message that brought it.
    message: u64,
}

/// How something goes to the viewer that the message brings whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bring {
    /// The viewer is to hold it.
    New,
    /// The viewer is to hold it in place of what it has under the id.
    Better,
    /// The viewer does not hold it.
    Once,
}

/// A message that is being made. Dropped without [`Self::commit`], it leaves the viewer as it was, but for what has
/// gone for it.
#[derive(Debug)]
pub(super) struct Message<'a, T> {
    cache: &'a mut Held<T>,
    brought: Vec<Brought>,
}

#[derive(Debug)]
enum Brought {
    New(u64),
    /// Under an id that had this fidelity, from that message.
    Better(u64, Fidelity, u64),
}

impl<T: PartialEq> Held<T> {
    pub(super) const fn new(limits: LruLimits) -> Self {
        Self { held: Lru::new(limits), gone: Vec::new(), message: 0 }
    }

    /// The next message.
    pub(super) fn begin(&mut self) -> Message<'_, T> {
        self.message += 1;
        self.held.pin();
        Message { cache: self, brought: Vec::new() }
    }

    /// What the viewer is to forget before it is sent anything else. Each id comes once for each time that it was brought.
    pub(super) fn take_gone(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.gone)
    }

    /// The viewer is to forget everything, one by one.
    pub(super) fn evict_all(&mut self) {
        self.gone.extend(self.held.drain().map(|(id, _)| id));
    }

    /// The viewer has forgotten everything.
    pub(super) fn forget_all(&mut self) {
        self.held.clear();
        self.gone.clear();
    }
}

impl<T: PartialEq> Message<'_, T> {
    /// Whether the message can refer to `content` by `id`, and have at least `need` of it. Then it has to.
    pub(super) fn refer(&mut self, id: u64, content: &T, need: Fidelity) -> bool {
        let message = self.cache.message;
        self.cache
            .held
            .touch(&id)
            .is_some_and(|item| item.content == *content && item.fidelity >= need && item.message != message)
    }

    /// The message brings `content` whole, with that much fidelity: how.
    pub(super) fn bring(&mut self, id: u64, content: T, weight: u64, fidelity: Fidelity) -> Bring {
        let Held { held, gone, message } = &mut *self.cache;
        if let Some(item) = held.touch(&id) {
            if item.content != content || item.message == *message || item.fidelity >= fidelity {
                return Bring::Once;
            }
            self.brought.push(Brought::Better(id, item.fidelity, item.message));
            (item.fidelity, item.message) = (fidelity, *message);
            return Bring::Better;
        }
        let Some(evicted) = held.insert(id, Item { content, fidelity, message: *message }, weight) else {
            return Bring::Once;
        };
        gone.extend(evicted.into_iter().map(|(id, _)| id));
        self.brought.push(Brought::New(id));
        Bring::New
    }

    /// The message will be sent.
    pub(super) fn commit(mut self) {
        self.brought.clear();
    }
}

impl<T> Drop for Message<'_, T> {
    fn drop(&mut self) {
        let held = &mut self.cache.held;
        for brought in self.brought.drain(..).rev() {
            match brought {
                Brought::New(id) => drop(held.remove(&id)),
                Brought::Better(id, fidelity, message) => {
                    if let Some(item) = held.touch(&id) {
                        (item.fidelity, item.message) = (fidelity, message);
                    }
                }
            }
        }
        held.unpin();
    }
}
