//! The display channel: what the guest draws, for every viewer.
//!
//! ```text
//! command -> Arc<Draw> -> each viewer's View: a slot in its pipe, or a growing region
//!                          when there is room: created and destroyed surfaces, damage, then the pipe
//!                      -> its Outbox: what comes next, in order, while its pictures are packed (Encoder, for all)
//!                      -> messages
//! ```

mod abilities;
mod channel;
mod config;
mod draw;
mod encoder;
mod gl;
mod marshal;
mod monitors;
mod shared;
mod snapshots;
mod translate;
mod viewer;
mod wan;

pub use channel::{DisplayChannel, DisplayStats};
pub use config::DisplayConfig;
pub use viewer::{ViewerState, ViewerStats};
pub use wan::{UnknownWanCompression, WanCompression};
