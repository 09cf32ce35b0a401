use std::sync::Arc;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use spice_proto::display::SurfaceFormat;
use spice_proto::{Point, Rect};

use super::rop::Rop2;
use super::{Canvas, clip_region};
use crate::qxl::{Bitmap, BitmapFormat, Clip};
use crate::region::Region;

/// A canvas on which every pixel differs from all others.
fn numbered(width: u32, height: u32, first: u32) -> Canvas {
    let mut canvas = Canvas::new(SurfaceFormat::RGB32, width, height).unwrap();
    for y in 0..height {
        for x in 0..width {
            set(&mut canvas, Point::new(x as i32, y as i32), first + y * width + x);
        }
    }
    canvas
}

fn set(canvas: &mut Canvas, at: Point, bits: u32) {
    canvas.fill(&Region::from(Rect::new(at.x, at.y, 1, 1)), bits);
}

/// All its pixels, row by row.
fn pixels(canvas: &Canvas) -> Vec<u32> {
    let at = |y: u32, x: u32| canvas.pixel(Point::new(x as i32, y as i32)).unwrap();
    (0..canvas.height()).flat_map(|y| (0..canvas.width()).map(move |x| at(y, x))).collect()
}

/// The same pixels as a bitmap, with `padding` bytes after each row.
fn bitmap_of(canvas: &Canvas, padding: u32, top_down: bool, format: BitmapFormat) -> Bitmap {
    let mut rows: Vec<Vec<u8>> = (0..canvas.height())
        .map(|y| {
            let mut row = canvas.read(Rect::new(0, y as i32, canvas.width(), 1)).to_vec();
            row.resize(row.len() + padding as usize, 0xEE);
            row
        })
        .collect();
    if !top_down {
        rows.reverse();
    }
    let size = (canvas.width(), canvas.height());
    Bitmap::new(format, size, canvas.width() * 4 + padding, top_down, Bytes::from(rows.concat())).unwrap()
}

/// What a copy comes to, pixel for pixel.
fn copied(canvas: &Canvas, region: &Region, source: &Canvas, offset: Point) -> Canvas {
    let mut result = canvas.clone();
    for y in 0..canvas.height() as i32 {
        for x in 0..canvas.width() as i32 {
            let from = (x.checked_sub(offset.x), y.checked_sub(offset.y));
            let (Some(from_x), Some(from_y)) = from else { continue };
            if let Some(pixel) = source.pixel(Point::new(from_x, from_y))
                && region.contains_point(Point::new(x, y))
            {
                set(&mut result, Point::new(x, y), pixel);
            }
        }
    }
    result
}

fn coordinate() -> impl Strategy<Value = i32> {
    prop_oneof![
        8 => -6..26,
        1 => prop::sample::select(vec![i32::MIN, i32::MIN + 1, i32::MAX - 1, i32::MAX]),
    ]
}

fn rect() -> impl Strategy<Value = Rect> {
    let any = (coordinate(), coordinate(), coordinate(), coordinate())
        .prop_map(|(left, top, right, bottom)| Rect { top, left, bottom, right });
    let small =
        (-4..22, -4..22, 0..8_u32, 0..8_u32).prop_map(|(x, y, width, height)| Rect::new(x, y, width, height));
    prop_oneof![any, small]
}

fn region() -> impl Strategy<Value = Region> {
    vec(rect(), 0..16).prop_map(Region::from_iter)
}

fn offset() -> impl Strategy<Value = Point> {
    let near = (-3..=3, -3..=3).prop_map(|(x, y)| Point::new(x, y));
    let any = (coordinate(), coordinate()).prop_map(|(x, y)| Point::new(x, y));
    prop_oneof![near, any]
}

fn canvas() -> impl Strategy<Value = Canvas> {
    (0..24_u32, 0..24_u32).prop_map(|(width, height)| numbered(width, height, 1))
}

proptest! {
    #[test]
    fn filling_changes_the_region_only(canvas in canvas(), region in region()) {
        let mut filled = canvas.clone();
        filled.fill(&region, 0xDEAD_BEEF);
        for y in 0..canvas.height() as i32 {
            for x in 0..canvas.width() as i32 {
                let at = Point::new(x, y);
                let expected = if region.contains_point(at) { Some(0xDEAD_BEEF) } else { canvas.pixel(at) };
                prop_assert_eq!(filled.pixel(at), expected);
            }
        }
    }

    #[test]
    fn copying_a_canvas_moves_its_pixels(
        canvas in canvas(),
        region in region(),
        (width, height) in (0..30_u32, 0..30_u32),
        offset in offset(),
    ) {
        let source = numbered(width, height, 10_000);
        let mut painted = canvas.clone();
        painted.blit(&region, &source, offset, Rop2::PUT);
        prop_assert_eq!(pixels(&painted), pixels(&copied(&canvas, &region, &source, offset)));
    }

    #[test]
    fn copying_a_bitmap_moves_all_its_bytes(
        canvas in canvas(),
        region in region(),
        (width, height, padding) in (1..30_u32, 1..30_u32, 0..9_u32),
        top_down: bool,
        alpha: bool,
        offset in offset(),
    ) {
        let source = numbered(width, height, 0xFFFF_0000);
        let format = if alpha { BitmapFormat::RGBA } else { BitmapFormat::RGB32 };
        let mut painted = canvas.clone();
        painted.put_bitmap(&region, &bitmap_of(&source, padding, top_down, format), offset);
        prop_assert_eq!(pixels(&painted), pixels(&copied(&canvas, &region, &source, offset)));
    }

    #[test]
    fn copying_bits_is_copying_a_snapshot(canvas in canvas(), region in region(), offset in offset()) {
        let mut painted = canvas.clone();
        painted.copy_bits(&region, offset);
        prop_assert_eq!(pixels(&painted), pixels(&copied(&canvas, &region, &canvas, offset)));
    }

    #[test]
    fn reading_gives_the_rows_of_the_area(canvas in canvas(), area in rect()) {
        let expected: Vec<u8> = (area.top.max(0)..area.bottom.min(canvas.height() as i32))
            .flat_map(|y| (area.left.max(0)..area.right.min(canvas.width() as i32)).map(move |x| Point::new(x, y)))
            .flat_map(|at| canvas.pixel(at).unwrap().to_le_bytes())
            .collect();
        prop_assert_eq!(canvas.read(area), expected);
    }

    #[test]
    fn clipping_keeps_what_is_in_all_three(bbox in rect(), rects in vec(rect(), 0..12), bounds in rect()) {
        let inside = Region::from(bbox).intersect_rect(&bounds);
        prop_assert_eq!(&clip_region(bbox, &Clip::None, bounds), &inside);
        let listed: Region = rects.iter().copied().collect();
        prop_assert_eq!(clip_region(bbox, &Clip::Rects(Arc::from(rects)), bounds), inside.intersect(&listed));
    }
}

#[test]
fn bits_that_overlap_move_whole_in_every_direction() {
    let before = numbered(64, 64, 1);
    let whole = Region::from(Rect::new(8, 8, 40, 40));
    let frame = whole.subtract(&Region::from(Rect::new(18, 18, 20, 20)));
    let comb: Region = (0..10).map(|tooth| Rect::new(8 + 4 * tooth, 8, 3, 40)).collect();
    let steps: Region = (0..10).map(|step| Rect::new(8 + 3 * step, 8 + 4 * step, 12, 5)).collect();
    for region in [whole, frame, comb, steps] {
        for distance in [1, 2, 5, 12] {
            for (x, y) in [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)] {
                let offset = Point::new(x * distance, y * distance);
                let mut after = before.clone();
                after.copy_bits(&region, offset);
                assert_eq!(
                    pixels(&after),
                    pixels(&copied(&before, &region, &before, offset)),
                    "moved by {offset:?}"
                );
            }
        }
    }
}

#[test]
fn a_list_without_rectangles_clips_everything() {
    let bounds = Rect::new(0, 0, 8, 8);
    assert!(clip_region(bounds, &Clip::Rects(Arc::from([])), bounds).is_empty());
}

#[test]
fn a_pixel_that_is_outside_is_none() {
    let canvas = numbered(3, 2, 1);
    assert_eq!(canvas.pixel(Point::new(2, 1)), Some(6));
    for outside in [(3, 0), (0, 2), (-1, 0), (0, -1), (i32::MIN, i32::MAX)] {
        assert_eq!(canvas.pixel(Point::new(outside.0, outside.1)), None);
    }
}

#[test]
fn a_canvas_without_pixels_takes_every_operation() {
    let everything = Region::from(Rect::from_edges(i32::MIN, i32::MIN, i32::MAX, i32::MAX));
    let source = numbered(4, 4, 1);
    for (width, height) in [(0, 0), (0, 5), (5, 0)] {
        let mut canvas = Canvas::new(SurfaceFormat::RGB32, width, height).unwrap();
        for offset in [Point::new(i32::MIN, i32::MIN), Point::new(1, -1), Point::new(i32::MAX, i32::MAX)] {
            canvas.fill(&everything, 7);
            canvas.copy_bits(&everything, offset);
            canvas.blit(&everything, &source, offset, Rop2::PUT);
            canvas.put_bitmap(&everything, &bitmap_of(&source, 0, true, BitmapFormat::RGB32), offset);
        }
        assert!(canvas.read(everything.extents()).is_empty() && canvas.bounds().is_empty());
    }
}
