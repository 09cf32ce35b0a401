//! `spice-core.h`.

use std::ffi::{c_char, c_int, c_void};

use libc::{sockaddr, sockaddr_storage, socklen_t};

#[repr(C)]
#[derive(Debug)]
pub struct SpiceBaseInterface {
    pub kind: *const c_char,
    pub description: *const c_char,
    pub major_version: u32,
    pub minor_version: u32,
}

#[repr(C)]
#[derive(Debug)]
pub struct SpiceBaseInstance {
    pub sif: *const SpiceBaseInterface,
}

/// The host's own timer.
#[repr(C)]
#[derive(Debug)]
pub struct SpiceTimer {
    _private: [u8; 0],
}

/// The host's own watch.
#[repr(C)]
#[derive(Debug)]
pub struct SpiceWatch {
    _private: [u8; 0],
}

pub const WATCH_READ: c_int = 1;

pub type TimerFunc = unsafe extern "C" fn(opaque: *mut c_void);
pub type WatchFunc = unsafe extern "C" fn(fd: c_int, event: c_int, opaque: *mut c_void);

pub const EVENT_CONNECTED: c_int = 1;
pub const EVENT_INITIALIZED: c_int = 2;
pub const EVENT_DISCONNECTED: c_int = 3;

pub const EVENT_FLAG_TLS: c_int = 1;
pub const EVENT_FLAG_ADDR_EXT: c_int = 2;

#[repr(C)]
pub struct SpiceChannelEventInfo {
    pub connection_id: c_int,
    pub kind: c_int,
    pub id: c_int,
    pub flags: c_int,
    pub laddr: sockaddr,
    pub paddr: sockaddr,
    pub llen: socklen_t,
    pub plen: socklen_t,
    pub laddr_ext: sockaddr_storage,
    pub paddr_ext: sockaddr_storage,
    pub llen_ext: socklen_t,
    pub plen_ext: socklen_t,
}

/// What the host's main loop does for the library. A host need not have everything, so each is asked for.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SpiceCoreInterface {
    pub base: CoreBase,
    pub timer_add: Option<unsafe extern "C" fn(func: TimerFunc, opaque: *mut c_void) -> *mut SpiceTimer>,
    pub timer_start: Option<unsafe extern "C" fn(timer: *mut SpiceTimer, ms: u32)>,
    pub timer_cancel: Option<unsafe extern "C" fn(timer: *mut SpiceTimer)>,
    pub timer_remove: Option<unsafe extern "C" fn(timer: *mut SpiceTimer)>,
    pub watch_add: Option<
        unsafe extern "C" fn(fd: c_int, mask: c_int, func: WatchFunc, opaque: *mut c_void) -> *mut SpiceWatch,
    >,
    pub watch_update_mask: Option<unsafe extern "C" fn(watch: *mut SpiceWatch, mask: c_int)>,
    pub watch_remove: Option<unsafe extern "C" fn(watch: *mut SpiceWatch)>,
    pub channel_event: Option<unsafe extern "C" fn(event: c_int, info: *mut SpiceChannelEventInfo)>,
}

/// [`SpiceBaseInterface`], in a structure that is copied.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CoreBase {
    pub kind: *const c_char,
    pub description: *const c_char,
    pub major_version: u32,
    pub minor_version: u32,
}
