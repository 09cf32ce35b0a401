//! Viewers: who comes in, by what (`spice-server.h`).

use std::ffi::{c_char, c_int};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use libc::{sockaddr, socklen_t};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::{server, status, text};
use crate::guard::guard;
use crate::server::SpiceServer;
use crate::settings::ticket;

/// Bytes of the longest password (`SPICE_MAX_PASSWORD_LENGTH`).
const LONGEST_PASSWORD: usize = 60;

/// `spice_server_set_noauth`: anybody is let in.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_noauth(s: *mut SpiceServer) -> c_int {
    guard("spice_server_set_noauth", -1, || {
        // SAFETY: as the module says.
        let Some(server) = (unsafe { server(s) }) else { return -1 };
        server.settings().ticketing = false;
        if let Some(running) = server.running() {
            let opened = running.control.set_open(true);
            return status(opened.is_ok());
        }
        0
    })
}

/// `spice_server_set_ticket`: the only password from now on; none at all lets nobody in. A lifetime of 0 seconds has no
/// end. -1 where there are viewers and `fail_if_connected` is set, or for a password that is too long.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_ticket(
    s: *mut SpiceServer,
    passwd: *const c_char,
    lifetime: c_int,
    fail_if_connected: c_int,
    disconnect_if_connected: c_int,
) -> c_int {
    guard("spice_server_set_ticket", -1, || {
        // SAFETY: as the module says.
        let (server, password) = unsafe { (server(s), text(passwd)) };
        let Some(server) = server else { return -1 };
        if server.viewers() > 0 {
            if fail_if_connected != 0 {
                return -1;
            }
            if disconnect_if_connected != 0 {
                server.disconnect_all();
            }
        }
        let password = password.map_or(&[][..], |password| password.to_bytes());
        if password.len() > LONGEST_PASSWORD {
            return -1;
        }
        // A lifetime that is over already is what the C library makes of a negative one.
        let lifetime = (lifetime != 0).then(|| Duration::from_secs(lifetime.try_into().unwrap_or(0)));
        server.set_ticket(ticket(password, lifetime));
        0
    })
}

/// `spice_server_add_client`: a connection that the host has accepted. With `skip_auth`, no ticket is asked for. On
/// failure (-1) the socket stays the host's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_add_client(
    s: *mut SpiceServer,
    socket: c_int,
    skip_auth: c_int,
) -> c_int {
    guard("spice_server_add_client", -1, || {
        // SAFETY: as the module says.
        add(unsafe { server(s) }, socket, skip_auth != 0, false)
    })
}

/// `spice_server_add_ssl_client`: the same, and TLS is spoken on it; -1 too where there is no certificate, or where the
/// viewer has gone already.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_add_ssl_client(
    s: *mut SpiceServer,
    socket: c_int,
    skip_auth: c_int,
) -> c_int {
    guard("spice_server_add_ssl_client", -1, || {
        // SAFETY: as the module says.
        add(unsafe { server(s) }, socket, skip_auth != 0, true)
    })
}

fn add(server: Option<&SpiceServer>, socket: c_int, vouched: bool, tls: bool) -> c_int {
    let Some(running) = server.and_then(SpiceServer::running) else { return -1 };
    if socket < 0 || (tls && server.is_none_or(|server| server.settings().tls.is_none())) {
        return -1;
    }
    // SAFETY: the host says that it is an open descriptor.
    let borrowed = unsafe { BorrowedFd::borrow_raw(socket) };
    let Ok(own) = borrowed.try_clone_to_owned() else { return -1 };
    if tls && has_ended(&own) {
        tracing::warn!("SSL_accept failed: the host's connection has ended already");
        return -1;
    }
    match running.control.serve_for_host(own, vouched, tls) {
        Ok(()) => {
            // SAFETY: the socket is the server's from now on: the host has given it, and our copy is in use.
            drop(unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(socket) });
            0
        }
        Err(error) => {
            tracing::warn!("the host's connection is not taken: {error}");
            -1
        }
    }
}

/// Whether a connection has nothing more to say, and never will.
fn has_ended(socket: &OwnedFd) -> bool {
    match recv(socket, &mut [0_u8; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
        Ok((_, bytes)) => bytes == 0,
        Err(error) => error != Errno::WOULDBLOCK,
    }
}

/// `spice_server_get_num_clients`: viewers that have a main channel.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_get_num_clients(s: *mut SpiceServer) -> c_int {
    guard("spice_server_get_num_clients", 0, || {
        // SAFETY: as the module says.
        unsafe { server(s) }.map_or(0, |server| server.viewers().try_into().unwrap_or(c_int::MAX))
    })
}

/// `spice_server_get_sock_info`: -1, as in the C library: with several viewers there is no one socket.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_get_sock_info(
    _: *mut SpiceServer,
    _: *mut sockaddr,
    _: *mut socklen_t,
) -> c_int {
    -1
}

/// `spice_server_get_peer_info`: -1, as above.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_get_peer_info(
    _: *mut SpiceServer,
    _: *mut sockaddr,
    _: *mut socklen_t,
) -> c_int {
    -1
}

/// `spice_server_is_server_mouse`: whether viewers send motion rather than positions.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_is_server_mouse(s: *mut SpiceServer) -> c_int {
    guard("spice_server_is_server_mouse", 1, || {
        // SAFETY: as the module says.
        let running = unsafe { server(s) }.and_then(SpiceServer::running);
        running.map_or(1, |running| (!running.control.takes_positions()).into())
    })
}

/// `spice_server_set_exit_on_disconnect`: the process ends with its first viewer.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_exit_on_disconnect(
    s: *mut SpiceServer,
    flag: c_int,
) -> c_int {
    guard("spice_server_set_exit_on_disconnect", -1, || {
        // SAFETY: as the module says.
        let Some(server) = (unsafe { server(s) }) else { return -1 };
        server.settings().exit_on_disconnect = flag != 0;
        status(true)
    })
}
