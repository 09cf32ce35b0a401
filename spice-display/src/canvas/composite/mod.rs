//! COMPOSITE and ALPHA_BLEND: images put over others by their alpha, as pixman does it.

mod channels;
mod operator;
mod sample;
mod wide;

use spice_proto::display::{AlphaFlags, CompositeFlags, SurfaceFormat};
use spice_proto::{Point, Rect};

use super::convert::Argb;
use super::operand::offset;
use super::paint::{PaintError, Surfaces};
use super::plane::Pixel;
use super::scale::scale;
use super::{Canvas, each_depth};
use crate::qxl::{DrawAlphaBlend, DrawComposite, ImageSource};
use crate::region::Region;
use operator::{Masked, Operator, Wide, over};
use wide::Fractions;

pub(super) use sample::{Affine, Filter, Repeat, Sampler};

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
        let operator = Operator::new(flags.operator()).ok_or(PaintError::Operator(flags.operator()))?;
        let source = self.operand(&composite.source, surfaces)?;
        let mask = composite.mask.as_ref().map(|mask| self.operand(mask, surfaces)).transpose()?;
        let place = |origin: spice_proto::Point16| Point::new(i32::from(origin.x), i32::from(origin.y));
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
        let operator = match operator {
            // What has no alpha leaves nothing to saturate.
            Operator::Wide(Wide::Saturate)
                if mask.is_none() && source.is_opaque(bbox.width(), bbox.height()) =>
            {
                Operator::OVER_REVERSE
            }
            other => other,
        };
        self.mix(region, self.format, |x, y, target| {
            let (x, y) = (x - bbox.left, y - bbox.top);
            if let Operator::Wide(wide) = operator {
                let mask = mask.as_ref().map(|mask| (mask.wide(x, y), by_channel));
                let target = sample::widen(target.format, target.pixel);
                return mix_wide(wide, source.wide(x, y), mask, target);
            }
            let pixel = source.pixel(x, y);
            let masked = match &mask {
                None => Masked::whole(pixel),
                Some(mask) if by_channel => Masked::by_channel(pixel, mask.pixel(x, y)),
                Some(mask) => Masked::by_alpha(pixel, mask.pixel(x, y)),
            };
            match operator {
                Operator::Sum(sum) => sum.mix(masked, target.pixel.0),
                Operator::Blend(blend) => blend.mix(masked, target.pixel.0),
                Operator::Wide(_) => target.pixel.0,
            }
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
        let with_alpha = |format, flag: bool| match format {
            SurfaceFormat::RGB32 if flag => SurfaceFormat::ARGB32,
            other => other,
        };
        let surface = matches!(blend.source.source, ImageSource::Surface(_));
        let reads_alpha = surface && blend.flags.contains(AlphaFlags::SRC_SURFACE_HAS_ALPHA);
        let area = blend.source_area;
        let unscaled = (area.width(), area.height()) == (bbox.width(), bbox.height());
        let sampler = Sampler {
            image: &source,
            format: with_alpha(source.format, reads_alpha),
            affine: if unscaled {
                Sampler::plain(&source, source.format, offset(bbox, area.origin())).affine
            } else {
                scale(area, bbox)
            },
            filter: Filter::Nearest,
            repeat: Repeat::None,
        };
        let target = with_alpha(self.format, blend.flags.contains(AlphaFlags::DEST_HAS_ALPHA));
        let origin = if unscaled { Point::default() } else { bbox.origin() };
        self.mix(region, target, |x, y, target| {
            let source = sampler.pixel(x - origin.x, y - origin.y);
            let source = if alpha == 255 { source } else { Masked::by_alpha(source, alpha << 24).source };
            over(source, target.pixel.0)
        });
        Ok(())
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

    /// Blends one colour, or a tile, over the pixels of `region` by an alpha for each. The top byte of
    /// [`SurfaceFormat::RGB32`] is blended as well, as if it were an alpha.
    pub(super) fn cover(
        &mut self,
        region: &Region,
        colour: impl Fn(i32, i32) -> u32,
        alpha: impl Fn(i32, i32) -> u32,
    ) {
        let format = if self.format == SurfaceFormat::RGB32 { SurfaceFormat::ARGB32 } else { self.format };
        self.mix(region, format, |x, y, target| {
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

fn mix_wide(wide: Wide, source: Fractions, mask: Option<(Fractions, bool)>, target: Fractions) -> u32 {
    wide::narrow(wide.mix(source, mask, target))
}
