//! `spice-qxl.h`, and what `spice/qxl_dev.h` has of it.

use std::ffi::{c_int, c_void};

use super::base::{SpiceBaseInstance, SpiceBaseInterface};

#[repr(C, packed)]
#[derive(Clone, Copy, Debug, Default)]
pub struct QXLCommand {
    pub data: u64,
    pub kind: u32,
    pub padding: u32,
}

#[repr(C, packed)]
#[derive(Clone, Copy, Debug, Default)]
pub struct QXLCommandExt {
    pub cmd: QXLCommand,
    pub group_id: u32,
    pub flags: u32,
}

/// `QXLReleaseInfo`, of which only the address is passed on.
#[repr(C)]
#[derive(Debug)]
pub struct QXLReleaseInfo {
    _private: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct QXLReleaseInfoExt {
    pub info: *mut QXLReleaseInfo,
    pub group_id: u32,
}

#[repr(C, packed)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QXLRect {
    pub top: i32,
    pub left: i32,
    pub bottom: i32,
    pub right: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct QXLDevInitInfo {
    pub num_memslots_groups: u32,
    pub num_memslots: u32,
    pub memslot_gen_bits: u8,
    pub memslot_id_bits: u8,
    pub qxl_ram_size: u32,
    pub internal_groupslot_id: u8,
    pub n_surfaces: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct QXLDevMemSlot {
    pub slot_group_id: u32,
    pub slot_id: u32,
    pub generation: u32,
    pub virt_start: usize,
    pub virt_end: usize,
    pub addr_delta: u64,
    pub qxl_ram_size: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct QXLDevSurfaceCreate {
    pub width: u32,
    pub height: u32,
    pub stride: i32,
    pub format: u32,
    pub position: u32,
    pub mouse_mode: u32,
    pub flags: u32,
    pub kind: u32,
    pub mem: u64,
    pub group_id: u32,
}

/// Bytes of the capabilities that a guest is shown.
pub const CAPABILITIES: usize = 58;

#[repr(C)]
#[derive(Debug)]
pub struct QXLInterface {
    pub base: SpiceBaseInterface,
    pub attached_worker: Option<unsafe extern "C" fn(qin: *mut QXLInstance)>,
    pub set_compression_level: Option<unsafe extern "C" fn(qin: *mut QXLInstance, level: c_int)>,
    pub set_mm_time: Option<unsafe extern "C" fn(qin: *mut QXLInstance, mm_time: u32)>,
    pub get_init_info: Option<unsafe extern "C" fn(qin: *mut QXLInstance, info: *mut QXLDevInitInfo)>,
    pub get_command: Option<unsafe extern "C" fn(qin: *mut QXLInstance, cmd: *mut QXLCommandExt) -> c_int>,
    pub req_cmd_notification: Option<unsafe extern "C" fn(qin: *mut QXLInstance) -> c_int>,
    pub release_resource: Option<unsafe extern "C" fn(qin: *mut QXLInstance, info: QXLReleaseInfoExt)>,
    pub get_cursor_command:
        Option<unsafe extern "C" fn(qin: *mut QXLInstance, cmd: *mut QXLCommandExt) -> c_int>,
    pub req_cursor_notification: Option<unsafe extern "C" fn(qin: *mut QXLInstance) -> c_int>,
    pub notify_update: Option<unsafe extern "C" fn(qin: *mut QXLInstance, update_id: u32)>,
    pub flush_resources: Option<unsafe extern "C" fn(qin: *mut QXLInstance) -> c_int>,
    pub async_complete: Option<unsafe extern "C" fn(qin: *mut QXLInstance, cookie: u64)>,
    pub update_area_complete:
        Option<unsafe extern "C" fn(qin: *mut QXLInstance, surface: u32, rects: *mut QXLRect, count: u32)>,
    /// From minor version 2 on.
    pub set_client_capabilities:
        Option<unsafe extern "C" fn(qin: *mut QXLInstance, present: u8, caps: *mut u8)>,
    /// From minor version 3 on.
    pub client_monitors_config:
        Option<unsafe extern "C" fn(qin: *mut QXLInstance, config: *mut c_void) -> c_int>,
}

#[repr(C)]
#[derive(Debug)]
pub struct QXLInstance {
    pub base: SpiceBaseInstance,
    pub id: c_int,
    pub st: *mut c_void,
}
