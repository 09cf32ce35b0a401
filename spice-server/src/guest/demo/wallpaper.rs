//! What lies below the windows: an evening sky over hills.

use super::raster::{Colour, Raster, alpha};
use super::trig;

const ZENITH: Colour = Colour(0x0024_3b63);
const DUSK: Colour = Colour(0x006c_86ad);
const HORIZON: Colour = Colour(0x00f3_cfa8);
const SUN: Colour = Colour(0x00ff_e9c4);

/// One range of hills.
struct Hills {
    /// The height of its middle as a share of the screen, from the top.
    level: f32,
    /// How far it rises and falls, as a share of the screen's height.
    relief: f32,
    /// Waves across the screen.
    waves: f32,
    /// Where the waves begin, in turns.
    phase: f32,
    crest: Colour,
    foot: Colour,
}

/// From the farthest to the nearest.
const RANGES: [Hills; 4] = [
    Hills {
        level: 0.62,
        relief: 0.050,
        waves: 1.3,
        phase: 0.10,
        crest: Colour(0x00a3_9fb4),
        foot: Colour(0x00d9_c0b4),
    },
    Hills {
        level: 0.70,
        relief: 0.055,
        waves: 1.7,
        phase: 0.62,
        crest: Colour(0x006b_7796),
        foot: Colour(0x009a_97aa),
    },
    Hills {
        level: 0.80,
        relief: 0.050,
        waves: 1.1,
        phase: 0.35,
        crest: Colour(0x0040_5478),
        foot: Colour(0x0062_7292),
    },
    Hills {
        level: 0.90,
        relief: 0.045,
        waves: 1.5,
        phase: 0.83,
        crest: Colour(0x0024_3654),
        foot: Colour(0x0030_4464),
    },
];

impl Hills {
    /// The height of the crest above column `x` of `width`, as a share of the screen from the top.
    fn crest(&self, x: f32, width: f32) -> f32 {
        let along = x / width * self.waves + self.phase;
        let wave = trig::sin(along) + 0.45 * trig::sin(along * 2.3 + 0.2) + 0.12 * trig::sin(along * 6.1);
        self.level + self.relief * wave / 1.57
    }
}

/// The wallpaper of a screen.
pub(super) fn draw(width: u32, height: u32) -> Raster {
    let mut raster = Raster::new(width, height, HORIZON);
    let (columns, rows) = (width as f32, height as f32);
    for y in 0..height as i32 {
        let colour = sky(y as f32 / rows);
        raster.fill(spice_proto::Rect::new(0, y, width, 1), colour);
    }
    let radius = rows * 0.052;
    let centre = (columns * 0.70, rows * 0.53);
    for (scale, colour) in [(2.2, 20), (1.55, 32), (1.0, 255)] {
        glow(&mut raster, centre, radius * scale, colour);
    }
    for hills in &RANGES {
        for x in 0..width as i32 {
            let crest = hills.crest(x as f32 + 0.5, columns) * rows;
            for y in crest.max(0.0) as i32..height as i32 {
                let depth = (y as f32 - crest) / (rows * 0.22);
                let colour = hills.crest_colour(depth);
                raster.blend(x, y, colour, alpha(y as f32 + 1.0 - crest));
            }
        }
    }
    raster
}

impl Hills {
    /// The colour `depth` below the crest, 1 where the mist of the valley is thickest.
    fn crest_colour(&self, depth: f32) -> Colour {
        self.crest.mix(self.foot, alpha(depth))
    }
}

fn sky(height: f32) -> Colour {
    const MIDDLE: f32 = 0.38;
    const END: f32 = 0.66;
    if height < MIDDLE {
        ZENITH.mix(DUSK, alpha(height / MIDDLE))
    } else {
        DUSK.mix(HORIZON, alpha((height - MIDDLE) / (END - MIDDLE)))
    }
}

/// A disc of the sun's colour that lets the sky through.
fn glow(raster: &mut Raster, centre: (f32, f32), radius: f32, strength: u8) {
    let reach = radius + 1.0;
    for y in (centre.1 - reach) as i32..=(centre.1 + reach) as i32 {
        for x in (centre.0 - reach) as i32..=(centre.0 + reach) as i32 {
            let (dx, dy) = (x as f32 + 0.5 - centre.0, y as f32 + 0.5 - centre.1);
            let covered = (radius - (dx * dx + dy * dy).sqrt() + 0.5).clamp(0.0, 1.0);
            raster.blend(x, y, SUN, alpha(covered * f32::from(strength) / 255.0));
        }
    }
}
