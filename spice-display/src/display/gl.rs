//! What the graphics processor shows, and the draws on it that the host waits for.

use core::time::Duration;

use spice_channel::Time;
use spice_proto::Rect;
use spice_proto::display::{GlDraw, GlScanoutFlags, GlScanoutUnix};

use crate::qxl::GlScanout;

/// The scanout of a display, which all its viewers share, and the draw that is under way.
///
/// The host waits for a draw before it lets the guest draw the next one into the same buffer. It waits for viewers that
/// keep up, and for no longer than `limit`.
#[derive(Debug)]
pub(super) struct Gl {
    scanout: Option<GlScanout>,
    /// Something was drawn on it.
    drawn: bool,
    /// Since when the host waits for a draw, as soon as somebody has said what time it is.
    under_way: Option<Option<Time>>,
    /// A draw is complete, and the host does not know yet.
    done: bool,
    limit: Duration,
}

impl Gl {
    pub(super) fn new(limit: Duration) -> Self {
        Self { scanout: None, drawn: false, under_way: None, done: false, limit }
    }

    pub(super) fn scanout(&self) -> Option<&GlScanout> {
        self.scanout.as_ref()
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// There is another scanout, or none: one without a pixel or a format is none.
    pub(super) fn set_scanout(&mut self, scanout: Option<GlScanout>) {
        self.scanout =
            scanout.filter(|scanout| scanout.format != 0 && scanout.width > 0 && scanout.height > 0);
        self.drawn = false;
    }

    /// What a viewer that joins now has to be shown: nothing while nothing has been drawn.
    pub(super) fn whole(&self) -> Option<Rect> {
        self.scanout.filter(|_| self.drawn).map(|scanout| bounds(&scanout))
    }

    /// Something was drawn there; answers which pixels of the scanout these are. Where there are none, the draw is
    /// complete.
    pub(super) fn draw(&mut self, draw: &GlDraw) -> Option<Rect> {
        let area = self.scanout.map(|scanout| bounds(&scanout).intersect(&rect(draw)));
        let Some(area) = area.filter(|area| !area.is_empty()) else {
            // It is told together with the one before it, which somebody may wait for.
            self.done |= self.under_way.is_none();
            return None;
        };
        self.drawn = true;
        self.under_way.get_or_insert(None);
        Some(area)
    }

    /// It is now so late. Answers whether the host has waited for as long as it does.
    pub(super) fn handle_time(&mut self, now: Time) -> bool {
        let Some(since) = &mut self.under_way else { return false };
        now.since(*since.get_or_insert(now)) >= self.limit
    }

    /// When the host does not wait any longer; at once, where nobody has said since when it waits.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.under_way.map(|since| since.map_or(Time::ZERO, |since| since + self.limit))
    }

    /// Whether the host waits for a draw.
    pub(super) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Nobody is waited for.
    pub(super) fn complete(&mut self) {
        self.done |= self.under_way.take().is_some();
    }

    /// Whether draws are complete that the host does not know of yet.
    pub(super) fn poll_done(&mut self) -> bool {
        std::mem::take(&mut self.done)
    }
}

/// As a viewer is told of it.
pub(super) fn scanout_message(scanout: &GlScanout) -> GlScanoutUnix {
    let GlScanout { width, height, stride, format, top_first, .. } = *scanout;
    let flags = if top_first { GlScanoutFlags::Y0TOP } else { GlScanoutFlags::empty() };
    GlScanoutUnix { width, height, stride, drm_fourcc_format: format, flags }
}

pub(super) fn draw_message(area: &Rect) -> GlDraw {
    let (x, y) = (area.left.unsigned_abs(), area.top.unsigned_abs());
    GlDraw { x, y, width: area.width(), height: area.height() }
}

fn bounds(scanout: &GlScanout) -> Rect {
    Rect::from_edges(0, 0, edge(scanout.width), edge(scanout.height))
}

fn rect(draw: &GlDraw) -> Rect {
    let (right, bottom) = (draw.x.saturating_add(draw.width), draw.y.saturating_add(draw.height));
    Rect::from_edges(edge(draw.x), edge(draw.y), edge(right), edge(bottom))
}

/// No scanout reaches as far as where this stops.
fn edge(pixels: u32) -> i32 {
    i32::try_from(pixels).unwrap_or(i32::MAX)
}
