//! Colours laid over each other.
//!
//! Products are rounded to the nearest, as pixman rounds them.

use spice_proto::display::SurfaceFormat;

/// The colour of a pixel, with its alpha on top and the other channels multiplied by it; that of formats without alpha
/// is 255. Fewer bits are repeated to make eight.
pub(super) const fn colour(format: SurfaceFormat, bits: u32) -> u32 {
    match format {
        SurfaceFormat::A1 | SurfaceFormat::A8 => bits << 24,
        SurfaceFormat::RGB555 => {
            channels(repeat(bits >> 10 & 0x1f, 5), repeat(bits >> 5 & 0x1f, 5), repeat(bits & 0x1f, 5))
        }
        SurfaceFormat::RGB565 => {
            channels(repeat(bits >> 11 & 0x1f, 5), repeat(bits >> 5 & 0x3f, 6), repeat(bits & 0x1f, 5))
        }
        SurfaceFormat::RGB32 => bits | 0xff00_0000,
        _ => bits,
    }
}

/// The colour of a brush of one colour. Those of 16 bits are read as 5 bits for each channel, also on surfaces that
/// have 6 for green.
pub(super) const fn solid(format: SurfaceFormat, bits: u32) -> u32 {
    match format {
        SurfaceFormat::RGB555 | SurfaceFormat::RGB565 => {
            channels(widen(bits >> 10 & 0x1f), widen(bits >> 5 & 0x1f), widen(bits & 0x1f))
        }
        _ => bits | 0xff00_0000,
    }
}

/// What becomes of the pixel `old` when as much of `colour` as `cover` says is laid over it.
///
/// The top byte of [`SurfaceFormat::RGB32`] is taken for an alpha, that it is not: it becomes 255 under what is opaque.
pub(super) fn over(format: SurfaceFormat, colour: u32, cover: u8, old: u32) -> u32 {
    let old = match format {
        SurfaceFormat::RGB32 => old,
        _ => self::colour(format, old),
    };
    let new = colour.to_le_bytes().map(|channel| product(channel, cover));
    let [.., alpha] = new;
    let mut result = old.to_le_bytes();
    for (old, new) in result.iter_mut().zip(new) {
        *old = new.saturating_add(product(*old, !alpha));
    }
    let [blue, green, red, alpha] = result.map(u32::from);
    match format {
        SurfaceFormat::A1 => 0xff * (alpha >> 7),
        SurfaceFormat::A8 => alpha,
        SurfaceFormat::RGB555 => red >> 3 << 10 | green >> 3 << 5 | blue >> 3,
        SurfaceFormat::RGB565 => red >> 3 << 11 | green >> 2 << 5 | blue >> 3,
        _ => u32::from_le_bytes(result),
    }
}

/// Parts of 255 of parts of 255.
fn product(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 0x80;
    ((product + (product >> 8)) >> 8) as u8
}

const fn channels(red: u32, green: u32, blue: u32) -> u32 {
    0xff << 24 | red << 16 | green << 8 | blue
}

const fn repeat(value: u32, bits: u32) -> u32 {
    value << (8 - bits) | value >> (2 * bits - 8)
}

/// Parts of 31 as parts of 256, by way of 65535.
const fn widen(value: u32) -> u32 {
    value * 0xffff / 0x1f >> 8
}
