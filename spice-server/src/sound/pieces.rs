//! Sound that waits, and of which the newest is worth most.

use core::time::Duration;
use std::collections::VecDeque;

use bytes::Bytes;
use spice_channel::Time;

use super::{FRAME_BYTES, Stream};

/// Sound that may wait: what is older when there is more is not worth hearing any more. A host that puts a little late,
/// and then twice as much, loses nothing.
const WAITS: Duration = Duration::from_millis(100);

/// Pieces that may wait, however short they are.
const MOST: usize = 32;

/// A piece of sound, shared by all who hear it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) stream: Stream,
    /// When the host put it.
    pub(crate) time: Time,
    /// Whole frames.
    pub(crate) data: Bytes,
}

impl Piece {
    /// How long it sounds.
    fn length(&self) -> Duration {
        let frames = self.data.len() / FRAME_BYTES;
        Duration::from_micros(frames as u64 * 1_000_000 / u64::from(self.stream.rate))
    }
}

/// Pieces in order, the newest 100 ms of them, and 32 at most. A longer piece waits alone.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    queue: VecDeque<Piece>,
    length: Duration,
}

impl Pieces {
    /// Appends a piece, for which the oldest may have to go.
    pub(crate) fn push(&mut self, piece: Piece) {
        self.length += piece.length();
        self.queue.push_back(piece);
        while self.queue.len() > MOST || (self.length > WAITS && self.queue.len() > 1) {
            self.pop();
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Piece> {
        let piece = self.queue.pop_front()?;
        self.length -= piece.length();
        Some(piece)
    }

    pub(crate) fn front(&self) -> Option<&Piece> {
        self.queue.front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(number: u64, frames: usize) -> Piece {
        let stream = Stream { number, rate: 48_000 };
        Piece { stream, time: Time::ZERO, data: vec![0; frames * FRAME_BYTES].into() }
    }

    #[test]
    fn a_tenth_of_a_second_waits_and_the_oldest_goes_first() {
        let mut pieces = Pieces::default();
        (0..25).for_each(|number| pieces.push(piece(number, 480)));
        assert_eq!((pieces.queue.len(), pieces.length), (10, WAITS));
        assert_eq!(pieces.pop(), Some(piece(15, 480)));
    }

    #[test]
    fn many_short_pieces_are_no_way_around_the_bound_and_a_long_one_waits_alone() {
        let mut pieces = Pieces::default();
        (0..1000).for_each(|number| pieces.push(piece(number, 0)));
        assert_eq!(pieces.queue.len(), MOST);
        pieces.push(piece(1000, 96_000));
        assert_eq!((pieces.queue.len(), pieces.length), (1, piece(0, 96_000).length()));
        pieces.push(piece(1001, 480));
        assert_eq!((pieces.queue.len(), pieces.length), (1, Duration::from_millis(10)));
    }
}
