//! The moving picture: a chequered ball that jumps in a room.

use core::time::Duration;

use spice_proto::{Point, Rect};

use super::paint::Canvas;
use super::pane::Pane;
use super::raster::{Colour, Raster, alpha};
use super::{theme, trig};

/// Columns of the window's content.
pub(super) const WIDTH: u32 = 224;
/// Rows of the window's content.
pub(super) const HEIGHT: u32 = 168;
/// From picture to picture.
pub(super) const FRAME: Duration = Duration::from_millis(40);

const RADIUS: i32 = 40;
/// Frames from the left wall to the right one.
const CROSSING: u64 = 90;
/// Frames from one bounce to the next.
const JUMP: u64 = 38;
/// The top of the floor.
const FLOOR: i32 = 126;

const WALL_TOP: Colour = Colour(0x00e4_e7f1);
const WALL_FOOT: Colour = Colour(0x00c6_cee2);
const FLOOR_FAR: Colour = Colour(0x00a9_b5d0);
const FLOOR_NEAR: Colour = Colour(0x00c9_d2e6);
const LINE: Colour = Colour(0x009f_a9c8);
const SHADE: Colour = Colour(0x0039_4668);
const WHITE: Colour = Colour(0x00ff_fdf8);

/// The ball at a moment, and all that does not change about it.
#[derive(Clone, Debug)]
pub(super) struct Ball {
    room: Raster,
    texels: Vec<Texel>,
    frame: u64,
    pub(super) pane: Pane,
}

/// One pixel of the ball.
#[derive(Clone, Debug)]
struct Texel {
    dx: i32,
    dy: i32,
    /// How much of the pixel the ball covers.
    coverage: u8,
    /// Four places on the ball's surface: longitude in 65536ths of a turn, and whether the parallel is an odd one.
    places: [(u16, bool); 4],
    /// How much of the shade lies on it.
    shade: u8,
    /// How much of the light it reflects.
    shine: u8,
}

impl Ball {
    pub(super) fn new() -> Self {
        let (room, texels) = (room(), texels());
        let pane = Pane::new(picture(&room, &texels, 0));
        Self { room, texels, frame: 0, pane }
    }

    /// Shows the picture of this frame.
    pub(super) fn show(&mut self, frame: u64) {
        if frame != self.frame {
            self.frame = frame;
            self.pane.renew(picture(&self.room, &self.texels, frame));
        }
    }

    pub(super) fn paint(&mut self, canvas: &mut Canvas<'_>, at: Point) {
        self.pane.paint(canvas, at);
    }
}

fn picture(room: &Raster, texels: &[Texel], frame: u64) -> Raster {
    let mut raster = room.clone();
    // From 0 at the left wall to 1 at the right one and back.
    let leg = frame % (2 * CROSSING);
    let across = leg.min(2 * CROSSING - leg) as f32 / CROSSING as f32;
    // From 0 on the floor to 1 at the top and back.
    let jump = (frame % JUMP) as f32 / JUMP as f32;
    let height = 4.0 * jump * (1.0 - jump);
    let reach = WIDTH as f32 - 2.0 * RADIUS as f32 - 16.0;
    let x = RADIUS + 8 + (across * reach) as i32;
    let y = FLOOR - RADIUS + 16 - (height * 58.0) as i32;
    shadow(&mut raster, x, height);
    let spin = (across * 1.25 * 65536.0) as u32 as u16;
    for texel in texels {
        let odd = texel
            .places
            .iter()
            .filter(|place| ((place.0.wrapping_sub(spin) >> 12) & 1 == 1) != place.1)
            .count();
        let colour = theme::CORAL.mix(WHITE, alpha(odd as f32 / 4.0));
        let colour = colour.mix(SHADE, texel.shade).mix(Colour(0x00ff_ffff), texel.shine);
        raster.blend(x + texel.dx, y + texel.dy, colour, texel.coverage);
    }
    raster
}

/// The ball's shadow on the floor: wider and fainter the higher the ball is.
fn shadow(raster: &mut Raster, x: i32, height: f32) {
    let (half_width, half_height) = (30.0 + 10.0 * height, 7.0 + 3.0 * height);
    let strength = 0.55 - 0.35 * height;
    let middle = FLOOR + 17;
    for dy in -(half_height as i32)..=half_height as i32 {
        for dx in -(half_width as i32)..=half_width as i32 {
            let (u, v) = (dx as f32 / half_width, dy as f32 / half_height);
            let inside = 1.0 - (u * u + v * v);
            raster.blend(x + dx, middle + dy, SHADE, alpha((inside * 1.6).clamp(0.0, 1.0) * strength));
        }
    }
}

fn room() -> Raster {
    let mut raster = Raster::new(WIDTH, HEIGHT, WALL_TOP);
    for y in 0..HEIGHT as i32 {
        let colour = if y < FLOOR {
            WALL_TOP.mix(WALL_FOOT, alpha(y as f32 / FLOOR as f32))
        } else {
            FLOOR_FAR.mix(FLOOR_NEAR, alpha((y - FLOOR) as f32 / (HEIGHT as i32 - FLOOR) as f32))
        };
        raster.fill(Rect::new(0, y, WIDTH, 1), colour);
    }
    let (middle, floor) = (WIDTH as f32 / 2.0 + 0.5, FLOOR as f32);
    for step in -6_i16..=6 {
        let x = middle + f32::from(step) * 18.0;
        raster.stroke((x, 0.0), (x, floor), 1.0, LINE);
        raster.stroke((x, floor), (middle + f32::from(step) * 30.0, HEIGHT as f32), 1.0, LINE);
    }
    for y in (0..FLOOR).rev().step_by(18) {
        raster.stroke((0.0, y as f32 + 0.5), (WIDTH as f32, y as f32 + 0.5), 1.0, LINE);
    }
    for y in [9.5, 22.5] {
        raster.stroke((0.0, floor + y), (WIDTH as f32, floor + y), 1.0, LINE);
    }
    raster
}

fn texels() -> Vec<Texel> {
    let places = (-RADIUS..=RADIUS).flat_map(|dy| (-RADIUS..=RADIUS).map(move |dx| (dx, dy)));
    places.filter_map(|(dx, dy)| texel(dx, dy)).collect()
}

fn texel(dx: i32, dy: i32) -> Option<Texel> {
    let radius = RADIUS as f32;
    let (x, y) = (dx as f32 / radius, dy as f32 / radius);
    let apart = (x * x + y * y).sqrt();
    let coverage = alpha((1.0 - apart) * radius + 0.5);
    if coverage == 0 {
        return None;
    }
    let normal = surface(x, y);
    // The light comes from the upper left, in front.
    let light = normal.0 * -0.48 + normal.1 * -0.60 + normal.2 * 0.64;
    let quarter = 0.25 / radius;
    let samples = [(-quarter, -quarter), (quarter, -quarter), (-quarter, quarter), (quarter, quarter)];
    Some(Texel {
        dx,
        dy,
        coverage,
        places: samples.map(|(right, down)| place(surface(x + right, y + down))),
        shade: alpha(0.62 * (0.75 - light)),
        shine: alpha((light - 0.93) * 7.0 * 0.8),
    })
}

/// The point of the unit sphere above `(x, y)`; at the rim for what lies beyond it.
fn surface(x: f32, y: f32) -> (f32, f32, f32) {
    let square = x * x + y * y;
    if square >= 1.0 {
        let apart = square.sqrt();
        return (x / apart, y / apart, 0.0);
    }
    (x, y, (1.0 - square).sqrt())
}

/// Longitude and parity of the parallel of a point of the sphere, whose axis leans to the right.
fn place((x, y, z): (f32, f32, f32)) -> (u16, bool) {
    const LEAN: f32 = 0.045;
    let (sin, cos) = (trig::sin(LEAN), trig::cos(LEAN));
    let (across, along) = (x * cos + y * sin, y * cos - x * sin);
    let longitude = trig::angle(across, z) * 65536.0;
    let latitude = trig::angle(along, (1.0 - along * along).max(0.0).sqrt()) + 0.25;
    (longitude as i32 as u16, (latitude * 16.0) as i32 & 1 == 1)
}
