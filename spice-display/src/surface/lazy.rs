//! Painting, as late as can be.

use std::mem;
use std::sync::Arc;

use spice_proto::{Rect, SurfaceId};

use super::footprint::Footprint;
use super::paint::{DrawError, Failure, Others};
use super::table::{Reader, SurfaceTable};
use super::tree::{Added, Pending, Sequence};
use crate::canvas::Canvas;
use crate::qxl::Drawable;
use crate::region::Region;

/// Failures that are kept for whoever asks; more are only failures.
const MAX_FAILURES: usize = 64;

/// What became of a drawing command.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    /// Its place in the order of all commands.
    pub(crate) sequence: Sequence,
    /// The smallest rectangle around the pixels that it touches.
    pub(crate) area: Rect,
    /// Every pixel of `area` gets a value that does not depend on the old one.
    pub(crate) covers: bool,
    /// What it came to.
    pub(crate) added: Added,
    /// Older commands that nobody can see any more, and that nothing reads.
    pub(crate) covered: Vec<Sequence>,
}

/// A command is painted when somebody needs its pixels: a viewer that is behind, a host that reads back, a command
/// that changes what it reads, or the bound on what may wait. One that is covered before is never painted.
///
/// Invariant: no command that waits reads pixels that a newer one touches. So the commands of a surface may be painted
/// whenever, as long as older ones come first.
impl SurfaceTable {
    /// Takes a drawing command, to be painted when somebody needs it.
    ///
    /// # Errors
    /// What cannot be drawn is refused, and changes nothing.
    pub(crate) fn draw(&mut self, drawable: &Arc<Drawable>) -> Result<Drawn, DrawError> {
        let id = drawable.surface;
        let surface = self.surfaces.get(&id).ok_or(DrawError::Surface(id))?;
        let bounds = surface.bounds();
        if !bounds.contains(&drawable.bbox) {
            let (width, height) = (bounds.width(), bounds.height());
            return Err(DrawError::Outside { surface: id, bbox: drawable.bbox, width, height });
        }
        drawable.check_streams()?;
        let footprint = Footprint::new(drawable, bounds, |id| Some(self.surface(id)?.shape()))
            .map_err(DrawError::Surface)?;
        self.sequences += 1;
        let sequence = Sequence(self.sequences);
        let area = footprint.region.extents();
        let covers = footprint.overwrites && footprint.region.rect_count() == 1;
        let mut drawn = Drawn { sequence, area, covers, added: Added::Repeats, covered: Vec::new() };
        if area.is_empty() {
            return Ok(drawn);
        }
        self.paint_readers(id, &footprint.region);
        self.announce_reads(id, sequence, &footprint);
        let overwrites = footprint.overwrites;
        let item = Pending::new(Arc::clone(drawable), footprint);
        let weight = item.weight;
        let Some(surface) = self.surfaces.get_mut(&id) else { return Err(DrawError::Surface(id)) };
        surface.versions.handle_draw(&area, sequence);
        surface.dirty.mark(&area);
        drawn.added = surface.tree.add(sequence, item, overwrites, |sequence, item| {
            self.pending -= 1;
            self.pending_bytes -= item.weight;
            drawn.covered.push(sequence);
        });
        if drawn.added == Added::Pending {
            self.pending += 1;
            self.pending_bytes += weight;
            self.order.push_back((sequence, id));
            self.bound();
        }
        Ok(drawn)
    }

    /// The pixels of a surface, those of `area` as they are now.
    pub fn canvas(&mut self, id: SurfaceId, area: Rect) -> Option<&Canvas> {
        self.paint_area(id, &area);
        self.surfaces.get(&id).map(|surface| &surface.canvas)
    }

    /// A command that was taken and then could not be painted; what it should have touched is as it was.
    pub(crate) fn poll_failure(&mut self) -> Option<Failure> {
        self.failures.pop()
    }

    /// Paints what waits elsewhere to read these pixels before they change.
    pub(super) fn paint_readers(&mut self, id: SurfaceId, changed: &Region) {
        let Some(surface) = self.surfaces.get_mut(&id) else { return };
        if surface.readers.is_empty() {
            return;
        }
        let mut readers = mem::take(&mut surface.readers);
        readers.retain(|reader| {
            let waits = self
                .surfaces
                .get(&reader.surface)
                .is_some_and(|surface| surface.tree.contains(reader.sequence));
            let disturbed = waits && changed.intersects(&reader.area);
            if disturbed {
                self.paint_until(reader.surface, reader.sequence);
            }
            waits && !disturbed
        });
        if let Some(surface) = self.surfaces.get_mut(&id) {
            surface.readers = readers;
        }
    }

    /// Lets every surface that a command reads know. One whose own commands read others is painted first, so that
    /// painting never leads further than to a second surface.
    fn announce_reads(&mut self, surface: SurfaceId, sequence: Sequence, footprint: &Footprint) {
        for &(read, area) in &footprint.reads {
            if self.surfaces.get(&read).is_some_and(|read| read.tree.reads_others()) {
                self.paint_area(read, &area);
            }
            if let Some(read) = self.surfaces.get_mut(&read) {
                read.readers.push(Reader { surface, sequence, area });
            }
        }
        for (read, _) in &footprint.reads {
            self.forget_readers(*read);
        }
    }

    /// Drops the readers that are painted, once there are more than can wait.
    fn forget_readers(&mut self, id: SurfaceId) {
        let limit = 2 * self.limits.pending + 16;
        let Some(surface) = self.surfaces.get_mut(&id).filter(|surface| surface.readers.len() > limit) else {
            return;
        };
        let mut readers = mem::take(&mut surface.readers);
        readers.retain(|reader| {
            self.surfaces.get(&reader.surface).is_some_and(|surface| surface.tree.contains(reader.sequence))
        });
        if let Some(surface) = self.surfaces.get_mut(&id) {
            surface.readers = readers;
        }
    }

    /// Paints the oldest commands until no more wait than may.
    fn bound(&mut self) {
        while self.pending > self.limits.pending || self.pending_bytes > self.limits.pending_bytes {
            let Some((sequence, id)) = self.order.pop_front() else { break };
            self.paint_until(id, sequence);
        }
        if self.order.len() > 2 * self.limits.pending + 16 {
            self.order.retain(|(sequence, id)| {
                self.surfaces.get(id).is_some_and(|surface| surface.tree.contains(*sequence))
            });
        }
    }

    /// Paints what waits on the surface and touches `area`, and all that is older.
    fn paint_area(&mut self, id: SurfaceId, area: &Rect) {
        let newest = self.surfaces.get(&id).and_then(|surface| surface.tree.newest_touching(area));
        if let Some(newest) = newest {
            self.paint_until(id, newest);
        }
    }

    /// Paints what waits on the surface up to this command.
    fn paint_until(&mut self, id: SurfaceId, last: Sequence) {
        while let Some(item) = self.surfaces.get_mut(&id).and_then(|surface| surface.tree.pop_until(last)) {
            self.pending -= 1;
            self.pending_bytes -= item.weight;
            for (read, area) in &item.reads {
                self.paint_area(*read, area);
            }
            self.paint(id, &item);
        }
    }

    fn paint(&mut self, id: SurfaceId, item: &Pending) {
        let Some(surface) = self.surfaces.get_mut(&id) else { return };
        let mut canvas = mem::take(&mut surface.canvas);
        let own = item.drawable.reads().any(|read| read == id).then(|| canvas.clone());
        let painted = canvas.paint(&item.drawable, &item.live, &Others::new(self, id, own));
        if let Some(surface) = self.surfaces.get_mut(&id) {
            surface.canvas = canvas;
        }
        self.painted += 1;
        if let Err(error) = painted
            && self.failures.len() < MAX_FAILURES
        {
            self.failures.push(Failure { surface: id, area: item.live.extents(), error });
        }
    }
}
