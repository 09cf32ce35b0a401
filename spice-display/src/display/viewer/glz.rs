//! Which pictures of the dictionary a viewer has.

use std::collections::VecDeque;

use spice_proto::display::ImageData;

use crate::codec::glz::{Encoded, GlzHeader, MAX_IMAGES};
use crate::codec::zlib::{MIN_GLZ, ZlibBody};
use crate::image::{GlzLane, GlzPacked, Method, Packed, Picture};

/// The pictures that a viewer has been sent with GLZ, without a gap, back to the last one that it missed.
///
/// A dictionary is shared by all viewers, and its pictures are numbered in the order in which they were packed. A
/// viewer that has the last ones of them can be sent what refers to these; one that has missed some is sent pictures
/// packed alone, until it has enough of them in a row.
#[derive(Debug)]
pub(super) struct GlzHistory {
    /// Pixels that the viewer can keep.
    window: u64,
    /// How many pictures it has been sent: the next one's id.
    sent: u64,
    /// The newest picture.
    newest: Option<(GlzLane, u64)>,
    /// The pixels of each, the oldest first.
    run: VecDeque<u32>,
    pixels: u64,
}

impl GlzHistory {
    /// A viewer that can keep so many pixels.
    pub(super) fn new(window: u32) -> Self {
        Self { window: window.into(), sent: 0, newest: None, run: VecDeque::new(), pixels: 0 }
    }

    /// Whether a picture of so many pixels can be sent with GLZ at all.
    pub(super) fn holds(&self, pixels: u64) -> bool {
        pixels < self.window
    }

    /// Whether the viewer has what the picture refers to.
    fn has_before(&self, lane: GlzLane, packed: &GlzPacked) -> bool {
        let GlzPacked { number, encoded } = packed;
        if encoded.farthest == 0 {
            return true;
        }
        if !self.follows(lane, *number) {
            return false;
        }
        let room = self.window.saturating_sub(pixels(encoded));
        let (mut kept, mut left) = (self.run.len(), self.pixels);
        for oldest in &self.run {
            if left <= room {
                break;
            }
            left -= u64::from(*oldest);
            kept -= 1;
        }
        kept >= encoded.farthest as usize
    }

    fn follows(&self, lane: GlzLane, number: u64) -> bool {
        self.newest.is_some_and(|(newest_lane, newest)| newest_lane == lane && newest + 1 == number)
    }

    /// The stream of a picture for this viewer, which has that picture now.
    pub(super) fn send(&mut self, stream: &GlzStream<'_>) -> ImageData {
        let GlzStream { lane, number, packed, zlib } = *stream;
        let pixels = pixels(&packed.encoded);
        if !self.follows(lane, number) {
            self.run.clear();
            self.pixels = 0;
        }
        while (self.pixels + pixels > self.window || self.run.len() == MAX_IMAGES)
            && let Some(oldest) = self.run.pop_front()
        {
            self.pixels -= u64::from(oldest);
        }
        let data = packed.data(zlib, self.sent, self.run.len() as u32);
        self.sent += 1;
        self.newest = Some((lane, number));
        self.run.push_back(pixels as u32);
        self.pixels += pixels;
        data
    }
}

/// A picture for one viewer, but for its header.
#[derive(Clone, Copy, Debug)]
pub(super) struct GlzStream<'a> {
    lane: GlzLane,
    /// What the dictionary calls it.
    number: u64,
    /// As the dictionary has packed it, or alone.
    packed: &'a GlzPacked,
    /// The same once more.
    zlib: Option<&'a ZlibBody>,
}

impl GlzHistory {
    /// What the viewer gets of a picture that was packed with the dictionary, once more if that is to be (`zlib`);
    /// nothing where it cannot be packed alone.
    ///
    /// # Errors
    /// The method by which it has to be packed first.
    pub(super) fn stream<'a>(
        &self,
        picture: &'a Picture,
        lane: GlzLane,
        shared: &'a GlzPacked,
        zlib: bool,
    ) -> Result<Option<GlzStream<'a>>, Method> {
        let number = shared.number;
        let (packed, once_more) = if self.has_before(lane, shared) {
            (shared, Method::GlzZlib(lane))
        } else {
            match picture.packed(Method::GlzAlone) {
                Some(Packed::Glz(alone)) => (alone, Method::GlzAloneZlib),
                Some(_) => return Ok(None),
                None => return Err(Method::GlzAlone),
            }
        };
        let zlib = zlib && packed.encoded.body.len() >= ZLIB_FROM;
        let zlib = match picture.packed(once_more) {
            _ if !zlib => None,
            None => return Err(once_more),
            Some(Packed::Zlib(body)) => Some(body),
            Some(_) => None,
        };
        Ok(Some(GlzStream { lane, number, packed, zlib }))
    }
}

/// Bytes behind a header from which on a stream is packed once more.
const ZLIB_FROM: usize = MIN_GLZ - GlzHeader::LEN;

fn pixels(encoded: &Encoded) -> u64 {
    u64::from(encoded.width) * u64::from(encoded.height)
}
