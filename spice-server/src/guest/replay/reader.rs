//! The thread that reads a recording ahead of its player.

use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::thread;

use spice_display::qxl::recording::{Event, Recording, RecordingError};
use spice_display::qxl::{DeviceEvent, GuestEvent};

use super::queue::{Closed, Played, Queue, What};
use super::source::{Source, open};
use super::{ReplayError, ReplayOptions};

/// Reads a recording, once or again and again.
#[derive(Debug)]
pub(super) struct Reader {
    options: ReplayOptions,
    queue: Arc<Queue>,
    commands: u64,
    /// When the last event that was read is due.
    at: Duration,
}

/// Why a round is over.
#[derive(Debug)]
enum Stop {
    /// Nobody listens any longer, or enough has been played.
    Done,
    Broken(RecordingError),
    Reopening(ReplayError),
}

impl From<Closed> for Stop {
    fn from(Closed: Closed) -> Self {
        Self::Done
    }
}

impl From<RecordingError> for Stop {
    fn from(error: RecordingError) -> Self {
        Self::Broken(error)
    }
}

impl From<ReplayError> for Stop {
    fn from(error: ReplayError) -> Self {
        Self::Reopening(error)
    }
}

impl Reader {
    pub(super) fn new(options: ReplayOptions, queue: Arc<Queue>) -> Self {
        Self { options, queue, commands: 0, at: Duration::ZERO }
    }

    /// Starts the thread. It ends with the recording, or soon after the queue is closed.
    pub(super) fn spawn(self, recording: Recording<Source>) -> Result<(), ReplayError> {
        let reader = move || self.run(recording);
        let started: io::Result<_> = thread::Builder::new().name("replay".to_owned()).spawn(reader);
        started.map(drop).map_err(ReplayError::Thread)
    }

    fn run(mut self, recording: Recording<Source>) {
        let path = self.options.path.display().to_string();
        match self.read_rounds(recording) {
            Ok(()) | Err(Stop::Done) => {}
            Err(Stop::Broken(error)) => tracing::warn!(%path, %error, "the replay ends early"),
            Err(Stop::Reopening(error)) => tracing::warn!(%error, "the replay does not start again"),
        }
        self.queue.end();
    }

    fn read_rounds(&mut self, mut recording: Recording<Source>) -> Result<(), Stop> {
        while self.read_round(&mut recording)? && self.options.looped {
            let path = &self.options.path;
            recording = Recording::new(open(path)?)
                .map_err(|error| ReplayError::Recording { path: path.clone(), error })?;
            // What the last round left must not be taken for the next one's.
            let what = What::Event(GuestEvent::Device(DeviceEvent::DestroySurfaces));
            self.queue.push(Played { at: self.at, is_command: false, what }, 0)?;
        }
        Ok(())
    }

    /// Reads the recording to its end, and answers whether there was anything in it.
    fn read_round(&mut self, recording: &mut Recording<Source>) -> Result<bool, Stop> {
        let round = self.at;
        let mut first = None;
        loop {
            if self.options.stop_after.is_some_and(|limit| self.commands >= limit) {
                return Err(Stop::Done);
            }
            let position = recording.position();
            let Some(event) = recording.next_event()? else { return Ok(first.is_some()) };
            let what = match event.event {
                Event::Guest(event) => What::Event(event),
                Event::Refused(refusal) => What::Refused(refusal),
                Event::Ignored => continue,
            };
            let first = *first.get_or_insert(event.at);
            self.at = self.at.max(round.saturating_add(event.at.saturating_sub(first)));
            self.commands += u64::from(event.is_command);
            let bytes = recording.position() - position;
            self.queue.push(Played { at: self.at, is_command: event.is_command, what }, bytes)?;
        }
    }
}
