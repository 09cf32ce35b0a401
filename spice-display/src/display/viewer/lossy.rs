//! What a viewer has been shown with loss, and when that is repaired.

use core::time::Duration;
use std::collections::BTreeMap;

use spice_channel::Time;
use spice_proto::{Rect, SurfaceId};

use super::super::draw::Draw;
use super::damage::first_piece;
use crate::region::Region;

/// What has not been shown with loss again for one to two of these is repaired.
const PERIOD: Duration = Duration::from_millis(500);

/// Rectangles of a region; beyond it the region grows to fewer.
const RECTS: usize = 32;

/// The pixels that differ a little from the server's, because they were sent as JPEG or drawn from such.
///
/// They are sent again without loss when they have been left alone for a while and the viewer waits for nothing else.
#[derive(Debug, Default)]
pub(super) struct Lossy {
    surfaces: BTreeMap<SurfaceId, Pixels>,
    /// When the period ends that is under way.
    turn: Option<Time>,
}

/// The lossy pixels of a surface, by when they became so.
#[derive(Debug, Default)]
struct Pixels {
    /// In this period.
    new: Region,
    /// In the one before.
    recent: Region,
    /// Before that.
    settled: Region,
}

impl Pixels {
    fn all(&mut self) -> [&mut Region; 3] {
        [&mut self.new, &mut self.recent, &mut self.settled]
    }
}

impl Lossy {
    /// Whether no pixel is.
    pub(super) fn is_empty(&self) -> bool {
        self.surfaces.is_empty()
    }

    /// Whether one of these pixels is.
    fn touches(&self, id: SurfaceId, area: &Rect) -> bool {
        self.surfaces.get(&id).is_some_and(|pixels| {
            [&pixels.new, &pixels.recent, &pixels.settled].into_iter().any(|region| region.intersects(area))
        })
    }

    /// These pixels are now.
    pub(super) fn add(&mut self, id: SurfaceId, area: Rect, now: Time) {
        self.remove(id, area);
        if self.surfaces.is_empty() {
            self.turn = None;
        }
        let pixels = self.surfaces.entry(id).or_default();
        pixels.new = pixels.new.union_rect(&area);
        pixels.new.simplify(RECTS);
        self.turn.get_or_insert(now + PERIOD);
    }

    /// These pixels are not any more.
    pub(super) fn remove(&mut self, id: SurfaceId, area: Rect) {
        let Some(pixels) = self.surfaces.get_mut(&id) else { return };
        let area = Region::from(area);
        for region in pixels.all() {
            *region = region.subtract(&area);
            region.simplify(RECTS);
        }
        if pixels.all().iter().all(|region| region.is_empty()) {
            self.surfaces.remove(&id);
        }
    }

    /// Whether the command would make more than a little wrong of pixels that are.
    pub(super) fn spoils(&self, draw: &Draw) -> bool {
        !self.is_empty()
            && !draw.is_forgiving()
            && (self.touches(draw.surface(), &draw.area()) || self.reads(draw))
    }

    /// The command is sent; its pictures with loss, or not.
    pub(super) fn handle_draw(&mut self, draw: &Draw, loses: bool, now: Time) {
        if loses || self.reads(draw) {
            self.add(draw.surface(), draw.area(), now);
        } else if draw.covers() {
            self.remove(draw.surface(), draw.area());
        }
    }

    /// Whether the command copies pixels that are.
    fn reads(&self, draw: &Draw) -> bool {
        draw.reads().any(|id| self.surfaces.contains_key(&id))
            || draw.moves().is_some_and(|area| self.touches(draw.surface(), &area))
    }

    /// The surface is gone.
    pub(super) fn forget(&mut self, id: SurfaceId) {
        self.surfaces.remove(&id);
    }

    /// What to repair now, at most a tile: what comes in between waits for no more. It counts as repaired.
    pub(super) fn poll_repair(&mut self, now: Time) -> Option<(SurfaceId, Rect)> {
        if self.turn.is_some_and(|turn| now >= turn) {
            for pixels in self.surfaces.values_mut() {
                pixels.settled = pixels.settled.union(&pixels.recent);
                pixels.settled.simplify(RECTS);
                pixels.recent = std::mem::take(&mut pixels.new);
            }
            self.turn = (!self.is_empty()).then_some(now + PERIOD);
        }
        let (id, pixels) = self.surfaces.iter().find(|(_, pixels)| !pixels.settled.is_empty())?;
        let (id, area) = (*id, first_piece(&pixels.settled));
        self.remove(id, area);
        Some((id, area))
    }

    /// When there may be something to repair, if there is not yet.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.turn.filter(|_| !self.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: SurfaceId = SurfaceId(3);

    fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn pixels_are_repaired_once_they_have_been_left_alone() {
        let mut lossy = Lossy::default();
        let (one, other) = (Rect::new(0, 0, 10, 10), Rect::new(20, 0, 10, 10));
        lossy.add(ID, one, at(0));
        lossy.add(ID, other, at(0));
        assert!(lossy.touches(ID, &Rect::new(9, 9, 1, 1)) && !lossy.touches(ID, &Rect::new(10, 0, 10, 10)));
        for millis in (0..3000).step_by(100) {
            lossy.add(ID, one, at(millis));
            match lossy.poll_repair(at(millis)) {
                None => assert_ne!(millis, 1000),
                Some(repaired) => assert_eq!((millis, repaired), (1000, (ID, other))),
            }
        }
        let due = lossy.poll_timeout().unwrap();
        assert_eq!(lossy.poll_repair(due), None);
        let due = lossy.poll_timeout().unwrap();
        assert_eq!(lossy.poll_repair(due), Some((ID, one)));
        assert!(lossy.is_empty() && lossy.poll_timeout().is_none());
    }

    #[test]
    fn what_is_drawn_over_or_gone_needs_no_repair() {
        let mut lossy = Lossy::default();
        lossy.add(ID, Rect::new(0, 0, 10, 10), at(0));
        lossy.remove(ID, Rect::new(0, 0, 10, 9));
        assert!(lossy.touches(ID, &Rect::new(0, 9, 1, 1)));
        lossy.remove(ID, Rect::new(0, 0, 100, 100));
        assert!(lossy.is_empty());
        lossy.add(ID, Rect::new(0, 0, 10, 10), at(0));
        lossy.forget(ID);
        assert_eq!(lossy.poll_repair(at(5000)), None);
    }

    #[test]
    fn large_areas_are_repaired_in_pieces() {
        let mut lossy = Lossy::default();
        lossy.add(ID, Rect::new(0, 0, 1000, 100), at(0));
        assert_eq!(lossy.poll_repair(at(500)), None);
        let mut pixels = 0;
        while let Some((_, area)) = lossy.poll_repair(at(1000)) {
            assert!(area.area() <= 256 * 64);
            pixels += area.area();
        }
        assert_eq!(pixels, 100_000);
    }
}
