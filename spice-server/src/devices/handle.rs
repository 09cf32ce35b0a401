//! A device in its host's hands.

use core::fmt;
use core::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use spice_proto::port::PortEvent;
use spice_proto::{ChannelId, ChannelType};

use super::mailbox::Mailbox;
use super::registry::Devices;
use crate::io::ReadPermit;

/// What happens to a device.
#[derive(Debug)]
#[non_exhaustive]
pub enum DeviceEvent {
    /// A viewer has the device now, and is spoken to through this.
    Connected(DeviceLink),
    /// The viewer is gone. What is sent through its link from now on reaches nobody. What it has sent before and waits for
    /// the device may be dropped, but for a smartcard reader, whose messages are to stay whole: what tells the device that
    /// the viewer's reader is gone follows.
    Disconnected,
    /// The viewer has sent something.
    Data(DeviceData),
    /// The viewer says what is to become of a port (`SPICE_PORT_EVENT_*`).
    PortEvent(u8),
    /// [`DeviceLink::room`] was 0, or [`DeviceLink::send`] said that it is full; now half of the room is free.
    Room,
}

/// Takes what happens to a device, in the order in which it happens: called from the task that owns the viewers, so it
/// must not wait. It may call everything of [`DeviceLink`].
#[derive(Clone)]
pub struct DeviceSink(Arc<dyn Fn(DeviceEvent) + Send + Sync>);

impl DeviceSink {
    /// A sink that hands events to `tell`.
    pub fn new(tell: impl Fn(DeviceEvent) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn tell(&self, event: DeviceEvent) {
        (self.0)(event);
    }
}

impl fmt::Debug for DeviceSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceSink")
    }
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The viewer has left, the device was removed, or the server has ended.
    #[error("the viewer has left")]
    NoViewer,
    /// The viewer has not read what was sent before. [`DeviceEvent::Room`] follows.
    #[error("there is room for {room} bytes")]
    Full {
        /// Bytes that may be sent now.
        room: usize,
    },
}

/// The viewer that has a device. Cheap to clone, for any thread; it names this viewer for ever, so what was read from
/// the device for one viewer never reaches the next.
#[derive(Clone, Debug)]
pub struct DeviceLink {
    mailbox: Arc<Mailbox>,
    session: u64,
}

impl DeviceLink {
    pub(crate) fn new(mailbox: Arc<Mailbox>, session: u64) -> Self {
        Self { mailbox, session }
    }

    /// Sends what the device has written: all of it or nothing.
    ///
    /// # Errors
    /// A viewer that has left; more bytes than [`Self::room`]. What a smartcard device has written for one that has left
    /// is taken, and told to nobody.
    pub fn send(&self, data: Bytes) -> Result<(), SendError> {
        self.mailbox.send(self.session, data)
    }

    /// Bytes that may be sent now: less than 1 MiB. 0 when the viewer does not read, and [`DeviceEvent::Room`] follows
    /// once it does; 0 for ever when it has left.
    #[must_use]
    pub fn room(&self) -> usize {
        self.mailbox.room(self.session)
    }
}

/// Bytes waiting for a device, beyond which no more is read of its viewer.
pub(crate) const RECEIPT_LIMIT: usize = 256 << 10;

/// What a message that waits for a device costs beside its bytes.
const RECEIPT: usize = 64;

#[derive(Debug)]
struct Pending {
    weight: AtomicUsize,
    mailbox: Arc<Mailbox>,
}

/// What a viewer has sent to a device. While more than 256 KiB of it are not dropped, no more is read of that viewer:
/// so who is slow to take it is not buried under it. Dropping it says that the device has it.
#[derive(Debug)]
pub struct DeviceData {
    bytes: Bytes,
    weight: usize,
    pending: Arc<Pending>,
}

impl DeviceData {
    /// The same bytes, whose memory is shared; they do not count as waiting.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }
}

impl Deref for DeviceData {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for DeviceData {
    fn drop(&mut self) {
        let before = self.pending.weight.fetch_sub(self.weight, Ordering::AcqRel);
        if before > RECEIPT_LIMIT / 2 && before - self.weight <= RECEIPT_LIMIT / 2 {
            self.pending.mailbox.bell.ring();
        }
    }
}

/// Hands a viewer's bytes to the host, and holds the viewer back while the host is slow.
#[derive(Debug)]
pub(crate) struct Intake {
    pending: Arc<Pending>,
    /// Of what is being read now.
    current: Option<ReadPermit>,
    /// Places of the connection's read-ahead that are kept taken; there are never more than it has.
    held: Vec<ReadPermit>,
}

impl Intake {
    pub(crate) fn new(mailbox: Arc<Mailbox>) -> Self {
        let pending = Arc::new(Pending { weight: AtomicUsize::new(0), mailbox });
        Self { pending, current: None, held: Vec::new() }
    }

    /// What is read next came with this permit.
    pub(crate) fn hold(&mut self, permit: Option<ReadPermit>) {
        if let Some(read) = self.current.take()
            && self.is_full()
        {
            self.held.push(read);
        }
        self.current = permit;
    }

    /// Whether the host has so much to take that no more is to be read.
    pub(crate) fn is_full(&self) -> bool {
        self.pending.weight.load(Ordering::Acquire) > RECEIPT_LIMIT
    }

    /// Bytes on their way to the host.
    pub(crate) fn data(&self, bytes: Bytes) -> DeviceData {
        let weight = bytes.len() + RECEIPT;
        self.pending.weight.fetch_add(weight, Ordering::AcqRel);
        DeviceData { bytes, weight, pending: Arc::clone(&self.pending) }
    }

    /// Lets the viewer go on where the host has caught up.
    pub(crate) fn poll(&mut self) {
        if self.pending.weight.load(Ordering::Acquire) <= RECEIPT_LIMIT / 2 {
            self.held.clear();
        }
    }

    /// The viewer is gone. What it sent still waits for the host, and counts against the next one.
    pub(crate) fn clear(&mut self) {
        self.held.clear();
        self.current = None;
    }
}

/// A device of a host. Dropping it removes the device: its channel is not offered any more, and its viewer loses it.
#[derive(Debug)]
pub struct DeviceHandle {
    devices: Arc<Devices>,
    kind: ChannelType,
    id: ChannelId,
    mailbox: Arc<Mailbox>,
}

impl DeviceHandle {
    pub(crate) fn new(
        devices: Arc<Devices>,
        kind: ChannelType,
        id: ChannelId,
        mailbox: Arc<Mailbox>,
    ) -> Self {
        Self { devices, kind, id, mailbox }
    }

    /// The kind and the number of its channel.
    #[must_use]
    pub fn channel(&self) -> (ChannelType, ChannelId) {
        (self.kind, self.id)
    }

    /// Says what has become of a port (`SPICE_PORT_EVENT_*`), to the viewer that is here and, for opened and closed, to
    /// those that come. The order with what is sent is kept. Of other devices than ports nobody is told.
    pub fn port_event(&self, event: u8) {
        if matches!(self.kind, ChannelType::PORT | ChannelType::WEBDAV) {
            self.mailbox.port_event(PortEvent(event));
        }
    }

    /// Takes the device from the server; a call of its sink that has begun may end after this, and no other begins.
    pub fn remove(self) {
        drop(self);
    }
}

impl Drop for DeviceHandle {
    fn drop(&mut self) {
        self.mailbox.remove();
        self.devices.remove(self.kind, self.id);
    }
}
