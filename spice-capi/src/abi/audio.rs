//! `spice-audio.h`.

use std::ffi::c_void;

use super::base::SpiceBaseInstance;

#[repr(C)]
#[derive(Debug)]
pub struct SpicePlaybackInstance {
    pub base: SpiceBaseInstance,
    pub st: *mut c_void,
}

#[repr(C)]
#[derive(Debug)]
pub struct SpiceRecordInstance {
    pub base: SpiceBaseInstance,
    pub st: *mut c_void,
}
