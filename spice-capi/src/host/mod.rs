//! The host: its main loop, and what it has plugged in.

mod bridge;
mod char_device;
mod core_interface;
mod events;
mod inputs;

pub(crate) use bridge::Bridge;
pub(crate) use char_device::{CharDevice, Handle};
pub(crate) use core_interface::{Core, Timer, Watch};
pub(crate) use events::ChannelEvents;
pub(crate) use inputs::{Inputs, Screen, known_leds};
