use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use spice_proto::display::{Glyph, Glyphs, Ropd, StringFlags, SurfaceFormat};
use spice_proto::{Point, Rect, SurfaceId};

use crate::canvas::{Canvas, Surfaces};
use crate::qxl::{Brush, DrawText, Image, Pattern};
use crate::region::Region;

/// One surface, number 0.
struct Tile(Canvas);

impl Surfaces for Tile {
    fn canvas(&self, id: SurfaceId) -> Option<&Canvas> {
        (id.0 == 0).then_some(&self.0)
    }
}

fn text(flags: StringFlags, glyphs: Vec<Glyph>, fore_brush: Brush) -> DrawText {
    DrawText {
        glyphs: Arc::new(Glyphs { flags, glyphs }),
        back_area: Rect::default(),
        fore_brush,
        back_brush: Brush::None,
        fore_mode: Ropd::OP_PUT,
        back_mode: Ropd::OP_PUT,
    }
}

fn glyph(x: i32, y: i32, (width, height): (u16, u16), data: &[u8]) -> Glyph {
    let data = data.to_vec().into();
    Glyph { render_pos: Point::new(x, y), origin: Point::default(), width, height, data }
}

fn tile(width: u32, height: u32) -> Tile {
    let mut canvas = Canvas::new(SurfaceFormat::ARGB32, width, height).unwrap();
    for at in (0..height as i32).flat_map(|y| (0..width as i32).map(move |x| Point::new(x, y))) {
        let (blue, alpha) = (at.x.unsigned_abs() * 31 % 100, 100 + at.y.unsigned_abs() * 43 % 156);
        canvas.fill(&Region::from(Rect::new(at.x, at.y, 1, 1)), alpha << 24 | 77 << 8 | blue);
    }
    Tile(canvas)
}

fn drawn(text: &DrawText, format: SurfaceFormat, old: u32, region: &Region, tile: &Tile) -> Canvas {
    let mut canvas = Canvas::new(format, 40, 30).unwrap();
    canvas.fill(&Region::from(canvas.bounds()), old);
    canvas.paint_text(&region.intersect_rect(&canvas.bounds()), text, tile).unwrap();
    canvas
}

fn everywhere() -> Region {
    Region::from(Rect::new(0, 0, 40, 30))
}

/// The alpha of one glyph at a pixel, of which the last row of the data is on top.
fn alpha(glyph: &Glyph, depth: usize, at: Point) -> Option<u32> {
    let x = usize::try_from(at.x - glyph.render_pos.x - glyph.origin.x).ok()?;
    let y = usize::try_from(at.y - glyph.render_pos.y - glyph.origin.y).ok()?;
    let (width, height) = (usize::from(glyph.width), usize::from(glyph.height));
    if x >= width || y >= height {
        return None;
    }
    let bits = (0..depth).map(|bit| {
        let at = x * depth + bit;
        glyph.data[(height - 1 - y) * (width * depth).div_ceil(8) + at / 8] >> (7 - at % 8) & 1
    });
    let value = bits.fold(0, |value, bit| value << 1 | u32::from(bit));
    Some(match depth {
        1 => value * 0xff,
        4 => value << 4,
        _ => value,
    })
}

fn product(a: u32, b: u32) -> u32 {
    (f64::from(a) * f64::from(b) / 255.0).round() as u32
}

/// A colour with alpha over another, by an alpha of the glyphs.
fn over(colour: u32, alpha: u32, old: u32) -> u32 {
    let channel = |of: u32, shift: u32| of >> shift & 0xff;
    let rest = 255 - product(channel(colour, 24), alpha);
    let mix = |shift| (product(channel(colour, shift), alpha) + product(channel(old, shift), rest)).min(255);
    mix(24) << 24 | mix(16) << 16 | mix(8) << 8 | mix(0)
}

fn glyphs(depth: usize) -> impl Strategy<Value = Vec<Glyph>> {
    let glyph = (-6..40_i32, -6..30_i32, 0..14_u16, 0..14_u16).prop_flat_map(move |(x, y, width, height)| {
        let len = (usize::from(width) * depth).div_ceil(8) * usize::from(height);
        vec(prop_oneof![Just(0_u8), Just(0xff), any::<u8>()], len)
            .prop_map(move |data| glyph(x, y, (width, height), &data))
    });
    vec(glyph, 1..5)
}

fn string() -> impl Strategy<Value = (usize, StringFlags, Vec<Glyph>)> {
    let depths = [
        (1, StringFlags::RASTER_A1),
        (4, StringFlags::RASTER_A4),
        (8, StringFlags::RASTER_A8),
        (1, StringFlags::RASTER_A1 | StringFlags::RASTER_A8 | StringFlags::RASTER_TOP_DOWN),
    ];
    prop::sample::select(depths.to_vec())
        .prop_flat_map(|(depth, flags)| (Just(depth), Just(flags), glyphs(depth)))
}

fn region() -> impl Strategy<Value = Region> {
    let rect = (-4..40, -4..30, 0..30_u32, 0..30_u32)
        .prop_map(|(x, y, width, height)| Rect::new(x, y, width, height));
    vec(rect, 0..6).prop_map(Region::from_iter)
}

proptest! {
    #[test]
    fn glyphs_are_laid_over_pixel_for_pixel(
        (depth, flags, glyphs) in string(),
        region in region(),
        colour: u32,
        old in any::<u32>().prop_map(|old| old | 0xff00_0000),
        by_tile: bool,
        (x, y) in (-50..50_i32, -50..50_i32),
    ) {
        let tile = tile(7, 5);
        let pattern = Pattern { image: Image::surface(SurfaceId(0)), pos: Point::new(x, y) };
        let brush = if by_tile { Brush::Pattern(pattern) } else { Brush::Solid(colour) };
        // Where glyphs of 4 bits are on others, what is on top counts in its own way.
        let glyphs = if depth == 4 { glyphs[..1].to_vec() } else { glyphs };
        let canvas = drawn(&text(flags, glyphs.clone(), brush), SurfaceFormat::ARGB32, old, &region, &tile);
        let corner = Point::new(
            glyphs.iter().map(|glyph| glyph.render_pos.x).min().unwrap(),
            glyphs.iter().map(|glyph| glyph.render_pos.y).min().unwrap(),
        );
        for at in (0..30).flat_map(|y| (0..40).map(move |x| Point::new(x, y))) {
            let colour = if by_tile {
                let place = Point::new((at.x - corner.x - x).rem_euclid(7), (at.y - corner.y - y).rem_euclid(5));
                tile.0.pixel(place).unwrap()
            } else {
                colour | 0xff00_0000
            };
            let alpha = glyphs.iter().filter_map(|glyph| alpha(glyph, depth, at)).max();
            let expected = match alpha {
                Some(alpha) if region.contains_point(at) => over(colour, alpha, old),
                _ => old,
            };
            prop_assert_eq!(canvas.pixel(at), Some(expected), "{:?}", at);
        }
    }

    #[test]
    fn a_string_anywhere_stays_in_the_region(
        flags: u8,
        places in vec((any::<i32>(), any::<i32>(), -40..40_i32, any::<u16>(), 0..3_u16), 0..4),
        near: bool,
        region in region(),
        format in prop::sample::select(vec![
            SurfaceFormat::A1,
            SurfaceFormat::A8,
            SurfaceFormat::RGB555,
            SurfaceFormat::RGB565,
            SurfaceFormat::RGB32,
        ]),
    ) {
        let glyphs = places.iter().map(|(x, y, origin, width, height)| {
            let (x, y) = if near { (x % 40, y % 30) } else { (*x, *y) };
            // Fewer data than the size says are as good as zeros.
            let mut glyph = glyph(x, y, (*width, *height), &[0xff; 400]);
            glyph.origin = Point::new(*origin, *origin);
            glyph
        });
        let text = text(StringFlags::from_bits_retain(flags), glyphs.collect(), Brush::Solid(u32::MAX));
        let canvas = drawn(&text, format, 0, &region, &tile(1, 1));
        for at in (0..30).flat_map(|y| (0..40).map(move |x| Point::new(x, y))) {
            prop_assert!(region.contains_point(at) || canvas.pixel(at) == Some(0));
        }
    }
}

#[test]
fn the_back_area_comes_first() {
    let mut text = text(StringFlags::RASTER_A1, vec![glyph(1, 1, (2, 1), &[0x40])], Brush::Solid(5));
    text.back_brush = Brush::Solid(9);
    text.back_area = Rect::new(0, 0, 2, 2);
    // It is always put.
    text.back_mode = Ropd::OP_XOR;
    let canvas = drawn(&text, SurfaceFormat::RGB32, 3, &everywhere(), &tile(1, 1));
    let pixel = |x, y| canvas.pixel(Point::new(x, y)).unwrap() & 0x00ff_ffff;
    assert_eq!([pixel(0, 0), pixel(1, 1), pixel(2, 1), pixel(3, 1), pixel(2, 2)], [9, 9, 5, 3, 3]);
    text.fore_mode = Ropd::OP_XOR;
    let unchanged = drawn(&text, SurfaceFormat::RGB32, 3, &everywhere(), &tile(1, 1));
    assert_eq!(unchanged.pixel(Point::new(0, 0)), Some(3));
}

#[test]
fn a_glyph_of_four_bits_may_lighten_the_one_below() {
    // The second pixel of a byte is compared with all of it: 0x0f0 is more than 0x20 and less than 0x100.
    let below = glyph(0, 0, (2, 1), &[0x0f]);
    for (above, expected) in [(0x02, 0xf0), (0x12, 0x20)] {
        let glyphs = vec![below.clone(), glyph(0, 0, (2, 1), &[above])];
        let text = text(StringFlags::RASTER_A4, glyphs, Brush::Solid(0));
        let canvas = drawn(&text, SurfaceFormat::A8, 0, &everywhere(), &tile(1, 1));
        assert_eq!(canvas.pixel(Point::new(1, 0)), Some(expected));
    }
}

#[test]
fn colours_of_sixteen_bits_have_five_for_each_channel() {
    let text = text(StringFlags::RASTER_A1, vec![glyph(0, 0, (1, 1), &[0x80])], Brush::Solid(0x7c1f));
    for (format, expected) in [(SurfaceFormat::RGB555, 0x7c1f), (SurfaceFormat::RGB565, 0xf81f)] {
        let canvas = drawn(&text, format, 0, &everywhere(), &tile(1, 1));
        assert_eq!(canvas.pixel(Point::new(0, 0)), Some(expected));
    }
}

#[test]
fn the_byte_that_means_nothing_is_full_unless_the_first_one_is() {
    // Which of two pixels is covered: the first has its byte full then, and both are cleared.
    for (data, expected) in [(0x80, [7, 0]), (0x40, [0x1100_0000, 0xff00_0007])] {
        let text = text(StringFlags::RASTER_A1, vec![glyph(0, 0, (2, 1), &[data])], Brush::Solid(7));
        let canvas = drawn(&text, SurfaceFormat::RGB32, 0x1100_0000, &everywhere(), &tile(1, 1));
        let pixels = [0, 1].map(|x| canvas.pixel(Point::new(x, 0)).unwrap());
        assert_eq!(pixels, expected);
    }
}

#[test]
fn strings_of_the_largest_size_are_not_drawn() {
    let mark = glyph(0, 0, (1, 1), &[0x80]);
    for (far, expected) in [(0x7ffd, 7), (0x7ffe, 0), (i32::MAX, 0), (i32::MIN, 0)] {
        for place in [(far, 0), (0, far)] {
            let glyphs = vec![mark.clone(), glyph(place.0, place.1, (1, 1), &[0x80])];
            let text = text(StringFlags::RASTER_A1, glyphs, Brush::Solid(7));
            let canvas = drawn(&text, SurfaceFormat::ARGB32, 0, &everywhere(), &tile(1, 1));
            assert_eq!(canvas.pixel(Point::new(0, 0)).unwrap() & 0xff, expected, "{place:?}");
        }
    }
}
