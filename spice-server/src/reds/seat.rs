//! The one place at a device, and the viewer that has it.

use core::time::Duration;
use std::sync::Arc;

use spice_channel::{
    BudgetLimits, ChannelConfig, ChannelError, ChannelLink, ClientId, IncomingMessage, Rate,
    RedChannelClient, Time, Transmit,
};

use crate::devices::{DeviceEvent, DeviceLink, DeviceSink, Intake, Mailbox};
use crate::io::ReadPermit;

/// What a viewer may send. How fast it sends is the device's to say, which takes it when it can; this is beyond what
/// any device of USB 2 has, 8,000 packets and 60 MB a second.
const BUDGET: BudgetLimits = BudgetLimits {
    messages: Rate { per_second: 50_000, burst: 200_000 },
    bytes: Rate { per_second: 256 << 20, burst: 1 << 30 },
};

/// A viewer, its connection, and what is between it and the device's host.
#[derive(Debug)]
pub(crate) struct Seat {
    config: ChannelConfig,
    pub(crate) mailbox: Arc<Mailbox>,
    sink: DeviceSink,
    intake: Intake,
    viewer: Option<(ClientId, RedChannelClient)>,
}

impl Seat {
    pub(crate) fn new(
        mailbox: Arc<Mailbox>,
        sink: DeviceSink,
        max_incoming: u32,
        viewer_timeout: Duration,
    ) -> Self {
        let config = ChannelConfig { max_incoming, budget: BUDGET, ..ChannelConfig::default() };
        Self {
            config: config.with_stall_limit(viewer_timeout),
            intake: Intake::new(Arc::clone(&mailbox)),
            mailbox,
            sink,
            viewer: None,
        }
    }

    pub(crate) fn is_free(&self) -> bool {
        self.viewer.is_none()
    }

    /// A viewer takes the seat; answers its number. With `greets` it is told first whether the port is open.
    pub(crate) fn connect(&mut self, client: ClientId, link: &ChannelLink, greets: bool, now: Time) -> u64 {
        self.viewer = Some((client, RedChannelClient::new(link.header(), self.config, now)));
        let session = self.mailbox.connect(greets);
        self.tell(DeviceEvent::Connected(DeviceLink::new(Arc::clone(&self.mailbox), session)));
        session
    }

    /// A viewer is gone; answers whether it was this one.
    pub(crate) fn disconnect(&mut self, client: ClientId) -> bool {
        if self.viewer.as_ref().is_none_or(|(id, _)| *id != client) {
            return false;
        }
        self.viewer = None;
        self.intake.clear();
        self.mailbox.disconnect();
        self.tell(DeviceEvent::Disconnected);
        true
    }

    /// Tells the host, unless it has removed the device.
    pub(crate) fn tell(&self, event: DeviceEvent) {
        if !self.mailbox.is_removed() {
            self.sink.tell(event);
        }
    }

    /// Hands bytes to the host.
    pub(crate) fn tell_data(&self, bytes: bytes::Bytes) {
        self.tell(DeviceEvent::Data(self.intake.data(bytes)));
    }

    /// The connection of this viewer, if it is the one.
    pub(crate) fn client_mut(&mut self, client: ClientId) -> Option<&mut RedChannelClient> {
        self.viewer.as_mut().filter(|(id, _)| *id == client).map(|(_, red)| red)
    }

    pub(crate) fn handle_bytes(&mut self, client: ClientId, bytes: &[u8], now: Time) {
        if let Some(red) = self.client_mut(client) {
            red.handle_bytes(bytes, now);
        }
    }

    pub(crate) fn poll_message(
        &mut self,
        client: ClientId,
        now: Time,
    ) -> Result<Option<IncomingMessage>, ChannelError> {
        self.client_mut(client).map_or(Ok(None), |red| red.poll_message(now))
    }

    pub(crate) fn handle_written(&mut self, client: ClientId, len: usize, now: Time) {
        if let Some(red) = self.client_mut(client) {
            red.handle_written(len, now);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Time) -> Vec<(ClientId, ChannelError)> {
        let viewer = self.viewer.iter_mut();
        viewer.filter_map(|(id, red)| Some((*id, red.handle_timeout(now).err()?))).collect()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.viewer.as_ref().map(|(_, red)| red.poll_timeout())
    }

    /// What the connection has to write; tells the host of the room that this makes.
    pub(crate) fn poll_transmit(&mut self, client: ClientId, now: Time) -> Option<Transmit> {
        if self.mailbox.take_room() {
            self.tell(DeviceEvent::Room);
        }
        self.client_mut(client)?.poll_transmit(now)
    }

    /// See [`DeviceChannel::hold`](super::DeviceChannel::hold).
    pub(crate) fn hold(&mut self, permit: Option<ReadPermit>) {
        self.intake.hold(permit);
    }

    #[cfg(test)]
    pub(crate) fn is_held_back(&self) -> bool {
        self.intake.is_full()
    }

    /// The host may have said something, or taken something.
    pub(crate) fn poll_host(&mut self) {
        self.mailbox.bell.answer();
        self.intake.poll();
    }
}
