//! The operators that divide, in fractions: SATURATE, the disjoint and the conjoint ones, and the blend modes of PDF 32000-1, 11.3.5 and its supplement.
//!
//! Colours are multiplied by their alpha already, so that a blend B is computed as `sa * da * B(d / da, s / sa)` with
//! the divisions done away with where that is possible. Every step is of single precision and in this order, because
//! the last bit shows.

use super::operator::{Share, Tone, Wide, WideBlend};

/// A pixel: alpha, red, green, blue.
pub(super) type Fractions = [f32; 4];

/// A colour: red, green, blue.
type Colour = [f32; 3];

impl Wide {
    /// Mixes a source, through a mask if there is one, with what lies below.
    pub(super) fn mix(
        self,
        source: Fractions,
        mask: Option<(Fractions, bool)>,
        target: Fractions,
    ) -> Fractions {
        match self {
            Self::Sum(of_source, of_target) => {
                let (source, alphas) = masked(source, mask);
                let da = target[0];
                std::array::from_fn(|at| {
                    let (from_source, from_target) =
                        (of_source.of(alphas[at], da), of_target.of(da, alphas[at]));
                    (source[at] * from_source + target[at] * from_target).min(1.0)
                })
            }
            Self::Blend(blend) => {
                let (source, alphas) = masked(source, mask);
                let alpha = target[0] + source[0] - target[0] * source[0];
                let channel = |at: usize| blend.mix(alphas[at], source[at], target[0], target[at]);
                [alpha, channel(1), channel(2), channel(3)]
            }
            // It has no meaning where every channel has an alpha of its own.
            Self::Tone(_) if mask.is_some_and(|(_, by_channel)| by_channel) => target,
            Self::Tone(tone) => {
                // pixman, and so every viewer, masks green twice and blue never.
                let [alpha, red, green, blue] = source;
                let source =
                    mask.map_or(source, |([by, ..], _)| [alpha * by, red * by, green * by * by, blue]);
                tone.mix(source, target)
            }
        }
    }
}

impl WideBlend {
    fn mix(self, sa: f32, s: f32, da: f32, d: f32) -> f32 {
        let blended = match self {
            Self::ColorDodge => color_dodge(sa, s, da, d),
            Self::ColorBurn => color_burn(sa, s, da, d),
            Self::SoftLight => soft_light(sa, s, da, d),
        };
        let around = (1.0 - sa) * d + (1.0 - da) * s;
        around + blended
    }
}

impl Tone {
    fn mix(self, [sa, sr, sg, sb]: Fractions, [da, dr, dg, db]: Fractions) -> Fractions {
        let (source, target) = ([sr, sg, sb], [dr, dg, db]);
        let of_source = source.map(|channel| channel * da);
        let of_target = target.map(|channel| channel * sa);
        let full = sa * da;
        let blended = match self {
            Self::Hue => {
                let saturated = with_saturation(of_source, saturation(target) * sa);
                with_luminosity(saturated, full, luminosity(target) * sa)
            }
            Self::Saturation => {
                let saturated = with_saturation(of_target, saturation(source) * da);
                with_luminosity(saturated, full, luminosity(target) * sa)
            }
            Self::Color => with_luminosity(of_source, full, luminosity(target) * sa),
            Self::Luminosity => with_luminosity(of_target, full, luminosity(source) * da),
        };
        let channel = |at: usize| (1.0 - sa) * target[at] + (1.0 - da) * source[at] + blended[at];
        [sa + da - sa * da, channel(0), channel(1), channel(2)]
    }
}

/// A source as its mask lets it through, and the alpha of each channel.
fn masked(source: Fractions, mask: Option<(Fractions, bool)>) -> (Fractions, Fractions) {
    match mask {
        None => (source, [source[0]; 4]),
        Some((mask, false)) => {
            let source = source.map(|channel| channel * mask[0]);
            (source, [source[0]; 4])
        }
        Some((mask, true)) => {
            let alphas = mask.map(|channel| channel * source[0]);
            ([alphas[0], source[1] * mask[1], source[2] * mask[2], source[3] * mask[3]], alphas)
        }
    }
}

fn is_zero(value: f32) -> bool {
    -f32::MIN_POSITIVE < value && value < f32::MIN_POSITIVE
}

impl Share {
    fn of(self, own: f32, other: f32) -> f32 {
        match self {
            Self::Zero => 0.0,
            Self::One => 1.0,
            Self::Free | Self::Covered if is_zero(own) => 1.0,
            Self::Taken | Self::Uncovered if is_zero(own) => 0.0,
            Self::Free => ((1.0 - other) / own).clamp(0.0, 1.0),
            Self::Taken => (1.0 - (1.0 - other) / own).clamp(0.0, 1.0),
            Self::Covered => (other / own).clamp(0.0, 1.0),
            Self::Uncovered => (1.0 - other / own).clamp(0.0, 1.0),
        }
    }
}

fn color_dodge(sa: f32, s: f32, da: f32, d: f32) -> f32 {
    if is_zero(d) {
        0.0
    } else if d * sa >= sa * da - s * da || is_zero(sa - s) {
        sa * da
    } else {
        sa * sa * d / (sa - s)
    }
}

fn color_burn(sa: f32, s: f32, da: f32, d: f32) -> f32 {
    if d >= da {
        sa * da
    } else if sa * (da - d) >= s * da || is_zero(s) {
        0.0
    } else {
        sa * (da - sa * (da - d) / s)
    }
}

fn soft_light(sa: f32, s: f32, da: f32, d: f32) -> f32 {
    if is_zero(da) {
        d * sa
    } else if 2.0 * s <= sa {
        d * sa - d * (da - d) * (sa - 2.0 * s) / da
    } else if 4.0 * d <= da {
        d * sa + (2.0 * s - sa) * d * ((16.0 * d / da - 12.0) * d / da + 3.0)
    } else {
        d * sa + ((d * da).sqrt() - d) * (2.0 * s - sa)
    }
}

fn luminosity([red, green, blue]: Colour) -> f32 {
    red * 0.3 + green * 0.59 + blue * 0.11
}

fn least([red, green, blue]: Colour) -> f32 {
    red.min(green).min(blue)
}

fn most([red, green, blue]: Colour) -> f32 {
    red.max(green).max(blue)
}

fn saturation(colour: Colour) -> f32 {
    most(colour) - least(colour)
}

/// The colour moved to another luminosity, and then towards it until no channel is below 0 or beyond `full`.
fn with_luminosity(colour: Colour, full: f32, wanted: f32) -> Colour {
    let by = wanted - luminosity(colour);
    let mut moved = colour.map(|channel| channel + by);
    let (middle, lowest, highest) = (luminosity(moved), least(moved), most(moved));
    if lowest < 0.0 {
        let reach = middle - lowest;
        moved = moved.map(
            |channel| {
                if is_zero(reach) { 0.0 } else { middle + ((channel - middle) * middle) / reach }
            },
        );
    }
    if highest > full {
        let reach = highest - middle;
        moved = moved.map(|channel| {
            if is_zero(reach) { full } else { middle + (channel - middle) * (full - middle) / reach }
        });
    }
    moved
}

/// The colour with its channels spread over `wanted`.
fn with_saturation(colour: Colour, wanted: f32) -> Colour {
    let (lowest, highest) = (least(colour), most(colour));
    let spread = highest - lowest;
    if is_zero(spread) {
        return [0.0; 3];
    }
    let [top, bottom] = [position_of_most(colour), position_of_least(colour)];
    std::array::from_fn(|at| {
        if at == top {
            wanted
        } else if at == bottom {
            0.0
        } else {
            ((colour[at] - lowest) * wanted) / spread
        }
    })
}

/// Which channel is the highest; of equal ones the one that pixman's comparisons end at.
fn position_of_most([red, green, blue]: Colour) -> usize {
    if red > green {
        if red > blue { 0 } else { 2 }
    } else if red > blue || green > blue {
        1
    } else {
        2
    }
}

/// Which channel is the lowest.
fn position_of_least([red, green, blue]: Colour) -> usize {
    if red > green {
        if red > blue && green > blue { 2 } else { 1 }
    } else if red > blue {
        2
    } else {
        0
    }
}

/// A pixel of 8-bit channels, as `0xAARRGGBB`.
pub(super) fn narrow(fractions: Fractions) -> u32 {
    fractions.iter().fold(0, |pixel, fraction| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and 256")]
        let wide = (fraction.clamp(0.0, 1.0) * 256.0) as u32;
        pixel << 8 | (wide - (wide >> 8))
    })
}
