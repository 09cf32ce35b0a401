//! Dashed lines.
//!
//! As in the C server they are not thin lines with holes, but rectangles one pixel wide, from where a dash begins to
//! where it ends, whose corners lie between pixels, with a wedge where two lines meet in a dash. Numbers are rounded
//! in the order in which they are written here: the pixels depend on it.

use spice_proto::display::Fixed28_4;
use spice_proto::{Point, Rect};

use super::curve::nearest;
use super::pen::Run;
use super::polygon::Polygon;
use super::segment::{Cut, Segment};
use super::wedge::Wedge;
use super::{DASH, Effort};

/// The lengths of dashes and gaps, and where a figure begins in them.
pub(super) struct Style {
    /// Dashes are those of an even index; where their number is odd, two dashes follow each other.
    lengths: Vec<u8>,
    /// Their sum, more than zero.
    period: f64,
    start: Phase,
}

/// Where in a style a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Phase {
    /// Which of the lengths.
    index: usize,
    /// How much of it is left, in pixels.
    left: u8,
}

impl Phase {
    const fn is_dash(self) -> bool {
        self.index.is_multiple_of(2)
    }
}

impl Style {
    /// The style of these lengths, of which the lowest eight bits of the pixels count. With `gap_first` the first of
    /// them is a gap.
    ///
    /// `None` where all of them are zero, or there is none: nothing is drawn then. The C server does not come to an
    /// end.
    pub(super) fn new(lengths: &[Fixed28_4], gap_first: bool) -> Option<Self> {
        let mut lengths: Vec<u8> = lengths.iter().map(|length| nearest(*length).to_le_bytes()[0]).collect();
        let period: f64 = lengths.iter().copied().map(f64::from).sum();
        if period == 0.0 {
            return None;
        }
        let mut index = 0;
        if gap_first {
            lengths.rotate_left(1);
            index = 1 % lengths.len();
        }
        let mut style = Self { lengths, period, start: Phase { index, left: 0 } };
        style.start.left = style.length(index);
        while style.start.left == 0 {
            style.start = style.after(style.start);
        }
        Some(style)
    }

    fn length(&self, index: usize) -> u8 {
        self.lengths.get(index).copied().unwrap_or(0)
    }

    /// The beginning of the next length.
    fn after(&self, phase: Phase) -> Phase {
        let index = (phase.index + 1) % self.lengths.len();
        Phase { index, left: self.length(index) }
    }

    /// Whether what comes before this place is a dash, or what comes after a gap that has begun is not.
    fn is_dash_before(&self, phase: Phase) -> bool {
        phase.is_dash() == (phase.left != self.length(phase.index))
    }
}

/// Draws dashed figures.
pub(super) struct Dashes<'a, F> {
    pub(super) style: &'a Style,
    /// What is not in here may be left out.
    pub(super) within: Rect,
    pub(super) effort: &'a mut Effort,
    /// Whether wedges are drawn also where a line fills them. Else they are not, which only is right where it does not
    /// matter how often a pixel is drawn.
    pub(super) all_wedges: bool,
    /// Called with the rows of everything there is, from the top; some pixels are drawn several times.
    pub(super) draw: F,
    /// Those rows; it is taken from one to the next.
    pub(super) rows: Vec<Run>,
}

impl<F: FnMut(&mut Vec<Run>)> Dashes<'_, F> {
    /// Draws the lines from each point to the next. `None` when that takes too much effort.
    pub(super) fn figure(&mut self, points: &[Point]) -> Option<()> {
        let is_closed = points.first() == points.last();
        let mut phase = self.style.start;
        // The line that the last one is joined with.
        let mut first = None;
        let mut before = None;
        for (from, to) in points.iter().zip(points.iter().skip(1)) {
            let Some(segment) = Segment::new(*from, *to) else { continue };
            let begins = phase.is_dash();
            phase = self.segment(&segment, phase)?;
            match before {
                None if begins && is_closed => first = Some(segment),
                Some((before, true)) if begins => self.wedge(&before, &segment)?,
                _ => {}
            }
            before = Some((segment, self.style.is_dash_before(phase)));
        }
        match (before, first) {
            (Some((last, true)), Some(first)) => self.wedge(&last, &first),
            _ => Some(()),
        }
    }

    /// Draws a line that begins in this phase, and says in which it ends.
    fn segment(&mut self, line: &Segment, mut phase: Phase) -> Option<Phase> {
        let seen = line.reach(self.within);
        let period = self.style.period;
        let mut cut = Cut::first(line);
        let mut left = line.length;
        while left > f64::from(phase.left) {
            self.effort.spend(1)?;
            let passed = line.length - left;
            if passed > seen.end && left > period {
                // Lengths are subtracted without rounding, so that this is where many periods end, too.
                left %= period;
                left = if left == 0.0 { period } else { left };
                continue;
            }
            let unseen = ((seen.start.min(line.length) - passed) / period).floor() - 1.0;
            if unseen > 0.0 && line.is_long() {
                left -= unseen * period;
                cut = Cut::at(line, line.length - left);
                continue;
            }
            let next = cut.moved(line, phase.left);
            if phase.is_dash() && passed <= seen.end && passed + f64::from(phase.left) >= seen.start {
                self.polygon(cut.quad(line, next), line.from)?;
            }
            left -= f64::from(phase.left);
            phase = self.style.after(phase);
            cut = next;
        }
        if phase.is_dash() && line.length - left <= seen.end && line.length >= seen.start {
            self.polygon(cut.last_quad(line), line.to)?;
        }
        phase.left = (f64::from(phase.left) - left) as u8;
        Some(if phase.left == 0 { self.style.after(phase) } else { phase })
    }

    /// Draws what is between two lines, the second of which begins where the first ends.
    fn wedge(&mut self, before: &Segment, after: &Segment) -> Option<()> {
        if !self.all_wedges && (after.is_forward() || before.reversed().is_forward()) {
            return Some(());
        }
        match Wedge::new(after.face(), before.reversed().face()) {
            Some(Wedge::Pointed(polygon)) => self.polygon(polygon, after.from),
            Some(Wedge::Blunt(polygon)) => self.polygon(polygon, after.from),
            None => Some(()),
        }
    }

    fn polygon<const N: usize>(&mut self, polygon: Polygon<N>, origin: Point) -> Option<()> {
        self.rows.clear();
        self.rows.extend(polygon.runs(origin));
        self.effort.spend(DASH + self.rows.len() as u64)?;
        (self.draw)(&mut self.rows);
        Some(())
    }
}
