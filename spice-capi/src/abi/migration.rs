//! `spice-migration.h`.

use std::ffi::c_void;

use super::base::{SpiceBaseInstance, SpiceBaseInterface};

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceMigrateInterface {
    pub(crate) base: SpiceBaseInterface,
    pub(crate) migrate_connect_complete: Option<unsafe extern "C" fn(sin: *mut SpiceMigrateInstance)>,
    pub(crate) migrate_end_complete: Option<unsafe extern "C" fn(sin: *mut SpiceMigrateInstance)>,
}

#[repr(C)]
#[derive(Debug)]
pub(crate) struct SpiceMigrateInstance {
    pub(crate) base: SpiceBaseInstance,
    pub(crate) st: *mut c_void,
}
