//! The commands of one surface that are not painted yet, and what covers what among them.
//!
//! A list from the oldest to the newest, in which every command knows the pixels that it still has to paint. A command
//! that overwrites its pixels takes them away from all older ones, up to those that a command in between reads: that
//! is what the C server's tree of items, containers and shadows answers, too, and here it holds for parts of commands
//! as well. The boxes of the list are kept apart, so that looking for what is hidden reads little memory.

use std::collections::VecDeque;
use std::sync::Arc;

use spice_proto::{Rect, SurfaceId};

use super::duplicate::Duplicate;
use super::footprint::Footprint;
use crate::qxl::Drawable;
use crate::region::Region;

/// The place of a command in the order in which the guest gave them, over all surfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sequence(pub(crate) u64);

/// A command that is not painted yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) drawable: Arc<Drawable>,
    /// The pixels that it still has to paint; never empty.
    pub(super) live: Region,
    /// It is painted on all pixels that it touches, or not at all.
    whole: bool,
    /// What it reads of its own surface besides the pixels that it touches.
    reads_own: Region,
    /// What it reads of others.
    pub(super) reads: Vec<(SurfaceId, Rect)>,
    pub(super) weight: usize,
}

impl Pending {
    pub(super) fn new(drawable: Arc<Drawable>, footprint: Footprint) -> Self {
        let Footprint { region, whole, reads_own, reads, .. } = footprint;
        let weight = drawable.weight();
        Self { drawable, live: region, whole, reads_own, reads, weight }
    }
}

/// Where a command stands, and everything that it touches or reads of its surface.
#[derive(Clone, Copy, Debug)]
struct Slot {
    sequence: Sequence,
    reach: Rect,
}

/// What became of a command that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// It waits to be painted.
    Pending,
    /// It undoes this one, which waited; both are gone.
    Cancels(Sequence),
    /// It would do nothing that has not been done.
    Repeats,
}

/// More rectangles than this are not made of a command's pixels: it rather paints some for nothing.
const MAX_RECTS: usize = 24;

#[derive(Debug, Default)]
pub(super) struct Tree {
    /// One for each of `items`, in the order of their sequences.
    slots: VecDeque<Slot>,
    /// `None` where one is gone.
    items: VecDeque<Option<Pending>>,
    /// How many there are.
    len: usize,
    /// How many of them read other surfaces.
    reading: usize,
}

impl Tree {
    /// Whether one of the commands reads another surface.
    pub(super) fn reads_others(&self) -> bool {
        self.reading > 0
    }

    /// Adds the newest command. `gone` hears of each one that nobody can see any more.
    pub(super) fn add(
        &mut self,
        sequence: Sequence,
        item: Pending,
        overwrites: bool,
        gone: impl FnMut(Sequence, Pending),
    ) -> Added {
        match self.duplicate(&item) {
            Some((before, Duplicate::Cancels)) => {
                self.pop_newest(gone);
                return Added::Cancels(before);
            }
            Some((_, Duplicate::Repeats)) => return Added::Repeats,
            None => {}
        }
        if overwrites {
            self.hide(item.live.subtract(&item.reads_own), gone);
        }
        let reach = item.live.extents().union(&item.reads_own.extents());
        self.slots.push_back(Slot { sequence, reach });
        self.len += 1;
        self.reading += usize::from(!item.reads.is_empty());
        self.items.push_back(Some(item));
        Added::Pending
    }

    /// The newest command that touches a pixel of `area`.
    pub(super) fn newest_touching(&self, area: &Rect) -> Option<Sequence> {
        let touches = |(slot, item): &(&Slot, &Option<Pending>)| {
            !slot.reach.intersect(area).is_empty()
                && item.as_ref().is_some_and(|item| item.live.intersects(area))
        };
        self.slots.iter().zip(&self.items).rev().find(touches).map(|(slot, _)| slot.sequence)
    }

    /// Whether this command waits here.
    pub(super) fn contains(&self, sequence: Sequence) -> bool {
        let at = self.slots.partition_point(|slot| slot.sequence < sequence);
        self.slots.get(at).is_some_and(|slot| slot.sequence == sequence)
            && self.items.get(at).is_some_and(Option::is_some)
    }

    /// Takes the oldest command, if it is not newer than `last`.
    pub(super) fn pop_until(&mut self, last: Sequence) -> Option<Pending> {
        while self.slots.front()?.sequence <= last {
            self.slots.pop_front();
            if let Some(item) = self.items.pop_front().flatten() {
                self.forget(&item);
                return Some(item);
            }
        }
        None
    }

    /// Takes everything, none of it to be painted.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (Sequence, Pending)> + '_ {
        (self.len, self.reading) = (0, 0);
        let items = self.items.drain(..);
        self.slots.drain(..).zip(items).filter_map(|(slot, item)| Some((slot.sequence, item?)))
    }

    /// Takes these pixels away from all older commands, except where one in between reads them.
    fn hide(&mut self, mut hidden: Region, mut gone: impl FnMut(Sequence, Pending)) {
        for at in (0..self.slots.len()).rev() {
            if hidden.is_empty() {
                break;
            }
            let (Some(slot), Some(place)) = (self.slots.get_mut(at), self.items.get_mut(at)) else { break };
            if slot.reach.intersect(&hidden.extents()).is_empty() {
                continue;
            }
            let Some(item) = place else { continue };
            let left = item.live.subtract(&hidden);
            if left.is_empty() {
                slot.reach = Rect::default();
                let sequence = slot.sequence;
                if let Some(item) = place.take() {
                    self.forget(&item);
                    gone(sequence, item);
                }
                continue;
            }
            if !item.whole && left.rect_count() <= MAX_RECTS {
                item.live = left;
            }
            if !item.reads_own.is_empty() {
                hidden = hidden.subtract(&item.reads_own);
            }
        }
        self.compact();
    }

    /// What the newest command and this one come to together.
    fn duplicate(&self, item: &Pending) -> Option<(Sequence, Duplicate)> {
        let (slot, newest) = (self.slots.back()?, self.items.back()?.as_ref()?);
        if newest.live != item.live {
            return None;
        }
        Some((slot.sequence, Duplicate::of(&newest.drawable.op, &item.drawable.op)?))
    }

    fn pop_newest(&mut self, mut gone: impl FnMut(Sequence, Pending)) {
        if let (Some(slot), Some(Some(item))) = (self.slots.pop_back(), self.items.pop_back()) {
            self.forget(&item);
            gone(slot.sequence, item);
        }
    }

    fn forget(&mut self, item: &Pending) {
        self.len -= 1;
        self.reading -= usize::from(!item.reads.is_empty());
    }

    /// Drops the places of what is gone once they are the most.
    fn compact(&mut self) {
        if self.items.len() <= 2 * self.len + 16 {
            return;
        }
        let mut there = self.items.iter().map(Option::is_some);
        self.slots.retain(|_| there.next().unwrap_or(false));
        self.items.retain(Option::is_some);
    }
}
