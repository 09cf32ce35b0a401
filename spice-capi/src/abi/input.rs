//! `spice-input.h`.

use std::ffi::{c_int, c_void};

use super::base::{SpiceBaseInstance, SpiceBaseInterface};

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceKbdInterface {
    pub(crate) base: SpiceBaseInterface,
    pub(crate) push_scan_freg: Option<unsafe extern "C" fn(sin: *mut SpiceKbdInstance, frag: u8)>,
    pub(crate) get_leds: Option<unsafe extern "C" fn(sin: *mut SpiceKbdInstance) -> u8>,
}

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceKbdInstance {
    pub(crate) base: SpiceBaseInstance,
    pub(crate) st: *mut c_void,
}

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceMouseInterface {
    pub(crate) base: SpiceBaseInterface,
    pub(crate) motion: Option<
        unsafe extern "C" fn(sin: *mut SpiceMouseInstance, dx: c_int, dy: c_int, dz: c_int, buttons: u32),
    >,
    pub(crate) buttons: Option<unsafe extern "C" fn(sin: *mut SpiceMouseInstance, buttons: u32)>,
}

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceMouseInstance {
    pub(crate) base: SpiceBaseInstance,
    pub(crate) st: *mut c_void,
}

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceTabletInterface {
    pub(crate) base: SpiceBaseInterface,
    pub(crate) set_logical_size:
        Option<unsafe extern "C" fn(tablet: *mut SpiceTabletInstance, width: c_int, height: c_int)>,
    pub(crate) position:
        Option<unsafe extern "C" fn(tablet: *mut SpiceTabletInstance, x: c_int, y: c_int, buttons: u32)>,
    pub(crate) wheel:
        Option<unsafe extern "C" fn(tablet: *mut SpiceTabletInstance, motion: c_int, buttons: u32)>,
    pub(crate) buttons: Option<unsafe extern "C" fn(tablet: *mut SpiceTabletInstance, buttons: u32)>,
}

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceTabletInstance {
    pub(crate) base: SpiceBaseInstance,
    pub(crate) st: *mut c_void,
}
