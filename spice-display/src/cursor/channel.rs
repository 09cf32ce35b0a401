//! The channel itself: where the pointer is, and who is told.

use std::sync::Arc;

use spice_channel::{
    Channel, ChannelConfig, ChannelError, ChannelLink, ClientId, RedChannel, Time, Transmit,
};
use spice_proto::caps::CapabilitySet;
use spice_proto::{ChannelId, ChannelType, Point16};

use super::viewer::CursorViewer;
use crate::qxl::{CursorCommand, CursorShape};

/// The pointer of one display and the viewers that are shown it.
#[derive(Debug)]
pub struct CursorChannel {
    channel: RedChannel<CursorViewer>,
    pointer: Pointer,
    config: ChannelConfig,
    /// Viewers draw the pointer where their own mouse is, so its motion comes from there.
    local: bool,
}

/// The pointer as it is.
#[derive(Debug, Default)]
pub(super) struct Pointer {
    pub(super) position: Point16,
    pub(super) visible: bool,
    pub(super) shape: Option<Arc<CursorShape>>,
    pub(super) trail: (u16, u16),
}

impl CursorChannel {
    /// No pointer and no viewers.
    #[must_use]
    pub fn new(id: ChannelId, config: ChannelConfig) -> Self {
        Self {
            channel: RedChannel::new(ChannelType::CURSOR, id),
            pointer: Pointer { visible: true, ..Pointer::default() },
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
        match command {
            CursorCommand::Hide => self.pointer.visible = false,
            CursorCommand::Move(position) => {
                self.pointer.position = *position;
                self.pointer.visible = true;
            }
            CursorCommand::Set { position, visible, shape } => {
                self.pointer.position = *position;
                self.pointer.visible = *visible;
                self.pointer.shape = Some(Arc::clone(shape));
            }
            CursorCommand::Trail { length, frequency } => self.pointer.trail = (*length, *frequency),
        }
        if self.local && !hidden && matches!(command, CursorCommand::Move(_)) {
            return;
        }
        for (_, viewer) in self.channel.iter_mut() {
            viewer.handle_command(command);
        }
    }

    /// There is no pointer any more: its device has been reset.
    pub fn reset(&mut self) {
        self.pointer = Pointer { visible: true, ..Pointer::default() };
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
        if let Some(viewer) = self.channel.client_mut(client) {
            viewer.red_mut().handle_written(len, now);
        }
    }

    fn handle_timeout(&mut self, now: Time) -> Vec<(ClientId, ChannelError)> {
        self.channel
            .iter_mut()
            .filter_map(|(id, viewer)| viewer.red_mut().handle_timeout(now).err().map(|error| (id, error)))
            .collect()
    }

    fn poll_transmit(&mut self, client: ClientId, now: Time) -> Option<Transmit> {
        self.channel.client_mut(client)?.poll_transmit(&self.pointer, now)
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.channel.iter().map(|(_, viewer)| viewer.red().poll_timeout()).min()
    }
}
