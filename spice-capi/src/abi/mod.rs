//! The structures of the C interface, as its headers have them (`spice-core.h` and those beside it).

#![allow(missing_docs, reason = "the headers say what they mean")]

pub mod audio;
pub mod base;
pub mod char_device;
pub mod input;
pub mod migration;
pub mod qxl;
