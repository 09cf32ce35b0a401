//! Sound out of the guest.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use spice_proto::ChannelType;

use super::level::LevelBox;
use super::plug::Plug;
use super::{AddSoundError, Due, FRAME_BYTES, Level, Piece, Pieces, SOUND_RATE, Stream, Streams, rate};
use crate::clock;
use crate::front::Front;
use crate::reds::{PlaybackChannel, RedsEvent};

/// Frames of one put, at most.
const MOST_PUT: usize = 8192;

/// What every viewer that may hear it hears of the guest, until it is dropped. Any thread may use it, and never waits:
/// who does not keep up, be it a viewer or the server, misses sound.
#[derive(Debug)]
pub struct Playback {
    mailbox: Arc<PlaybackMailbox>,
    plug: Plug,
}

impl Playback {
    pub(crate) fn new(front: &Front) -> Result<Self, AddSoundError> {
        let mailbox = Arc::new(PlaybackMailbox::default());
        let caps = &PlaybackChannel::offer();
        let plug = Plug::new(front, ChannelType::PLAYBACK, caps, |id| {
            Box::new(PlaybackChannel::new(id, front.viewer_timeout, Arc::clone(&mailbox)))
        })?;
        Ok(Self { mailbox, plug })
    }

    /// Sound begins, at the rate that was set last. Where it has begun already, nothing changes.
    pub fn start(&self) {
        self.say(|said| said.streams.start());
    }

    /// Sound ends. Viewers go by the server's clock again from here on, as they go by sound while there is some.
    pub fn stop(&self) {
        let mut stopped = false;
        self.say(|said| {
            stopped = said.streams.stop();
            stopped
        });
        if stopped {
            self.plug.tell(RedsEvent::Clock);
        }
    }

    /// Sound that is to be heard now, frame by frame; [`SOUND_FRAMES`](super::SOUND_FRAMES) of them at a time are best. Of more than
    /// 8192, the last are heard. Nothing is heard unless sound has begun.
    pub fn put(&self, frames: &[u32]) {
        let frames = frames.get(frames.len().saturating_sub(MOST_PUT)..).unwrap_or_default();
        let mut data = Vec::with_capacity(frames.len() * FRAME_BYTES);
        data.extend(frames.iter().flat_map(|frame| frame.to_le_bytes()));
        let data = Bytes::from(data);
        self.say(|said| {
            let Some(stream) = said.streams.on.filter(|_| said.viewers > 0) else { return false };
            // Under the lock, so that times never go back.
            said.pieces.push(Piece { stream, time: clock::now(), data });
            true
        });
    }

    /// How loud each channel is, 65,535 being full; at most 255 channels. Viewers do it themselves, if they can.
    pub fn set_volume(&self, volume: &[u16]) {
        self.say(|said| {
            said.level.set_volume(volume);
            true
        });
    }

    /// Whether viewers are to be silent, if they can, whatever the volume.
    pub fn set_mute(&self, mute: bool) {
        self.say(|said| {
            said.level.set_mute(mute);
            true
        });
    }

    /// How many frames a second sound has from its next start on: 1000 to 192,000, and the nearest of these for any other.
    /// Before the first call it is [`SOUND_RATE`].
    pub fn set_rate(&self, frames: u32) {
        self.mailbox.lock().streams.rate = rate(frames);
    }

    /// The rate that suits viewers best, in frames a second.
    #[must_use]
    pub const fn best_rate(&self) -> u32 {
        SOUND_RATE
    }

    /// Whether sound has begun and a viewer hears it: if not, what is put goes nowhere.
    #[must_use]
    pub fn is_listened(&self) -> bool {
        let said = self.mailbox.lock();
        said.streams.on.is_some() && said.viewers > 0
    }

    /// Changes the mailbox, and wakes the channel's owner if that is news to it.
    fn say(&self, change: impl FnOnce(&mut Said) -> bool) {
        if self.mailbox.say(change) {
            self.plug.wake();
        }
    }
}

impl Drop for Playback {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the host has said and the channel has not taken; and what the channel says in return.
#[derive(Debug, Default)]
pub(crate) struct PlaybackMailbox(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    streams: Streams,
    pieces: Pieces,
    level: LevelBox,
    /// The owner has been woken and has not looked yet.
    woken: bool,
    viewers: usize,
}

/// What a channel takes out of its mailbox.
#[derive(Debug)]
pub(crate) struct PlaybackNews {
    /// What plays now.
    pub(crate) playing: Option<Stream>,
    pub(crate) pieces: Pieces,
    pub(crate) level: Level,
    /// What of the level is new.
    pub(crate) due: Due,
}

impl PlaybackMailbox {
    fn lock(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is said. `change` answers whether it is news; this answers whether the owner has to be woken for it.
    fn say(&self, change: impl FnOnce(&mut Said) -> bool) -> bool {
        let mut said = self.lock();
        change(&mut said) && !std::mem::replace(&mut said.woken, true)
    }

    /// Everything that is new.
    pub(crate) fn take(&self) -> PlaybackNews {
        let mut said = self.lock();
        said.woken = false;
        let (level, due) = said.level.take();
        PlaybackNews { playing: said.streams.on, pieces: std::mem::take(&mut said.pieces), level, due }
    }

    /// So many viewers hear it.
    pub(crate) fn set_viewers(&self, viewers: usize) {
        self.lock().viewers = viewers;
    }
}

/// What a host says, for the channel's tests, which have a clock of their own.
#[cfg(test)]
impl PlaybackMailbox {
    pub(crate) fn start(&self, rate: u32) {
        let mut said = self.lock();
        said.streams.rate = rate;
        said.streams.start();
    }

    pub(crate) fn stop(&self) {
        self.lock().streams.stop();
    }

    pub(crate) fn put(&self, data: Bytes, time: spice_channel::Time) {
        let mut said = self.lock();
        let stream = said.streams.on.unwrap();
        said.pieces.push(Piece { stream, time, data });
    }

    pub(crate) fn set_level(&self, level: &Level) {
        let mut said = self.lock();
        said.level.set_volume(&level.volume);
        level.mute.into_iter().for_each(|mute| said.level.set_mute(mute));
    }

    pub(crate) fn viewers(&self) -> usize {
        self.lock().viewers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_woken_once_for_all_that_is_said_before_it_looks() {
        let mailbox = PlaybackMailbox::default();
        assert!(mailbox.say(|said| said.streams.start()));
        assert!(!mailbox.say(|said| said.streams.stop()));
        assert!(!mailbox.say(|said| said.streams.start()));
        let taken = mailbox.take();
        assert_eq!(taken.playing, Some(Stream { number: 2, rate: SOUND_RATE }));
        assert!(!mailbox.say(|said| said.streams.start()), "it has begun");
        assert!(mailbox.say(|said| said.streams.stop()));
    }

    #[test]
    fn a_rate_that_cannot_be_is_the_nearest_that_can() {
        assert_eq!([0, 44_100, u32::MAX].map(rate), [1000, 44_100, 192_000]);
    }
}
