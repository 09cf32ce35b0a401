//! Reading of recordings: the QXL commands of a desktop as spice-server's recorder stores them (`SPICE_REPLAY 1`).
//!
//! A recording is text with data in between: one line begins an event, the lines after it hold its fields. A draw
//! goes like this, shortened:
//!
//! ```text
//! event 12 0 1 3316737326792
//! drawable
//! rect bbox 0 0 16 16
//! ...
//! image 1
//! descriptor.id 4294967296
//! ...
//! binary 0 image_data_flat 1024:<1024 bytes>
//! ```
//!
//! Nothing in such a file is trusted. What it can cost is bounded by [`MAX_EVENT_DATA`], [`MAX_EVENT_PARTS`] and
//! [`MAX_LINE`], and memory grows with the bytes that have been read, not with the numbers in them.

mod decode;
mod error;
mod fields;
mod refusal;
mod token;
mod writable;
mod writer;

#[cfg(test)]
pub(super) mod made_up;
#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod written;

use core::time::Duration;
use std::io::BufRead;

pub use error::{Place, Problem, RecordingError};
pub use refusal::Refusal;
pub use token::{MAX_EVENT_DATA, MAX_EVENT_PARTS, MAX_LINE};

use crate::qxl::GuestEvent;
pub use writable::WriteError;
pub use writer::RecordingWriter;

use token::{Parts, Tokenizer};

/// One event of a recording.
#[derive(Clone, Debug)]
pub struct RecordedEvent {
    /// Its number, by the recording's own count of commands and messages together.
    pub number: u64,
    /// When it happened, on the clock of the machine that recorded it.
    pub at: Duration,
    /// Whether it came out of a ring, and so counts as a command; else it is a message to the device's worker.
    pub is_command: bool,
    /// What it says.
    pub event: Event,
}

/// What a recorded event says.
#[derive(Clone, Debug)]
pub enum Event {
    /// Something that a guest hands over.
    Guest(GuestEvent),
    /// Something that has no expression here.
    Refused(Refusal),
    /// A message that changes nothing for a replay: wake-ups, memory slots, areas read back.
    Ignored,
}

/// A recording that is being read, decompressed, from `R`.
#[derive(Debug)]
pub struct Recording<R> {
    tokenizer: Tokenizer<R>,
    parts: Parts,
    failed: bool,
}

impl<R: BufRead> Recording<R> {
    /// Reads the head of a recording.
    ///
    /// # Errors
    /// When the reader fails, the head is not that of a recording, or something other than an event follows it.
    pub fn new(reader: R) -> Result<Self, RecordingError> {
        Ok(Self { tokenizer: Tokenizer::new(reader)?, parts: Parts::default(), failed: false })
    }

    /// The next event, or `None` at the end, which is also what follows an error.
    ///
    /// An event is only known to be whole when the next one begins, so a recording that is still being written is
    /// read up to its last event but one.
    ///
    /// # Errors
    /// When the reader fails, the recording stops in the middle of an event, something else stands where a field has
    /// to be, or a limit is passed.
    pub fn next_event(&mut self) -> Result<Option<RecordedEvent>, RecordingError> {
        if self.failed {
            return Ok(None);
        }
        let event = self.read_event();
        self.parts.clear();
        self.failed = event.is_err();
        event
    }

    /// Bytes of the recording before the event that [`Self::next_event`] answers next; all of them at the end.
    /// So many bytes of it, cut off, are a recording of the events so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.tokenizer.position()
    }

    fn read_event(&mut self) -> Result<Option<RecordedEvent>, RecordingError> {
        let Some(header) = self.tokenizer.read_event(&mut self.parts)? else { return Ok(None) };
        let event = decode::event(&header, &self.parts)?;
        let at = Duration::from_nanos(header.nanos);
        Ok(Some(RecordedEvent {
            number: header.number,
            at,
            is_command: header.what == decode::COMMAND,
            event,
        }))
    }
}
