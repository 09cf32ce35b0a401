//! Char devices (`spice-char.h`).

use crate::abi::char_device::SpiceCharDeviceInstance;
use crate::server::SpiceServer;

pub(super) unsafe fn add(_: &SpiceServer, _: *mut SpiceCharDeviceInstance) -> Option<()> {
    None
}

pub(super) unsafe fn remove(_: *mut SpiceCharDeviceInstance) -> Option<()> {
    None
}
