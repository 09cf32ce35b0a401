//! What was drawn since the host asked.

use spice_proto::{Rect, SurfaceId};

use super::SurfaceTable;
use crate::region::Region;

/// Rectangles that are told apart; more are joined.
const MAX_RECTS: usize = 64;

/// The part of a surface that was drawn on since its host asked, kept from its first question on.
#[derive(Debug, Default)]
pub(super) struct Dirty(Option<Region>);

impl Dirty {
    /// These pixels were drawn on.
    pub(super) fn mark(&mut self, area: &Rect) {
        if let Some(region) = self.0.as_mut().filter(|region| !region.contains_rect(area)) {
            *region = region.union_rect(area);
            region.simplify(MAX_RECTS);
        }
    }

    fn take(&mut self, bounds: Rect, area: &Rect, clear: bool) -> Region {
        let region = self.0.get_or_insert_with(|| Region::from(bounds));
        let taken = region.intersect_rect(area);
        if clear {
            *region = region.subtract(&taken);
            region.simplify(MAX_RECTS);
        }
        taken
    }
}

impl SurfaceTable {
    /// What was drawn on a surface within `area` since it was last taken with `clear`, as at most `most` rectangles,
    /// of which one is left wherever there is a pixel. There may be some pixels too many, and never one too few: the
    /// first answer is the whole area, because nothing is kept of a surface before somebody asks. None without such a
    /// surface.
    pub fn take_dirty(&mut self, id: SurfaceId, area: &Rect, clear: bool, most: usize) -> Option<Region> {
        let surface = self.surfaces.get_mut(&id)?;
        let mut taken = surface.dirty.take(surface.canvas.bounds(), area, clear);
        taken.simplify(most);
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use spice_proto::Point;
    use spice_proto::display::SurfaceFormat;

    use super::super::SurfaceShape;
    use super::*;
    use crate::qxl::{Clip, DrawFill, DrawOp, Drawable, Effect};

    const ID: SurfaceId = SurfaceId(3);
    const ALL: Rect = Rect::new(0, 0, 100, 100);
    const SHAPE: SurfaceShape = SurfaceShape { width: 100, height: 100, format: SurfaceFormat::RGB32 };

    fn table() -> SurfaceTable {
        let mut table = SurfaceTable::default();
        table.create(ID, SHAPE, None).unwrap();
        table
    }

    fn fill(table: &mut SurfaceTable, bbox: Rect, clip: Clip) {
        let op = DrawOp::Fill(DrawFill::solid(7));
        let drawable = Drawable { surface: ID, bbox, clip, effect: Effect::OPAQUE, mm_time: 0, op };
        table.draw(&Arc::new(drawable)).unwrap();
    }

    fn rects(table: &mut SurfaceTable, area: Rect, clear: bool, most: usize) -> Vec<Rect> {
        table.take_dirty(ID, &area, clear, most).unwrap().rects().collect()
    }

    #[test]
    fn before_anybody_has_asked_all_is_dirty_and_then_what_is_drawn() {
        let mut table = table();
        fill(&mut table, Rect::new(5, 5, 1, 1), Clip::None);
        assert_eq!(rects(&mut table, ALL, false, 9), [ALL]);
        assert_eq!(rects(&mut table, ALL, true, 9), [ALL]);
        assert_eq!(rects(&mut table, ALL, true, 9), []);
        let (one, other) = (Rect::new(5, 5, 10, 10), Rect::new(80, 60, 20, 40));
        fill(&mut table, one, Clip::None);
        fill(&mut table, other, Clip::None);
        assert_eq!(rects(&mut table, ALL, false, 9), [one, other]);
        assert_eq!(rects(&mut table, ALL, false, 1), [Rect::new(5, 5, 95, 95)]);
        assert_eq!(rects(&mut table, ALL, true, 0), [Rect::new(5, 5, 95, 95)]);
        assert_eq!(rects(&mut table, ALL, true, 9), []);
    }

    #[test]
    fn an_area_is_told_and_the_rest_stays() {
        let mut table = table();
        rects(&mut table, ALL, true, 9);
        fill(&mut table, Rect::new(10, 10, 20, 20), Clip::Rects(Arc::from([Rect::new(12, 10, 18, 20)])));
        let left = Rect::new(0, 0, 20, 100);
        assert_eq!(rects(&mut table, left, true, 9), [Rect::new(12, 10, 8, 20)]);
        assert_eq!(rects(&mut table, left, true, 9), []);
        assert_eq!(rects(&mut table, ALL, true, 9), [Rect::new(20, 10, 10, 20)]);
        let outside = Rect::from_edges(i32::MIN, i32::MIN, 0, i32::MAX);
        fill(&mut table, ALL, Clip::None);
        assert_eq!(rects(&mut table, outside, true, 9), []);
    }

    #[test]
    fn a_surface_of_the_same_id_begins_anew_and_one_that_is_not_there_has_nothing() {
        let mut table = table();
        rects(&mut table, ALL, true, 9);
        table.destroy(ID).unwrap();
        assert_eq!(table.take_dirty(ID, &ALL, true, 9), None);
        table.create(ID, SHAPE, None).unwrap();
        assert_eq!(rects(&mut table, ALL, true, 9), [ALL]);
    }

    #[test]
    fn what_nobody_takes_does_not_pile_up() {
        let mut table = table();
        rects(&mut table, ALL, true, 9);
        for at in (0..100).flat_map(|y| (0..100).map(move |x| (x, y))).filter(|(x, y)| (x + y) % 2 == 0) {
            fill(&mut table, Rect::new(at.0, at.1, 1, 1), Clip::None);
            let kept = table.surfaces[&ID].dirty.0.as_ref().unwrap().rect_count();
            assert!(kept <= MAX_RECTS, "{kept}");
        }
        assert!(rects(&mut table, ALL, true, 5).len() <= 5);
    }

    proptest! {
        #[test]
        fn no_pixel_that_was_drawn_is_left_out(
            acts in proptest::collection::vec(
                (0..90_i32, 0..90_i32, 1..10_u32, 1..10_u32, any::<bool>(), 1..20_usize), 0..60),
        ) {
            let mut table = table();
            rects(&mut table, ALL, true, 1);
            let mut drawn = Region::new();
            for (x, y, width, height, takes, most) in acts {
                let area = Rect::new(x, y, width, height);
                if takes {
                    let area = Rect::new(x, y, width * 4, height * 4);
                    let told = table.take_dirty(ID, &area, true, most).unwrap();
                    let expected = drawn.intersect_rect(&area);
                    prop_assert!(told.rect_count() <= most);
                    prop_assert!(expected.subtract(&told).is_empty());
                    drawn = drawn.subtract(&Region::from(area));
                } else {
                    fill(&mut table, area, Clip::None);
                    drawn = drawn.union_rect(&area);
                }
            }
            let told = table.take_dirty(ID, &ALL, true, 64).unwrap();
            prop_assert!(drawn.subtract(&told).is_empty());
            let painted = table.canvas(ID, ALL).unwrap();
            prop_assert!(drawn.rects().all(|rect| painted.pixel(Point::new(rect.left, rect.top)) == Some(7)));
        }
    }
}
