//! QXL commands in, SPICE display and cursor messages out, for any number of viewers, without I/O.
//!
//! [`RedWorker`] is the whole of it: a guest's events go into [`RedWorker::handle_event`], and its two channels,
//! [`DisplayChannel`] and [`CursorChannel`], have bytes for each viewer. Every viewer has a pipe of its own; one that
//! cannot keep up is squashed to the newest picture, and nobody else notices.
//!
//! The crate reads no clock, opens no socket and starts no thread: time is an argument, effects are returned.

pub mod canvas;
pub mod codec;
pub mod memory;
pub mod qxl;
pub mod region;

mod cursor;
mod display;
mod image;
mod lru;
mod once_list;
mod surface;
mod worker;

pub use cursor::CursorChannel;
pub use display::{
    DisplayChannel, DisplayConfig, DisplayStats, UnknownWanCompression, ViewerState, ViewerStats,
    WanCompression,
};
pub use image::{Compression, EncodeDone, EncodeJob, UnknownCompression};
pub use surface::{DrawError, Generation, Surface, SurfaceError, SurfaceLimits, SurfaceShape, SurfaceTable};
pub use worker::{CommandError, RedWorker, WorkerConfig};
