//! `spice-migration.h`.

use std::ffi::c_void;

use super::base::{SpiceBaseInstance, SpiceBaseInterface};

#[repr(C)]
#[derive(Debug)]
pub struct SpiceMigrateInterface {
    pub base: SpiceBaseInterface,
    pub migrate_connect_complete: Option<unsafe extern "C" fn(sin: *mut SpiceMigrateInstance)>,
    pub migrate_end_complete: Option<unsafe extern "C" fn(sin: *mut SpiceMigrateInstance)>,
}

#[repr(C)]
#[derive(Debug)]
pub struct SpiceMigrateInstance {
    pub base: SpiceBaseInstance,
    pub st: *mut c_void,
}
