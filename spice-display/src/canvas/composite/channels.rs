//! Arithmetic on the four channels of a pixel, each a fraction of 255, rounded as pixman rounds.

/// Every channel times `by` / 255.
pub(super) const fn scale(pixel: u32, by: u32) -> u32 {
    const HALVES: u32 = 0x0080_0080;
    const CHANNELS: u32 = 0x00ff_00ff;
    let low = (pixel & CHANNELS) * by + HALVES;
    let high = (pixel >> 8 & CHANNELS) * by + HALVES;
    let low = (low + (low >> 8 & CHANNELS)) >> 8 & CHANNELS;
    let high = (high + (high >> 8 & CHANNELS)) & !CHANNELS;
    low | high
}

/// Each channel times that of `by`.
pub(super) fn multiply(pixel: u32, by: u32) -> u32 {
    each(pixel, by, |one, other| narrow(divide_255(u32::from(one) * u32::from(other))))
}

/// The sum of each channel, at most full.
pub(super) fn add(one: u32, other: u32) -> u32 {
    each(one, other, u8::saturating_add)
}

/// A channel out of two, for each of the four.
pub(super) fn each(one: u32, other: u32, channel: impl Fn(u8, u8) -> u8) -> u32 {
    let (one, other) = (one.to_le_bytes(), other.to_le_bytes());
    u32::from_le_bytes(std::array::from_fn(|at| channel(one[at], other[at])))
}

/// Rounds the product of two fractions of 255 to one.
pub(super) const fn divide_255(product: u32) -> u32 {
    let product = product + 0x80;
    (product + (product >> 8)) >> 8
}

/// The lowest eight bits.
pub(super) const fn narrow(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

/// A pixel of this value in all four channels.
pub(super) const fn grey(value: u32) -> u32 {
    value * 0x0101_0101
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_rounds_to_the_nearest_fraction() {
        for value in 0..=255_u32 {
            for by in 0..=255_u32 {
                let exact = (f64::from(value * by) / 255.0).round();
                assert_eq!(f64::from(scale(grey(value), by) & 0xff), exact);
                assert_eq!(scale(grey(value), by), multiply(grey(value), grey(by)));
            }
        }
    }

    #[test]
    fn sums_are_at_most_full() {
        assert_eq!(add(0x10f0_8001, 0x2020_8002), 0x30ff_ff03);
    }
}
