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
