//! Sound into the guest.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spice_proto::ChannelType;

use super::level::LevelBox;
use super::plug::Plug;
use super::ring::Ring;
use super::{AddSoundError, Due, Level, SOUND_RATE, Stream, Streams, rate};
use crate::front::Front;
use crate::reds::RecordChannel;

/// What the guest hears of a viewer, the first that can and wants, until this is dropped. Any thread may use it, and never
/// waits.
#[derive(Debug)]
pub struct Record {
    mailbox: Arc<RecordMailbox>,
    plug: Plug,
}

impl Record {
    pub(crate) fn new(front: &Front) -> Result<Self, AddSoundError> {
        let mailbox = Arc::new(RecordMailbox::default());
        let caps = &RecordChannel::offer();
        let plug = Plug::new(front, ChannelType::RECORD, caps, |id| {
            Box::new(RecordChannel::new(id, front.viewer_timeout, Arc::clone(&mailbox)))
        })?;
        Ok(Self { mailbox, plug })
    }

    /// The guest listens, at the rate that was set last. What it has not read of another time is gone. Where it listens
    /// already, nothing changes.
    pub fn start(&self) {
        self.say(Said::start);
    }

    /// The guest listens no longer.
    pub fn stop(&self) {
        self.say(|said| said.streams.stop());
    }

    /// Takes what has come, the oldest first; answers how many frames. At most 8192 are kept, the newest. None are given
    /// out while the guest does not listen, and of a viewer that begins to speak not before 4096 have come.
    pub fn read(&self, into: &mut [u32]) -> usize {
        self.mailbox.lock().read(into)
    }

    /// How loud the viewer is to record each channel, 65,535 being full; at most 255 channels.
    pub fn set_volume(&self, volume: &[u16]) {
        self.say(|said| {
            said.level.set_volume(volume);
            true
        });
    }

    /// Whether the viewer is to record silence, whatever the volume.
    pub fn set_mute(&self, mute: bool) {
        self.say(|said| {
            said.level.set_mute(mute);
            true
        });
    }

    /// How many frames a second sound has from the next start on: 1000 to 192,000, and the nearest of these for any other.
    /// Before the first call it is [`SOUND_RATE`].
    pub fn set_rate(&self, frames: u32) {
        self.mailbox.lock().streams.rate = rate(frames);
    }

    /// The rate that suits viewers best, in frames a second.
    #[must_use]
    pub const fn best_rate(&self) -> u32 {
        SOUND_RATE
    }

    fn say(&self, change: impl FnOnce(&mut Said) -> bool) {
        if self.mailbox.say(change) {
            self.plug.wake();
        }
    }
}

/// What the host has said and the channel has not taken, and what a viewer has and the host has not.
#[derive(Debug, Default)]
pub(crate) struct RecordMailbox(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    streams: Streams,
    level: LevelBox,
    ring: Ring,
    /// The owner has been woken and has not looked yet.
    woken: bool,
}

impl Said {
    fn start(&mut self) -> bool {
        let starts = self.streams.start();
        if starts {
            self.ring.clear();
        }
        starts
    }

    fn read(&mut self, into: &mut [u32]) -> usize {
        if self.streams.on.is_some() { self.ring.read(into) } else { 0 }
    }
}

/// What a channel takes out of its mailbox.
#[derive(Debug)]
pub(crate) struct RecordNews {
    /// What the guest listens to now.
    pub(crate) listening: Option<Stream>,
    pub(crate) level: Level,
    /// What of the level is new.
    pub(crate) due: Due,
}

impl RecordMailbox {
    fn lock(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is said. `change` answers whether it is news; this answers whether the owner has to be woken for it.
    fn say(&self, change: impl FnOnce(&mut Said) -> bool) -> bool {
        let mut said = self.lock();
        change(&mut said) && !std::mem::replace(&mut said.woken, true)
    }

    /// Everything that is new.
    pub(crate) fn take(&self) -> RecordNews {
        let mut said = self.lock();
        said.woken = false;
        let (level, due) = said.level.take();
        RecordNews { listening: said.streams.on, level, due }
    }

    /// Sound of a viewer, for the stream that it was asked for. What is for another comes too late.
    pub(crate) fn push(&self, stream: Stream, data: &[u8]) {
        let mut said = self.lock();
        if said.streams.on == Some(stream) {
            said.ring.push(data);
        }
    }

    /// The viewer is gone, and what it has said with it.
    pub(crate) fn forget(&self) {
        self.lock().ring.clear();
    }
}

/// What a host says, for the channel's tests.
#[cfg(test)]
impl RecordMailbox {
    pub(crate) fn start(&self, rate: u32) {
        let mut said = self.lock();
        said.streams.rate = rate;
        said.start();
    }

    pub(crate) fn stop(&self) {
        self.lock().streams.stop();
    }

    pub(crate) fn set_level(&self, level: &Level) {
        let mut said = self.lock();
        said.level.set_volume(&level.volume);
        level.mute.into_iter().for_each(|mute| said.level.set_mute(mute));
    }

    /// As many frames as there are.
    pub(crate) fn read(&self) -> Vec<u32> {
        let mut frames = vec![0; 10_000];
        let len = self.lock().read(&mut frames);
        frames.truncate(len);
        frames
    }
}
