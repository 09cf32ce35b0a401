//! The functions of the C interface.
//!
//! What all of them expect of the host: pointers are those that the headers say, and stay good for as long as the headers
//! say; a server's functions are called on one thread, but for those of QXL devices. A name that begins with an underscore
//! is exported without it, under its version (`build.rs`).

mod audio;
mod char_device;
mod clients;
mod interfaces;
mod migration;
mod options;
pub(crate) mod qxl;
mod server;

use std::ffi::{CStr, c_char, c_int};

use crate::server::SpiceServer;

/// The server of a handle.
///
/// # Safety
/// The handle is one of `spice_server_new`, and was not destroyed.
unsafe fn server<'a>(handle: *mut SpiceServer) -> Option<&'a SpiceServer> {
    // SAFETY: by the contract; a null handle is none.
    unsafe { handle.as_ref() }
}

/// A string of the host.
///
/// # Safety
/// It is null, or ends with a NUL, and stays for the time of the call.
unsafe fn text<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: by the contract.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

/// 0 for done, -1 for refused.
fn status(done: bool) -> c_int {
    if done { 0 } else { -1 }
}
