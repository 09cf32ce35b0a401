//! Sines and angles out of additions and multiplications only, so that every machine draws the same pixels.

use core::f32::consts::{FRAC_PI_2, FRAC_PI_4, TAU};

/// The sine of an angle in turns; off by less than 1e-5.
pub(super) fn sin(turns: f32) -> f32 {
    let part = turns - turns.floor();
    let folded = match part {
        p if p < 0.25 => p,
        p if p < 0.75 => 0.5 - p,
        p => p - 1.0,
    };
    let x = folded * TAU;
    let square = x * x;
    x * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0 * (1.0 - square / 72.0))))
}

/// The cosine of an angle in turns; off by less than 1e-5.
pub(super) fn cos(turns: f32) -> f32 {
    sin(turns + 0.25)
}

/// The angle of the vector `(x, y)` in turns, from -0.5 to 0.5; 0 for the null vector.
pub(super) fn angle(y: f32, x: f32) -> f32 {
    let (low, high) = (x.abs().min(y.abs()), x.abs().max(y.abs()));
    if high == 0.0 {
        return 0.0;
    }
    let first_octant = arc_tangent(low / high);
    let quadrant = if y.abs() > x.abs() { FRAC_PI_2 - first_octant } else { first_octant };
    let half = if x < 0.0 { 2.0 * FRAC_PI_2 - quadrant } else { quadrant };
    (if y < 0.0 { -half } else { half }) / TAU
}

/// The arc tangent of `z` in 0 to 1, by the polynomial 4.4.47 of Abramowitz and Stegun; exact at 1.
fn arc_tangent(z: f32) -> f32 {
    if z >= 1.0 {
        return FRAC_PI_4;
    }
    let square = z * z;
    z * (0.999_866
        + square * (-0.330_299_5 + square * (0.180_141 + square * (-0.085_133 + square * 0.020_835_1))))
}

#[cfg(test)]
mod tests {
    use super::{angle, cos, sin};

    #[test]
    fn agrees_with_the_standard_library() {
        for step in -400_i16..=400 {
            let turns = f32::from(step) / 200.0;
            let radians = f64::from(turns) * core::f64::consts::TAU;
            assert!((f64::from(sin(turns)) - radians.sin()).abs() < 1e-5, "sine of {turns} turns");
            assert!((f64::from(cos(turns)) - radians.cos()).abs() < 1e-5, "cosine of {turns} turns");
            let expected = radians.sin().atan2(radians.cos()) / core::f64::consts::TAU;
            let found = f64::from(angle(sin(turns), cos(turns)));
            let apart = (found - expected).abs();
            assert!(apart.min(1.0 - apart) < 1e-5, "angle {turns}: {found} instead of {expected}");
        }
    }
}
