//! The life of a server (`spice-server.h`).

use std::ffi::{c_char, c_int};
use std::ptr::null_mut;

use super::{server, status, text};
use crate::abi::base::SpiceCoreInterface;
use crate::guard::guard;
use crate::host::Core;
use crate::log;
use crate::server::SpiceServer;

/// The only version of the protocol before migration was agreed on otherwise (`SPICE_COMPAT_VERSION_0_6`).
const COMPAT_VERSION: c_int = 1;

/// `spice_server_new`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_new() -> *mut SpiceServer {
    guard("spice_server_new", null_mut(), || {
        log::start();
        Box::into_raw(Box::new(SpiceServer::new()))
    })
}

/// `spice_server_init`: 0, or -1 where it cannot listen or have what it needs.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_init(
    s: *mut SpiceServer,
    core: *mut SpiceCoreInterface,
) -> c_int {
    guard("spice_server_init", -1, || {
        // SAFETY: as the module says.
        let (Some(server), Some(core)) = (unsafe { server(s) }, unsafe { core.as_ref() }) else { return -1 };
        if core.base.major_version != 1 {
            tracing::warn!("the host's core interface is of version {}, not 1", core.base.major_version);
            return -1;
        }
        // SAFETY: the table is the host's.
        let started = server.start(unsafe { Core::new(*core) });
        if let Err(error) = &started {
            tracing::warn!("the server does not start: {error}");
        }
        status(started.is_ok())
    })
}

/// `spice_server_destroy`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_destroy(s: *mut SpiceServer) {
    guard("spice_server_destroy", (), || {
        if !s.is_null() {
            // SAFETY: the host gives back what `spice_server_new` gave to it.
            let server = unsafe { Box::from_raw(s) };
            // SAFETY: the host ends a server before what it has added to it.
            unsafe { super::interfaces::remove_all(&server) };
            server.stop();
        }
    });
}

/// `spice_get_current_compat_version`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_get_current_compat_version() -> c_int {
    COMPAT_VERSION
}

/// `spice_server_set_compat_version`: 0 for the one that there is.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_compat_version(
    _: *mut SpiceServer,
    version: c_int,
) -> c_int {
    status(version == COMPAT_VERSION)
}

/// `spice_server_vm_start`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_vm_start(s: *mut SpiceServer) {
    guard("spice_server_vm_start", (), || {
        // SAFETY: as the module says.
        if let Some(server) = unsafe { server(s) } {
            server.set_vm_runs(true);
        }
    });
}

/// `spice_server_vm_stop`: when it returns, nothing is taken from the guest any more, and its memory has every pixel.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_vm_stop(s: *mut SpiceServer) {
    guard("spice_server_vm_stop", (), || {
        // SAFETY: as the module says.
        if let Some(server) = unsafe { server(s) } {
            server.set_vm_runs(false);
        }
    });
}

/// `spice_server_set_name`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_name(s: *mut SpiceServer, name: *const c_char) {
    guard("spice_server_set_name", (), || {
        // SAFETY: as the module says.
        let (server, name) = unsafe { (server(s), text(name)) };
        let Some(server) = server else { return };
        let name = name.map(|name| name.to_string_lossy().into_owned());
        server.settings().name.clone_from(&name);
        if let Some(running) = server.running() {
            running.control.set_name(name);
        }
    });
}

/// `spice_server_set_uuid`: 16 bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_uuid(s: *mut SpiceServer, uuid: *const [u8; 16]) {
    guard("spice_server_set_uuid", (), || {
        // SAFETY: as the module says.
        let (server, uuid) = unsafe { (server(s), uuid.as_ref().copied()) };
        let Some(server) = server else { return };
        server.settings().uuid = uuid;
        if let Some(running) = server.running() {
            running.control.set_uuid(uuid);
        }
    });
}
