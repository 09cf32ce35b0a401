//! Sound that a viewer has sent and the guest has not taken.

use std::collections::VecDeque;

use super::FRAME_BYTES;

/// Frames that are kept: 170 ms at 48 kHz, as in the C server (`RECORD_SAMPLES_SIZE` in `sound.cpp`).
const KEPT: usize = 8192;

/// Frames that have to have come before the first is given out, so that a viewer's sound that comes by fits and starts is
/// heard without gaps. The C server waits for as many.
const AHEAD: usize = KEPT / 2;

/// The newest frames, 8192 at most.
#[derive(Debug, Default)]
pub(super) struct Ring {
    frames: VecDeque<u32>,
    /// Enough has come to begin.
    begun: bool,
}

impl Ring {
    /// Appends the whole frames of `data`; what is too much goes, the oldest first.
    pub(super) fn push(&mut self, data: &[u8]) {
        let frames = data.chunks_exact(FRAME_BYTES);
        let skip = frames.len().saturating_sub(KEPT);
        let frames = frames.skip(skip);
        let surplus = (self.frames.len() + frames.len()).saturating_sub(KEPT);
        self.frames.drain(..surplus);
        self.frames.extend(frames.filter_map(|frame| Some(u32::from_le_bytes(frame.try_into().ok()?))));
        self.begun |= self.frames.len() >= AHEAD;
    }

    /// Takes the oldest frames; answers how many.
    pub(super) fn read(&mut self, into: &mut [u32]) -> usize {
        if !self.begun {
            return 0;
        }
        let len = into.len().min(self.frames.len());
        for (place, frame) in into.iter_mut().zip(self.frames.drain(..len)) {
            *place = frame;
        }
        len
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.begun = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(frames: core::ops::Range<u32>) -> Vec<u8> {
        frames.flat_map(u32::to_le_bytes).collect()
    }

    #[test]
    fn nothing_is_given_out_before_half_of_it_is_there_and_everything_after() {
        let mut ring = Ring::default();
        let mut frames = [0; 10];
        ring.push(&sound(0..4095));
        assert_eq!(ring.read(&mut frames), 0);
        ring.push(&sound(4095..4096));
        assert_eq!(ring.read(&mut frames), 10);
        assert_eq!(frames, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let mut rest = vec![0; 10_000];
        assert_eq!(ring.read(&mut rest), 4086);
        assert_eq!(rest[4085], 4095);
        ring.push(&sound(7..9));
        assert_eq!(ring.read(&mut frames), 2);
        ring.clear();
        ring.push(&sound(7..9));
        assert_eq!(ring.read(&mut frames), 0);
    }

    #[test]
    fn the_latest_is_kept_however_much_comes_at_once() {
        for piece in [1, 480, 8191, 8192, 8193, 30_000] {
            let mut ring = Ring::default();
            (0..30_000).step_by(piece).for_each(|from| {
                ring.push(&sound(from..(from + piece as u32).min(30_000)));
                assert!(ring.frames.len() <= KEPT);
            });
            let mut frames = vec![0; 10_000];
            assert_eq!(ring.read(&mut frames), KEPT);
            let kept: Vec<u32> = (30_000 - KEPT as u32..30_000).collect();
            assert_eq!(frames[..KEPT], kept);
        }
    }

    #[test]
    fn what_is_less_than_a_frame_is_none() {
        let mut ring = Ring::default();
        (0..5000).for_each(|_| ring.push(&[1, 2, 3, 4, 5, 6, 7]));
        (0..5000).for_each(|_| ring.push(&[9; 3]));
        let mut frames = vec![0; 10_000];
        assert_eq!(ring.read(&mut frames), 5000);
        assert!(frames[..5000].iter().all(|frame| *frame == 0x0403_0201));
    }
}
