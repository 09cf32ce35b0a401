//! `spice-core.h`.

use std::ffi::{c_char, c_int, c_void};

use libc::{sockaddr, sockaddr_storage, socklen_t};

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceBaseInterface {
    pub(crate) kind: *const c_char,
    pub(crate) description: *const c_char,
    pub(crate) major_version: u32,
    pub(crate) minor_version: u32,
}

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceBaseInstance {
    pub(crate) sif: *const SpiceBaseInterface,
}

/// The host's own timer.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceTimer {
    _private: [u8; 0],
}

/// The host's own watch.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceWatch {
    _private: [u8; 0],
}

pub(crate) const WATCH_READ: c_int = 1;

pub(crate) type TimerFunc = unsafe extern "C" fn(opaque: *mut c_void);
pub(crate) type WatchFunc = unsafe extern "C" fn(fd: c_int, event: c_int, opaque: *mut c_void);

pub(crate) const EVENT_CONNECTED: c_int = 1;
pub(crate) const EVENT_INITIALIZED: c_int = 2;
pub(crate) const EVENT_DISCONNECTED: c_int = 3;

pub(crate) const EVENT_FLAG_TLS: c_int = 1;
pub(crate) const EVENT_FLAG_ADDR_EXT: c_int = 2;

#[repr(C)]
pub(crate) struct SpiceChannelEventInfo {
    pub(crate) connection_id: c_int,
    pub(crate) kind: c_int,
    pub(crate) id: c_int,
    pub(crate) flags: c_int,
    pub(crate) laddr: sockaddr,
    pub(crate) paddr: sockaddr,
    pub(crate) llen: socklen_t,
    pub(crate) plen: socklen_t,
    pub(crate) laddr_ext: sockaddr_storage,
    pub(crate) paddr_ext: sockaddr_storage,
    pub(crate) llen_ext: socklen_t,
    pub(crate) plen_ext: socklen_t,
}

/// What the host's main loop does for the library. A host need not have everything, so each is asked for.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpiceCoreInterface {
    pub(crate) base: CoreBase,
    pub(crate) timer_add:
        Option<unsafe extern "C" fn(func: TimerFunc, opaque: *mut c_void) -> *mut SpiceTimer>,
    pub(crate) timer_start: Option<unsafe extern "C" fn(timer: *mut SpiceTimer, ms: u32)>,
    pub(crate) timer_cancel: Option<unsafe extern "C" fn(timer: *mut SpiceTimer)>,
    pub(crate) timer_remove: Option<unsafe extern "C" fn(timer: *mut SpiceTimer)>,
    pub(crate) watch_add: Option<
        unsafe extern "C" fn(fd: c_int, mask: c_int, func: WatchFunc, opaque: *mut c_void) -> *mut SpiceWatch,
    >,
    pub(crate) watch_update_mask: Option<unsafe extern "C" fn(watch: *mut SpiceWatch, mask: c_int)>,
    pub(crate) watch_remove: Option<unsafe extern "C" fn(watch: *mut SpiceWatch)>,
    pub(crate) channel_event: Option<unsafe extern "C" fn(event: c_int, info: *mut SpiceChannelEventInfo)>,
}

/// [`SpiceBaseInterface`], in a structure that is copied.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct CoreBase {
    pub(crate) kind: *const c_char,
    pub(crate) description: *const c_char,
    pub(crate) major_version: u32,
    pub(crate) minor_version: u32,
}
