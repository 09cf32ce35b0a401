//! `spice-qxl.h`, and what `spice/qxl_dev.h` has of it.

use std::ffi::{c_int, c_void};

use super::base::{SpiceBaseInstance, SpiceBaseInterface};

#[repr(C, packed)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct QXLCommand {
    pub(crate) data: u64,
    pub(crate) kind: u32,
    pub(crate) padding: u32,
}

#[repr(C, packed)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct QXLCommandExt {
    pub(crate) cmd: QXLCommand,
    pub(crate) group_id: u32,
    pub(crate) flags: u32,
}

/// `QXLReleaseInfo`, of which only the address is passed on.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct QXLReleaseInfo {
    _private: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct QXLReleaseInfoExt {
    pub(crate) info: *mut QXLReleaseInfo,
    pub(crate) group_id: u32,
}

#[repr(C, packed)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct QXLRect {
    pub(crate) top: i32,
    pub(crate) left: i32,
    pub(crate) bottom: i32,
    pub(crate) right: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct QXLDevInitInfo {
    pub(crate) num_memslots_groups: u32,
    pub(crate) num_memslots: u32,
    pub(crate) memslot_gen_bits: u8,
    pub(crate) memslot_id_bits: u8,
    pub(crate) qxl_ram_size: u32,
    pub(crate) internal_groupslot_id: u8,
    pub(crate) n_surfaces: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct QXLDevMemSlot {
    pub(crate) slot_group_id: u32,
    pub(crate) slot_id: u32,
    pub(crate) generation: u32,
    pub(crate) virt_start: usize,
    pub(crate) virt_end: usize,
    pub(crate) addr_delta: u64,
    pub(crate) qxl_ram_size: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct QXLDevSurfaceCreate {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) stride: i32,
    pub(crate) format: u32,
    pub(crate) position: u32,
    pub(crate) mouse_mode: u32,
    pub(crate) flags: u32,
    pub(crate) kind: u32,
    pub(crate) mem: u64,
    pub(crate) group_id: u32,
}

/// Bytes of the capabilities that a guest is shown.
pub(crate) const CAPABILITIES: usize = 58;

#[repr(C)]
#[derive(Debug)]
pub(crate) struct QXLInterface {
    pub(crate) base: SpiceBaseInterface,
    pub(crate) attached_worker: Option<unsafe extern "C" fn(qin: *mut QXLInstance)>,
    pub(crate) set_compression_level: Option<unsafe extern "C" fn(qin: *mut QXLInstance, level: c_int)>,
    pub(crate) set_mm_time: Option<unsafe extern "C" fn(qin: *mut QXLInstance, mm_time: u32)>,
    pub(crate) get_init_info: Option<unsafe extern "C" fn(qin: *mut QXLInstance, info: *mut QXLDevInitInfo)>,
    pub(crate) get_command:
        Option<unsafe extern "C" fn(qin: *mut QXLInstance, cmd: *mut QXLCommandExt) -> c_int>,
    pub(crate) req_cmd_notification: Option<unsafe extern "C" fn(qin: *mut QXLInstance) -> c_int>,
    pub(crate) release_resource: Option<unsafe extern "C" fn(qin: *mut QXLInstance, info: QXLReleaseInfoExt)>,
    pub(crate) get_cursor_command:
        Option<unsafe extern "C" fn(qin: *mut QXLInstance, cmd: *mut QXLCommandExt) -> c_int>,
    pub(crate) req_cursor_notification: Option<unsafe extern "C" fn(qin: *mut QXLInstance) -> c_int>,
    pub(crate) notify_update: Option<unsafe extern "C" fn(qin: *mut QXLInstance, update_id: u32)>,
    pub(crate) flush_resources: Option<unsafe extern "C" fn(qin: *mut QXLInstance) -> c_int>,
    pub(crate) async_complete: Option<unsafe extern "C" fn(qin: *mut QXLInstance, cookie: u64)>,
    pub(crate) update_area_complete:
        Option<unsafe extern "C" fn(qin: *mut QXLInstance, surface: u32, rects: *mut QXLRect, count: u32)>,
    /// From minor version 2 on.
    pub(crate) set_client_capabilities:
        Option<unsafe extern "C" fn(qin: *mut QXLInstance, present: u8, caps: *mut u8)>,
    /// From minor version 3 on.
    pub(crate) client_monitors_config:
        Option<unsafe extern "C" fn(qin: *mut QXLInstance, config: *mut c_void) -> c_int>,
}

#[repr(C)]
#[derive(Debug)]
pub(crate) struct QXLInstance {
    pub(crate) base: SpiceBaseInstance,
    pub(crate) id: c_int,
    pub(crate) st: *mut c_void,
}
