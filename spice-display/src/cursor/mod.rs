//! The cursor channel: the pointer, for every viewer.

mod cache;
mod channel;
mod marshal;
mod pointer;
mod viewer;

pub use channel::CursorChannel;
