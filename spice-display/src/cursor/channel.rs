//! The channel itself: where the pointer is, and who is told.

use spice_channel::{
    Channel, ChannelConfig, ChannelError, ChannelLink, ClientId, RedChannel, Time, Transmit,
};
use spice_proto::caps::CapabilitySet;
use spice_proto::{ChannelId, ChannelType};

use super::cache::Shapes;
use super::pointer::{Change, Pointer};
use super::viewer::CursorViewer;
use crate::qxl::CursorCommand;

/// The pointer of one display and the viewers that are shown it.
#[derive(Debug)]
pub struct CursorChannel {
    channel: RedChannel<CursorViewer>,
    pointer: Pointer,
    shapes: Shapes,
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
            shapes: Shapes::default(),
            config,
            local: false,
        }
    }

    /// Whether viewers draw the pointer where their own mouse is (client mouse mode). Then they are not told of its
    /// motion, which would pull it back. Once they do not, they are told where it is.
    pub fn set_local(&mut self, local: bool) {
        let was_local = std::mem::replace(&mut self.local, local);
        if was_local && !local && self.pointer.visible {
            self.tell(&Change::Move(self.pointer.position));
        }
    }

    /// The pointer moves, changes or hides.
    pub fn handle_command(&mut self, command: &CursorCommand) {
        let hidden = !self.pointer.visible;
        let change = Change::new(command, &mut self.shapes);
        self.pointer.apply(&change);
        if self.local && !hidden && matches!(change, Change::Move(_)) {
            return;
        }
        self.tell(&change);
    }

    /// There is no pointer any more: its device has been reset.
    pub fn reset(&mut self) {
        self.pointer = Pointer::default();
        for (_, viewer) in self.channel.iter_mut() {
            viewer.fall_behind();
        }
    }

    fn tell(&mut self, change: &Change) {
        for (_, viewer) in self.channel.iter_mut() {
            viewer.handle_change(change);
        }
    }
}

impl Channel for CursorChannel {
    fn caps(&self) -> CapabilitySet {
        CapabilitySet::default()
    }

    fn connect(&mut self, client: ClientId, link: ChannelLink, now: Time) {
        self.channel.attach(client, CursorViewer::new(&link, self.config, &self.pointer, self.local, now));
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
        self.channel.client_mut(client)?.poll_transmit(&self.pointer, self.local, now)
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.channel.poll_timeout()
    }
}
