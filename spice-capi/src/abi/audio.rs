//! `spice-audio.h`.

use std::ffi::c_void;

use super::base::SpiceBaseInstance;

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpicePlaybackInstance {
    pub(crate) base: SpiceBaseInstance,
    pub(crate) st: *mut c_void,
}

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceRecordInstance {
    pub(crate) base: SpiceBaseInstance,
    pub(crate) st: *mut c_void,
}
