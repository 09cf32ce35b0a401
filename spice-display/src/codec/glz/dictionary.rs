//! The encoder.

use bytes::Bytes;

use super::super::lz::parse::encode_pass;
use super::super::lz::pixel::{Alpha, Pixel, Rgb16, Rgb24, Rgb32};
use super::past::Past;
use super::table::Table;
use super::window::{Shape, Window};
use super::{GlzError, GlzFormat, GlzHeader, GlzSource, MAX_WINDOW};

/// The pictures that a viewer was sent last, and the encoder of the next.
///
/// It stands for as many viewers as have been sent the same pictures in the same order: nothing that it writes depends
/// on what number a picture has for one of them. That stands in the [header](Encoded::header).
///
/// It keeps the pictures' bytes, not copies, where there is nothing between their rows, and beside them less than
/// 4 MiB to find pixels again.
#[derive(Debug)]
pub struct Dictionary {
    window: Window,
    table: Table,
    /// What the next body is written to.
    out: Vec<u8>,
}

/// An encoded picture, for any viewer of its dictionary.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// What the pixels are.
    pub format: GlzFormat,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Whether the first row of the stream is the top one.
    pub top_down: bool,
    /// How many pictures before this one are in the window still.
    pub before: u32,
    /// How many pictures back the farthest of its references goes: 0 when it refers to none but itself.
    pub farthest: u32,
    /// What follows the header.
    pub body: Bytes,
}

impl Encoded {
    /// The header for a viewer, for which this is picture `id`, counted from 0 over all that it was sent, and which
    /// has to keep `head_distance` pictures before it.
    ///
    /// That is [`before`](Self::before), or as many as the viewer has if it joined later. It can do without those that
    /// nothing will refer to, but needs [`farthest`](Self::farthest) for this picture.
    pub fn header(&self, id: u64, head_distance: u32) -> [u8; GlzHeader::LEN] {
        let Self { format, width, height, top_down, .. } = *self;
        GlzHeader { format, width, height, top_down, id, head_distance }.to_bytes()
    }
}

impl Dictionary {
    /// Bytes that a dictionary takes at the most, without its pictures.
    pub const OVERHEAD: usize = Table::SIZE + Window::SIZE;

    /// A dictionary without pictures, for a window of `window` pixels or [`MAX_WINDOW`], what is less. That is what
    /// the viewer says it has room for, the least of them if there are several.
    pub fn new(window: u32) -> Self {
        Self { window: Window::new(window.min(MAX_WINDOW)), table: Table::new(), out: Vec::new() }
    }

    /// Most pixels of its pictures together, and so of one.
    pub const fn window(&self) -> u32 {
        self.window.most()
    }

    /// How many pictures it has.
    pub fn images(&self) -> usize {
        self.window.len()
    }

    /// How many pixels they have.
    pub const fn pixels(&self) -> u64 {
        self.window.pixels()
    }

    /// Bytes of pictures that stay in memory because of it.
    pub const fn weight(&self) -> usize {
        self.window.weight()
    }

    /// Encodes a picture, which may refer to the `reach` pictures before it, and adds it to the window. The oldest
    /// pictures go as far as it takes.
    ///
    /// Every viewer has to be sent it: those that come after refer to it.
    ///
    /// # Errors
    /// A picture without a pixel or of more than the [window](Self::window), a stride below the length of a row, fewer
    /// bytes than the rows take. The window is as it was then.
    pub fn encode(&mut self, source: &GlzSource, reach: u32) -> Result<Encoded, GlzError> {
        let GlzSource { format, width, height, top_down, .. } = *source;
        let pixels = source.pixels(self.window.most())?;
        let data = source.rows()?;
        self.window.make_room(pixels);
        let before = self.window.len() as u32;
        let shape = Shape { format, line: width, pixels };
        let farthest = self.write(shape, &data, reach);
        self.window.push(shape, data);
        let body = Bytes::copy_from_slice(&self.out);
        Ok(Encoded { format, width, height, top_down, before, farthest, body })
    }

    /// Writes the body, and answers how many pictures back it refers.
    fn write(&mut self, shape: Shape, data: &[u8], reach: u32) -> u32 {
        let Self { window, table, out } = self;
        out.clear();
        let mut pass = Pass { window, table, shape, data, reach, out };
        match shape.format {
            GlzFormat::Rgb16 => pass.write::<Rgb16>(),
            GlzFormat::Rgb24 => pass.write::<Rgb24>(),
            GlzFormat::Rgb32 => pass.write::<Rgb32>(),
            GlzFormat::Rgba => pass.write::<Rgb32>().max(pass.write::<Alpha>()),
        }
    }
}

/// A pass over a picture that is to come.
struct Pass<'a> {
    window: &'a Window,
    table: &'a mut Table,
    shape: Shape,
    data: &'a [u8],
    reach: u32,
    out: &'a mut Vec<u8>,
}

impl Pass<'_> {
    fn write<P: Pixel>(&mut self) -> u32 {
        let mut past = Past::new(self.window, self.table, self.shape, self.reach);
        encode_pass::<P, _>(P::units(self.data), &mut past, self.out);
        past.farthest()
    }
}
