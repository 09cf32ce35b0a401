//! Migration (`spice-migration.h`).

use crate::abi::migration::SpiceMigrateInstance;
use crate::server::SpiceServer;

pub(super) unsafe fn add(_: &SpiceServer, _: *mut SpiceMigrateInstance) -> Option<()> {
    None
}
