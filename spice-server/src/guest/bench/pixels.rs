//! Made-up pixels of two kinds: text, with few colours and sharp edges, and photos, smooth with noise.

/// A linear congruential generator. What it yields is part of the scenes: measurements compare only when every
/// program draws the same pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Random(u32);

impl Random {
    pub(super) fn new(seed: u32) -> Self {
        Self(seed)
    }

    pub(super) fn draw(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0
    }
}

/// Bytes of a pixel, blue first.
pub(super) const PIXEL: usize = 4;
const INK: u32 = 0x0020_2020;
const PAPER: u32 = 0x00fc_fcf8;
/// A character cell.
const CELL_WIDTH: usize = 8;
const CELL_HEIGHT: usize = 16;
/// The rows of a cell that hold ink.
const INKED: core::ops::Range<usize> = 3..13;
/// The row from which a cell's second number is used.
const LOWER_HALF: usize = 8;

type CellRow = [u8; CELL_WIDTH * PIXEL];

/// A row of a cell for each pattern of six bits: six columns, the first again, and a blank one.
const CELL_ROWS: [CellRow; 64] = cell_rows();

const fn cell_rows() -> [CellRow; 64] {
    let mut rows = [[0; CELL_WIDTH * PIXEL]; 64];
    let mut pattern = 0;
    while pattern < rows.len() {
        let mut column = 0;
        while column < CELL_WIDTH {
            let on = column + 1 < CELL_WIDTH && (pattern >> (column % 6)) & 1 != 0;
            let colour = if on { INK } else { PAPER }.to_le_bytes();
            let mut byte = 0;
            while byte < PIXEL {
                rows[pattern][column * PIXEL + byte] = colour[byte];
                byte += 1;
            }
            column += 1;
        }
        pattern += 1;
    }
    rows
}

/// The six bits that a cell's numbers give its row `line`.
fn pattern(line: usize, upper: u32, lower: u32) -> usize {
    let number = if line < LOWER_HALF { upper } else { lower };
    if INKED.contains(&line) { (number >> (line % 5 * 6)) as usize & 63 } else { 0 }
}

/// Text of `width` x `height` pixels, different for each `seed`. `random` is left where the text ends.
pub(super) fn text(width: usize, height: usize, seed: u32, random: &mut Random) -> Vec<u8> {
    *random = Random::new(seed.wrapping_mul(7919).wrapping_add(1));
    let mut pixels = vec![0; width * height * PIXEL];
    let mut cells = Vec::with_capacity(width.div_ceil(CELL_WIDTH));
    for lines in pixels.chunks_mut(width * PIXEL * CELL_HEIGHT) {
        cells.clear();
        cells.extend((0..width.div_ceil(CELL_WIDTH)).map(|_| (random.draw(), random.draw())));
        for (line, row) in lines.chunks_exact_mut(width * PIXEL).enumerate() {
            for (cell, (upper, lower)) in row.chunks_mut(CELL_WIDTH * PIXEL).zip(&cells) {
                let source = &CELL_ROWS[pattern(line, *upper, *lower)];
                cell.copy_from_slice(&source[..cell.len()]);
            }
        }
    }
    pixels
}

/// A photo of `width` x `height` pixels, different for each `seed`. `random` is left where the photo ends.
pub(super) fn photo(width: usize, height: usize, seed: u32, random: &mut Random) -> Vec<u8> {
    *random = Random::new(seed.wrapping_mul(104_729).wrapping_add(7));
    let ramp = |length: usize, top: usize, steps: usize| -> Vec<u32> {
        (0..length).map(|step| u32::try_from(step * top / steps).unwrap_or(0)).collect()
    };
    let (columns, rows) = (ramp(width, 255, width), ramp(height, 255, height));
    let diagonals = ramp(width + height, 127, width + height);
    let mut pixels = vec![0; width * height * PIXEL];
    for ((line, vertical), diagonals) in
        pixels.chunks_exact_mut(width * PIXEL).zip(&rows).zip(diagonals.windows(width))
    {
        let green = vertical.wrapping_add(seed.wrapping_mul(5));
        for ((pixel, horizontal), diagonal) in line.chunks_exact_mut(PIXEL).zip(&columns).zip(diagonals) {
            let noise = random.draw() >> 28;
            let r = horizontal.wrapping_add(seed.wrapping_mul(3)).wrapping_add(noise) & 255;
            let g = green.wrapping_add(noise >> 1) & 255;
            let b = diagonal.wrapping_add(seed).wrapping_add(noise) & 255;
            pixel.copy_from_slice(&(r << 16 | g << 8 | b).to_le_bytes());
        }
    }
    pixels
}
