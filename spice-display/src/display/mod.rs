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
mod damage;
mod draw;
mod encoder;
mod glz;
mod lossy;
mod marshal;
mod outbox;
mod shared;
mod snapshots;
mod stats;
mod translate;
mod view;
mod viewer;
mod wan;

pub use channel::{DisplayChannel, DisplayStats};
pub use config::DisplayConfig;
pub use stats::{ViewerState, ViewerStats};
pub use wan::{UnknownWanCompression, WanCompression};
