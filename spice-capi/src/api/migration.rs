//! Migration (`spice-migration.h`): viewers that can link to the target before the machine moves; the others are sent
//! there when it has moved, and come to it anew.

use std::ffi::{c_char, c_int};
use std::sync::Arc;

use spice_server::{MigrationEvent, MigrationSink, MigrationTarget};

use super::{server, text};
use crate::abi::migration::{SpiceMigrateInstance, SpiceMigrateInterface};
use crate::guard::guard;
use crate::server::SpiceServer;

impl SpiceServer {
    fn complete_migration(&self, event: MigrationEvent) {
        let instance = self.plugged().migration.instance;
        if instance.is_null() {
            return;
        }
        // SAFETY: the instance and its interface are the host's; this is its thread, and no lock is held.
        unsafe {
            let interface = (*instance).base.sif.cast::<SpiceMigrateInterface>();
            let complete = match event {
                MigrationEvent::Connected => (*interface).migrate_connect_complete,
                MigrationEvent::Ended => (*interface).migrate_end_complete,
            };
            if let Some(complete) = complete {
                complete(instance);
            }
        }
    }

    /// Sends viewers to the target; answers whether there is one.
    fn switch_host(&self) -> bool {
        let target = self.plugged().migration.target.take();
        let (Some(running), Some(target)) = (self.running(), target) else { return false };
        running.control.switch_host(target);
        true
    }
}

/// Where a machine moves to; nothing where no host or no port is named.
///
/// # Safety
/// As [`text`].
unsafe fn target(
    dest: *const c_char,
    port: c_int,
    secure_port: c_int,
    cert_subject: *const c_char,
) -> Option<MigrationTarget> {
    // SAFETY: by the contract.
    let (host, subject) = unsafe { (text(dest), text(cert_subject)) };
    let number = |port: c_int| u16::try_from(port).ok().filter(|port| *port != 0);
    let (port, secure_port) = (number(port), number(secure_port));
    port.or(secure_port)?;
    let host = host?.to_string_lossy().into_owned();
    let subject = subject.map(|subject| subject.to_string_lossy().into_owned());
    Some(MigrationTarget { host, port, secure_port, subject })
}

pub(super) unsafe fn add(server: &SpiceServer, sin: *mut SpiceMigrateInstance) -> Option<()> {
    let migration = &mut server.plugged().migration;
    if !migration.instance.is_null() {
        return None;
    }
    migration.instance = sin;
    // SAFETY: the instance is the host's.
    unsafe { (*sin).st = std::ptr::from_ref(server).cast_mut().cast() };
    Some(())
}

/// `spice_server_migrate_info`: where viewers are sent by `spice_server_migrate_switch`; -1 for no place.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_migrate_info(
    s: *mut SpiceServer,
    dest: *const c_char,
    port: c_int,
    secure_port: c_int,
    cert_subject: *const c_char,
) -> c_int {
    guard("spice_server_migrate_info", -1, || {
        // SAFETY: as the module says.
        let (server, target) = unsafe { (server(s), target(dest, port, secure_port, cert_subject)) };
        let (Some(server), Some(target)) = (server, target) else { return -1 };
        let migration = &mut server.plugged().migration;
        (migration.target, migration.begun) = (Some(target), false);
        0
    })
}

/// `spice_server_migrate_connect`: viewers that can link to the target. The host is told when they have, or after 10
/// seconds. -1 for no place, which the host is told, too.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_migrate_connect(
    s: *mut SpiceServer,
    dest: *const c_char,
    port: c_int,
    secure_port: c_int,
    cert_subject: *const c_char,
) -> c_int {
    guard("spice_server_migrate_connect", -1, || {
        // SAFETY: as the module says.
        let (server, target) = unsafe { (server(s), target(dest, port, secure_port, cert_subject)) };
        let Some(server) = server else { return -1 };
        {
            let migration = &mut server.plugged().migration;
            migration.target.clone_from(&target);
            migration.begun = target.is_some();
        }
        let Some((running, target)) = server.running().zip(target) else {
            server.complete_migration(MigrationEvent::Connected);
            return -1;
        };
        let bridge = Arc::clone(&running.bridge);
        let sink =
            MigrationSink::new(move |event| bridge.post(move |server| server.complete_migration(event)));
        running.control.begin_migration(target, sink);
        0
    })
}

/// `spice_server_migrate_start`: -1 where no target is known.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_migrate_start(s: *mut SpiceServer) -> c_int {
    guard("spice_server_migrate_start", -1, || {
        // SAFETY: as the module says.
        let server = unsafe { server(s) };
        super::status(server.is_some_and(|server| server.plugged().migration.target.is_some()))
    })
}

/// `spice_server_migrate_end`: a machine that has moved takes its viewers along, and the host is told when they have left;
/// -1 where nobody knows where to, and they are ended.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_migrate_end(s: *mut SpiceServer, completed: c_int) -> c_int {
    guard("spice_server_migrate_end", -1, || {
        // SAFETY: as the module says.
        let Some(server) = (unsafe { server(s) }) else { return -1 };
        if std::mem::take(&mut server.plugged().migration.begun) {
            server.plugged().migration.target = None;
            if let Some(running) = server.running() {
                running.control.end_migration(completed != 0);
            }
            return 0;
        }
        let mut told = true;
        if completed == 0 {
            server.plugged().migration.target = None;
        } else if server.viewers() > 0 && !server.switch_host() {
            tracing::warn!("nobody has said where the machine has moved to: its viewers are ended");
            server.disconnect_all();
            told = false;
        }
        server.complete_migration(MigrationEvent::Ended);
        super::status(told)
    })
}

/// `spice_server_migrate_switch`: viewers go to the place that `spice_server_migrate_info` has named.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_migrate_switch(s: *mut SpiceServer) -> c_int {
    guard("spice_server_migrate_switch", -1, || {
        // SAFETY: as the module says.
        let Some(server) = (unsafe { server(s) }) else { return -1 };
        if server.viewers() > 0 && !server.switch_host() {
            tracing::warn!("nobody has said where the machine moves to");
        }
        0
    })
}

/// `spice_server_set_seamless_migration`: kept; viewers come to the target anew.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_seamless_migration(s: *mut SpiceServer, enable: c_int) {
    guard("spice_server_set_seamless_migration", (), || {
        // SAFETY: as the module says.
        if let Some(server) = unsafe { server(s) } {
            server.settings().seamless_migration = enable != 0;
        }
    });
}
