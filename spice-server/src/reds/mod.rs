//! The viewers: who they are, which channels they have, and what they may do.

mod actor;
mod agent;
mod arrival;
#[cfg(test)]
mod cve;
mod departure;
mod device;
#[cfg(test)]
mod hostile;
mod inputs_channel;
mod keyboard;
mod main_channel;
mod playback_channel;
mod record_channel;
mod seat;
mod smartcard_channel;
mod vmc_channel;

pub(crate) use actor::{Policy, Reds, RedsEvent, RedsHandle};
pub(crate) use device::DeviceChannel;
pub(crate) use inputs_channel::InputsChannel;
pub(crate) use main_channel::MainChannel;
pub(crate) use playback_channel::PlaybackChannel;
pub(crate) use record_channel::RecordChannel;
pub(crate) use smartcard_channel::SmartcardChannel;
pub(crate) use vmc_channel::VmcChannel;
