//! What one viewer has been shown, and what it still has to be.
//!
//! ```text
//!            pipe full
//! Following -----------> Behind      every draw grows the damage of its surface
//!     ^                    |
//!     +--------------------+
//!       room: surfaces that are gone are destroyed, new ones created and damaged whole
//! ```
//!
//! While it follows, a surface is either in step (its draws wait in the pipe) or damaged (a region waits, and goes out
//! before the pipe as images of the canvas as it is then). Damage spreads: a draw that reads a damaged surface would
//! show the viewer another content than was meant, so its target becomes damaged too. A viewer that joins is one that
//! is behind and has been shown nothing.
//!
//! Invariant: when there is no damage and the pipe is empty, the viewer's surfaces equal the server's.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use spice_channel::{Full, Pipe, PipeLimits, Time};
use spice_proto::{Rect, SurfaceId};

use super::super::abilities::Abilities;
use super::super::draw::Draw;
use super::damage::Damage;
use crate::surface::{Added, Generation, Sequence, SurfaceShape, SurfaceTable};

/// What waits in a viewer's pipe.
#[derive(Clone, Debug)]
pub(in crate::display) enum DisplayItem {
    /// A surface begins. It may be gone by the time that its viewer hears of it.
    Create(SurfaceId, Generation, SurfaceShape),
    /// A surface ends.
    Destroy(SurfaceId),
    /// A drawing command.
    Draw(Arc<Draw>),
}

/// What is to be sent next.
#[derive(Clone, Debug)]
pub(in crate::display) enum Next {
    /// A surface that the viewer does not have.
    Create(SurfaceId, SurfaceShape),
    /// A surface that the viewer has and that is gone or another one now.
    Destroy(SurfaceId),
    /// A part of a surface, from the canvas as it is.
    Damage(SurfaceId, Rect),
    /// A drawing command.
    Draw(Arc<Draw>),
}

/// How long what waits in the pipe may have waited, to one and a half times as much. What is older is squashed.
const PATIENCE: Duration = Duration::from_millis(150);

#[derive(Debug)]
pub(in crate::display) struct View {
    pipe: Pipe<DisplayItem>,
    abilities: Abilities,
    behind: bool,
    /// The surfaces that the viewer has been sent, and whether an image of one is still to come that shows it first.
    shown: BTreeMap<SurfaceId, Shown>,
    /// What of each surface waits to be sent as images.
    damage: Damage,
    /// The surfaces that the viewer cannot keep, and knows nothing of.
    hidden: BTreeSet<SurfaceId>,
    /// How many items have been in the pipe.
    enqueued: u64,
    /// A moment, and how many items had been in the pipe by then. Some of them wait still.
    waiting: Option<(Time, u64)>,
    squashes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Shown {
    generation: Generation,
    /// Nothing has been drawn on it at the viewer yet.
    blank: bool,
}

impl View {
    /// A viewer that has been shown nothing.
    pub(in crate::display) fn new(limits: PipeLimits, abilities: Abilities, surfaces: &SurfaceTable) -> Self {
        let hidden = surfaces.iter().filter(|(_, surface)| !abilities.keeps(surface.shape().format));
        let mut view = Self {
            pipe: Pipe::new(limits),
            abilities,
            behind: true,
            shown: BTreeMap::new(),
            damage: Damage::default(),
            hidden: hidden.map(|(id, _)| id).collect(),
            enqueued: 0,
            waiting: None,
            squashes: 0,
        };
        view.damage_unknown(surfaces);
        view
    }

    /// How many items wait in the pipe.
    pub(in crate::display) fn pipe_len(&self) -> usize {
        self.pipe.len()
    }

    /// How often the viewer has been squashed.
    pub(in crate::display) fn squashes(&self) -> u64 {
        self.squashes
    }

    /// The weight of what waits in the pipe.
    pub(in crate::display) fn pipe_bytes(&self) -> usize {
        self.pipe.bytes()
    }

    /// Whether it was squashed, or has been shown nothing yet, and there has been no room since.
    pub(in crate::display) fn is_behind(&self) -> bool {
        self.behind
    }

    /// Whether what is sent next is the canvas, and no command.
    pub(in crate::display) fn catches_up(&self, surfaces: &SurfaceTable) -> bool {
        self.behind || self.damage.surfaces().any(|id| has(&self.shown, id, surfaces).is_some())
    }

    /// Pixels that wait to be sent as images, of all surfaces together.
    pub(in crate::display) fn damaged_pixels(&self) -> u64 {
        self.damage.pixels()
    }

    /// Whether the surface waits for images of itself.
    pub(in crate::display) fn is_damaged(&self, id: SurfaceId) -> bool {
        self.damage.contains(id)
    }

    /// Whether nothing waits: the viewer has been sent everything.
    pub(in crate::display) fn is_current(&self) -> bool {
        !self.behind && self.damage.is_empty() && self.pipe.is_empty()
    }

    /// Whether the viewer has the primary surface that there is, or there is none.
    pub(in crate::display) fn has_primary(&self, surfaces: &SurfaceTable) -> bool {
        let id = SurfaceId::PRIMARY;
        surfaces.surface(id).is_none() || has(&self.shown, id, surfaces).is_some()
    }

    /// A surface has begun, and is in the table. `content` says that it is not black.
    pub(in crate::display) fn handle_create(
        &mut self,
        id: SurfaceId,
        content: bool,
        surfaces: &SurfaceTable,
    ) {
        let Some(surface) = surfaces.surface(id) else { return };
        if !self.abilities.keeps(surface.shape().format) {
            self.hidden.insert(id);
            return;
        }
        if content || self.behind {
            self.damage.replace(id, surface.bounds());
        }
        if !self.behind {
            self.enqueue(DisplayItem::Create(id, surface.generation(), surface.shape()), 0, surfaces);
        }
    }

    /// A surface has ended, and is not in the table any more.
    pub(in crate::display) fn handle_destroy(&mut self, id: SurfaceId, surfaces: &SurfaceTable) {
        self.damage.remove(id);
        if !self.hidden.remove(&id) && !self.behind {
            self.enqueue(DisplayItem::Destroy(id), 0, surfaces);
        }
    }

    /// A command has been drawn.
    pub(in crate::display) fn handle_draw(
        &mut self,
        draw: &Arc<Draw>,
        added: Added,
        surfaces: &SurfaceTable,
    ) {
        let id = draw.surface();
        if self.hidden.contains(&id) {
            return;
        }
        if self.behind || self.damage.contains(id) {
            self.grow(id, draw.area(), surfaces);
            return;
        }
        let unknown = |read| self.damage.contains(read) || self.hidden.contains(&read);
        if !draw.suits(self.abilities) || draw.reads().any(unknown) {
            self.handle_change(id, draw.area(), surfaces);
            return;
        }
        match added {
            Added::Cancels(before) if self.take_back(&[before]) => {}
            Added::Repeats => {}
            Added::Pending | Added::Cancels(_) => {
                self.enqueue(DisplayItem::Draw(Arc::clone(draw)), draw.weight(), surfaces);
            }
        }
    }

    /// The viewer has to be shown anew what the surface shows there.
    pub(in crate::display) fn handle_change(&mut self, id: SurfaceId, area: Rect, surfaces: &SurfaceTable) {
        self.grow(id, area, surfaces);
        self.spread(id, surfaces);
    }

    /// Nobody can see these commands any more; they are in ascending order.
    pub(in crate::display) fn handle_covered(&mut self, covered: &[Sequence]) {
        if !covered.is_empty() && !self.pipe.is_empty() {
            self.take_back(covered);
        }
    }

    /// Takes commands back that wait in the pipe; whether there were any.
    fn take_back(&mut self, sequences: &[Sequence]) -> bool {
        let before = self.pipe.len();
        self.pipe.retract(|item| {
            matches!(item, DisplayItem::Draw(draw) if sequences.binary_search(&draw.sequence()).is_ok())
        });
        self.pipe.len() < before
    }

    /// What to send now that there is room.
    pub(in crate::display) fn poll_next(&mut self, surfaces: &SurfaceTable) -> Option<Next> {
        if self.behind {
            if let Some(next) = self.poll_surfaces(surfaces) {
                return Some(next);
            }
            self.behind = false;
        }
        self.poll_damage(surfaces).or_else(|| self.poll_pipe())
    }

    /// The next difference between the surfaces that the viewer has and those that exist.
    fn poll_surfaces(&mut self, surfaces: &SurfaceTable) -> Option<Next> {
        let stale = self.shown.iter().find(|(id, shown)| {
            surfaces.surface(**id).is_none_or(|surface| surface.generation() != shown.generation)
        });
        if let Some(id) = stale.map(|(id, _)| *id) {
            self.shown.remove(&id);
            return Some(Next::Destroy(id));
        }
        let (id, surface) =
            surfaces.iter().find(|(id, _)| !self.shown.contains_key(id) && !self.hidden.contains(id))?;
        self.shown.insert(id, Shown { generation: surface.generation(), blank: true });
        Some(Next::Create(id, surface.shape()))
    }

    /// The next piece of damage of a surface that the viewer has. One that it does not have yet waits for its creation
    /// in the pipe. What shows a surface first comes in one piece, where there is nothing else on it.
    fn poll_damage(&mut self, surfaces: &SurfaceTable) -> Option<Next> {
        let shown = &self.shown;
        let blank = self.damage.surfaces().find_map(|id| {
            let bounds = surfaces.surface(id)?.bounds();
            let blank = has(shown, id, surfaces)?.blank && self.damage.contains_all(id, &bounds);
            blank.then_some((id, bounds))
        });
        let (id, piece) = match blank {
            Some((id, bounds)) => {
                self.damage.remove(id);
                (id, bounds)
            }
            None => self.damage.poll(|id| has(shown, id, surfaces).is_some())?,
        };
        if let Some(shown) = self.shown.get_mut(&id) {
            shown.blank = false;
        }
        Some(Next::Damage(id, piece))
    }

    fn poll_pipe(&mut self) -> Option<Next> {
        Some(match self.pipe.pop()? {
            DisplayItem::Create(id, generation, shape) => {
                self.shown.insert(id, Shown { generation, blank: true });
                Next::Create(id, shape)
            }
            DisplayItem::Destroy(id) => {
                self.shown.remove(&id);
                Next::Destroy(id)
            }
            DisplayItem::Draw(draw) => {
                if let Some(shown) = self.shown.get_mut(&draw.surface()) {
                    shown.blank = false;
                }
                Next::Draw(draw)
            }
        })
    }

    fn enqueue(&mut self, item: DisplayItem, weight: usize, surfaces: &SurfaceTable) {
        self.enqueued += 1;
        if let Err(Full(item)) = self.pipe.enqueue(item, weight) {
            self.squash(surfaces);
            if let DisplayItem::Draw(draw) = item {
                self.grow(draw.surface(), draw.area(), surfaces);
            }
        }
    }

    /// The viewer has been sent what it has room for. One that has kept the same things waiting for too long is squashed:
    /// what it shows next is to be new. One that has room waits for the packing, and keeps nothing waiting itself.
    pub(in crate::display) fn handle_polled(&mut self, has_room: bool, now: Time, surfaces: &SurfaceTable) {
        // What has left the pipe was in it before what is.
        let left = self.enqueued - self.pipe.len() as u64;
        match self.waiting {
            _ if has_room || self.pipe.is_empty() => self.waiting = None,
            Some((_, enqueued)) if left >= enqueued => self.waiting = Some((now, self.enqueued)),
            None => self.waiting = Some((now, self.enqueued)),
            Some((since, _)) if now.since(since) >= PATIENCE => {
                self.waiting = None;
                self.squash(surfaces);
            }
            Some(_) => {}
        }
    }

    /// Takes back all that waits in the pipe and remembers only where it would have drawn.
    fn squash(&mut self, surfaces: &SurfaceTable) {
        self.squashes += 1;
        self.behind = true;
        while let Some(item) = self.pipe.pop() {
            if let DisplayItem::Draw(draw) = item {
                self.grow(draw.surface(), draw.area(), surfaces);
            }
        }
        self.damage_unknown(surfaces);
    }

    /// Damages, whole, every surface that the viewer does not have in its present generation.
    fn damage_unknown(&mut self, surfaces: &SurfaceTable) {
        for (id, surface) in surfaces.iter().filter(|(id, _)| !self.hidden.contains(id)) {
            if self.shown.get(&id).is_none_or(|shown| shown.generation != surface.generation()) {
                self.damage.replace(id, surface.bounds());
            }
        }
    }

    /// Adds to the damage of a surface. One that is gone has none: a draw on it may still wait, before its end.
    fn grow(&mut self, id: SurfaceId, area: Rect, surfaces: &SurfaceTable) {
        let Some(surface) = surfaces.surface(id).filter(|_| !self.hidden.contains(&id)) else { return };
        let area = area.intersect(&surface.bounds());
        self.damage.add(id, area);
    }

    /// A surface has become damaged: its draws in the pipe become damage, and so do those that read it, and so on;
    /// through surfaces that are gone as well, as long as draws on them wait.
    fn spread(&mut self, id: SurfaceId, surfaces: &SurfaceTable) {
        let mut seen = BTreeSet::from([id]);
        let mut damaged = vec![id];
        while let Some(id) = damaged.pop() {
            let mut areas = Vec::new();
            self.pipe.retract(|item| {
                let DisplayItem::Draw(draw) = item else { return false };
                let hit = draw.surface() == id || draw.reads().any(|read| read == id);
                if hit {
                    areas.push((draw.surface(), draw.area()));
                }
                hit
            });
            for (surface, area) in areas {
                if seen.insert(surface) {
                    damaged.push(surface);
                }
                self.grow(surface, area, surfaces);
            }
        }
    }
}

/// How the viewer has a surface, if it has it in its present generation.
fn has(shown: &BTreeMap<SurfaceId, Shown>, id: SurfaceId, surfaces: &SurfaceTable) -> Option<Shown> {
    let generation = surfaces.surface(id)?.generation();
    shown.get(&id).filter(|shown| shown.generation == generation).copied()
}
