//! A synthetic guest for measurements: a scene drawn at a steady pace.
//!
//! Each frame ends with a fill of the 16x16 pixels in the top left corner whose colour is the monotonic clock in
//! milliseconds, so that a viewer on the same machine can tell how old the frame is that it shows.

mod pixels;
mod scene;
mod spec;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use spice_channel::Time;
use spice_display::qxl::{
    Clip, Command, DeviceEvent, DrawFill, DrawOp, Drawable, Effect, GuestEvent, PrimarySurface,
};
use spice_proto::display::SurfaceFormat;
use spice_proto::{Rect, SurfaceId};

pub use spec::{BenchSpec, BenchSpecError, Scene};

use super::{Guest, GuestInput};
use scene::{Draw, Painter};

/// The square that shows when its frame was drawn.
const MARKER: Rect = Rect::new(0, 0, 16, 16);
/// The clock's bits that a colour holds.
const MARKER_BITS: u64 = 0x00ff_ffff;

/// Draws a scene, frame by frame. It takes no input, but says that it takes positions.
///
/// Frames come at the pace of the spec as long as the guest is polled in time. One that is polled more than a frame
/// too late goes on from there; it does not draw the missed frames.
#[derive(Debug)]
pub struct BenchGuest {
    spec: BenchSpec,
    painter: Painter,
    /// What is left of the current frame, without the marker that ends it.
    draws: VecDeque<Draw>,
    marker_due: bool,
    /// When the next frame begins; `None` before the primary surface has been created.
    next_frame: Option<Time>,
    frames: u64,
}

impl BenchGuest {
    /// A guest that begins with its first poll.
    #[must_use]
    pub fn new(spec: BenchSpec) -> Self {
        let painter = Painter::new(&spec);
        Self { spec, painter, draws: VecDeque::new(), marker_due: false, next_frame: None, frames: 0 }
    }

    /// Frames that have been handed over as a whole.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    fn primary(&self) -> PrimarySurface {
        let BenchSpec { width, height, .. } = self.spec;
        PrimarySurface { width, height, format: SurfaceFormat::RGB32, content: None }
    }

    fn next_draw(&mut self, now: Time) -> Option<Draw> {
        if let Some(draw) = self.draws.pop_front() {
            return Some(draw);
        }
        if !core::mem::take(&mut self.marker_due) {
            return None;
        }
        self.frames += 1;
        let colour = u32::try_from(now.as_millis() & MARKER_BITS).unwrap_or(0);
        Some(Draw { bbox: MARKER, op: fill(colour) })
    }
}

impl Guest for BenchGuest {
    fn takes_positions(&self) -> bool {
        true
    }

    fn poll(&mut self, now: Time) -> Option<GuestEvent> {
        let Some(next_frame) = self.next_frame else {
            self.next_frame = Some(now);
            return Some(GuestEvent::Device(DeviceEvent::CreatePrimary(self.primary())));
        };
        let busy = self.marker_due || !self.draws.is_empty();
        if !busy && next_frame <= now {
            self.painter.paint_frame(&mut self.draws);
            self.marker_due = true;
            self.next_frame = Some((next_frame + self.spec.interval()).max(now));
        }
        let Draw { bbox, op } = self.next_draw(now)?;
        Some(GuestEvent::Command(Command::Draw(Drawable {
            surface: SurfaceId::PRIMARY,
            bbox,
            clip: Clip::None,
            effect: Effect::OPAQUE,
            mm_time: mm_time(now),
            op,
        })))
    }

    fn poll_timeout(&self) -> Option<Time> {
        match self.next_frame {
            Some(next_frame) if self.draws.is_empty() && !self.marker_due => Some(next_frame),
            Some(_) | None => Some(Time::ZERO),
        }
    }

    fn handle_input(&mut self, _input: GuestInput, _now: Time) {}
}

fn fill(colour: u32) -> DrawOp {
    DrawOp::Fill(DrawFill::solid(colour))
}

/// The multimedia clock: milliseconds, in 32 bits.
fn mm_time(now: Time) -> u32 {
    u32::try_from(now.as_millis() & u64::from(u32::MAX)).unwrap_or(0)
}
