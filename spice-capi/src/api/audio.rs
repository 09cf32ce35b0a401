//! Sound (`spice-audio.h`).

use crate::abi::audio::{SpicePlaybackInstance, SpiceRecordInstance};
use crate::server::SpiceServer;

pub(super) unsafe fn add_playback(_: &SpiceServer, _: *mut SpicePlaybackInstance) -> Option<()> {
    None
}

pub(super) unsafe fn remove_playback(_: *mut SpicePlaybackInstance) -> Option<()> {
    None
}

pub(super) unsafe fn add_record(_: &SpiceServer, _: *mut SpiceRecordInstance) -> Option<()> {
    None
}

pub(super) unsafe fn remove_record(_: *mut SpiceRecordInstance) -> Option<()> {
    None
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_playback_get_buffer() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_playback_put_samples() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_playback_start() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_playback_stop() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_record_get_samples() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_record_start() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_record_stop() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_playback_set_mute() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_playback_set_volume() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_record_set_mute() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_record_set_volume() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_get_best_playback_rate() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_get_best_record_rate() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_set_playback_rate() -> u32 {
    0
}

/// PLACEHOLDER
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spice_server_set_record_rate() -> u32 {
    0
}
