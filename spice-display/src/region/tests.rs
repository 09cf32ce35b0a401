use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use spice_proto::{Point, Rect};

use super::Region;

const GRID: i32 = 24;
const ALL: Rect = Rect::from_edges(i32::MIN, i32::MIN, i32::MAX, i32::MAX);

/// The obvious set of pixels.
type Model = BTreeSet<(i32, i32)>;

fn pixels_of(rect: Rect) -> impl Iterator<Item = (i32, i32)> {
    (rect.top..rect.bottom).flat_map(move |y| (rect.left..rect.right).map(move |x| (x, y)))
}

fn model(rects: &[Rect]) -> Model {
    rects.iter().copied().flat_map(pixels_of).collect()
}

fn pixels(region: &Region) -> Model {
    check_form(region);
    region.rects().flat_map(pixels_of).collect()
}

/// That the region is in its canonical form.
fn check_form(region: &Region) {
    let rects: Vec<Rect> = region.rects().collect();
    let extents = rects.iter().fold(Rect::default(), |all, rect| all.union(rect));
    assert_eq!(region.extents(), extents);
    assert_eq!(region.is_empty(), rects.is_empty());
    assert_eq!(
        region.rects.len(),
        if rects.len() > 1 { rects.len() } else { 0 },
        "one form for one rectangle"
    );
    assert!(rects.iter().all(|rect| !rect.is_empty()), "an empty rectangle in {rects:?}");
    for pair in rects.windows(2) {
        let same_band = pair[0].top == pair[1].top && pair[0].bottom == pair[1].bottom;
        assert!(
            if same_band { pair[0].right < pair[1].left } else { pair[0].bottom <= pair[1].top },
            "{pair:?} overlap, touch or are out of order"
        );
    }
    let bands: Vec<&[Rect]> = region.bands().collect();
    for pair in bands.windows(2) {
        let columns = |band: &[Rect]| band.iter().map(|rect| (rect.left, rect.right)).collect::<Vec<_>>();
        assert!(
            pair[0][0].bottom < pair[1][0].top || columns(pair[0]) != columns(pair[1]),
            "{pair:?} should be one band"
        );
    }
}

/// Rectangles on the grid, some of them inverted.
fn grid_rect() -> impl Strategy<Value = Rect> {
    (0..=GRID, 0..=GRID, 0..=GRID, 0..=GRID).prop_map(|(left, top, right, bottom)| Rect {
        top,
        left,
        bottom,
        right,
    })
}

fn small_rect() -> impl Strategy<Value = Rect> {
    (0..GRID - 4, 0..GRID - 4, 0..5_u32, 0..5_u32)
        .prop_map(|(x, y, width, height)| Rect::new(x, y, width, height))
}

fn grid_rects() -> impl Strategy<Value = Vec<Rect>> {
    prop_oneof![vec(grid_rect(), 0..8), vec(small_rect(), 0..40)]
}

fn grid_region() -> impl Strategy<Value = Region> {
    grid_rects().prop_map(Region::from_iter)
}

fn extreme() -> impl Strategy<Value = i32> {
    prop::sample::select(vec![
        i32::MIN,
        i32::MIN + 1,
        i32::MIN + 2,
        -1,
        0,
        1,
        i32::MAX - 2,
        i32::MAX - 1,
        i32::MAX,
    ])
}

fn extreme_rect() -> impl Strategy<Value = Rect> {
    (extreme(), extreme(), extreme(), extreme()).prop_map(|(left, top, right, bottom)| Rect {
        top,
        left,
        bottom,
        right,
    })
}

fn extreme_region() -> impl Strategy<Value = Region> {
    vec(extreme_rect(), 0..10).prop_map(Region::from_iter)
}

/// What holds for any three sets.
fn check_laws(a: &Region, b: &Region, c: &Region) {
    let empty = Region::new();
    assert_eq!(a.union(b), b.union(a));
    assert_eq!(a.intersect(b), b.intersect(a));
    assert_eq!(a.union(b).union(c), a.union(&b.union(c)));
    assert_eq!(a.intersect(b).intersect(c), a.intersect(&b.intersect(c)));
    assert_eq!(a.intersect(&b.union(c)), a.intersect(b).union(&a.intersect(c)));
    assert_eq!(a.subtract(&b.union(c)), a.subtract(b).intersect(&a.subtract(c)));
    assert_eq!(a.subtract(&b.intersect(c)), a.subtract(b).union(&a.subtract(c)));
    assert_eq!(a.subtract(b).union(&a.intersect(b)), *a);
    assert_eq!(a.subtract(b).intersect(b), empty);
    assert_eq!(a.subtract(&a.subtract(b)), a.intersect(b));
    assert_eq!((a.union(a), a.intersect(a), a.subtract(a)), (a.clone(), a.clone(), empty.clone()));
    assert_eq!(
        (a.union(&empty), a.intersect(&empty), a.subtract(&empty)),
        (a.clone(), empty.clone(), a.clone())
    );
    assert_eq!(empty.subtract(a), empty);
    assert_eq!(
        u128::from(a.union(b).area()) + u128::from(a.intersect(b).area()),
        u128::from(a.area()) + u128::from(b.area())
    );
    [a.union(b), a.intersect(b), a.subtract(b)].iter().for_each(check_form);
}

fn check_rect_operations(region: &Region, rect: &Rect) {
    let of_rect = Region::from(*rect);
    assert_eq!(region.union_rect(rect), region.union(&of_rect));
    assert_eq!(region.intersect_rect(rect), region.intersect(&of_rect));
    assert_eq!(region.intersects(rect), !region.intersect(&of_rect).is_empty());
    assert_eq!(region.contains_rect(rect), of_rect.subtract(region).is_empty());
}

fn check_simplified(region: &Region, max_rects: usize) {
    let mut simple = region.clone();
    simple.simplify(max_rects);
    check_form(&simple);
    assert!(simple.rect_count() <= max_rects.max(1));
    assert!(region.subtract(&simple).is_empty(), "a pixel was lost");
    assert_eq!(simple.extents(), region.extents());
    if region.rect_count() <= max_rects {
        assert_eq!(simple, *region);
    }
}

proptest! {
    #[test]
    fn collecting_is_the_union_of_the_rectangles(rects in grid_rects()) {
        let region: Region = rects.iter().copied().collect();
        prop_assert_eq!(pixels(&region), model(&rects));
        let one_by_one = rects.iter().fold(Region::new(), |region, rect| region.union_rect(rect));
        prop_assert_eq!(&region, &one_by_one);
        prop_assert_eq!(&region, &region.rects().rev().collect::<Region>());
        prop_assert_eq!(region.area(), model(&rects).len() as u64);
        prop_assert_eq!(region.rect_count(), region.rects().len());
    }

    #[test]
    fn the_operations_are_those_of_sets(a in grid_rects(), b in grid_rects()) {
        let (ours, theirs) = (model(&a), model(&b));
        let (a, b) = (Region::from_iter(a), Region::from_iter(b));
        prop_assert_eq!(pixels(&a.union(&b)), &ours | &theirs);
        prop_assert_eq!(pixels(&a.intersect(&b)), &ours & &theirs);
        prop_assert_eq!(pixels(&a.subtract(&b)), &ours - &theirs);
        prop_assert_eq!(a == b, ours == theirs);
    }

    #[test]
    fn the_laws_of_sets_hold(a in grid_region(), b in grid_region(), c in grid_region()) {
        check_laws(&a, &b, &c);
    }

    #[test]
    fn the_laws_of_sets_hold_at_the_ends_of_the_range(
        a in extreme_region(),
        b in extreme_region(),
        c in extreme_region(),
        rect in extreme_rect(),
        max_rects in 0..9_usize,
    ) {
        check_laws(&a, &b, &c);
        check_rect_operations(&a, &rect);
        check_simplified(&a, max_rects);
    }

    #[test]
    fn a_rectangle_is_a_region_of_one(region in grid_region(), rect in prop_oneof![grid_rect(), small_rect()]) {
        check_rect_operations(&region, &rect);
        for own in region.rects() {
            prop_assert!(region.contains_rect(&own) && region.intersects(&own));
        }
    }

    #[test]
    fn it_contains_its_pixels_and_no_other(rects in grid_rects()) {
        let (region, model) = (Region::from_iter(rects.iter().copied()), model(&rects));
        for (x, y) in pixels_of(Rect::from_edges(-1, -1, GRID + 1, GRID + 1)) {
            prop_assert_eq!(region.contains_point(Point::new(x, y)), model.contains(&(x, y)), "{}, {}", x, y);
        }
    }

    #[test]
    fn translation_moves_each_pixel(rects in grid_rects(), dx in -30..30, dy in -30..30) {
        let region: Region = rects.iter().copied().collect();
        let moved = region.translate(dx, dy);
        let expected: Model = model(&rects).into_iter().map(|(x, y)| (x + dx, y + dy)).collect();
        prop_assert_eq!(pixels(&moved), expected);
        prop_assert_eq!(moved.translate(-dx, -dy), region);
    }

    #[test]
    fn translation_stops_at_the_ends_of_the_range(
        rects in vec(extreme_rect(), 0..10),
        dx in extreme(),
        dy in extreme(),
    ) {
        let moved = Region::from_iter(rects.iter().copied()).translate(dx, dy);
        check_form(&moved);
        prop_assert_eq!(moved, rects.iter().map(|rect| rect.translate(dx, dy)).collect::<Region>());
    }

    #[test]
    fn simplifying_only_adds(region in grid_region(), max_rects in 0..20_usize) {
        check_simplified(&region, max_rects);
    }
}

#[test]
fn an_empty_or_inverted_rectangle_is_the_empty_set() {
    for rect in
        [Rect::default(), Rect::new(5, 5, 0, 9), Rect { top: i32::MAX, left: 0, bottom: i32::MIN, right: 9 }]
    {
        let region = Region::from(rect);
        assert_eq!(region, Region::new());
        assert_eq!(region, Region::from_iter([rect, rect]));
        assert!(region.is_empty() && region.contains_rect(&rect) && !region.intersects(&rect));
        assert!(!Region::from(ALL).intersects(&rect));
        assert_eq!(region.extents(), Rect::default());
    }
}

#[test]
fn everything_but_a_pixel_is_four_rectangles() {
    let hole = Region::from(Rect::new(-1, -1, 1, 1));
    let rest = Region::from(ALL).subtract(&hole);
    check_form(&rest);
    assert_eq!(rest.rect_count(), 4);
    assert_eq!(rest.area(), ALL.area() - 1);
    assert!(
        !rest.contains_point(Point::new(-1, -1)) && rest.contains_point(Point::new(i32::MIN, i32::MAX - 1))
    );
    assert_eq!(rest.union(&hole), Region::from(ALL));
}

#[test]
fn bands_that_translation_makes_alike_become_one() {
    let region = Region::from_iter([
        Rect::new(i32::MIN, 0, 4, 1),
        Rect::new(i32::MIN + 10, 0, 4, 1),
        Rect::new(i32::MIN + 10, 1, 4, 1),
    ]);
    assert_eq!(region.translate(-6, 0), Region::from(Rect::new(i32::MIN + 4, 0, 4, 2)));
}

#[test]
fn clearing_leaves_the_empty_set() {
    let mut region = Region::from_iter([Rect::new(0, 0, 1, 1), Rect::new(2, 0, 1, 1)]);
    region.clear();
    assert_eq!(region, Region::new());
}

#[test]
fn the_smallest_gap_of_a_band_is_filled_first() {
    let spans = [Rect::new(0, 0, 10, 5), Rect::new(12, 0, 10, 5), Rect::new(90, 0, 10, 5)];
    let mut region = Region::from_iter(spans);
    region.simplify(2);
    assert_eq!(region.rects().collect::<Vec<_>>(), [Rect::new(0, 0, 22, 5), spans[2]]);
}

#[test]
fn bands_that_are_close_are_joined_and_distant_ones_are_not() {
    let lines = |from: i32| (0..20).map(move |line| Rect::new(line % 2, from + line, 100, 1));
    let mut region: Region = lines(0).chain(lines(1000)).collect();
    region.simplify(2);
    assert_eq!(region.rects().collect::<Vec<_>>(), [Rect::new(0, 0, 101, 20), Rect::new(0, 1000, 101, 20)]);
}

#[test]
fn tens_of_thousands_of_rectangles_are_collected() {
    let checks = |size: i32| {
        (0..200).flat_map(move |y| (0..200).map(move |x| Rect::new(x * 4, y * 4, size as u32, size as u32)))
    };
    let apart: Region = checks(3).collect();
    check_form(&apart);
    assert_eq!((apart.rect_count(), apart.area()), (40_000, 360_000));
    assert_eq!(checks(5).collect::<Region>(), Region::from(Rect::new(0, 0, 801, 801)));
}
