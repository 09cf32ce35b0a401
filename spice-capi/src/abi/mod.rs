//! The structures of the C interface, as its headers have them (`spice-core.h` and those beside it).

#![allow(missing_docs, reason = "the headers say what they mean")]

pub(crate) mod audio;
pub(crate) mod base;
pub(crate) mod char_device;
pub(crate) mod input;
pub(crate) mod migration;
pub(crate) mod qxl;
