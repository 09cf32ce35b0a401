//! The functions of `spice-replay.h`.
//!
//! What all of them expect of the host: a replay is one of `spice_replay_new` that was not freed yet; commands are asked
//! for on one thread, which is none of a display's worker, and given back, each once, on any.

use std::ffi::c_int;
use std::io::BufReader;
use std::ptr::null_mut;

use libc::FILE;

use super::command::ReplayCommand;
use super::file::HostFile;
use super::{Device, Replay};
use crate::abi::qxl::{QXLCommandExt, QXLDevSurfaceCreate, QXLInstance};
use crate::api::qxl::{
    _spice_qxl_create_primary_surface, _spice_qxl_destroy_primary_surface, _spice_qxl_destroy_surfaces,
};
use crate::guard::guard;

/// Bytes that are read at a time.
const ROOM: usize = 64 << 10;

/// A recording that is being played, as the host holds it.
#[derive(Debug)]
pub(super) struct SpiceReplay {
    replay: Replay<BufReader<HostFile>>,
    file: *mut FILE,
}

/// The host's device.
struct HostDevice {
    instance: *mut QXLInstance,
}

impl Device for HostDevice {
    fn create_primary(&mut self, create: &mut QXLDevSurfaceCreate) {
        // SAFETY: the instance is the host's, who has given it for this.
        unsafe { _spice_qxl_create_primary_surface(self.instance, 0, create) };
    }

    fn destroy_primary(&mut self) {
        // SAFETY: as above.
        unsafe { _spice_qxl_destroy_primary_surface(self.instance, 0) };
    }

    fn destroy_surfaces(&mut self) {
        // SAFETY: as above.
        unsafe { _spice_qxl_destroy_surfaces(self.instance) };
    }
}

/// `spice_replay_new`: null for what is no recording, whose file is still the host's then. Else the file, which may be
/// a pipe, is this library's: it is read ahead of the commands, and closed by `spice_replay_free`.
///
/// The device has surfaces with ids below `nsurfaces`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn _spice_replay_new(file: *mut FILE, nsurfaces: c_int) -> *mut SpiceReplay {
    guard("spice_replay_new", null_mut(), || {
        crate::log::start();
        if file.is_null() {
            tracing::error!("spice_replay_new: there is no file");
            return null_mut();
        }
        // SAFETY: the host's file stays open until the replay is freed.
        let reader = BufReader::with_capacity(ROOM, unsafe { HostFile::new(file) });
        match Replay::new(reader, u32::try_from(nsurfaces).unwrap_or(0)) {
            Ok(replay) => Box::into_raw(Box::new(SpiceReplay { replay, file })),
            Err(error) => {
                tracing::warn!("spice_replay_new: {error}");
                null_mut()
            }
        }
    })
}

/// `spice_replay_next_cmd`: the next command, or null at the end. What the recorded device was told before it, the
/// instance is told, and it is waited until that is done.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn _spice_replay_next_cmd(
    replay: *mut SpiceReplay,
    instance: *mut QXLInstance,
) -> *mut QXLCommandExt {
    guard("spice_replay_next_cmd", null_mut(), || {
        // SAFETY: as the module says.
        let Some(replay) = (unsafe { replay.as_ref() }) else { return null_mut() };
        let Some(command) = replay.replay.next(&mut HostDevice { instance }) else { return null_mut() };
        let command = Box::into_raw(command);
        // The host finds it again by the number in its release info.
        command.expose_provenance();
        command.cast()
    })
}

/// `spice_replay_free_cmd`: the host is done with a command, and so is the server.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn _spice_replay_free_cmd(replay: *mut SpiceReplay, cmd: *mut QXLCommandExt) {
    guard("spice_replay_free_cmd", (), || {
        // SAFETY: as the module says.
        let Some(replay) = (unsafe { replay.as_ref() }) else { return };
        if !cmd.is_null() {
            // SAFETY: it is the first field of a command that `spice_replay_next_cmd` has given out.
            replay.replay.free(unsafe { Box::from_raw(cmd.cast::<ReplayCommand>()) });
        }
    });
}

/// `spice_replay_free`: closes the file, too. The primary surface's memory goes with it, so it has to be destroyed
/// before, or the device removed. Commands that the host still has are lost.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn _spice_replay_free(replay: *mut SpiceReplay) {
    guard("spice_replay_free", (), || {
        if replay.is_null() {
            return;
        }
        // SAFETY: as the module says.
        let SpiceReplay { replay, file } = *unsafe { Box::from_raw(replay) };
        drop(replay);
        // SAFETY: the host has left it to the replay, and nothing reads it any more.
        unsafe { libc::fclose(file) };
    });
}
