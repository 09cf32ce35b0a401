//! `spice-input.h`.

use std::ffi::{c_int, c_void};

use super::base::{SpiceBaseInstance, SpiceBaseInterface};

#[repr(C)]
#[derive(Debug)]
pub struct SpiceKbdInterface {
    pub base: SpiceBaseInterface,
    pub push_scan_freg: Option<unsafe extern "C" fn(sin: *mut SpiceKbdInstance, frag: u8)>,
    pub get_leds: Option<unsafe extern "C" fn(sin: *mut SpiceKbdInstance) -> u8>,
}

#[repr(C)]
#[derive(Debug)]
pub struct SpiceKbdInstance {
    pub base: SpiceBaseInstance,
    pub st: *mut c_void,
}

#[repr(C)]
#[derive(Debug)]
pub struct SpiceMouseInterface {
    pub base: SpiceBaseInterface,
    pub motion: Option<
        unsafe extern "C" fn(sin: *mut SpiceMouseInstance, dx: c_int, dy: c_int, dz: c_int, buttons: u32),
    >,
    pub buttons: Option<unsafe extern "C" fn(sin: *mut SpiceMouseInstance, buttons: u32)>,
}

#[repr(C)]
#[derive(Debug)]
pub struct SpiceMouseInstance {
    pub base: SpiceBaseInstance,
    pub st: *mut c_void,
}

#[repr(C)]
#[derive(Debug)]
pub struct SpiceTabletInterface {
    pub base: SpiceBaseInterface,
    pub set_logical_size:
        Option<unsafe extern "C" fn(tablet: *mut SpiceTabletInstance, width: c_int, height: c_int)>,
    pub position:
        Option<unsafe extern "C" fn(tablet: *mut SpiceTabletInstance, x: c_int, y: c_int, buttons: u32)>,
    pub wheel: Option<unsafe extern "C" fn(tablet: *mut SpiceTabletInstance, motion: c_int, buttons: u32)>,
    pub buttons: Option<unsafe extern "C" fn(tablet: *mut SpiceTabletInstance, buttons: u32)>,
}

#[repr(C)]
#[derive(Debug)]
pub struct SpiceTabletInstance {
    pub base: SpiceBaseInstance,
    pub st: *mut c_void,
}
