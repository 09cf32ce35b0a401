//! The bar at the top of the screen.

use spice_proto::{Point, Rect};

use super::font::{self, Face};
use super::paint::Canvas;
use super::pane::Pane;
use super::raster::{Colour, Raster};
use super::theme;

/// Rows of the panel.
pub(super) const HEIGHT: u32 = 30;

const MARGIN: i32 = 14;
const BASE: i32 = 7;

/// The project's name, how many are watching, and the time.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    width: u32,
    pub(super) pane: Pane,
}

impl Panel {
    /// A panel that nobody watches yet, without the time.
    pub(super) fn new(width: u32) -> Self {
        Self { width, pane: Pane::new(draw(width, 0, "")) }
    }

    pub(super) fn show(&mut self, viewers: usize, time: &str) {
        self.pane.replace(draw(self.width, viewers, time));
    }

    pub(super) fn area(&self) -> Rect {
        Rect::new(0, 0, self.width, HEIGHT)
    }

    pub(super) fn paint(&mut self, canvas: &mut Canvas<'_>) {
        self.pane.paint(canvas, Point::default());
    }
}

fn draw(width: u32, viewers: usize, time: &str) -> Raster {
    let mut raster = Raster::new(width, HEIGHT, theme::PANEL);
    raster.fill(Rect::new(0, HEIGHT as i32 - 1, width, 1), theme::OUTLINE);
    let middle = (HEIGHT - 1) as f32 / 2.0;
    for (colour, x) in [theme::TEAL, theme::AMBER, theme::CORAL].into_iter().zip((MARGIN..).step_by(11)) {
        raster.disc((x as f32 + 4.0, middle), 4.0, colour);
    }
    raster.text(MARGIN + 42, BASE, "spice-rs", Face::Bold, theme::TEXT);
    raster.text(MARGIN + 42 + 9 * 9, BASE, "demo desktop", Face::Regular, theme::DIM_TEXT);
    let mut right = width as i32 - MARGIN;
    let mut leftwards = |text: &str, face: Face, colour: Colour| {
        right -= font::text_width(text) as i32;
        raster.text(right, BASE, text, face, colour);
        right -= 3 * font::WIDTH as i32;
    };
    leftwards(time, Face::Bold, theme::TEXT);
    let watching = if viewers == 1 { "1 viewer".to_owned() } else { format!("{viewers} viewers") };
    leftwards(&watching, Face::Regular, theme::DIM_TEXT);
    raster
}
