//! Channels that come and go while the server runs: sound, USB, ports, smartcards.

use std::fmt;

use spice_channel::{Channel, Time};

use crate::io::{ChannelDriver, ReadPermit};

/// The core of such a channel. Its host speaks to it through a mailbox of its own, and wakes the owner of the channels
/// then; what viewers say goes to the host by whatever the channel was given for that, and must not wait.
pub(crate) trait DeviceChannel: Channel + fmt::Debug + Send {
    /// Whether one more viewer can have it.
    fn admits(&self) -> bool;

    /// Whether the viewer that connects next is on this machine, behind a Unix socket.
    fn handle_local(&mut self, local: bool) {
        let _ = local;
    }

    /// What is read next keeps its place in its connection's read-ahead for as long as this permit lives. A channel that
    /// hands bytes to a host keeps the permit with them until the host has them.
    fn hold(&mut self, permit: Option<ReadPermit>);

    /// Takes what the host has said since.
    fn poll_host(&mut self, now: Time);
}

/// A device channel and its connections.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) channel: Box<dyn DeviceChannel>,
    pub(crate) connections: ChannelDriver,
}
