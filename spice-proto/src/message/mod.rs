//! The messages of each channel, in both directions. Numbers up to 100 are [`base`] messages, which every channel
//! has; each channel's own begin at 101.

mod audio;
mod sub_list;

pub mod base;
pub mod cursor;
pub mod display;
pub mod inputs;
pub mod main;
pub mod playback;
pub mod port;
pub mod record;
pub mod smartcard;
pub mod tunnel;
pub mod vmc;

/// The last number of the messages that all channels have in common; a channel's own lie above it.
pub const LAST_BASE_ID: u16 = 100;
