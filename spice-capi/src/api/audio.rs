//! Sound (`spice-audio.h`).

use std::ffi::c_void;
use std::ptr::null_mut;

use spice_server::{Playback, Record, SOUND_FRAMES, SOUND_RATE};

use crate::abi::audio::{SpicePlaybackInstance, SpiceRecordInstance};
use crate::abi::base::SpiceBaseInstance;
use crate::guard::guard;
use crate::server::SpiceServer;

/// The server that a playback or record instance was added to.
///
/// # Safety
/// The instance is the host's; its `st` is null or what was put there.
pub(super) unsafe fn server_of<'a>(sin: *mut SpiceBaseInstance) -> Option<&'a SpiceServer> {
    // SAFETY: both instances have their `st` at the same place, and both states begin with the server.
    unsafe { (*sin.cast::<SpicePlaybackInstance>()).st.cast::<*const SpiceServer>().as_ref()?.as_ref() }
}

/// What a playback instance's `st` points to while it is added.
#[repr(C)]
#[derive(Debug)]
struct PlaybackState {
    server: *const SpiceServer,
    playback: Playback,
    /// The buffer that the host fills.
    buffer: [u32; SOUND_FRAMES],
}

/// What a record instance's `st` points to while it is added.
#[repr(C)]
#[derive(Debug)]
struct RecordState {
    server: *const SpiceServer,
    record: Record,
}

/// What an instance's `st` points to.
///
/// # Safety
/// `st` is null, or points to a `T` that is used by this thread alone.
unsafe fn state<'a, T>(st: *mut c_void) -> Option<&'a mut T> {
    // SAFETY: by the contract.
    unsafe { st.cast::<T>().as_mut() }
}

/// The state of a playback instance.
///
/// # Safety
/// The instance is the host's, and its `st` what `add_playback` has put there, or null.
unsafe fn playback<'a>(sin: *mut SpicePlaybackInstance) -> Option<&'a mut PlaybackState> {
    // SAFETY: by the contract.
    unsafe { state(sin.as_ref()?.st) }
}

/// The state of a record instance.
///
/// # Safety
/// As [`playback`].
unsafe fn record<'a>(sin: *mut SpiceRecordInstance) -> Option<&'a mut RecordState> {
    // SAFETY: by the contract.
    unsafe { state(sin.as_ref()?.st) }
}

pub(super) unsafe fn add_playback(server: &SpiceServer, sin: *mut SpicePlaybackInstance) -> Option<()> {
    let playback = server.running()?.control.add_playback();
    let playback = playback.inspect_err(|error| tracing::warn!("playback: {error}")).ok()?;
    let state = Box::new(PlaybackState { server, playback, buffer: [0; SOUND_FRAMES] });
    // SAFETY: the instance is the host's.
    unsafe { (*sin).st = Box::into_raw(state).cast() };
    Some(())
}

pub(super) unsafe fn remove_playback(sin: *mut SpicePlaybackInstance) -> Option<()> {
    // SAFETY: the instance is the host's; what its `st` points to is used by nobody any more.
    unsafe {
        let st = std::mem::replace(&mut (*sin).st, null_mut()).cast::<PlaybackState>();
        (!st.is_null()).then(|| drop(Box::from_raw(st)))
    }
}

pub(super) unsafe fn add_record(server: &SpiceServer, sin: *mut SpiceRecordInstance) -> Option<()> {
    let record = server.running()?.control.add_record();
    let record = record.inspect_err(|error| tracing::warn!("record: {error}")).ok()?;
    // SAFETY: the instance is the host's.
    unsafe { (*sin).st = Box::into_raw(Box::new(RecordState { server, record })).cast() };
    Some(())
}

pub(super) unsafe fn remove_record(sin: *mut SpiceRecordInstance) -> Option<()> {
    // SAFETY: the instance is the host's; what its `st` points to is used by nobody any more.
    unsafe {
        let st = std::mem::replace(&mut (*sin).st, null_mut()).cast::<RecordState>();
        (!st.is_null()).then(|| drop(Box::from_raw(st)))
    }
}

/// The volume of each channel, as the host has it.
///
/// # Safety
/// There are as many numbers as it says, or none.
unsafe fn volumes<'a>(nchannels: u8, volume: *const u16) -> &'a [u16] {
    if volume.is_null() {
        return &[];
    }
    // SAFETY: by the contract.
    unsafe { std::slice::from_raw_parts(volume, nchannels.into()) }
}

/// `spice_server_playback_start`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_playback_start(sin: *mut SpicePlaybackInstance) {
    guard("spice_server_playback_start", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { playback(sin) } {
            state.playback.start();
        }
    });
}

/// `spice_server_playback_stop`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_playback_stop(sin: *mut SpicePlaybackInstance) {
    guard("spice_server_playback_stop", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { playback(sin) } {
            state.playback.stop();
        }
    });
}

/// `spice_server_playback_get_buffer`: a buffer of 480 frames to be filled; none while nobody listens.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_playback_get_buffer(
    sin: *mut SpicePlaybackInstance,
    samples: *mut *mut u32,
    num_samples: *mut u32,
) {
    guard("spice_server_playback_get_buffer", (), || {
        // SAFETY: as the module says; both are places for an answer.
        let (state, samples, num_samples) =
            unsafe { (playback(sin), samples.as_mut(), num_samples.as_mut()) };
        let (Some(samples), Some(num_samples)) = (samples, num_samples) else { return };
        match state.filter(|state| state.playback.is_listened()) {
            Some(state) => {
                *samples = state.buffer.as_mut_ptr();
                *num_samples = SOUND_FRAMES as u32;
            }
            None => {
                *samples = null_mut();
                *num_samples = 0;
            }
        }
    });
}

/// `spice_server_playback_put_samples`: the buffer that was got, filled.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_playback_put_samples(
    sin: *mut SpicePlaybackInstance,
    samples: *mut u32,
) {
    guard("spice_server_playback_put_samples", (), || {
        // SAFETY: as the module says.
        let Some(state) = (unsafe { playback(sin) }) else { return };
        if samples == state.buffer.as_mut_ptr() {
            state.playback.put(&state.buffer);
        }
    });
}

/// `spice_server_playback_set_volume`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_playback_set_volume(
    sin: *mut SpicePlaybackInstance,
    nchannels: u8,
    volume: *mut u16,
) {
    guard("spice_server_playback_set_volume", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { playback(sin) } {
            // SAFETY: as the module says.
            state.playback.set_volume(unsafe { volumes(nchannels, volume) });
        }
    });
}

/// `spice_server_playback_set_mute`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_playback_set_mute(sin: *mut SpicePlaybackInstance, mute: u8) {
    guard("spice_server_playback_set_mute", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { playback(sin) } {
            state.playback.set_mute(mute != 0);
        }
    });
}

/// `spice_server_get_best_playback_rate`, in frames a second.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_get_best_playback_rate(_: *mut SpicePlaybackInstance) -> u32 {
    SOUND_RATE
}

/// `spice_server_set_playback_rate`: from the next start on.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_playback_rate(
    sin: *mut SpicePlaybackInstance,
    frequency: u32,
) {
    guard("spice_server_set_playback_rate", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { playback(sin) } {
            state.playback.set_rate(frequency);
        }
    });
}

/// `spice_server_record_start`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_record_start(sin: *mut SpiceRecordInstance) {
    guard("spice_server_record_start", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { record(sin) } {
            state.record.start();
        }
    });
}

/// `spice_server_record_stop`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_record_stop(sin: *mut SpiceRecordInstance) {
    guard("spice_server_record_stop", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { record(sin) } {
            state.record.stop();
        }
    });
}

/// `spice_server_record_get_samples`: how many frames there were, at most `bufsize`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_record_get_samples(
    sin: *mut SpiceRecordInstance,
    samples: *mut u32,
    bufsize: u32,
) -> u32 {
    guard("spice_server_record_get_samples", 0, || {
        // SAFETY: as the module says.
        let Some(state) = (unsafe { record(sin) }) else { return 0 };
        if samples.is_null() {
            return 0;
        }
        // SAFETY: the host has so many, and made them out of memory that is its own.
        let into = unsafe { std::slice::from_raw_parts_mut(samples, bufsize as usize) };
        u32::try_from(state.record.read(into)).unwrap_or(0)
    })
}

/// `spice_server_record_set_volume`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_record_set_volume(
    sin: *mut SpiceRecordInstance,
    nchannels: u8,
    volume: *mut u16,
) {
    guard("spice_server_record_set_volume", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { record(sin) } {
            // SAFETY: as the module says.
            state.record.set_volume(unsafe { volumes(nchannels, volume) });
        }
    });
}

/// `spice_server_record_set_mute`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_record_set_mute(sin: *mut SpiceRecordInstance, mute: u8) {
    guard("spice_server_record_set_mute", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { record(sin) } {
            state.record.set_mute(mute != 0);
        }
    });
}

/// `spice_server_get_best_record_rate`, in frames a second.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_get_best_record_rate(_: *mut SpiceRecordInstance) -> u32 {
    SOUND_RATE
}

/// `spice_server_set_record_rate`: from the next start on.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn _spice_server_set_record_rate(sin: *mut SpiceRecordInstance, frequency: u32) {
    guard("spice_server_set_record_rate", (), || {
        // SAFETY: as the module says.
        if let Some(state) = unsafe { record(sin) } {
            state.record.set_rate(frequency);
        }
    });
}
