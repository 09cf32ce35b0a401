//! Sound, as the host of a desktop has it: [`Playback`] is what viewers hear of the guest, [`Record`] what the guest
//! hears of a viewer.
//!
//! Both are 16 bits a sample and two channels, the left one first (`spice.proto`, `SPICE_INTERFACE_PLAYBACK_CHAN`), and
//! travel as they are. One word of 32 bits is a *frame*: a sample of each channel, the left one in the lower half.
//!
//! Nothing here waits. The host and the channel, which belongs to the task that owns the viewers, share a mailbox under a
//! lock that is held to copy at most a tenth of a second of sound, and the task is woken once for all that is in it.

mod level;
mod pieces;
mod playback;
mod plug;
mod record;
mod ring;

pub(crate) use level::{Due, Level};
pub(crate) use pieces::{Piece, Pieces};
pub use playback::Playback;
pub(crate) use playback::{PlaybackMailbox, PlaybackNews};
pub use plug::AddSoundError;
pub use record::Record;
pub(crate) use record::{RecordMailbox, RecordNews};

/// Channels of all sound here.
pub const SOUND_CHANNELS: u32 = 2;

/// The rate that suits viewers best, in frames a second, and the one that is used where a host names none. It is the rate
/// of Opus, and the C server's answer to whoever asks (`SND_CODEC_OPUS_PLAYBACK_FREQ`).
pub const SOUND_RATE: u32 = 48_000;

/// Frames that a host does well to put at a time: 10 ms of sound at [`SOUND_RATE`]. The C server's buffers have as many
/// (`SND_CODEC_MAX_FRAME_SIZE`).
pub const SOUND_FRAMES: usize = 480;

/// Bytes of one frame.
const FRAME_BYTES: usize = 4;

/// The rates that can be set, in frames a second.
const RATES: core::ops::RangeInclusive<u32> = 1_000..=192_000;

/// A rate that can be: the nearest to what was asked for.
fn rate(asked: u32) -> u32 {
    asked.clamp(*RATES.start(), *RATES.end())
}

/// Sound from one start to the next stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    /// Which; no two of a device have the same number.
    pub(crate) number: u64,
    /// Frames a second.
    pub(crate) rate: u32,
}

/// The streams of a device: what is on, and what the next one will be.
#[derive(Debug)]
struct Streams {
    on: Option<Stream>,
    number: u64,
    rate: u32,
}

impl Default for Streams {
    fn default() -> Self {
        Self { on: None, number: 0, rate: SOUND_RATE }
    }
}

impl Streams {
    /// Begins a stream; answers whether there was none.
    fn start(&mut self) -> bool {
        let starts = self.on.is_none();
        if starts {
            self.number += 1;
            self.on = Some(Stream { number: self.number, rate: self.rate });
        }
        starts
    }

    /// Ends the stream; answers whether there was one.
    fn stop(&mut self) -> bool {
        self.on.take().is_some()
    }
}
