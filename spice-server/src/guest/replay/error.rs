//! Why a replay does not start.

use std::io;
use std::path::PathBuf;

use spice_display::qxl::recording::RecordingError;

/// Why a replay does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The speed is no number above 0.
    #[error("a replay's speed must be above 0, and is {0}")]
    Speed(f64),
    /// The file cannot be opened, or its beginning cannot be read.
    #[error("cannot open the recording {path}: {error}", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file does not begin as a recording does.
    #[error("cannot play {path}: {error}", path = path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: RecordingError,
    },
    /// The thread that reads cannot be started.
    #[error("cannot start a thread to read the recording: {0}")]
    Thread(io::Error),
}
