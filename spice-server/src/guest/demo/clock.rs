//! The clock: a dial with hands, and digits below it.

use core::time::Duration;

use spice_proto::Point;

use super::calendar;
use super::font::{self, Face};
use super::paint::Canvas;
use super::pane::Pane;
use super::raster::{Colour, Raster, Spot};
use super::{theme, trig};

/// Columns of the window's content.
pub(super) const WIDTH: u32 = 200;
/// Rows of the window's content.
pub(super) const HEIGHT: u32 = 232;

const GROUND: Colour = Colour(0x00ee_f0f4);
const FACE: Colour = Colour(0x00ff_ffff);
const RIM: Colour = Colour(0x0035_4260);
const MARK: Colour = Colour(0x0084_8fa5);
const INK: Colour = Colour(0x0025_2e42);

const CENTRE: Spot = (100.0, 100.0);
const RADIUS: f32 = 86.0;

/// Shows whole seconds of a time that is counted from midnight, or from something else.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    dial: Raster,
    shown: Option<(u64, &'static str)>,
    pub(super) pane: Pane,
}

impl Clock {
    /// A clock without hands.
    pub(super) fn new() -> Self {
        let dial = dial();
        let pane = Pane::new(dial.clone());
        Self { dial, shown: None, pane }
    }

    /// Shows `time` and what it means.
    pub(super) fn show(&mut self, time: Duration, label: &'static str) {
        let reading = Some((time.as_secs(), label));
        if self.shown != reading {
            self.shown = reading;
            self.pane.replace(face(&self.dial, time, label));
        }
    }

    pub(super) fn paint(&mut self, canvas: &mut Canvas<'_>, at: Point) {
        self.pane.paint(canvas, at);
    }
}

/// The point `radius` from the centre in the direction of a hand that has done this part of its round.
fn on_dial(round: f32, radius: f32) -> Spot {
    (CENTRE.0 + radius * trig::sin(round), CENTRE.1 - radius * trig::cos(round))
}

fn dial() -> Raster {
    let mut raster = Raster::new(WIDTH, HEIGHT, GROUND);
    raster.disc(CENTRE, RADIUS + 5.0, RIM);
    raster.disc(CENTRE, RADIUS, FACE);
    for minute in 0_u8..60 {
        let round = f32::from(minute) / 60.0;
        let (inner, thickness, colour) = match minute {
            0 | 15 | 30 | 45 => (RADIUS - 17.0, 4.0, INK),
            minute if minute % 5 == 0 => (RADIUS - 13.0, 2.5, INK),
            _ => (RADIUS - 8.0, 1.2, MARK),
        };
        raster.stroke(on_dial(round, inner), on_dial(round, RADIUS - 6.0), thickness, colour);
    }
    raster
}

fn face(dial: &Raster, time: Duration, label: &str) -> Raster {
    let mut raster = dial.clone();
    let part = |of: u64| (time.as_secs() % of) as f32 / of as f32;
    let (hour, minute, second) = (part(12 * 60 * 60), part(60 * 60), part(60));
    raster.stroke(on_dial(hour + 0.5, 12.0), on_dial(hour, 46.0), 6.0, INK);
    raster.stroke(on_dial(minute + 0.5, 14.0), on_dial(minute, 66.0), 4.0, INK);
    raster.stroke(on_dial(second + 0.5, 18.0), on_dial(second, 72.0), 2.0, theme::CORAL);
    raster.disc(CENTRE, 5.0, theme::CORAL);
    raster.disc(CENTRE, 2.0, FACE);
    let (digits, gap) = (calendar::time_of_day(time), font::WIDTH as i32);
    let width = (font::text_width(&digits) + font::text_width(label)) as i32 + gap;
    let (left, top) = ((WIDTH as i32 - width) / 2, HEIGHT as i32 - 26);
    raster.text(left, top, &digits, Face::Bold, INK);
    raster.text(left + width - font::text_width(label) as i32, top, label, Face::Regular, MARK);
    raster
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::Clock;

    #[test]
    fn a_tick_changes_a_part_and_less_than_a_second_nothing() {
        let mut clock = Clock::new();
        clock.show(Duration::from_millis(12_300), "UTC");
        clock.pane.take_stale();
        clock.show(Duration::from_millis(12_900), "UTC");
        assert!(clock.pane.stale().is_empty());
        clock.show(Duration::from_millis(13_000), "UTC");
        let changed = clock.pane.stale().area();
        assert!(changed > 0 && changed < 200 * 232 / 5, "{changed} pixels");
    }
}
