//! Runs of pixels, mixed with a brush.

use std::ops::Range;

use spice_proto::display::{Ropd, SurfaceFormat};
use spice_proto::{Point, Rect};

use crate::canvas::brush::BrushPixels;
use crate::canvas::paint::PaintError;
use crate::canvas::plane::{Pixel, Plane};
use crate::canvas::{Canvas, Pixels};
use crate::region::Region;

/// Neighbouring pixels of a row, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::canvas) struct Run {
    y: i32,
    left: i32,
    right: i32,
}

impl Run {
    /// The pixels of a row between these columns, both counted from `origin`; none when there is none, or a number is
    /// beyond the range of `i32`.
    pub(super) fn new(origin: Point, row: i64, columns: Range<i64>) -> Option<Self> {
        let place = |from: i32, way: i64| i32::try_from(way.checked_add(from.into())?).ok();
        let (left, right) = (place(origin.x, columns.start)?, place(origin.x, columns.end)?);
        (left < right).then_some(Self { y: place(origin.y, row)?, left, right })
    }

    /// A pixel, which is not the last that there can be.
    pub(super) const fn pixel(at: Point) -> Self {
        Self { y: at.y, left: at.x, right: at.x.saturating_add(1) }
    }

    /// Takes another run to this one, when together they are one, and says whether they are.
    pub(super) fn join(&mut self, other: Self) -> bool {
        let joined = self.y == other.y && self.left <= other.right && other.left <= self.right;
        if joined {
            self.left = self.left.min(other.left);
            self.right = self.right.max(other.right);
        }
        joined
    }

    /// The part of it in a rectangle.
    pub(super) fn within(self, rect: Rect) -> Option<Self> {
        let part = self.rect().intersect(&rect);
        (!part.is_empty()).then_some(Self { left: part.left, right: part.right, ..self })
    }

    const fn rect(self) -> Rect {
        Rect::from_edges(self.left, self.y, self.right, self.y.saturating_add(1))
    }
}

/// A binary raster operation on brush and canvas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::canvas) struct Rop {
    /// What becomes of black pixels.
    on_zeros: Term,
    /// What becomes of white ones.
    on_ones: Term,
}

/// What a raster operation makes of a pixel whose old value is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Term {
    Zeros,
    Ones,
    Brush,
    Inverse,
}

impl Term {
    const fn not(self) -> Self {
        match self {
            Self::Zeros => Self::Ones,
            Self::Ones => Self::Zeros,
            Self::Brush => Self::Inverse,
            Self::Inverse => Self::Brush,
        }
    }

    fn of<P: Pixel>(self, brush: P) -> P {
        match self {
            Self::Zeros => P::default(),
            Self::Ones => !P::default(),
            Self::Brush => brush,
            Self::Inverse => !brush,
        }
    }
}

impl Rop {
    /// The brush, as it is.
    pub(in crate::canvas) const PUT: Self = Self { on_zeros: Term::Brush, on_ones: Term::Brush };

    /// Of several operations the one with the lowest bit counts; no operation puts. Only the operations that look at
    /// an operand are inverted.
    pub(super) const fn new(rop: Ropd) -> Self {
        let brush = if rop.contains(Ropd::INVERS_BRUSH) { Term::Inverse } else { Term::Brush };
        let (on_zeros, on_ones) = if rop.contains(Ropd::OP_PUT) {
            (brush, brush)
        } else if rop.contains(Ropd::OP_OR) {
            (brush, Term::Ones)
        } else if rop.contains(Ropd::OP_AND) {
            (Term::Zeros, brush)
        } else if rop.contains(Ropd::OP_XOR) {
            (brush, brush.not())
        } else if rop.contains(Ropd::OP_BLACKNESS) {
            return Self { on_zeros: Term::Zeros, on_ones: Term::Zeros };
        } else if rop.contains(Ropd::OP_WHITENESS) {
            return Self { on_zeros: Term::Ones, on_ones: Term::Ones };
        } else if rop.contains(Ropd::OP_INVERS) {
            return Self { on_zeros: Term::Ones, on_ones: Term::Zeros };
        } else {
            return Self::PUT;
        };
        let (on_zeros, on_ones) =
            if rop.contains(Ropd::INVERS_DEST) { (on_ones, on_zeros) } else { (on_zeros, on_ones) };
        if rop.contains(Ropd::INVERS_RES) {
            Self { on_zeros: on_zeros.not(), on_ones: on_ones.not() }
        } else {
            Self { on_zeros, on_ones }
        }
    }

    /// Whether it matters how often it is done: some bits are inverted.
    pub(super) const fn inverts(self) -> bool {
        // For a bit of the brush, that is when 0 becomes 1 and 1 becomes 0.
        matches!(self.on_zeros, Term::Ones | Term::Brush)
            && matches!(self.on_ones, Term::Zeros | Term::Inverse)
            || matches!(self.on_zeros, Term::Ones | Term::Inverse)
                && matches!(self.on_ones, Term::Zeros | Term::Brush)
    }

    fn mix<P: Pixel>(self, brush: P, old: P) -> P {
        self.on_zeros.of(brush) & !old | self.on_ones.of(brush) & old
    }
}

/// A brush on its way over a canvas.
pub(in crate::canvas) struct Pen<'a> {
    canvas: &'a mut Canvas,
    brush: BrushPixels<'a>,
    rop: Rop,
    /// The rectangles that are painted on, those of each band together.
    bands: Vec<&'a [Rect]>,
}

impl<'a> Pen<'a> {
    /// A pen that paints within `region`, which must be within the canvas.
    ///
    /// # Errors
    /// A tile of another depth than the canvas.
    pub(in crate::canvas) fn new(
        canvas: &'a mut Canvas,
        region: &'a Region,
        mut brush: BrushPixels<'a>,
        rop: Rop,
    ) -> Result<Self, PaintError> {
        match &mut brush {
            BrushPixels::Tile { tile, .. } => match (&canvas.pixels, &tile.pixels) {
                (Pixels::Bits8(_), Pixels::Bits8(_))
                | (Pixels::Bits16(_), Pixels::Bits16(_))
                | (Pixels::Bits32(_), Pixels::Bits32(_)) => {}
                _ => return Err(PaintError::Unsupported("a pattern of another depth")),
            },
            BrushPixels::Solid(bits) if canvas.format == SurfaceFormat::A1 => *bits = 0xff * (*bits & 1),
            BrushPixels::Solid(_) => {}
        }
        Ok(Self { canvas, brush, rop, bands: region.bands().collect() })
    }

    /// Paints runs, as far as they are within the region, and leaves those that are painted. Each must be of another
    /// row, or else they must be in order.
    ///
    /// As in C, the list is cut in place: where a run is cut into several, those that come next in the list are
    /// overwritten, unless enough before them were outside. What overwrites them is painted twice.
    pub(super) fn runs(&mut self, runs: &mut Vec<Run>) {
        runs.sort_unstable();
        self.cut(runs);
        for run in runs {
            paint(self.canvas, &self.brush, self.rop, run.rect());
        }
    }

    fn cut(&self, runs: &mut Vec<Run>) {
        let count = runs.len();
        let (mut read, mut written) = (0, 0);
        let mut bands = self.bands.as_slice();
        while read < count {
            let run = runs[read];
            bands = &bands[bands.partition_point(|band| band.first().is_some_and(|rect| rect.bottom <= run.y))..];
            let Some(band) = bands.first() else { break };
            read += 1;
            let before = band.partition_point(|rect| rect.right <= run.left);
            for piece in band[before..].iter().map_while(|rect| run.within(*rect)) {
                match runs.get_mut(written) {
                    Some(run) => *run = piece,
                    None => runs.push(piece),
                }
                written += 1;
            }
        }
        runs.truncate(written);
    }

    /// Paints everything.
    pub(in crate::canvas) fn everything(&mut self) {
        for rect in self.bands.iter().copied().flatten() {
            paint(self.canvas, &self.brush, self.rop, *rect);
        }
    }
}

fn paint(canvas: &mut Canvas, brush: &BrushPixels<'_>, rop: Rop, rect: Rect) {
    let region = Region::from(rect);
    match (&mut canvas.pixels, brush) {
        (Pixels::Bits8(plane), BrushPixels::Solid(bits)) => solid(plane, &region, *bits, rop),
        (Pixels::Bits16(plane), BrushPixels::Solid(bits)) => solid(plane, &region, *bits, rop),
        (Pixels::Bits32(plane), BrushPixels::Solid(bits)) => solid(plane, &region, *bits, rop),
        (pixels, BrushPixels::Tile { tile, origin }) => match (pixels, &tile.pixels) {
            (Pixels::Bits8(plane), Pixels::Bits8(tile)) => tiled(plane, &region, tile, *origin, rop),
            (Pixels::Bits16(plane), Pixels::Bits16(tile)) => tiled(plane, &region, tile, *origin, rop),
            (Pixels::Bits32(plane), Pixels::Bits32(tile)) => tiled(plane, &region, tile, *origin, rop),
            _ => {}
        },
    }
}

fn solid<P: Pixel>(plane: &mut Plane<P>, region: &Region, bits: u32, rop: Rop) {
    let brush = P::from_bits(bits);
    plane.runs(region, |run, _| {
        for pixel in run {
            *pixel = rop.mix(brush, *pixel);
        }
    });
}

fn tiled<P: Pixel>(plane: &mut Plane<P>, region: &Region, tile: &Plane<P>, origin: Point, rop: Rop) {
    plane.runs(region, |run, at| {
        let row = tile.row(repeated(at.y, origin.y, tile.height()));
        let column = repeated(at.x, origin.x, tile.width());
        for (pixel, brush) in run.iter_mut().zip(row.iter().cycle().skip(column as usize)) {
            *pixel = rop.mix(*brush, *pixel);
        }
    });
}

/// Where in a tile of this size, one of whose copies begins at `origin`, a place is; 0 where there is no tile.
pub(in crate::canvas) fn repeated(place: i32, origin: i32, size: u32) -> u32 {
    (i64::from(place) - i64::from(origin)).checked_rem_euclid(size.into()).unwrap_or(0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a raster operation is, bit by bit.
    fn expected(rop: Ropd, brush: u8, old: u8) -> u8 {
        let brush = if rop.contains(Ropd::INVERS_BRUSH) { !brush } else { brush };
        let dest = if rop.contains(Ropd::INVERS_DEST) { !old } else { old };
        let result = if rop.contains(Ropd::OP_PUT) {
            brush
        } else if rop.contains(Ropd::OP_OR) {
            brush | dest
        } else if rop.contains(Ropd::OP_AND) {
            brush & dest
        } else {
            brush ^ dest
        };
        if rop.contains(Ropd::INVERS_RES) { !result } else { result }
    }

    #[test]
    fn raster_operations_are_what_they_say() {
        let (brush, old) = (0b1100, 0b1010);
        for operation in [Ropd::OP_PUT, Ropd::OP_OR, Ropd::OP_AND, Ropd::OP_XOR] {
            for inverted in 0..8 {
                let mut descriptor = operation;
                descriptor.set(Ropd::INVERS_BRUSH, inverted & 1 != 0);
                descriptor.set(Ropd::INVERS_DEST, inverted & 2 != 0);
                descriptor.set(Ropd::INVERS_RES, inverted & 4 != 0);
                let rop = Rop::new(descriptor);
                let once: u8 = rop.mix(brush, old);
                assert_eq!(once, expected(descriptor, brush, old), "{descriptor:?}");
                assert_eq!(rop.inverts(), rop.mix(brush, once) != once, "{descriptor:?}");
            }
        }
        for (operation, result) in [
            (Ropd::OP_BLACKNESS, 0),
            (Ropd::OP_WHITENESS, 0xff),
            (Ropd::OP_INVERS, !old),
            (Ropd::default(), brush),
        ] {
            let inverted = operation | Ropd::INVERS_BRUSH | Ropd::INVERS_DEST | Ropd::INVERS_RES;
            let descriptor = if operation == Ropd::default() { operation } else { inverted };
            assert_eq!(Rop::new(descriptor).mix(brush, old), result, "{descriptor:?}");
        }
        assert!(Rop::new(Ropd::OP_INVERS).inverts() && !Rop::new(Ropd::OP_WHITENESS).inverts());
    }
}
