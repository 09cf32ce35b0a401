//! The cursor channel: the pointer, for every viewer.

mod channel;
mod marshal;
mod pointer;
mod viewer;

pub use channel::CursorChannel;
