//! Made-up pictures for the tests of codecs.

/// Pseudo-random numbers.
#[derive(Debug)]
pub(super) struct Noise(u64);

impl Noise {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub(super) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound.max(1)
    }
}

/// What a picture is like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Noise,
    Flat,
    Gradient,
    /// Few colours in short runs, in lines that come again.
    Text,
    /// Pieces of other lengths, again and again.
    Repeats,
}

pub(super) const KINDS: [Kind; 5] = [Kind::Noise, Kind::Flat, Kind::Gradient, Kind::Text, Kind::Repeats];

impl Kind {
    /// Rows of `row` bytes, made of units of so many.
    pub(super) fn pixels(self, unit: usize, row: usize, height: usize, seed: u64) -> Vec<u8> {
        let mut noise = Noise::new(seed);
        let units = (row / unit) * height;
        let of = |value: u32| value.to_le_bytes();
        let words: Vec<[u8; 4]> = match self {
            Self::Noise => (0..units).map(|_| of(noise.next())).collect(),
            Self::Flat => vec![of(noise.next()); units],
            Self::Gradient => {
                let width = row / unit;
                let at = |at: usize| ((at % width) as u8, (at / width) as u8);
                (0..units).map(at).map(|(x, y)| [x / 2, y, x.wrapping_add(y), x ^ y]).collect()
            }
            Self::Text => {
                let ink = [of(noise.next()), of(noise.next()), of(noise.next())];
                let glyphs: Vec<_> = (0..row / unit * 3).map(|_| ink[noise.below(7).min(2)]).collect();
                let mut lines = (0..height).flat_map(|line| {
                    let from = (line * 5 + noise.below(2)) % glyphs.len();
                    glyphs.iter().cycle().skip(from).take(row / unit)
                });
                lines.by_ref().copied().collect()
            }
            Self::Repeats => {
                let piece: Vec<_> = (0..300).map(|_| of(noise.next())).collect();
                let mut words = Vec::new();
                while words.len() < units {
                    let from = noise.below(piece.len());
                    let len = [1, 2, 3, 4, 7, 40, 300][noise.below(7)].min(piece.len() - from);
                    words.extend_from_slice(&piece[from..from + len]);
                    if noise.below(3) == 0 {
                        words.push(of(noise.next()));
                    }
                }
                words.truncate(units);
                words
            }
        };
        words.iter().flat_map(|word| &word[..unit]).copied().collect()
    }
}

/// FNV-1a.
pub(super) fn digest(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Streams in a file, each behind its length.
pub(super) fn streams(mut file: &[u8]) -> Vec<&[u8]> {
    let mut streams = Vec::new();
    while let Some((len, rest)) = file.split_first_chunk() {
        let (stream, rest) = rest.split_at(u32::from_le_bytes(*len) as usize);
        streams.push(stream);
        file = rest;
    }
    streams
}
