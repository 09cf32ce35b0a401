//! Images at another size.

use spice_proto::Rect;
use spice_proto::display::{ScaleMode, SurfaceFormat};

use super::Canvas;
use super::composite::{Affine, Filter, Repeat, Sampler};
use super::convert::Argb;
use super::each_depth;
use super::plane::Pixel;

/// One, in parts of 65,536.
const ONE: i64 = 1 << 16;

/// How many pixels of a source there are for each of a target, in parts of 65,536.
fn factor(source: u32, target: u32) -> i64 {
    i64::from(source) * ONE / i64::from(target.max(1))
}

/// What maps the pixels of a box, from its corner, to those of `area`.
pub(super) fn scale(area: Rect, bbox: Rect) -> Affine {
    let factors = (factor(area.width(), bbox.width()), factor(area.height(), bbox.height()));
    Affine::scale(factors, (i64::from(area.left) * ONE, i64::from(area.top) * ONE))
}

/// The same as ROP3 has it: `area` begins at a whole pixel of the scaled image.
pub(super) fn scale_by_whole_pixels(area: Rect, bbox: Rect) -> Affine {
    let factors = (factor(area.width(), bbox.width()), factor(area.height(), bbox.height()));
    let begin = |edge: i32, source: u32, target: u32, factor: i64| {
        let scaled = f64::from(edge) / (f64::from(source) / f64::from(target.max(1)));
        #[expect(
            clippy::cast_possible_truncation,
            reason = "of a rectangle's range, and what is not saturates"
        )]
        let pixels = (scaled + 0.5).floor() as i64;
        pixels.saturating_mul(factor)
    };
    let begins = (
        begin(area.left, area.width(), bbox.width(), factors.0),
        begin(area.top, area.height(), bbox.height(), factors.1),
    );
    Affine::scale(factors, begins)
}

impl Canvas {
    /// What `affine` shows of `source` for a box of this size, in `format`. Around the source is nothing.
    pub(super) fn scaled(
        source: &Self,
        affine: Affine,
        (width, height): (u32, u32),
        mode: ScaleMode,
        format: SurfaceFormat,
    ) -> Self {
        let filter = if mode == ScaleMode::NEAREST { Filter::Nearest } else { Filter::Bilinear };
        let sampler = Sampler { image: source, format: source.format, affine, filter, repeat: Repeat::None };
        let mut scaled = Self::new(format, width, height).unwrap_or_default();
        let (all, format) = (scaled.bounds().into(), scaled.format);
        each_depth!(&mut scaled.pixels, plane => plane.runs(&all, |run, at| {
            for (x, pixel) in (at.x..).zip(run) {
                *pixel = Pixel::from_bits(Argb(sampler.pixel(x, at.y)).store(format));
            }
        }));
        scaled
    }
}
