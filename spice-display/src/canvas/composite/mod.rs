//! COMPOSITE and ALPHA_BLEND: images put over others by their alpha, as pixman does it.

mod channels;
mod operator;
mod row;
mod sample;
mod scale;
#[cfg(test)]
mod tests;
mod wide;

use spice_proto::display::{AlphaFlags, CompositeFlags, SurfaceFormat};
use spice_proto::{Point, Point16, Rect};

use super::convert::Argb;
use super::plane::Pixel;
use super::surfaces::{PaintError, Surfaces};
use super::{Canvas, Pixels, each_depth};
use crate::qxl::{DrawAlphaBlend, DrawComposite, ImageSource};
use crate::region::Region;
use operator::{Masked, Operator, over};
use row::{Piece, combine};

pub(super) use sample::{Affine, Filter, Repeat, Sampler};
pub(super) use scale::{scale, scale_by_whole_pixels};

impl Canvas {
    /// Puts an image over the pixels of `region`.
    pub(super) fn paint_composite(
        &mut self,
        region: &Region,
        bbox: Rect,
        composite: &DrawComposite,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        let flags = composite.flags;
        let number = flags.operator();
        let operator = Operator::new(number).ok_or(PaintError::Operator(number))?;
        let source = self.operand(&composite.source, surfaces)?;
        let mask = composite.mask.as_ref().map(|mask| self.operand(mask, surfaces)).transpose()?;
        let place = |origin: Point16| Point::new(i32::from(origin.x), i32::from(origin.y));
        let source_opaque = matches!(composite.source.source, ImageSource::Surface(_));
        let source_flags = if source_opaque { flags } else { flags - CompositeFlags::SOURCE_OPAQUE };
        let source = Sampler::source(
            &source,
            source_flags,
            composite.source_transform,
            place(composite.source_origin),
        );
        let mask = mask
            .as_ref()
            .map(|mask| Sampler::mask(mask, flags, composite.mask_transform, place(composite.mask_origin)));
        let by_channel = flags.contains(CompositeFlags::COMPONENT_ALPHA);
        let all = Rect::new(0, 0, bbox.width(), bbox.height());
        if !source.is_drawn(all) || mask.as_ref().is_some_and(|mask| !mask.is_drawn(all)) {
            return Ok(());
        }
        let whole = mask.as_ref().is_none_or(|mask| !by_channel && mask.is_opaque(all));
        let opaque = whole && source.is_opaque(all);
        let operator = match operator {
            Operator::OVER if opaque => Operator::SOURCE,
            // What has no alpha leaves nothing to saturate.
            _ if number == Operator::SATURATE && opaque => Operator::OVER_REVERSE,
            other => other,
        };
        let format = if operator.heeds_target_alpha() { self.format } else { with_alpha(self.format) };
        let copies = operator == Operator::SOURCE && whole && self.format == SurfaceFormat::RGB32;
        let source = if copies { source.copied(all) } else { source };
        let sparse = source.is_sparse();
        let place = |at: Point| (at.x.wrapping_sub(bbox.left), at.y.wrapping_sub(bbox.top));
        if let Operator::Wide(wide) = operator {
            self.mix(region, format, |x, y, target| {
                let (x, y) = place(Point::new(x, y));
                let mask = mask.as_ref().map(|mask| mask.wide(x, y));
                // pixman looks at no pixel that the mask hides, and so has there what it saw in a row above, or nothing.
                // The blue of HSL modes, which no mask hides, shows it; here it is always nothing.
                let unseen = sparse && mask == Some([0.0; 4]);
                let source = if unseen { [0.0; 4] } else { source.wide(x, y) };
                let target = sample::widen(target.format, target.pixel);
                wide::narrow(wide.mix(source, mask.map(|mask| (mask, by_channel)), target))
            });
            return Ok(());
        }
        let (mut sources, mut masks) = (Piece::new(), Piece::new());
        self.mix_rows(region, format, |at, target| {
            let (x, y) = place(at);
            let sources = sources.of(target.len());
            source.fetch(x, y, sources);
            let mask = mask.as_ref().map(|mask| {
                let masks = masks.of(target.len());
                mask.fetch(x, y, masks);
                (&*masks, by_channel)
            });
            combine(operator, sources, mask, target);
        });
        Ok(())
    }

    /// Blends an image over the pixels of `region`.
    pub(super) fn paint_alpha_blend(
        &mut self,
        region: &Region,
        bbox: Rect,
        blend: &DrawAlphaBlend,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        let alpha = u32::from(blend.alpha);
        if alpha == 0 {
            return Ok(());
        }
        let source = self.original(&blend.source, surfaces)?;
        let surface = matches!(blend.source.source, ImageSource::Surface(_));
        let reads_alpha = surface && blend.flags.contains(AlphaFlags::SRC_SURFACE_HAS_ALPHA);
        let area = blend.source_area;
        let unscaled = (area.width(), area.height()) == (bbox.width(), bbox.height());
        let sampler = Sampler {
            image: &source,
            format: if reads_alpha { with_alpha(source.format) } else { source.format },
            affine: if unscaled { Affine::new(None, area.origin()) } else { scale(area, bbox) },
            filter: Filter::Nearest,
            repeat: Repeat::None,
        };
        let seen = within(region.extents(), bbox);
        if !sampler.is_drawn(seen) || alpha != 255 && !sample::is_near(seen, Point::default()) {
            return Ok(());
        }
        let (mut sources, mut masks) = (Piece::new(), Piece::new());
        self.mix_rows(region, with_alpha(self.format), |at, target| {
            let sources = sources.of(target.len());
            sampler.fetch(at.x.wrapping_sub(bbox.left), at.y.wrapping_sub(bbox.top), sources);
            let masks = masks.of(target.len());
            masks.fill(alpha << 24);
            combine(Operator::OVER, sources, (alpha != 255).then_some((&*masks, false)), target);
        });
        if !blend.flags.contains(AlphaFlags::DEST_HAS_ALPHA) {
            self.forget_alpha(region);
        }
        Ok(())
    }

    /// Clears the byte that means nothing, of 32 bits without alpha. The C server does so where the first pixel of the
    /// box has full alpha, which depends on what else has been painted by then; here it does not.
    fn forget_alpha(&mut self, region: &Region) {
        if self.format == SurfaceFormat::RGB32
            && let Pixels::Bits32(plane) = &mut self.pixels
        {
            plane.runs(region, |run, _| run.iter_mut().for_each(|pixel| *pixel &= 0x00ff_ffff));
        }
    }

    /// Gives every pixel of `region` what `mix` makes of it, read and written as pixels of `format`, which is of this
    /// canvas's depth.
    pub(super) fn mix(
        &mut self,
        region: &Region,
        format: SurfaceFormat,
        mix: impl Fn(i32, i32, Target) -> u32,
    ) {
        each_depth!(&mut self.pixels, plane => plane.runs(region, |run, at| {
            for (x, pixel) in (at.x..).zip(run) {
                let target = Target { format, pixel: Argb::load(format, pixel.bits()) };
                *pixel = Pixel::from_bits(Argb(mix(x, at.y, target)).store(format));
            }
        }));
    }

    /// Blends one colour, or a tile, over the pixels of `region` by an alpha for each.
    pub(super) fn cover(
        &mut self,
        region: &Region,
        colour: impl Fn(i32, i32) -> u32,
        alpha: impl Fn(i32, i32) -> u32,
    ) {
        self.mix(region, with_alpha(self.format), |x, y, target| {
            let alpha = alpha(x, y);
            if alpha == 0 {
                return target.pixel.0;
            }
            over(Masked::by_alpha(colour(x, y), alpha << 24).source, target.pixel.0)
        });
    }
}

/// A pixel that is drawn on.
#[derive(Clone, Copy)]
pub(super) struct Target {
    format: SurfaceFormat,
    pixel: Argb,
}

/// The format that has an alpha in the byte that means nothing in `format`.
pub(super) const fn with_alpha(format: SurfaceFormat) -> SurfaceFormat {
    match format {
        SurfaceFormat::RGB32 => SurfaceFormat::ARGB32,
        other => other,
    }
}

/// An area as seen from the corner of a box.
pub(super) const fn within(area: Rect, bbox: Rect) -> Rect {
    Rect {
        left: area.left.saturating_sub(bbox.left),
        top: area.top.saturating_sub(bbox.top),
        right: area.right.saturating_sub(bbox.left),
        bottom: area.bottom.saturating_sub(bbox.top),
    }
}
