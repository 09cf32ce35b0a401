//! A drawing command, painted.

use std::borrow::Cow;

use spice_proto::display::{BitmapFormat, ImageFlags, Ropd, ScaleMode, SurfaceFormat};
use spice_proto::{Point, Rect};

use super::brush::BrushPixels;
use super::composite::{Affine, scale, scale_by_whole_pixels, within};
use super::convert::Argb;
use super::mask::masked;
use super::operand::offset;
use super::plane::{Pixel, Plane};
use super::rop::{Mix3, Operands, Rop2};
use super::{Canvas, PaintError, Pixels, Surfaces, each_depth};
use crate::qxl::{
    Bitmap, Brush, DrawCopy, DrawFill, DrawOp, DrawOpaque, DrawRop3, DrawTransparent, Drawable, Image,
    ImageSource,
};
use crate::region::Region;

impl Canvas {
    /// Paints a command on the pixels of `region`, which is its box within its clip and the canvas, or a part of that.
    ///
    /// # Errors
    /// What cannot be painted; no pixel has changed then.
    pub fn paint(
        &mut self,
        drawable: &Drawable,
        region: &Region,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        let bbox = drawable.bbox;
        match &drawable.op {
            DrawOp::Nop => {}
            DrawOp::CopyBits(copy) => self.copy_bits(region, offset(bbox, copy.source)),
            DrawOp::Fill(fill) => self.paint_fill(region, bbox, fill, surfaces)?,
            DrawOp::Copy(copy) | DrawOp::Blend(copy) => self.paint_copy(region, bbox, copy, surfaces)?,
            DrawOp::Blackness(mask) => {
                self.fill(&masked(region, bbox, mask.as_ref(), surfaces)?, 0);
            }
            DrawOp::Whiteness(mask) => {
                self.fill(&masked(region, bbox, mask.as_ref(), surfaces)?, u32::MAX);
            }
            DrawOp::Invers(mask) => {
                let region = masked(region, bbox, mask.as_ref(), surfaces)?;
                self.apply_brush(&region, &BrushPixels::Solid(0), Rop2::INVERT);
            }
            DrawOp::Opaque(opaque) => self.paint_opaque(region, bbox, opaque, surfaces)?,
            DrawOp::Rop3(rop3) => self.paint_rop3(region, bbox, rop3, surfaces)?,
            DrawOp::Transparent(transparent) => {
                self.paint_transparent(region, bbox, transparent, surfaces)?;
            }
            DrawOp::AlphaBlend(blend) => self.paint_alpha_blend(region, bbox, blend, surfaces)?,
            DrawOp::Composite(composite) => self.paint_composite(region, bbox, composite, surfaces)?,
            DrawOp::Stroke(stroke) => self.paint_stroke(region, stroke, surfaces)?,
            DrawOp::Text(text) => self.paint_text(region, text, surfaces)?,
        }
        Ok(())
    }

    fn paint_fill(
        &mut self,
        region: &Region,
        bbox: Rect,
        fill: &DrawFill,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        let rop = Rop2::new(fill.rop, Operands::BrushOnOld);
        let brush = self.brush(&fill.brush, surfaces)?;
        if fill.mask.is_some() {
            let region = masked(region, bbox, fill.mask.as_ref(), surfaces)?;
            self.apply_brush(&region, &brush, rop);
        } else {
            self.apply_brush(region, &brush, rop);
        }
        Ok(())
    }

    fn paint_copy(
        &mut self,
        region: &Region,
        bbox: Rect,
        copy: &DrawCopy,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        let area = copy.source_area;
        let region = match &copy.mask {
            None => Cow::Borrowed(region),
            mask => Cow::Owned(masked(region, bbox, mask.as_ref(), surfaces)?),
        };
        if let (ImageSource::Bitmap(bitmap), Pixels::Bits32(_)) = (&copy.source.source, &self.pixels)
            && bitmap.depth() == 32
            && !(bitmap.format() == BitmapFormat::RGB32
                && copy.source.flags.contains(ImageFlags::HIGH_BITS_SET))
            && copy.rop == Ropd::OP_PUT
            && same_size(bbox, area)
        {
            self.put_bitmap(&region, bitmap, offset(bbox, area.origin()));
            return Ok(());
        }
        let rop = Rop2::new(copy.rop, Operands::ImageOnOld);
        let (source, offset) = self.source(
            &copy.source,
            area,
            bbox,
            Scaling {
                mode: copy.scale_mode,
                place: scale,
                put: rop == Rop2::PUT,
                seen: region.extents(),
                whole: false,
            },
            surfaces,
        )?;
        self.blit(&region, &source, offset, rop);
        Ok(())
    }

    fn paint_opaque(
        &mut self,
        region: &Region,
        bbox: Rect,
        opaque: &DrawOpaque,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        let region = masked(region, bbox, opaque.mask.as_ref(), surfaces)?;
        let brush = self.brush(&opaque.brush, surfaces)?;
        let (source, offset) = self.source(
            &opaque.source,
            opaque.source_area,
            bbox,
            Scaling {
                mode: opaque.scale_mode,
                place: scale,
                put: true,
                seen: region.extents(),
                whole: false,
            },
            surfaces,
        )?;
        self.blit(&region, &source, offset, Rop2::PUT);
        self.apply_brush(&region, &brush, Rop2::new(opaque.rop, Operands::BrushOnImage));
        Ok(())
    }

    fn paint_rop3(
        &mut self,
        region: &Region,
        bbox: Rect,
        rop3: &DrawRop3,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        let region = masked(region, bbox, rop3.mask.as_ref(), surfaces)?;
        let brush = self.brush(&rop3.brush, surfaces)?;
        let (source, offset) = self.source(
            &rop3.source,
            rop3.source_area,
            bbox,
            Scaling {
                mode: rop3.scale_mode,
                place: scale_by_whole_pixels,
                put: false,
                seen: region.extents(),
                whole: true,
            },
            surfaces,
        )?;
        if same_size(bbox, rop3.source_area)
            && !Rect::new(offset.x, offset.y, source.width(), source.height()).contains(&bbox)
        {
            let (width, height) = (source.width(), source.height());
            return Err(PaintError::OutsideImage { area: rop3.source_area, width, height });
        }
        let source = self.as_deep_as_this(source);
        each_depth!(&mut self.pixels, to => if let Some(from) = Pixel::plane(&source) {
            mix3(to, &region, from, offset, &brush, rop3);
        });
        Ok(())
    }

    fn paint_transparent(
        &mut self,
        region: &Region,
        bbox: Rect,
        transparent: &DrawTransparent,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        let area = transparent.source_area;
        let (source, offset) = self.source(
            &transparent.source,
            area,
            bbox,
            Scaling {
                mode: ScaleMode::NEAREST,
                place: scale,
                put: false,
                seen: region.extents(),
                whole: false,
            },
            surfaces,
        )?;
        let source = self.as_deep_as_this(source);
        let (colour, bits) = match self.pixels {
            Pixels::Bits8(_) => (0, u32::MAX),
            Pixels::Bits16(_) => (Argb(transparent.true_colour).store(self.format), u32::MAX),
            Pixels::Bits32(_) => (transparent.true_colour, 0x00ff_ffff),
        };
        each_depth!(&mut self.pixels, to => if let Some(from) = Pixel::plane(&source) {
            all_but(to, region, from, offset, |pixel| (pixel.bits() ^ colour) & bits == 0);
        });
        Ok(())
    }

    /// An image as it is to be drawn over `bbox`, scaled where `area` is of another size, and where its corner comes to
    /// lie then. Of a scaled one there is only what is seen.
    fn source<'a>(
        &self,
        image: &Image,
        area: Rect,
        bbox: Rect,
        Scaling { mode, place, put, seen, whole }: Scaling,
        surfaces: &'a dyn Surfaces,
    ) -> Result<(Cow<'a, Self>, Point), PaintError> {
        let source = self.operand(image, surfaces)?;
        if same_size(bbox, area) {
            return Ok((source, offset(bbox, area.origin())));
        }
        let seen = seen.intersect(&bbox).intersect(&self.bounds());
        // What only takes the old pixels' place is converted as it is scaled; bits that are mixed are the source's.
        let as_deep = std::mem::discriminant(&self.pixels) == std::mem::discriminant(&source.pixels);
        let format = if put || !as_deep { self.format } else { source.format };
        let part = within(seen, bbox);
        let asked = if whole { Rect::new(0, 0, bbox.width(), bbox.height()) } else { part };
        let scaled = match Self::scaled(&source, place(area, bbox), (part, asked), mode, format) {
            Some(scaled) => scaled,
            None if put => Self::default(),
            None => Self::new(format, seen.width(), seen.height()).unwrap_or_default(),
        };
        Ok((Cow::Owned(scaled), seen.origin()))
    }

    /// A canvas of the same depth as this one.
    pub(super) fn as_deep_as_this<'a>(&self, source: Cow<'a, Self>) -> Cow<'a, Self> {
        let one_bit = (self.format == SurfaceFormat::A1) != (source.format == SurfaceFormat::A1);
        if std::mem::discriminant(&self.pixels) == std::mem::discriminant(&source.pixels) && !one_bit {
            source
        } else {
            Cow::Owned(source.converted(self.format))
        }
    }

    /// Copies from a bitmap of 32 bits to the pixels of `region`, on a canvas of 32 bits, all four bytes of each.
    pub(super) fn put_bitmap(&mut self, region: &Region, bitmap: &Bitmap, offset: Point) {
        let Pixels::Bits32(plane) = &mut self.pixels else { return };
        plane.copy_runs(region, (bitmap.width(), bitmap.height()), offset, |run, x, y| {
            let bytes = bitmap.row(y).get(x as usize * size_of::<u32>()..).unwrap_or_default();
            let (pixels, _) = bytes.as_chunks();
            for (to, from) in run.iter_mut().zip(pixels) {
                *to = u32::from_le_bytes(*from);
            }
        });
    }

    /// Mixes another canvas, of any format, with the pixels of `region`. One of the same depth is taken bit by bit.
    pub(super) fn blit(&mut self, region: &Region, source: &Self, offset: Point, rop: Rop2) {
        let source = self.as_deep_as_this(Cow::Borrowed(source));
        each_depth!(&mut self.pixels, to => if let Some(from) = Pixel::plane(&source) {
            blit(to, region, from, offset, rop);
        });
    }

    /// Mixes a brush with the pixels of `region`.
    pub(super) fn apply_brush(&mut self, region: &Region, brush: &BrushPixels<'_>, rop: Rop2) {
        match brush {
            BrushPixels::Solid(bits) => each_depth!(&mut self.pixels, plane => {
                let value = Pixel::from_bits(*bits);
                plane.runs(region, |run, _| rop.mix_solid(run, value));
            }),
            BrushPixels::Tile { tile, origin } => {
                each_depth!(&mut self.pixels, to => if let Some(tile) = Pixel::plane(tile) {
                    lay(to, region, tile, *origin, rop);
                });
            }
        }
    }
}

/// How an image comes to the size of a box.
#[derive(Clone, Copy)]
struct Scaling {
    mode: ScaleMode,
    /// Maps the pixels of the box to those of an area.
    place: fn(Rect, Rect) -> Affine,
    /// The image takes the old pixels' place.
    put: bool,
    /// The part of the box that is seen.
    seen: Rect,
    /// The C server scales for all of the box.
    whole: bool,
}

fn same_size(one: Rect, other: Rect) -> bool {
    (one.width(), one.height()) == (other.width(), other.height())
}

fn blit<P: Pixel>(to: &mut Plane<P>, region: &Region, from: &Plane<P>, offset: Point, rop: Rop2) {
    to.copy_runs(region, (from.width(), from.height()), offset, |run, x, y| {
        let source = from.row(y).get(x as usize..).unwrap_or_default();
        rop.mix(run, source);
    });
}

/// Copies the pixels that are not `left_out`.
fn all_but<P: Pixel>(
    to: &mut Plane<P>,
    region: &Region,
    from: &Plane<P>,
    offset: Point,
    left_out: impl Fn(P) -> bool,
) {
    to.copy_runs(region, (from.width(), from.height()), offset, |run, x, y| {
        for (to, from) in run.iter_mut().zip(from.row(y).get(x as usize..).unwrap_or_default()) {
            *to = if left_out(*from) { *to } else { *from };
        }
    });
}

/// Mixes a tile over and over with the pixels of `region`.
fn lay<P: Pixel>(to: &mut Plane<P>, region: &Region, tile: &Plane<P>, origin: Point, rop: Rop2) {
    to.runs(region, |run, at| {
        each_piece(run, tile_at(tile, origin, at), |now, piece, _| rop.mix(now, piece));
    });
}

/// Calls `paint` for each part of a run over which a row of a tile lies in one piece, with that piece and the part's
/// place in the run. The run begins over `column`.
fn each_piece<P: Pixel>(
    run: &mut [P],
    (row, mut column): (&[P], usize),
    mut paint: impl FnMut(&mut [P], &[P], usize),
) {
    let mut done = 0;
    while let Some(piece) = row.get(column..).filter(|piece| !piece.is_empty())
        && let Some(rest) = run.get_mut(done..).filter(|rest| !rest.is_empty())
    {
        let len = piece.len().min(rest.len());
        paint(&mut rest[..len], &piece[..len], done);
        done += len;
        column = 0;
    }
}

/// The row of a tile that lies over a pixel, and the column.
fn tile_at<P: Pixel>(tile: &Plane<P>, origin: Point, at: Point) -> (&[P], usize) {
    let turn = |at: i32, origin: i32, size: u32| {
        (i64::from(at) - i64::from(origin)).rem_euclid(i64::from(size.max(1))).unsigned_abs()
    };
    let y = turn(at.y, origin.y, tile.height());
    let x = turn(at.x, origin.x, tile.width());
    (tile.row(u32::try_from(y).unwrap_or(0)), usize::try_from(x).unwrap_or(0))
}

fn mix3<P: Pixel>(
    to: &mut Plane<P>,
    region: &Region,
    from: &Plane<P>,
    offset: Point,
    brush: &BrushPixels<'_>,
    rop3: &DrawRop3,
) {
    let mix = Mix3::<P>::new(rop3.rop3);
    let tile = match (brush, &rop3.brush) {
        (BrushPixels::Tile { tile, origin }, Brush::Pattern(_)) => P::plane(tile).map(|tile| (tile, *origin)),
        _ => None,
    };
    let solid = P::from_bits(match brush {
        BrushPixels::Solid(bits) => *bits,
        BrushPixels::Tile { .. } => 0,
    });
    to.copy_runs(region, (from.width(), from.height()), offset, |run, x, y| {
        let source = from.row(y).get(x as usize..).unwrap_or_default();
        match tile {
            None => {
                for (to, from) in run.iter_mut().zip(source) {
                    *to = mix.mix(solid, *from, *to);
                }
            }
            Some((tile, origin)) => {
                let at = Point::new(offset.x.wrapping_add_unsigned(x), offset.y.wrapping_add_unsigned(y));
                each_piece(run, tile_at(tile, origin, at), |now, piece, done| {
                    for ((to, from), brush) in now.iter_mut().zip(&source[done..]).zip(piece) {
                        *to = mix.mix(*brush, *from, *to);
                    }
                });
            }
        }
    });
}
