//! `spice-char.h`.

use std::ffi::{c_char, c_int, c_void};

use super::base::{SpiceBaseInstance, SpiceBaseInterface};

/// The device says by a wake-up that it can be written to again.
pub const NOTIFY_WRITABLE: c_int = 1;

#[repr(C)]
#[derive(Debug)]
pub struct SpiceCharDeviceInterface {
    pub base: SpiceBaseInterface,
    pub state: Option<unsafe extern "C" fn(sin: *mut SpiceCharDeviceInstance, connected: c_int)>,
    pub write:
        Option<unsafe extern "C" fn(sin: *mut SpiceCharDeviceInstance, buf: *const u8, len: c_int) -> c_int>,
    pub read:
        Option<unsafe extern "C" fn(sin: *mut SpiceCharDeviceInstance, buf: *mut u8, len: c_int) -> c_int>,
    pub event: Option<unsafe extern "C" fn(sin: *mut SpiceCharDeviceInstance, event: u8)>,
    pub flags: c_int,
}

#[repr(C)]
#[derive(Debug)]
pub struct SpiceCharDeviceInstance {
    pub base: SpiceBaseInstance,
    pub subtype: *const c_char,
    pub st: *mut c_void,
    pub portname: *const c_char,
}
