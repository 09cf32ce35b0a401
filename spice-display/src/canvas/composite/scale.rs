//! Images at another size.

use spice_proto::display::{Fixed16_16, ScaleMode, SurfaceFormat, Transform};
use spice_proto::{Point, Rect};

use super::sample::{Affine, Filter, Repeat, Sampler};
use super::with_alpha;
use crate::canvas::Canvas;

/// How many pixels of a source there are for each of a target, in parts of 65,536. What does not fit is cut off, as the
/// C server does it.
#[expect(clippy::cast_possible_truncation, reason = "so it is specified")]
fn factor(source: u32, target: u32) -> Fixed16_16 {
    Fixed16_16((i64::from(source) * 65536 / i64::from(target.max(1))) as i32)
}

fn transform(area: Rect, bbox: Rect, (x, y): (i32, i32)) -> Transform {
    let whole = |pixels: i32| Fixed16_16(pixels.wrapping_mul(65536));
    Transform {
        t00: factor(area.width(), bbox.width()),
        t01: Fixed16_16(0),
        t02: whole(x),
        t10: Fixed16_16(0),
        t11: factor(area.height(), bbox.height()),
        t12: whole(y),
    }
}

/// What maps the pixels of a box, from its corner, to those of `area`.
pub(in crate::canvas) fn scale(area: Rect, bbox: Rect) -> Affine {
    Affine::new(Some(transform(area, bbox, (area.left, area.top))), Point::default())
}

/// The same as ROP3 has it: `area` begins at a whole pixel of the scaled image.
pub(in crate::canvas) fn scale_by_whole_pixels(area: Rect, bbox: Rect) -> Affine {
    let begin = |edge: i32, source: u32, target: u32| {
        let scaled = f64::from(edge) / (f64::from(source) / f64::from(target.max(1)));
        #[expect(clippy::cast_possible_truncation, reason = "beyond what is drawn it does not matter")]
        let pixels = (scaled + 0.5).floor() as i32;
        pixels
    };
    let origin = Point::new(
        begin(area.left, area.width(), bbox.width()),
        begin(area.top, area.height(), bbox.height()),
    );
    Affine::new(Some(transform(area, bbox, (0, 0))), origin)
}

impl Canvas {
    /// What `affine` shows of `source` for a part of a box, counted from the box's corner, in `format`. Around the source
    /// is nothing. `None` where pixman would draw nothing of `asked`, which is more of the box.
    pub(in crate::canvas) fn scaled(
        source: &Self,
        affine: Affine,
        (part, asked): (Rect, Rect),
        mode: ScaleMode,
        format: SurfaceFormat,
    ) -> Option<Self> {
        let filter = if mode == ScaleMode::NEAREST { Filter::Nearest } else { Filter::Bilinear };
        // Where neither has an alpha, pixman treats the byte that means nothing as one.
        let read = if format == SurfaceFormat::RGB32 { with_alpha(source.format) } else { source.format };
        let sampler = Sampler { image: source, format: read, affine, filter, repeat: Repeat::None };
        if !sampler.is_drawn(asked) {
            return None;
        }
        let mut scaled = Self::new(format, part.width(), part.height())?;
        let stored = with_alpha(scaled.format);
        let all = scaled.bounds().into();
        scaled.mix_rows(&all, stored, |at, to| {
            sampler.fetch(at.x.saturating_add(part.left), at.y.saturating_add(part.top), to);
        });
        Some(scaled)
    }
}
