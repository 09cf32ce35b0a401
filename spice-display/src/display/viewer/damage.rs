//! What of each surface waits to be sent as images, and which part of it goes next.

use std::collections::BTreeMap;

use spice_proto::{Rect, SurfaceId};

use crate::region::Region;
use crate::surface::Tile;

/// Rectangles that a damaged region may consist of; beyond it the region grows to fewer.
const RECTS: usize = 64;

/// Pixels of a rectangle that goes before its turn: a line that is typed, a button, a clock.
const SMALL: u64 = 4 << 10;

/// Pixels of such rectangles between two tiles: as many as a tile has.
const SMALL_BETWEEN: u64 = 16 << 10;

/// What one of them counts for at least: a message is not for nothing.
const LEAST: u64 = 1 << 10;

/// A region for each surface. It goes out tile by tile, from the top to the bottom and then from the top again, so that
/// every part has its turn however fast the others change; small rectangles go in between.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// No region is empty.
    surfaces: BTreeMap<SurfaceId, Region>,
    /// The tiles behind this one are next.
    sweep: (SurfaceId, Tile),
    /// The small rectangles behind this place are next.
    small: (SurfaceId, i32, i32),
    /// Pixels of small rectangles that may still go before the next tile.
    small_left: u64,
}

impl Damage {
    pub(super) fn is_empty(&self) -> bool {
        self.surfaces.is_empty()
    }

    /// Pixels that wait, of all surfaces together.
    pub(super) fn pixels(&self) -> u64 {
        self.surfaces.values().map(Region::area).sum()
    }

    /// Whether something of the surface waits.
    pub(super) fn contains(&self, id: SurfaceId) -> bool {
        self.surfaces.contains_key(&id)
    }

    /// Whether all of the surface waits.
    pub(super) fn contains_all(&self, id: SurfaceId, bounds: &Rect) -> bool {
        self.surfaces.get(&id).is_some_and(|region| region.contains_rect(bounds))
    }

    /// The rectangle waits, and nothing else of the surface any more.
    pub(super) fn replace(&mut self, id: SurfaceId, area: Rect) {
        self.remove(id);
        self.add(id, area);
    }

    /// The rectangle waits, too. It has no negative coordinate.
    pub(super) fn add(&mut self, id: SurfaceId, area: Rect) {
        if !area.is_empty() {
            let region = self.surfaces.entry(id).or_default();
            *region = region.union_rect(&area);
            region.simplify(RECTS);
        }
    }

    /// Nothing of the surface waits any more.
    pub(super) fn remove(&mut self, id: SurfaceId) {
        self.surfaces.remove(&id);
    }

    /// The surfaces of which something waits.
    pub(super) fn surfaces(&self) -> impl Iterator<Item = SurfaceId> {
        self.surfaces.keys().copied()
    }

    /// Takes out the rectangle.
    pub(super) fn take(&mut self, id: SurfaceId, area: Rect) {
        if let Some(region) = self.surfaces.get_mut(&id) {
            *region = region.subtract(&Region::from(area));
            if region.is_empty() {
                self.surfaces.remove(&id);
            }
        }
    }

    /// Takes out what goes next, of the surfaces that can be sent.
    pub(super) fn poll(&mut self, can_be_sent: impl Fn(SurfaceId) -> bool) -> Option<(SurfaceId, Rect)> {
        let (id, area) = self.next_small(&can_be_sent).or_else(|| self.next_tile(&can_be_sent))?;
        self.take(id, area);
        Some((id, area))
    }

    fn next_small(&mut self, can_be_sent: &impl Fn(SurfaceId) -> bool) -> Option<(SurfaceId, Rect)> {
        let most = if self.small_left < LEAST { 0 } else { SMALL.min(self.small_left) };
        let place = |id: SurfaceId, rect: &Rect| (id, rect.top, rect.left);
        let all = self.surfaces.iter().filter(|(id, _)| can_be_sent(**id));
        let all = all.flat_map(|(id, region)| region.rects().map(|rect| (*id, rect)));
        let small = all.filter(|(_, rect)| rect.area() <= most);
        let mut first = None;
        let mut behind = None;
        for (id, rect) in small {
            first = first.or(Some((id, rect)));
            if place(id, &rect) > self.small {
                behind = Some((id, rect));
                break;
            }
        }
        let (id, rect) = behind.or(first)?;
        self.small = place(id, &rect);
        self.small_left -= rect.area().max(LEAST);
        Some((id, rect))
    }

    fn next_tile(&mut self, can_be_sent: &impl Fn(SurfaceId) -> bool) -> Option<(SurfaceId, Rect)> {
        let (swept, tile) = self.sweep;
        let first = |(id, region): (&SurfaceId, &Region)| Some((*id, first_tile(region, Tile::default())?));
        let this = self.surfaces.get(&swept).filter(|_| can_be_sent(swept));
        let this = this.and_then(|region| Some((swept, first_tile(region, tile)?)));
        let (id, tile) = this.or_else(|| {
            let next = self.surfaces.range(SurfaceId(swept.0.wrapping_add(1))..);
            let around = next.chain(self.surfaces.iter()).filter(|(id, _)| can_be_sent(**id));
            around.into_iter().find_map(first)
        })?;
        self.sweep = (id, Tile { column: tile.column + 1, ..tile });
        self.small_left = SMALL_BETWEEN;
        Some((id, in_tile(self.surfaces.get(&id)?, tile)))
    }
}

/// The first tile at or behind this one that the region touches.
fn first_tile(region: &Region, tile: Tile) -> Option<Tile> {
    region.rects().filter_map(|rect| tile.next_in(&rect)).min()
}

/// The smallest rectangle around what of the region lies in the tile.
fn in_tile(region: &Region, tile: Tile) -> Rect {
    region.intersect_rect(&tile.rect()).extents()
}

/// The smallest rectangle around what lies in the region's first tile; the default one when it is empty.
pub(super) fn first_piece(region: &Region) -> Rect {
    first_tile(region, Tile::default()).map(|tile| in_tile(region, tile)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: SurfaceId = SurfaceId(3);

    fn poll(damage: &mut Damage) -> Option<Rect> {
        damage.poll(|_| true).map(|(_, area)| area)
    }

    #[test]
    fn every_tile_has_its_turn_however_fast_the_first_ones_change() {
        let all = Rect::new(0, 0, 1000, 1000);
        let mut damage = Damage::default();
        damage.add(ID, all);
        let mut seen = Region::new();
        for _ in 0..64 {
            let piece = poll(&mut damage).unwrap();
            assert!(piece.area() <= 256 * 64);
            seen = seen.union_rect(&piece);
            damage.add(ID, Rect::new(0, 0, 1000, 128));
        }
        assert!(seen.contains_rect(&all));
    }

    #[test]
    fn what_is_small_goes_before_its_turn_and_keeps_nothing_waiting() {
        let (small, large) = (Rect::new(900, 900, 16, 16), Rect::new(0, 0, 800, 800));
        let mut damage = Damage::default();
        damage.add(ID, large);
        let mut polls = 0;
        while damage.surfaces.get(&ID).is_none_or(|region| region.intersects(&large)) {
            damage.add(ID, small);
            assert!(poll(&mut damage).unwrap().area() <= 256 * 64);
            polls += 1;
        }
        // The tiles of the large one, and sixteen small ones after each.
        assert!((4 * 13..=(4 * 13 + 1) * 17).contains(&polls), "{polls}");
    }

    #[test]
    fn small_rectangles_take_turns_and_are_no_more_than_a_tile_together() {
        let mut damage = Damage::default();
        let small = |index: i32| Rect::new(index * 100, 500, 64, 64);
        let (mut smalls, mut tiles) = ([0; 6], 0);
        for _ in 0..600 {
            damage.add(ID, Rect::new(0, 0, 256, 64));
            (0..6).for_each(|index| damage.add(ID, small(index)));
            match poll(&mut damage) {
                Some(piece) if (500..600).contains(&piece.top) && piece.area() == 4096 => {
                    smalls[(piece.left / 100) as usize] += 1;
                }
                _ => tiles += 1,
            }
        }
        assert!(smalls.iter().all(|turns| (60..=80).contains(turns)), "{smalls:?}");
        assert!(tiles >= 120, "{tiles}");
    }

    #[test]
    fn surfaces_that_cannot_be_sent_wait() {
        let mut damage = Damage::default();
        damage.add(ID, Rect::new(0, 0, 10, 10));
        damage.add(SurfaceId(5), Rect::new(0, 0, 300, 300));
        assert_eq!(damage.poll(|id| id.0 == 5).unwrap().0, SurfaceId(5));
        assert_eq!(damage.poll(|_| false), None);
        let mut left = 0;
        while let Some((_, area)) = damage.poll(|_| true) {
            left += area.area();
        }
        assert_eq!(left, 300 * 300 + 100 - 256 * 64);
        assert!(damage.is_empty());
    }
}
