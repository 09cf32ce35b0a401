//! What can be wrong with a recording, and where.

use core::fmt;
use std::io;

/// Where in a recording something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number of the event, as the recording gives it; `None` before the first one.
    pub event: Option<u64>,
    /// Bytes from the start of the decompressed recording.
    pub offset: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.event {
            Some(event) => write!(f, "in event {event}, at byte {}", self.offset),
            None => write!(f, "before the first event, at byte {}", self.offset),
        }
    }
}

/// Why a recording cannot be read any further.
#[derive(Debug, thiserror::Error)]
#[error("{problem}, {place}")]
pub struct RecordingError {
    place: Place,
    #[source]
    problem: Problem,
}

impl RecordingError {
    pub(super) fn new(place: Place, problem: Problem) -> Self {
        Self { place, problem }
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// What it is.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

/// What is wrong with a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It does not begin as a recording does.
    #[error("this is no recording: it does not begin with `SPICE_REPLAY 1`")]
    NotARecording,
    /// Its format has a version that is not known here.
    #[error("a recording of version {0} cannot be read, only version 1")]
    Version(String),
    /// Something else stands where a part of an event has to be.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What has to be there.
        expected: String,
        /// The beginning of what is there.
        found: String,
    },
    /// The recording stops in the middle of an event.
    #[error("expected {expected}, but the recording ends")]
    Truncated {
        /// What has to be there.
        expected: String,
    },
    /// More than a sane recording has.
    #[error("{what} of more than {limit}")]
    TooLarge {
        /// What there is too much of, with its unit.
        what: &'static str,
        /// How much is taken.
        limit: usize,
    },
    /// Data compressed with zlib, which the format allows and nobody writes.
    #[error("data compressed with zlib is not supported")]
    Compressed,
    /// The reader below failed; so a broken compressed file shows.
    #[error("reading failed ({0})")]
    Read(#[from] io::Error),
}

impl Problem {
    pub(super) fn unexpected(expected: impl Into<String>, found: &[u8]) -> Self {
        /// As much of a line as an error repeats.
        const SHOWN: usize = 60;
        let shown = found.get(..SHOWN).unwrap_or(found).escape_ascii();
        let more = if found.len() > SHOWN { "..." } else { "" };
        Self::Unexpected { expected: expected.into(), found: format!("`{shown}{more}`") }
    }

    pub(super) fn truncated(expected: impl Into<String>) -> Self {
        Self::Truncated { expected: expected.into() }
    }
}
