//! Images on their way to viewers: how each is packed, and the packing.
//!
//! A viewer, or the operator for it, names a [`Compression`]; by that and by what an image looks like one method is
//! chosen for the image (`choice`, `graduality`), as the C server chooses it (`dcc.cpp`). What comes out larger than
//! the bare pixels is sent bare (`pack`).

mod choice;
mod graduality;
mod pack;

pub use choice::{Compression, UnknownCompression};
pub(crate) use choice::{Method, Packing};
pub(crate) use pack::{bitmap_data, data_by};
