//! `spice-char.h`.

use std::ffi::{c_char, c_int, c_void};

use super::base::{SpiceBaseInstance, SpiceBaseInterface};

/// The device says by a wake-up that it can be written to again.
pub(crate) const NOTIFY_WRITABLE: c_int = 1;

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceCharDeviceInterface {
    pub(crate) base: SpiceBaseInterface,
    pub(crate) state: Option<unsafe extern "C" fn(sin: *mut SpiceCharDeviceInstance, connected: c_int)>,
    pub(crate) write:
        Option<unsafe extern "C" fn(sin: *mut SpiceCharDeviceInstance, buf: *const u8, len: c_int) -> c_int>,
    pub(crate) read:
        Option<unsafe extern "C" fn(sin: *mut SpiceCharDeviceInstance, buf: *mut u8, len: c_int) -> c_int>,
    pub(crate) event: Option<unsafe extern "C" fn(sin: *mut SpiceCharDeviceInstance, event: u8)>,
    pub(crate) flags: c_int,
}

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceCharDeviceInstance {
    pub(crate) base: SpiceBaseInstance,
    pub(crate) subtype: *const c_char,
    pub(crate) st: *mut c_void,
    pub(crate) portname: *const c_char,
}
