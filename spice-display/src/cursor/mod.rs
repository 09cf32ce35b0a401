//! The cursor channel: the pointer, for every viewer.

mod channel;
mod marshal;
mod viewer;

pub use channel::CursorChannel;
