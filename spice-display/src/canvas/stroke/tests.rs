use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use spice_proto::display::{
    Fixed28_4, LineAttr, LineFlags, Path, PathFlags, PathSegment, PointFix, Ropd, SurfaceFormat,
};
use spice_proto::{Point, Rect, SurfaceId};

use super::MAX_EFFORT;
use crate::canvas::{Canvas, Surfaces};
use crate::qxl::{Brush, DrawStroke};
use crate::region::Region;

struct NoSurfaces;

impl Surfaces for NoSurfaces {
    fn canvas(&self, _: SurfaceId) -> Option<&Canvas> {
        None
    }
}

const FIGURE: PathFlags = PathFlags::BEGIN.union(PathFlags::END);

fn segment(flags: PathFlags, points: &[(i32, i32)]) -> PathSegment {
    let points = points.iter().map(|(x, y)| PointFix { x: Fixed28_4(*x), y: Fixed28_4(*y) }).collect();
    PathSegment { flags, points }
}

/// Lines between pixels.
fn lines(flags: PathFlags, points: &[(i32, i32)]) -> PathSegment {
    let points: Vec<(i32, i32)> = points.iter().map(|(x, y)| (x * 16, y * 16)).collect();
    segment(flags, &points)
}

fn stroke(segments: Vec<PathSegment>, style: Option<&[i32]>, rop: Ropd) -> DrawStroke {
    let pixels = |lengths: &[i32]| lengths.iter().map(|length| Fixed28_4(*length)).collect();
    DrawStroke {
        path: Arc::new(Path { segments }),
        attr: LineAttr { flags: LineFlags::empty(), style: style.map(pixels) },
        brush: Brush::Solid(1),
        fore_mode: rop,
        back_mode: Ropd::OP_PUT,
    }
}

/// The style of dashes of whole pixels.
fn dashed<const N: usize>(lengths: [i32; N]) -> [i32; N] {
    lengths.map(|length| length * 16)
}

fn drawn(stroke: &DrawStroke, width: u32, height: u32, region: &Region) -> Canvas {
    let mut canvas = Canvas::new(SurfaceFormat::A8, width, height).unwrap();
    let region = region.intersect_rect(&canvas.bounds());
    canvas.paint_stroke(&region, stroke, &NoSurfaces).unwrap();
    canvas
}

/// What a stroke draws, a letter for each pixel.
fn picture(stroke: &DrawStroke, width: u32, height: u32) -> Vec<String> {
    let canvas = drawn(stroke, width, height, &Region::from(Rect::new(0, 0, width, height)));
    let letter = |x, y| if canvas.pixel(Point::new(x, y)).unwrap() == 0 { '.' } else { '#' };
    (0..height as i32).map(|y| (0..width as i32).map(|x| letter(x, y)).collect()).collect()
}

#[test]
fn lines_that_meet_have_their_corner_once_and_no_last_pixel() {
    let square = [(1, 1), (4, 1), (4, 4), (1, 4)];
    let closed = stroke(vec![lines(FIGURE | PathFlags::CLOSE, &square)], None, Ropd::OP_XOR);
    assert_eq!(picture(&closed, 6, 6), ["......", ".####.", ".#..#.", ".#..#.", ".####.", "......"]);
    let open = stroke(vec![lines(FIGURE, &square)], None, Ropd::OP_XOR);
    assert_eq!(picture(&open, 6, 6), ["......", ".####.", "....#.", "....#.", "..###.", "......"]);
}

#[test]
fn a_figure_goes_on_in_the_next_segment() {
    let path = vec![
        lines(PathFlags::BEGIN, &[(0, 0), (2, 0)]),
        lines(PathFlags::empty(), &[(2, 2)]),
        lines(FIGURE, &[(0, 2), (1, 2)]),
    ];
    assert_eq!(picture(&stroke(path, None, Ropd::OP_PUT), 3, 3), ["###", "..#", "#.."]);
}

#[test]
fn places_between_pixels_are_those_of_the_nearest_pixel() {
    let path =
        vec![segment(FIGURE, &[(8, 8), (4 * 16 + 8, 8)]), segment(FIGURE, &[(9, 25), (4 * 16 + 9, 25)])];
    assert_eq!(picture(&stroke(path, None, Ropd::OP_PUT), 6, 3), ["####..", "......", ".####."]);
}

#[test]
fn dashes_and_gaps_follow_each_other_around_corners() {
    let path = vec![lines(FIGURE, &[(0, 0), (7, 0), (7, 3)])];
    let pictured = picture(&stroke(path.clone(), Some(&dashed([3, 2])), Ropd::OP_PUT), 8, 3);
    assert_eq!(pictured, ["###..###", "........", "........"]);
    let mut gap_first = stroke(path, Some(&dashed([3, 2])), Ropd::OP_PUT);
    gap_first.attr.flags = LineFlags::START_WITH_GAP;
    assert_eq!(picture(&gap_first, 8, 3), ["...##...", ".......#", ".......#"]);
}

#[test]
fn two_dashes_follow_each_other_where_their_number_is_odd() {
    let path = vec![lines(FIGURE, &[(0, 0), (12, 0)])];
    assert_eq!(picture(&stroke(path, Some(&dashed([2, 2, 1])), Ropd::OP_PUT), 12, 1), ["##..###..###"]);
}

#[test]
fn only_the_lowest_bits_of_a_dash_count() {
    let path = vec![lines(FIGURE, &[(0, 0), (8, 0)])];
    for lengths in [dashed([2, 2]), dashed([258, -254])] {
        assert_eq!(picture(&stroke(path.clone(), Some(&lengths), Ropd::OP_PUT), 8, 1), ["##..##.."]);
    }
}

#[test]
fn styles_without_length_draw_nothing() {
    let path = vec![lines(FIGURE, &[(0, 0), (4, 0)])];
    for style in [&[][..], &[0, 0], &[256 * 16, 0], &[8, 8], &[-256 * 16]] {
        assert_eq!(picture(&stroke(path.clone(), Some(style), Ropd::OP_PUT), 4, 1), ["...."]);
    }
}

#[test]
fn a_curve_is_drawn_as_lines() {
    let arch = [(0, 7 * 16), (0, -16), (9 * 16, -16), (9 * 16, 7 * 16)];
    let path = vec![segment(FIGURE | PathFlags::BEZIER, &arch)];
    assert_eq!(
        picture(&stroke(path, None, Ropd::OP_PUT), 10, 8),
        [
            "..........",
            "...###....",
            ".##...###.",
            ".#......#.",
            ".#......#.",
            "#........#",
            "#........#",
            "#.........",
        ]
    );
}

#[test]
fn what_has_no_meaning_ends_the_path() {
    let good = || lines(FIGURE, &[(0, 0), (2, 0)]);
    for bad in [
        segment(PathFlags::BEGIN, &[]),
        segment(FIGURE | PathFlags::BEZIER, &[(0, 0), (16, 16), (32, 32)]),
        segment(PathFlags::BEZIER, &[(0, 0), (16, 16), (32, 32)]),
    ] {
        let path = vec![good(), bad, lines(FIGURE, &[(0, 1), (2, 1)])];
        assert_eq!(picture(&stroke(path, None, Ropd::OP_PUT), 2, 2), ["##", ".."]);
    }
}

#[test]
fn a_run_cut_in_two_takes_the_place_of_the_next_as_in_c() {
    // The second piece of the first row overwrites the second row, and comes in its turn, and so on.
    let path = vec![lines(FIGURE, &[(0, 0), (12, 2)])];
    let region: Region = [Rect::new(0, 0, 1, 3), Rect::new(2, 0, 10, 3)].into_iter().collect();
    let whole = picture(&stroke(path.clone(), None, Ropd::OP_PUT), 12, 3);
    assert_eq!(whole, ["###.........", "...######...", ".........###"]);
    let canvas = drawn(&stroke(path, None, Ropd::OP_XOR), 12, 3, &region);
    let row = |y| (0..12).map(|x| canvas.pixel(Point::new(x, y)).unwrap()).collect::<Vec<_>>();
    assert_eq!(row(0), [1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!([row(1), row(2)].concat(), [0; 24]);
}

#[test]
fn curves_end_that_shrink_to_nothing_or_never_get_straight() {
    let end = i32::MAX;
    for points in [
        [(80, 80); 4],
        [(80, 80), (81, 80), (80, 81), (80, 80)],
        [(0, 0), (160, 160), (0, 160), (160, 0)],
        [(-end, end), (end, -end), (-end, -end), (end, end)],
        [(i32::MIN, i32::MIN), (end, end), (i32::MIN, end), (end, i32::MIN)],
    ] {
        let path = vec![segment(FIGURE | PathFlags::BEZIER, &points)];
        for style in [None, Some(&dashed([1, 1])[..])] {
            drawn(&stroke(path.clone(), style, Ropd::OP_XOR), 64, 64, &Region::from(Rect::new(0, 0, 64, 64)));
        }
    }
}

#[test]
fn the_largest_paths_end() {
    let far = (i32::MIN / 16, i32::MAX / 16);
    let zigzag = |count: usize| -> Vec<(i32, i32)> {
        (0..count)
            .map(|at| if at % 2 == 0 { (far.0, at as i32 % 977) } else { (far.1, at as i32 % 641) })
            .collect()
    };
    let whole = Region::from(Rect::new(0, 0, 640, 480));
    for (style, rop) in [
        (None, Ropd::OP_XOR),
        (Some(&dashed([1, 1])[..]), Ropd::OP_XOR),
        (Some(&dashed([0, 0, 0, 1])[..]), Ropd::OP_PUT),
    ] {
        drawn(&stroke(vec![lines(FIGURE, &zigzag(300_000))], style, rop), 640, 480, &whole);
    }
    let loops = (0..300_000).map(|at| [(far.0, 0), (0, far.1), (far.1 / 3, at)][at as usize % 3]);
    let path =
        vec![segment(FIGURE | PathFlags::BEZIER, &std::iter::once((0, 0)).chain(loops).collect::<Vec<_>>())];
    drawn(&stroke(path, None, Ropd::OP_XOR), 640, 480, &whole);
}

#[test]
fn what_takes_too_many_steps_is_not_drawn() {
    let line = [(0, 0), (1000, 0)];
    let there_and_back: Vec<(i32, i32)> =
        (0..=MAX_EFFORT / 1000 + 1).map(|at| line[at as usize % 2]).collect();
    let path = vec![lines(FIGURE, &there_and_back), lines(FIGURE, &[(0, 1), (9, 1)])];
    let canvas = drawn(&stroke(path, None, Ropd::OP_PUT), 1001, 2, &Region::from(Rect::new(0, 0, 1001, 2)));
    assert_eq!(canvas.pixel(Point::new(5, 0)), Some(1));
    assert_eq!(canvas.pixel(Point::new(5, 1)), Some(0));
}

fn coordinate() -> impl Strategy<Value = i32> {
    prop_oneof![
        6 => (-20..60_i32).prop_map(|pixels| pixels * 16),
        3 => -400..1000_i32,
        1 => any::<i32>(),
        1 => prop::sample::select(vec![i32::MIN, i32::MAX, i32::MIN + 15, 0x7fff_fff0]),
    ]
}

fn path() -> impl Strategy<Value = Vec<PathSegment>> {
    let segment = (any::<u8>(), vec((coordinate(), coordinate()), 0..8))
        .prop_map(|(flags, points)| segment(PathFlags::from_bits_retain(flags), &points));
    vec(segment, 0..5)
}

fn style() -> impl Strategy<Value = Option<Vec<i32>>> {
    let length = prop_oneof![3 => (0..9).prop_map(|pixels| pixels * 16), 1 => any::<i32>()];
    prop::option::of(vec(length, 0..6))
}

fn region() -> impl Strategy<Value = Region> {
    let rect = (-4..40, -4..40, 0..30_u32, 0..30_u32)
        .prop_map(|(x, y, width, height)| Rect::new(x, y, width, height));
    vec(rect, 0..6).prop_map(Region::from_iter)
}

proptest! {
    #[test]
    fn any_path_ends_and_stays_in_the_region(
        path in path(),
        style in style(),
        gap_first: bool,
        rop: u16,
        region in region(),
        format in prop::sample::select(vec![
            SurfaceFormat::A8,
            SurfaceFormat::RGB555,
            SurfaceFormat::RGB565,
            SurfaceFormat::RGB32,
        ]),
    ) {
        let mut canvas = Canvas::new(format, 40, 40).unwrap();
        let mut stroke = stroke(path, style.as_deref(), Ropd::from_bits_retain(rop));
        stroke.attr.flags.set(LineFlags::START_WITH_GAP, gap_first);
        canvas.paint_stroke(&region.intersect_rect(&canvas.bounds()), &stroke, &NoSurfaces).unwrap();
        for y in 0..40 {
            for x in 0..40 {
                let at = Point::new(x, y);
                prop_assert!(region.contains_point(at) || canvas.pixel(at) == Some(0));
            }
        }
    }

    #[test]
    fn what_is_outside_does_not_matter_for_what_is_inside(
        points in vec((-3000..3000_i32, -3000..3000_i32), 2..5),
        style in prop::option::of(vec((1..30_i32).prop_map(|pixels| pixels * 16), 1..5)),
        x in -300..300_i32,
        y in -300..300_i32,
    ) {
        // The same figure on a canvas that has all of it, and on one that has only a part.
        let shifted = |dx: i32, dy: i32| {
            let points: Vec<(i32, i32)> = points.iter().map(|(x, y)| (x / 8 + dx, y / 8 + dy)).collect();
            stroke(vec![lines(FIGURE, &points)], style.as_deref(), Ropd::OP_PUT)
        };
        let whole = drawn(&shifted(400, 400), 800, 800, &Region::from(Rect::new(0, 0, 800, 800)));
        let part = drawn(&shifted(-x, -y), 100, 100, &Region::from(Rect::new(0, 0, 100, 100)));
        for at in (0..100).flat_map(|y| (0..100).map(move |x| Point::new(x, y))) {
            prop_assert_eq!(part.pixel(at), whole.pixel(Point::new(at.x + x + 400, at.y + y + 400)));
        }
    }
}
