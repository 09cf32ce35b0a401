//! A guest that plays a recording: the commands of a real desktop, at the pace they came or faster.

mod error;
mod queue;
mod reader;
mod source;

#[cfg(test)]
mod tests;

use core::time::Duration;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use spice_channel::Time;
use spice_display::qxl::GuestEvent;
use spice_display::qxl::recording::{Recording, Refusal};

pub use error::ReplayError;
pub use source::{Source, open};

use super::{Guest, GuestInput, GuestWaker};
use queue::{Played, Popped, Queue, What};
use reader::Reader;

/// How a recording is played.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// The recording: plain, or compressed with xz or zstd.
    pub path: PathBuf,
    /// A multiple of the recorded pace, above 0. Infinity, and in effect any large number, is as fast as the guest is
    /// polled.
    pub speed: f64,
    /// Whether the end is followed by the start; [`Guest::is_finished`] then stays false.
    pub looped: bool,
    /// Ends after so many commands, refused ones included; counted through all rounds when looped.
    pub stop_after: Option<u64>,
    /// How many viewers have to have a display channel before it starts; 0 to start with the first poll.
    pub wait: usize,
    /// Whether it is no faster than its viewers keep up ([`Guest::waits_for_viewers`]), whatever the speed.
    pub in_step: bool,
}

impl ReplayOptions {
    /// Once, at the recorded pace, from the first poll to the end.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), speed: 1.0, looped: false, stop_after: None, wait: 0, in_step: false }
    }
}

/// Plays a recording. It takes no input, but says that it takes positions, so that viewers show their own pointer.
///
/// A thread reads the file, some events ahead. What the file is wrong about in its middle ends the replay with a
/// warning in the log; what was played before stays. Commands that cannot be expressed are passed over and counted.
#[derive(Debug)]
pub struct ReplayGuest {
    queue: Arc<Queue>,
    speed: f64,
    wait: usize,
    in_step: bool,
    start: Option<Time>,
    /// Taken from the queue and not due yet.
    next: Option<Played>,
    /// The queue was empty when last asked, so the reader wakes the owner.
    starved: bool,
    finished: bool,
    commands: u64,
    refused: u64,
    warned: BTreeSet<String>,
}

impl ReplayGuest {
    /// Opens the recording and starts to read it.
    ///
    /// # Errors
    /// A speed that is not above 0, a file that cannot be opened or that does not begin as a recording does.
    pub fn new(options: ReplayOptions) -> Result<Self, ReplayError> {
        let ReplayOptions { speed, wait, in_step, .. } = options;
        if speed.is_nan() || speed <= 0.0 {
            return Err(ReplayError::Speed(speed));
        }
        let recording = Recording::new(open(&options.path)?)
            .map_err(|error| ReplayError::Recording { path: options.path.clone(), error })?;
        let queue = Arc::new(Queue::default());
        Reader::new(options, Arc::clone(&queue)).spawn(recording)?;
        Ok(Self {
            queue,
            speed,
            wait,
            in_step,
            start: None,
            next: None,
            starved: false,
            finished: false,
            commands: 0,
            refused: 0,
            warned: BTreeSet::new(),
        })
    }

    /// Commands that have been played so far, refused ones included.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.commands
    }

    /// Commands among [`Self::commands`] that were passed over.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    fn due(&self, start: Time, played: &Played) -> Time {
        start + at_speed(played.at, self.speed)
    }

    fn refuse(&mut self, refusal: &Refusal) {
        /// How many different reasons are logged; a broken guest could make up a new one for each command.
        const REASONS: usize = 32;
        self.refused += 1;
        if self.warned.len() < REASONS {
            let reason = refusal.to_string();
            if !self.warned.contains(&reason) {
                tracing::warn!(command = self.commands, %reason, "a command of the recording is left out");
                self.warned.insert(reason);
            }
        }
    }
}

impl Drop for ReplayGuest {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Guest for ReplayGuest {
    fn attach(&mut self, waker: GuestWaker) {
        self.queue.attach(waker);
    }

    fn takes_positions(&self) -> bool {
        true
    }

    fn poll(&mut self, now: Time) -> Option<GuestEvent> {
        /// How many commands are passed over before the owner gets to do something else.
        const REFUSED_AT_ONCE: usize = 64;
        if self.start.is_none() && self.wait == 0 {
            self.start = Some(now);
        }
        let start = self.start?;
        for _ in 0..REFUSED_AT_ONCE {
            let played = match self.next.take() {
                Some(played) => played,
                None => match self.queue.pop() {
                    Popped::Event(played) => {
                        self.starved = false;
                        played
                    }
                    Popped::Empty => {
                        self.starved = true;
                        return None;
                    }
                    Popped::Ended => {
                        self.finished = true;
                        return None;
                    }
                },
            };
            if self.due(start, &played) > now {
                self.next = Some(played);
                return None;
            }
            self.commands += u64::from(played.is_command);
            match played.what {
                What::Event(event) => return Some(event),
                What::Refused(refusal) => self.refuse(&refusal),
            }
        }
        None
    }

    fn poll_timeout(&self) -> Option<Time> {
        match (self.start, &self.next) {
            _ if self.finished => None,
            (None, _) if self.wait > 0 => None,
            (None, _) => Some(Time::ZERO),
            (Some(start), Some(played)) => Some(self.due(start, played)),
            (Some(_), None) if self.starved => None,
            (Some(start), None) => Some(start),
        }
    }

    fn handle_input(&mut self, _input: GuestInput, _now: Time) {}

    fn handle_viewers(&mut self, displays: usize, now: Time) {
        if self.start.is_none() && displays >= self.wait.max(1) {
            self.start = Some(now);
            self.queue.wake();
        }
    }

    fn waits_for_viewers(&self) -> bool {
        self.in_step
    }

    fn is_finished(&self) -> bool {
        self.finished
    }
}

/// `span` at `speed` times the pace, in whole microseconds; a result beyond their range stops there.
fn at_speed(span: Duration, speed: f64) -> Duration {
    #[expect(clippy::cast_possible_truncation, reason = "the cast stops at the ends of the range, as wanted")]
    #[expect(clippy::cast_sign_loss, reason = "a span is never negative, and a speed is above 0")]
    let micros = (span.as_secs_f64() * 1e6 / speed) as u64;
    Duration::from_micros(micros)
}
