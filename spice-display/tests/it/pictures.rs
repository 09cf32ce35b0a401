//! Made-up pictures of every format, of any size that the tests of codecs ask for.

use std::fmt;
use std::sync::Arc;

use proptest::prelude::*;
use spice_display::codec::lz::LzFormat;
use spice_display::qxl::{Bitmap, BitmapFormat};

/// What a picture is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Noise,
    Flat,
    /// Slopes, which wrap.
    Slope,
    /// Soft light and shade of several sizes, with the least of grain.
    Photo,
    /// Glyphs, forty of them in no order.
    Text,
    /// Frames, titles and text on a plain ground.
    Desktop,
}

pub(crate) const KINDS: [Kind; 6] =
    [Kind::Noise, Kind::Flat, Kind::Slope, Kind::Photo, Kind::Text, Kind::Desktop];

pub(crate) const FORMATS: [LzFormat; 11] = [
    LzFormat::Plt1Le,
    LzFormat::Plt1Be,
    LzFormat::Plt4Le,
    LzFormat::Plt4Be,
    LzFormat::Plt8,
    LzFormat::Rgb16,
    LzFormat::Rgb24,
    LzFormat::Rgb32,
    LzFormat::Rgba,
    LzFormat::Xxxa,
    LzFormat::A8,
];

/// The formats of colours, which every codec has.
pub(crate) const COLOURS: [LzFormat; 4] = [LzFormat::Rgb16, LzFormat::Rgb24, LzFormat::Rgb32, LzFormat::Rgba];

/// The largest, and the other sizes at the ends.
pub(crate) const CORNERS: [(u32, u32); 4] = [(1, 1), (513, 1), (1, 257), (513, 257)];

/// A picture as a guest has it, with noise between its rows and in bits that mean nothing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) kind: Kind,
    pub(crate) format: LzFormat,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) stride: usize,
    pub(crate) top_down: bool,
    pub(crate) seed: u32,
    pub(crate) data: Vec<u8>,
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, format, width, height, stride, top_down, seed, .. } = self;
        write!(f, "{kind:?} {seed} of {format:?}, {width}x{height}, stride {stride}, top down {top_down}")
    }
}

/// A number that looks random.
fn mix(a: u32, b: u32, seed: u32) -> u32 {
    let mixed = a.wrapping_mul(0x9e37_79b1) ^ b.wrapping_mul(0x85eb_ca6b) ^ seed.wrapping_mul(0xc2b2_ae35);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
    let mixed = (mixed ^ (mixed >> 12)).wrapping_mul(0x297a_2d39);
    mixed ^ (mixed >> 15)
}

/// Light from 0 to 255, which goes smoothly between points that are `scale` apart.
fn light(x: u32, y: u32, scale: u32, seed: u32) -> f32 {
    let point = |x, y| (mix(x, y, seed) & 255) as f32;
    let smooth = |at: u32| {
        let t = (at % scale) as f32 / scale as f32;
        t * t * (3.0 - 2.0 * t)
    };
    let (column, row) = (x / scale, y / scale);
    let (across, down) = (smooth(x), smooth(y));
    let upper = point(column, row) * (1.0 - across) + point(column + 1, row) * across;
    let lower = point(column, row + 1) * (1.0 - across) + point(column + 1, row + 1) * across;
    upper * (1.0 - down) + lower * down
}

impl Kind {
    /// Blue, green, red and alpha there.
    fn pixel(self, x: u32, y: u32, seed: u32) -> [u8; 4] {
        let grey = |value: u8| [value, value, value, 255];
        match self {
            Self::Noise => mix(x, y, seed).to_le_bytes(),
            Self::Flat => seed.to_le_bytes(),
            Self::Slope => [x as u8, (x + y) as u8, (y * 3 / 2) as u8, (255 - y % 256) as u8],
            Self::Photo => {
                let shade = light(x, y, 80, seed) * 0.7 + light(x, y, 23, seed ^ 1) * 0.25;
                let (warm, alpha) = (light(x, y, 160, seed ^ 2), light(x, y, 64, seed ^ 3));
                let grain = (mix(x, y, seed) & 3) as f32;
                let colour = |by: f32| (shade + (warm - 128.0) * by + grain).clamp(0.0, 255.0) as u8;
                [colour(-0.2), colour(0.05), colour(0.25), alpha as u8]
            }
            Self::Text => {
                let letter = mix(x / 8, y / 16, seed) % 40;
                match (x % 8, y % 16) {
                    (column @ 0..7, row @ 2..14) if mix(column, row, letter).is_multiple_of(3) => {
                        grey([0, 60, 128][(letter % 3) as usize])
                    }
                    _ => grey(255),
                }
            }
            Self::Desktop => match (x % 130, y % 90) {
                (0..3, _) | (_, 0..3) => grey(40),
                (column, 3..15) => [200, 120 + column as u8 / 2, 60, 255],
                (column, row) if (x / 130 + y / 90).is_multiple_of(2) => Self::Text.pixel(column, row, seed),
                _ => [240, 235, 230, 255],
            },
        }
    }
}

impl Picture {
    pub(crate) fn new(
        kind: Kind,
        format: LzFormat,
        (width, height): (u32, u32),
        gap: usize,
        top_down: bool,
        seed: u32,
    ) -> Self {
        let row = format.row_len(width) as usize;
        let unit = (format.bits_per_pixel() as usize).div_ceil(8);
        let mut data = Vec::with_capacity((row + gap) * height as usize);
        for line in 0..height {
            let y = if top_down { line } else { height - 1 - line };
            for x in 0..(row / unit) as u32 {
                let pixel @ [blue, green, red, alpha] = kind.pixel(x, y, seed);
                let idle = mix(x, y, !seed) as u8;
                match format {
                    LzFormat::Rgb16 => {
                        let [blue, green, red] = [blue, green, red].map(|colour| u16::from(colour >> 3));
                        let top = u16::from(idle & 1) << 15;
                        data.extend_from_slice(&(top | (red << 10) | (green << 5) | blue).to_le_bytes());
                    }
                    LzFormat::Rgb32 => data.extend_from_slice(&[blue, green, red, idle]),
                    LzFormat::Xxxa => data.extend_from_slice(&[idle, idle ^ 0x55, idle / 3, alpha]),
                    LzFormat::A8 => data.push(alpha),
                    _ => data.extend_from_slice(&pixel[..unit]),
                }
            }
            data.extend((0..gap).map(|at| mix(at as u32, line, seed) as u8));
        }
        // The last row need not be followed by anything.
        data.truncate(data.len() - gap);
        Self { kind, format, width, height, stride: row + gap, top_down, seed, data }
    }

    /// The same, as a bitmap; of a format that bitmaps can have.
    pub(crate) fn bitmap(&self) -> Arc<Bitmap> {
        let format = FORMATS.iter().position(|format| *format == self.format).unwrap();
        let format = [
            BitmapFormat::BIT1_LE,
            BitmapFormat::BIT1_BE,
            BitmapFormat::BIT4_LE,
            BitmapFormat::BIT4_BE,
            BitmapFormat::BIT8,
            BitmapFormat::RGB16,
            BitmapFormat::RGB24,
            BitmapFormat::RGB32,
            BitmapFormat::RGBA,
            BitmapFormat::RGBA,
            BitmapFormat::A8,
        ][format];
        let mut data = self.data.clone();
        data.resize(self.stride * self.height as usize, 0);
        let size = (self.width, self.height);
        Arc::new(Bitmap::new(format, size, self.stride as u32, self.top_down, data.into()).unwrap())
    }

    /// Its rows in the order that they lie in, with nothing between them.
    fn lines(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        let row = self.format.row_len(self.width) as usize;
        self.data.chunks(self.stride).map(move |line| &line[..row])
    }

    /// What comes of it where nothing is lost: its rows in the order that they lie in, with nothing between them, and
    /// zeros where nothing is coded.
    pub(crate) fn coded(&self) -> Vec<u8> {
        let mut pixels: Vec<u8> = self.lines().flatten().copied().collect();
        match self.format {
            LzFormat::Rgb16 => pixels.iter_mut().skip(1).step_by(2).for_each(|byte| *byte &= 0x7f),
            LzFormat::Rgb32 => pixels.iter_mut().skip(3).step_by(4).for_each(|byte| *byte = 0),
            LzFormat::Xxxa => pixels.chunks_mut(4).for_each(|pixel| pixel[..3].fill(0)),
            _ => {}
        }
        pixels
    }

    /// Red, green, blue and alpha of its pixels, the top row first; alpha is 255 where there is none. Of a picture of
    /// colours.
    pub(crate) fn rgba(&self) -> Vec<[u8; 4]> {
        let mut lines: Vec<_> = self.lines().collect();
        if !self.top_down {
            lines.reverse();
        }
        let size = self.format.bits_per_pixel() as usize / 8;
        let pixels = lines.into_iter().flat_map(|line| line.chunks(size));
        let colours = pixels.map(|pixel| match (self.format, pixel) {
            (LzFormat::Rgb16, &[low, high]) => {
                let pixel = u16::from_le_bytes([low, high]);
                let [red, green, blue] = [pixel >> 10, pixel >> 5, pixel].map(|colour| {
                    let colour = (colour & 31) as u8;
                    colour << 3 | colour >> 2
                });
                [red, green, blue, 255]
            }
            (LzFormat::Rgb24, &[blue, green, red]) | (LzFormat::Rgb32, &[blue, green, red, _]) => {
                [red, green, blue, 255]
            }
            (LzFormat::Rgba, &[blue, green, red, alpha]) => [red, green, blue, alpha],
            _ => panic!("{self:?} has no colours"),
        });
        colours.collect()
    }
}

/// Sizes from 1x1 to 513x257, small ones as often as others.
fn size() -> impl Strategy<Value = (u32, u32)> {
    prop_oneof![
        6 => (1..=9_u32, 1..=9_u32),
        6 => (1..=513_u32, 1..=257_u32),
        1 => (1..=513_u32, 1..=3_u32),
        1 => (1..=3_u32, 1..=257_u32),
        1 => prop::sample::select(&CORNERS[..]),
    ]
}

/// Pictures of these kinds and formats.
pub(crate) fn picture(
    kinds: &'static [Kind],
    formats: &'static [LzFormat],
) -> impl Strategy<Value = Picture> {
    let gap = prop_oneof![2 => Just(0), 1 => 1..=9_usize];
    let (kind, format) = (prop::sample::select(kinds), prop::sample::select(formats));
    (kind, format, size(), gap, any::<bool>(), any::<u32>()).prop_map(
        |(kind, format, size, gap, top_down, seed)| Picture::new(kind, format, size, gap, top_down, seed),
    )
}

/// A picture of each of these kinds and formats in each size at the ends, either way up, and padded or not.
pub(crate) fn at_the_ends(kinds: &[Kind], formats: &[LzFormat]) -> Vec<Picture> {
    let mut pictures = Vec::new();
    for size in CORNERS {
        for (kind, format) in kinds.iter().flat_map(|kind| formats.iter().map(move |format| (*kind, *format)))
        {
            let top_down = pictures.len() % 2 == 0;
            let gap = pictures.len() % 3 * 4;
            pictures.push(Picture::new(kind, format, size, gap, top_down, 0x0102_0304));
        }
    }
    pictures
}

/// How many random pictures a test tries: 500, or what `SPICE_SCHEDULES` says.
pub(crate) fn cases() -> ProptestConfig {
    let cases = std::env::var("SPICE_SCHEDULES").ok().and_then(|number| number.parse().ok()).unwrap_or(500);
    ProptestConfig { cases, ..ProptestConfig::default() }
}
