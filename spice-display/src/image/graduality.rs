//! Whether an image is soft, like a photograph, or has hard edges, like text.
//!
//! The measure is the C server's (`spice-bitmap-utils.tmpl.c`), so that both choose the same method: every fifteenth
//! pixel is compared with its neighbours to the right, below and diagonally below. Of very large images fewer are.

use spice_proto::display::BitmapFormat;

use crate::qxl::Bitmap;

/// From one sample to the next, in an image of no more than [`SAMPLED`] pixels.
const SAMPLE_JUMP: usize = 15;

/// Of larger images no more samples are taken than of one of so many pixels: a millisecond's.
const SAMPLED: usize = 1 << 20;

/// What a pair of pixels adds, in quarters.
const SAME: i64 = 2;
const CONTRAST: i64 = 4;
const NEAR: i64 = -1;

/// Whether an image of colours is soft.
pub(super) fn is_gradual(bitmap: &Bitmap) -> bool {
    match bitmap.format() {
        BitmapFormat::RGB16 => {
            let colours = |[low, high]: [u8; 2]| {
                let pixel = u16::from_le_bytes([low, high]);
                [pixel >> 10, pixel >> 5, pixel].map(|channel| (channel & 0x1f) as u8)
            };
            score(bitmap, colours, 8).is_below(0.0)
        }
        BitmapFormat::RGB24 => score(bitmap, |pixel: [u8; 3]| pixel, 60).is_below(-0.03),
        _ => {
            let colours = |[blue, green, red, _]: [u8; 4]| [blue, green, red];
            score(bitmap, colours, 60).is_below(-0.03)
        }
    }
}

/// What the samples of an image add up to.
struct Score {
    quarters: i64,
    pairs: i64,
}

impl Score {
    /// Adds three pairs of colours, which contrast when a channel differs by `contrast`.
    #[inline]
    fn add(&mut self, pairs: [([u8; 3], [u8; 3]); 3], contrast: u8) {
        let quarters = pairs.map(|([b1, g1, r1], [b2, g2, r2])| {
            match b1.abs_diff(b2).max(g1.abs_diff(g2)).max(r1.abs_diff(r2)) {
                0 => SAME,
                most if most >= contrast => CONTRAST,
                _ => NEAR,
            }
        });
        if quarters != [SAME; 3] {
            self.quarters += quarters.iter().sum::<i64>();
        }
        self.pairs += 3;
    }

    fn is_below(&self, limit: f64) -> bool {
        (self.quarters as f64) / 4.0 / (self.pairs as f64) < limit
    }
}

/// Compares samples of an image whose pixels have `N` bytes. Two colours contrast when a channel differs by `contrast`.
fn score<const N: usize>(bitmap: &Bitmap, colours: impl Fn([u8; N]) -> [u8; 3], contrast: u8) -> Score {
    let (width, height) = (bitmap.width() as usize, bitmap.height() as usize);
    if width <= 1 || height <= 1 {
        return Score { quarters: 4, pairs: 1 };
    }
    let sparse = SAMPLE_JUMP * (width * height).div_ceil(SAMPLED);
    let jump = if sparse.is_multiple_of(width) { sparse - 1 } else { sparse };
    let row = |line: usize| {
        let row = bitmap.data().get(line * bitmap.stride() as usize..).unwrap_or_default();
        row.as_chunks::<N>().0.get(..width).unwrap_or_default()
    };
    let mut score = Score { quarters: 0, pairs: 0 };
    let mut x = width / 2;
    let (mut upper, mut lower) = (row(0), row(1));
    let mut line = 0;
    while line < height - 1 {
        let left = x.min(width - 2);
        let (Some([here, right]), Some([below, across])) =
            (upper.get(left..).and_then(<[_]>::first_chunk), lower.get(left..).and_then(<[_]>::first_chunk))
        else {
            break;
        };
        score.add([right, below, across].map(|other| (colours(*here), colours(*other))), contrast);
        x = left + jump;
        if x >= width {
            line += x / width;
            x %= width;
            (upper, lower) = (row(line), row(line + 1));
        }
    }
    score
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(format: BitmapFormat, width: u32, height: u32, pixel: impl Fn(u32, u32) -> Vec<u8>) -> Bitmap {
        let data: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| pixel(x, y))
            .collect();
        let stride = data.len() as u32 / height;
        Bitmap::new(format, (width, height), stride, true, data.into()).unwrap()
    }

    #[test]
    fn slopes_are_soft_and_edges_hard_in_every_format() {
        for width in [2, 3, 5, 14, 15, 16, 30, 64] {
            let soft = |x: u32, y: u32| (x * 2 + y) as u8;
            let hard = |x: u32, y: u32| if (x + y).is_multiple_of(2) { 0 } else { 200 };
            let rgb32 = |value: u8| vec![value, value, value, 0];
            let rgb24 = |value: u8| vec![value, value, value];
            let rgb16 = |value: u8| (u16::from(value >> 3) * 0x421).to_le_bytes().to_vec();
            let made = |format, pixel: &dyn Fn(u32, u32) -> Vec<u8>| image(format, width, 20, pixel);
            assert!(is_gradual(&made(BitmapFormat::RGB32, &|x, y| rgb32(soft(x, y)))));
            assert!(is_gradual(&made(BitmapFormat::RGB24, &|x, y| rgb24(soft(x, y)))));
            assert!(is_gradual(&made(BitmapFormat::RGB16, &|x, y| rgb16(soft(8 * x, 8 * y)))));
            assert!(!is_gradual(&made(BitmapFormat::RGB32, &|x, y| rgb32(hard(x, y)))));
            assert!(!is_gradual(&made(BitmapFormat::RGB24, &|x, y| rgb24(hard(x, y)))));
            assert!(!is_gradual(&made(BitmapFormat::RGB16, &|x, y| rgb16(hard(x, y)))));
        }
    }

    #[test]
    fn one_colour_and_single_lines_are_not_soft() {
        assert!(!is_gradual(&image(BitmapFormat::RGB32, 40, 40, |_, _| vec![9; 4])));
        assert!(!is_gradual(&image(BitmapFormat::RGB32, 40, 1, |x, _| vec![x as u8; 4])));
        assert!(!is_gradual(&image(BitmapFormat::RGB32, 1, 40, |_, y| vec![y as u8; 4])));
    }
}
