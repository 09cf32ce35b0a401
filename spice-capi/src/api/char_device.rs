//! Char devices (`spice-char.h`).

use crate::abi::char_device::SpiceCharDeviceInstance;
use crate::server::SpiceServer;

pub(super) unsafe fn add(_: &SpiceServer, _: *mut SpiceCharDeviceInstance) -> Option<()> {
    None
}

pub(super) unsafe fn remove(_: *mut SpiceCharDeviceInstance) -> Option<()> {
    None
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_char_device_recognized_subtypes() -> *const *const std::ffi::c_char {
    struct Names([*const std::ffi::c_char; 1]);
    // SAFETY: constant.
    unsafe impl Sync for Names {}
    static NAMES: Names = Names([std::ptr::null()]);
    NAMES.0.as_ptr()
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_char_device_wakeup(_: *mut SpiceCharDeviceInstance) {}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_port_event(_: *mut SpiceCharDeviceInstance, _: u8) {}
