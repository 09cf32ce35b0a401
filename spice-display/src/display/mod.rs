//! The display channel: what the guest draws, for every viewer.
//!
//! ```text
//! command -> paint -> Arc<Draw> -> each viewer's View: a slot in its pipe, or a growing region
//!                                  when there is room: created and destroyed surfaces, damage, then the pipe
//! ```

mod abilities;
mod channel;
mod draw;
mod marshal;
mod messages;
mod translate;
mod view;
mod viewer;

pub use channel::{DisplayChannel, DisplayStats};
