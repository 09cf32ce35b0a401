//! How a source and what lies below are mixed: the operators of the Render extension and of PDF, on 8-bit channels.

use super::channels::{add, divide_255, grey, multiply, scale};

/// What a term is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Factor {
    Zero,
    One,
    /// The other's alpha.
    Alpha,
    /// One less the other's alpha.
    Inverse,
}

/// An operator by pixman's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// A sum: the source times something of the target's alpha, and the target times something of the source's.
    Sum(PorterDuff),
    /// A PDF blend mode that needs no division.
    Blend(Blend),
    /// One that is computed in fractions.
    Wide(Wide),
}

/// The factors of source and target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PorterDuff(Factor, Factor);

/// PDF blend modes whose channels are separate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blend {
    Multiply,
    Screen,
    Overlay,
    Darken,
    Lighten,
    HardLight,
    Difference,
    Exclusion,
}

/// Operators with a division in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wide {
    /// A sum, as [`PorterDuff`], of other shares.
    Sum(Share, Share),
    /// A PDF blend mode whose channels are separate.
    Blend(WideBlend),
    /// One whose channels are not.
    Tone(Tone),
}

/// PDF blend modes that divide, channel by channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WideBlend {
    ColorDodge,
    ColorBurn,
    SoftLight,
}

/// PDF blend modes that take something of a colour as a whole from the source and the rest from the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Hue,
    Saturation,
    Color,
    Luminosity,
}

/// What a term is multiplied by where both know which part of a pixel the other covers: they share as little of it as
/// they can (disjoint), or as much (conjoint). "Own" is the term's alpha, "other" that of the other term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    Zero,
    One,
    /// `(1 - other) / own`: the part that a disjoint other leaves free.
    Free,
    /// `1 - (1 - other) / own`: the part that it covers.
    Taken,
    /// `other / own`: the part that a conjoint other covers.
    Covered,
    /// `1 - other / own`: the part that it leaves free.
    Uncovered,
}

impl Operator {
    /// The number of SATURATE.
    pub(super) const SATURATE: u8 = 0x0d;

    /// The operator of this number, if QXL has one.
    pub(super) const fn new(number: u8) -> Option<Self> {
        use Factor::{Alpha, Inverse, One, Zero};
        const fn sum(source: Factor, target: Factor) -> Operator {
            Operator::Sum(PorterDuff(source, target))
        }
        const fn wide(source: Share, target: Share) -> Operator {
            Operator::Wide(Wide::Sum(source, target))
        }
        Some(match number {
            0x00 | 0x10 | 0x20 => sum(Zero, Zero),
            0x01 | 0x11 | 0x21 => sum(One, Zero),
            0x02 | 0x12 | 0x22 => sum(Zero, One),
            0x03 => Self::OVER,
            0x04 => Self::OVER_REVERSE,
            0x05 => sum(Alpha, Zero),
            0x06 => sum(Zero, Alpha),
            0x07 => sum(Inverse, Zero),
            0x08 => sum(Zero, Inverse),
            0x09 => sum(Alpha, Inverse),
            0x0a => sum(Inverse, Alpha),
            0x0b => sum(Inverse, Inverse),
            0x0c => sum(One, One),
            Self::SATURATE => wide(Share::Free, Share::One),
            0x13 => wide(Share::One, Share::Free),
            0x14 => wide(Share::Free, Share::One),
            0x15 => wide(Share::Taken, Share::Zero),
            0x16 => wide(Share::Zero, Share::Taken),
            0x17 => wide(Share::Free, Share::Zero),
            0x18 => wide(Share::Zero, Share::Free),
            0x19 => wide(Share::Taken, Share::Free),
            0x1a => wide(Share::Free, Share::Taken),
            0x1b => wide(Share::Free, Share::Free),
            0x23 => wide(Share::One, Share::Uncovered),
            0x24 => wide(Share::Uncovered, Share::One),
            0x25 => wide(Share::Covered, Share::Zero),
            0x26 => wide(Share::Zero, Share::Covered),
            0x27 => wide(Share::Uncovered, Share::Zero),
            0x28 => wide(Share::Zero, Share::Uncovered),
            0x29 => wide(Share::Covered, Share::Uncovered),
            0x2a => wide(Share::Uncovered, Share::Covered),
            0x2b => wide(Share::Uncovered, Share::Uncovered),
            0x30 => Self::Blend(Blend::Multiply),
            0x31 => Self::Blend(Blend::Screen),
            0x32 => Self::Blend(Blend::Overlay),
            0x33 => Self::Blend(Blend::Darken),
            0x34 => Self::Blend(Blend::Lighten),
            0x35 => Self::Wide(Wide::Blend(WideBlend::ColorDodge)),
            0x36 => Self::Wide(Wide::Blend(WideBlend::ColorBurn)),
            0x37 => Self::Blend(Blend::HardLight),
            0x38 => Self::Wide(Wide::Blend(WideBlend::SoftLight)),
            0x39 => Self::Blend(Blend::Difference),
            0x3a => Self::Blend(Blend::Exclusion),
            0x3b => Self::Wide(Wide::Tone(Tone::Hue)),
            0x3c => Self::Wide(Wide::Tone(Tone::Saturation)),
            0x3d => Self::Wide(Wide::Tone(Tone::Color)),
            0x3e => Self::Wide(Wide::Tone(Tone::Luminosity)),
            _ => return None,
        })
    }

    /// Whether the target's alpha matters to its colours. Where it does not, pixman computes an alpha even for a target
    /// that has none, and leaves it in the byte that means nothing.
    pub(super) const fn heeds_target_alpha(self) -> bool {
        !matches!(self, Self::Sum(PorterDuff(Factor::Zero | Factor::One, _)))
    }

    /// The source in place of the target.
    pub(super) const SOURCE: Self = Self::Sum(PorterDuff(Factor::One, Factor::Zero));
    /// The source over the target.
    pub(super) const OVER: Self = Self::Sum(PorterDuff(Factor::One, Factor::Inverse));
    /// The target over the source.
    pub(super) const OVER_REVERSE: Self = Self::Sum(PorterDuff(Factor::Inverse, Factor::One));
}

/// A source as the mask lets it through, and the alpha that each of its channels has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Masked {
    pub(super) source: u32,
    pub(super) alphas: u32,
}

impl Masked {
    /// Without a mask.
    pub(super) const fn whole(source: u32) -> Self {
        Self { source, alphas: grey(source >> 24) }
    }

    /// By the mask's alpha.
    pub(super) const fn by_alpha(source: u32, mask: u32) -> Self {
        Self::whole(scale(source, mask >> 24))
    }

    /// Each channel by the mask's own.
    pub(super) fn by_channel(source: u32, mask: u32) -> Self {
        Self { source: multiply(source, mask), alphas: scale(mask, source >> 24) }
    }
}

impl PorterDuff {
    pub(super) fn mix(self, Masked { source, alphas }: Masked, target: u32) -> u32 {
        let from_source = match self.0 {
            Factor::Zero => 0,
            Factor::One => source,
            Factor::Alpha => scale(source, target >> 24),
            Factor::Inverse => scale(source, !target >> 24),
        };
        let from_target = match self.1 {
            Factor::Zero => return from_source,
            Factor::One => target,
            Factor::Alpha => multiply(target, alphas),
            Factor::Inverse => multiply(target, !alphas),
        };
        add(from_source, from_target)
    }
}

impl Blend {
    pub(super) fn mix(self, Masked { source, alphas }: Masked, target: u32) -> u32 {
        let target_alpha = target >> 24;
        if self == Self::Multiply {
            let around = add(multiply(target, !alphas), scale(source, 255 - target_alpha));
            return add(multiply(target, source), around);
        }
        let alpha = source >> 24;
        let both = target_alpha * 255 + alpha * 255 - alpha * target_alpha;
        let colours = [0, 8, 16].map(|shift| {
            let channel = |pixel: u32| (pixel >> shift & 0xff).cast_signed();
            let (s, sa, d) = (channel(source), channel(alphas), channel(target));
            let around = (255 - sa) * d + (255 - target_alpha.cast_signed()) * s;
            clamped(around + self.product(d, target_alpha.cast_signed(), s, sa))
        });
        let [blue, green, red] = colours.map(divide_255);
        divide_255(clamped(both.cast_signed())) << 24 | red << 16 | green << 8 | blue
    }

    /// What the blend makes of a channel of the target and one of the source, with their alphas, times both alphas.
    const fn product(self, d: i32, da: i32, s: i32, sa: i32) -> i32 {
        match self {
            Self::Multiply => s * d,
            Self::Screen => s * da + d * sa - s * d,
            Self::Overlay => {
                if 2 * d < da {
                    2 * s * d
                } else {
                    sa * da - 2 * (da - d) * (sa - s)
                }
            }
            Self::HardLight => {
                if 2 * s < sa {
                    2 * s * d
                } else {
                    sa * da - 2 * (da - d) * (sa - s)
                }
            }
            Self::Darken => {
                let (s, d) = (da * s, sa * d);
                if s > d { d } else { s }
            }
            Self::Lighten => {
                let (s, d) = (da * s, sa * d);
                if s > d { s } else { d }
            }
            Self::Difference => (d * sa - s * da).abs(),
            Self::Exclusion => s * da + d * sa - 2 * d * s,
        }
    }
}

/// A product of two channels, which colours beyond their alpha drive beyond the range: to its end, from either side.
const fn clamped(value: i32) -> u32 {
    const MOST: u32 = 255 * 255;
    let value = value.cast_unsigned();
    if value > MOST { MOST } else { value }
}

/// The sum of a pixel and what covers it by its alpha.
pub(super) fn over(source: u32, target: u32) -> u32 {
    add(source, scale(target, !source >> 24))
}
