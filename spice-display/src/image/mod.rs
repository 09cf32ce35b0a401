//! Images on their way to viewers: how each is packed, and the packing.
//!
//! A viewer, or the operator for it, names a [`Compression`]; by that and by what an image looks like one method is
//! chosen for the image (`choice`, `graduality`), as the C server chooses it (`dcc.cpp`). What comes out larger than
//! the bare pixels is sent bare (`pack`).

mod choice;
#[cfg(test)]
mod digest;
mod graduality;
#[cfg(test)]
mod held;
mod pack;
#[cfg(test)]
mod palette_cache;
mod picture;
#[cfg(test)]
mod pixmap_cache;

pub use choice::{Compression, UnknownCompression};
pub(crate) use choice::{GlzLane, Method, Packing};
pub(crate) use pack::pack;
pub use picture::{EncodeDone, EncodeJob};
pub(crate) use picture::{GlzPacked, Packed, Picture};
