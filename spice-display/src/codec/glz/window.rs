//! The pictures that can be referred to.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{GlzFormat, MAX_IMAGES, MAX_WINDOW};

/// What pictures of one kind have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) format: GlzFormat,
    /// Pixels of a line.
    pub(super) line: u32,
    pub(super) pixels: u64,
}

/// A picture in the window.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) shape: Shape,
    /// The number of its first pixel, all pixels that were ever in the window being numbered.
    pub(super) start: u64,
    /// Its rows, with nothing between them.
    pub(super) data: Bytes,
}

/// Whole pictures, at most [`MAX_IMAGES`] and of not more than so many pixels together, and which of them has a pixel.
#[derive(Debug)]
pub(super) struct Window {
    most: u32,
    images: VecDeque<Held>,
    /// How many pictures have left.
    gone: u32,
    /// For the first number of each page, how many pictures had come before the one whose pixel it is.
    pages: Box<[u32]>,
    start: u64,
    next: u64,
    weight: usize,
}

/// A page has `1 << PAGE` numbers.
const PAGE: u32 = 8;

impl Window {
    /// Bytes of its pages and of what it knows of pictures, at the most.
    pub(super) const SIZE: usize =
        Self::pages(MAX_WINDOW) * size_of::<u32>() + MAX_IMAGES * size_of::<Held>();

    pub(super) fn new(most: u32) -> Self {
        let pages = vec![0; Self::pages(most)].into();
        Self { most, images: VecDeque::new(), gone: 0, pages, start: 0, next: 0, weight: 0 }
    }

    /// Pages for so many pixels: only the first and the last number of a full window may share one.
    const fn pages(most: u32) -> usize {
        most.div_ceil(1 << PAGE).next_power_of_two() as usize
    }

    /// Most pixels.
    pub(super) const fn most(&self) -> u32 {
        self.most
    }

    /// Bytes of its pictures.
    pub(super) const fn weight(&self) -> usize {
        self.weight
    }

    /// Pictures.
    pub(super) fn len(&self) -> usize {
        self.images.len()
    }

    /// Pixels.
    pub(super) const fn pixels(&self) -> u64 {
        self.next - self.start
    }

    /// The number of the next pixel.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// The number of the first pixel of the last `count` pictures.
    pub(super) fn start_of_last(&self, count: usize) -> u64 {
        let first = self.images.len().saturating_sub(count);
        self.images.get(first).map_or(self.next, |held| held.start)
    }

    /// Has the oldest go until there is room for a picture of so many pixels.
    pub(super) fn make_room(&mut self, pixels: u64) {
        while (self.pixels() + pixels > self.most.into() || self.images.len() == MAX_IMAGES)
            && let Some(gone) = self.images.pop_front()
        {
            self.gone = self.gone.wrapping_add(1);
            self.start += gone.shape.pixels;
            self.weight -= gone.data.len();
        }
    }

    /// Adds a picture, for which there is room.
    pub(super) fn push(&mut self, shape: Shape, data: Bytes) {
        let start = self.next;
        let number = self.gone.wrapping_add(self.images.len() as u32);
        self.next += shape.pixels;
        self.weight += data.len();
        let mask = self.pages.len() - 1;
        for page in start.div_ceil(1 << PAGE)..self.next.div_ceil(1 << PAGE) {
            self.pages[page as usize & mask] = number;
        }
        self.images.push_back(Held { shape, start, data });
    }

    /// The picture that is so many before the one to come; there is none for 0.
    pub(super) fn back(&self, images: u32) -> Option<&Held> {
        self.images.get(self.images.len().checked_sub(images as usize)?)
    }

    /// The picture that has this pixel, and how many came after it.
    #[inline]
    pub(super) fn find(&self, pixel: u64) -> Option<(usize, &Held)> {
        let page = (pixel >> PAGE) as usize & (self.pages.len() - 1);
        let before = self.pages.get(page)?.wrapping_sub(self.gone) as usize;
        // The picture at the page's beginning may have left, or the page be that of the newest picture too.
        let mut at = if self.images.get(before).is_some_and(|held| held.start <= pixel) { before } else { 0 };
        loop {
            let held = self.images.get(at)?;
            if pixel < held.start + held.shape.pixels {
                return (pixel >= held.start).then_some((self.images.len() - 1 - at, held));
            }
            at += 1;
        }
    }
}
