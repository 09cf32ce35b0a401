//! The draws of a frame, without its marker.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use spice_display::qxl::{Bitmap, BitmapFormat, CopyBits, DrawCopy, DrawOp, Image};
use spice_proto::{Point, Rect};

use super::pixels::{self, Random};
use super::{BenchSpec, Scene, fill};

/// The group of image ids that a device hands out (`QXL_IMAGE_GROUP_DEVICE`).
const DEVICE_IMAGES: u64 = 1;
/// The rows at the top that belong to the marker.
const HEAD: u32 = 32;
/// The height of a line of the terminal.
const LINE: u32 = 16;
const FILLS: u32 = 6;
const FILL_WIDTH: u32 = 80;
const PHOTO: (u32, u32) = (320, 240);
const TEXT: (u32, u32) = (200, 160);

/// One draw.
#[derive(Debug)]
pub(super) struct Draw {
    pub(super) bbox: Rect,
    pub(super) op: DrawOp,
}

/// Draws frame after frame.
#[derive(Debug)]
pub(super) struct Painter {
    scene: Scene,
    width: u32,
    height: u32,
    random: Random,
    /// The current frame, from 1 on.
    frame: u32,
    images: u32,
}

type Pixels = fn(usize, usize, u32, &mut Random) -> Vec<u8>;

impl Painter {
    pub(super) fn new(spec: &BenchSpec) -> Self {
        let BenchSpec { scene, width, height, .. } = *spec;
        Self { scene, width, height, random: Random::new(12345), frame: 0, images: 0 }
    }

    /// Appends the draws of the next frame.
    pub(super) fn paint_frame(&mut self, draws: &mut VecDeque<Draw>) {
        self.frame = self.frame.wrapping_add(1);
        let below_head = (self.width, self.height.saturating_sub(HEAD));
        match self.scene {
            Scene::Mixed => {
                self.paint_terminal(draws);
                self.paint_window(draws);
            }
            Scene::Text => self.paint_terminal(draws),
            Scene::Photo => draws.extend(self.image((0, HEAD), below_head, pixels::photo)),
            Scene::FullscreenText => draws.extend(self.image((0, HEAD), below_head, pixels::text)),
        }
    }

    /// A terminal in the left half moves up by a line, and a new line appears at its bottom.
    fn paint_terminal(&mut self, draws: &mut VecDeque<Draw>) {
        let width = self.width / 2;
        let bottom = self.height.saturating_sub(LINE);
        draws.push_back(Draw {
            bbox: rect((0, HEAD), (width, bottom.saturating_sub(HEAD))),
            op: DrawOp::CopyBits(CopyBits { source: origin((0, HEAD + LINE)) }),
        });
        draws.extend(self.image((0, bottom), (width, LINE), pixels::text));
    }

    /// Fills that move through the right half, a photo now and then, and a text.
    fn paint_window(&mut self, draws: &mut VecDeque<Draw>) {
        let (left, middle) = (self.width / 2, self.height / 2);
        let track = left.saturating_sub(FILL_WIDTH).max(1);
        for index in 0..FILLS {
            let x = left + self.frame.wrapping_mul(7).wrapping_add(index * 90) % track;
            let colour = self.random.draw() & 0x00ff_ffff;
            draws.push_back(Draw { bbox: rect((x, 40 + index * 60), (FILL_WIDTH, 50)), op: fill(colour) });
        }
        if self.frame.is_multiple_of(5) {
            draws.extend(self.image((left + 50, middle), PHOTO, pixels::photo));
        }
        let x = (left + 400).min(self.width.saturating_sub(TEXT.0));
        draws.extend(self.image((x, middle), TEXT, pixels::text));
    }

    /// A draw of made-up pixels; nothing where there is no room for any.
    fn image(&mut self, at: (u32, u32), size: (u32, u32), pixels: Pixels) -> Option<Draw> {
        let (width, height) = size;
        let data = pixels(width as usize, height as usize, self.frame, &mut self.random);
        self.images = self.images.wrapping_add(1);
        let id = u64::from(self.images) << 32 | DEVICE_IMAGES;
        let stride = width * 4;
        let bitmap = Bitmap::new(BitmapFormat::RGB32, size, stride, true, Bytes::from(data)).ok()?;
        let copy = DrawCopy::put(Image::bitmap(id, Arc::new(bitmap)), rect((0, 0), size));
        Some(Draw { bbox: rect(at, size), op: DrawOp::Copy(copy) })
    }
}

fn origin((x, y): (u32, u32)) -> Point {
    Point::new(x.cast_signed(), y.cast_signed())
}

fn rect(at: (u32, u32), (width, height): (u32, u32)) -> Rect {
    let Point { x, y } = origin(at);
    Rect::new(x, y, width, height)
}
