//! The channel itself: where the pointer is, and who is told.

use spice_channel::{
    Channel, ChannelConfig, ChannelError, ChannelLink, ClientId, RedChannel, Time, Transmit,
};
use spice_proto::caps::CapabilitySet;
use spice_proto::{ChannelId, ChannelType};

use super::pointer::Pointer;
use super::viewer::CursorViewer;
use crate::qxl::CursorCommand;

/// The pointer of one display and the viewers that are shown it.
#[derive(Debug)]
pub struct CursorChannel {
    channel: RedChannel<CursorViewer>,
    pointer: Pointer,
    config: ChannelConfig,
    /// Viewers draw the pointer where their own mouse is, so its motion comes from there.
    local: bool,
}

impl CursorChannel {
    /// No pointer and no viewers.
    #[must_use]
    pub fn new(id: ChannelId, config: ChannelConfig) -> Self {
        Self {
            channel: RedChannel::new(ChannelType::CURSOR, id),
            pointer: Pointer::default(),
            config,
            local: false,
        }
    }

    /// Whether viewers draw the pointer where their own mouse is (client mouse mode). Then they are not told of its
    /// motion, which would pull it back.
    pub fn set_local(&mut self, local: bool) {
        self.local = local;
    }

    /// The pointer moves, changes or hides.
    pub fn handle_command(&mut self, command: &CursorCommand) {
        let hidden = !self.pointer.visible;
        self.pointer.apply(command);
        if self.local && !hidden && matches!(command, CursorCommand::Move(_)) {
            return;
        }
        for (_, viewer) in self.channel.iter_mut() {
            viewer.handle_command(command);
        }
    }

    /// There is no pointer any more: its device has been reset.
    pub fn reset(&mut self) {
        self.pointer = Pointer::default();
        for (_, viewer) in self.channel.iter_mut() {
            viewer.fall_behind();
        }
    }
}

impl Channel for CursorChannel {
    fn caps(&self) -> CapabilitySet {
        CapabilitySet::default()
    }

    fn connect(&mut self, client: ClientId, link: ChannelLink, now: Time) {
        self.channel.attach(client, CursorViewer::new(&link, self.config, &self.pointer, now));
    }

    fn disconnect(&mut self, client: ClientId, _: Time) {
        self.channel.detach(client);
    }

    fn handle_bytes(&mut self, client: ClientId, bytes: &[u8], now: Time) -> Result<(), ChannelError> {
        self.channel.client_mut(client).map_or(Ok(()), |viewer| viewer.handle_bytes(bytes, now))
    }

    fn handle_written(&mut self, client: ClientId, len: usize, now: Time) {
        self.channel.handle_written(client, len, now);
    }

    fn handle_timeout(&mut self, now: Time) -> Vec<(ClientId, ChannelError)> {
        self.channel.handle_timeout(now)
    }

    fn poll_transmit(&mut self, client: ClientId, now: Time) -> Option<Transmit> {
        self.channel.client_mut(client)?.poll_transmit(&self.pointer, now)
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.channel.poll_timeout()
    }
}
