//! Lines along a path.
//!
//! What is drawn are the pixels of the C server's canvas, and so of its clients: thin lines as the X server has them,
//! without the last pixel of a figure, or dashed ones ([`dash`]). Those of numbers that wrap in C are not imitated: a
//! line keeps its course wherever it begins. It is the same for C's as long as lines begin and end less than 32768
//! pixels beyond the canvas and, when dashed, are no longer than that.
//!
//! # Bounds
//! Lines are clipped before they are walked. A stroke may take [`MAX_EFFORT`] steps: a pixel of a line, a length of
//! a style, a row of a dash is one, a dash 16 more, a piece of a curve 64. What comes after that is not drawn; it takes
//! about a second to get there. A figure's points are kept while it
//! is drawn, which takes as much memory as the path and at most 8 MiB for curves.

mod curve;
mod dash;
mod line;
mod pen;
mod polygon;
mod segment;
#[cfg(test)]
mod tests;
mod wedge;

use spice_proto::display::{LineFlags, Path, PathFlags, PathSegment};
use spice_proto::{Point, Rect};

use super::Canvas;
use super::rop::{Operands, Rop2};
use super::surfaces::{PaintError, Surfaces};
use crate::qxl::DrawStroke;
use crate::region::Region;

use dash::{Dashes, Style};
use line::line;
use pen::{Pen, Run};

/// Steps that one stroke may take.
const MAX_EFFORT: u64 = 1 << 26;

/// What a dash counts for, and a wedge between two, besides its rows.
const DASH: u64 = 16;

/// What a piece of a curve counts for: it is kept until its figure is drawn.
const CURVE_PIECE: u64 = 64;

/// The length of figures of which also what is outside is counted among their runs: how a list of runs is clipped
/// depends on that ([`Pen::runs`]).
const MAX_UNSEEN: u64 = 1 << 20;

const EVERYWHERE: Rect = Rect::from_edges(i32::MIN, i32::MIN, i32::MAX, i32::MAX);

/// Runs that are kept before those that are there twice are sorted out.
const KEPT_RUNS: usize = 1 << 16;

/// Steps that are left.
struct Effort(u64);

impl Effort {
    /// `None` when fewer are left.
    fn spend(&mut self, steps: u64) -> Option<()> {
        self.0 = self.0.checked_sub(steps)?;
        Some(())
    }
}

impl Canvas {
    /// Draws lines along a path, as far as they are in `region`.
    ///
    /// Nothing is drawn in a style whose lengths are all zero. A path is drawn up to the first figure that has no
    /// beginning or a curve that lacks points.
    ///
    /// # Errors
    /// A brush that cannot be painted with; no pixel has changed then.
    pub(super) fn paint_stroke(
        &mut self,
        region: &Region,
        stroke: &DrawStroke,
        surfaces: &dyn Surfaces,
    ) -> Result<(), PaintError> {
        let rop = Rop2::new(stroke.fore_mode, Operands::BrushOnOld);
        let brush = self.brush(&stroke.brush, surfaces)?;
        let gap_first = stroke.attr.flags.contains(LineFlags::START_WITH_GAP);
        let style = match &stroke.attr.style {
            None => None,
            Some(lengths) => match Style::new(lengths, gap_first) {
                None => return Ok(()),
                style => style,
            },
        };
        let mut plotter = Plotter {
            style,
            is_careful: rop.is_undone_by_itself(),
            within: self.bounds(),
            effort: Effort(MAX_EFFORT),
            pen: Pen::new(self, region, brush, rop),
        };
        // The end of all effort is an end as good as the path's.
        let _drawn: Option<()> = plotter.path(&stroke.path);
        Ok(())
    }
}

/// Draws a path.
struct Plotter<'a> {
    pen: Pen<'a>,
    /// How lines are dashed, if they are.
    style: Option<Style>,
    /// Whether it matters how often a pixel is drawn.
    is_careful: bool,
    within: Rect,
    effort: Effort,
}

impl Plotter<'_> {
    fn path(&mut self, path: &Path) -> Option<()> {
        let mut figure = Vec::new();
        for segment in &path.segments {
            if segment.flags.contains(PathFlags::BEGIN) {
                self.figure(&figure)?;
                figure.clear();
            }
            self.append(segment, &mut figure)?;
            if segment.flags.contains(PathFlags::END) {
                if segment.flags.contains(PathFlags::CLOSE) {
                    figure.extend(figure.first().copied());
                }
                self.figure(&figure)?;
                figure.clear();
            }
        }
        self.figure(&figure)
    }

    /// Appends the points of a segment; `None` at those of which C says nothing.
    fn append(&mut self, segment: &PathSegment, figure: &mut Vec<Point>) -> Option<()> {
        let mut points = segment.points.as_slice();
        if segment.flags.contains(PathFlags::BEGIN) {
            let (first, others) = points.split_first()?;
            figure.push(curve::pixel(*first));
            points = others;
        }
        if segment.flags.contains(PathFlags::BEZIER) {
            let (curves, []) = points.as_chunks() else { return None };
            for curve in curves {
                curve::append(*figure.last()?, *curve, figure, &mut self.effort)?;
            }
        } else {
            figure.extend(points.iter().copied().map(curve::pixel));
        }
        Some(())
    }

    /// Draws the lines from each point to the next.
    fn figure(&mut self, points: &[Point]) -> Option<()> {
        let Self { pen, style, is_careful, within, effort } = self;
        let all_wedges = *is_careful && points.len() > 2;
        match style {
            None => points.windows(2).try_for_each(|ends| match *ends {
                [from, to] => thin(from, to, *within, effort, pen),
                _ => None,
            }),
            Some(style) if all_wedges => {
                let within = if extent(points) <= MAX_UNSEEN { EVERYWHERE } else { *within };
                let mut runs = Runs::default();
                let draw = |rows: &mut Vec<Run>| rows.iter().for_each(|run| runs.push(*run));
                let drawn =
                    Dashes { style, within, effort, all_wedges, draw, rows: Vec::new() }.figure(points);
                runs.sort_out();
                pen.runs(&mut runs.0);
                drawn
            }
            Some(style) => {
                let draw = |rows: &mut Vec<Run>| pen.runs(rows);
                Dashes { style, within: *within, effort, all_wedges, draw, rows: Vec::new() }.figure(points)
            }
        }
    }
}

/// Draws a thin line.
fn thin(from: Point, to: Point, within: Rect, effort: &mut Effort, pen: &mut Pen<'_>) -> Option<()> {
    let mut runs: Vec<Run> = Vec::new();
    for pixel in line(from, to, within).map(Run::pixel) {
        effort.spend(1)?;
        if !runs.last_mut().is_some_and(|run| run.join(pixel)) {
            runs.push(pixel);
        }
    }
    pen.runs(&mut runs);
    Some(())
}

/// How many columns and rows lines take, all together.
fn extent(points: &[Point]) -> u64 {
    let steps = |a: i32, b: i32| u64::from(a.abs_diff(b));
    let lines = points.iter().zip(points.iter().skip(1));
    lines.map(|(from, to)| steps(from.x, to.x) + steps(from.y, to.y)).sum()
}

/// Runs of which each pixel is to be drawn once.
#[derive(Default)]
struct Runs(Vec<Run>);

impl Runs {
    fn push(&mut self, run: Run) {
        if self.0.len() == self.0.capacity() && self.0.len() >= KEPT_RUNS {
            self.sort_out();
            self.0.reserve(self.0.len() + 1);
        }
        self.0.push(run);
    }

    /// Brings them in order, none touching another.
    fn sort_out(&mut self) {
        self.0.sort_unstable();
        self.0.dedup_by(|next, run| run.join(*next));
    }
}
