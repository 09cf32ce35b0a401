//! The devices that there are.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spice_proto::{ChannelId, ChannelType};
use tokio::sync::mpsc::WeakUnboundedSender;

use super::mailbox::{Bell, Mailbox};
use super::{DeviceHandle, DeviceSink};
use crate::link::SharedOffer;
use crate::reds::{DeviceChannel, RedsEvent, RedsHandle, SmartcardChannel, VmcChannel};

/// What a device is. It decides its channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceKind {
    /// A place for a USB device of a viewer: the usbredir protocol, in pieces.
    UsbRedir,
    /// A byte stream with a name.
    Port {
        /// What viewers know it by, for instance `org.qemu.monitor.hmp.0`. It ends before its first NUL.
        name: String,
    },
    /// A port for a folder of a viewer, `org.spice-space.webdav.0`.
    WebDav,
    /// A smartcard reader: the virtual smartcard protocol, as the device writes and takes it. One viewer's reader is in
    /// it at a time. While nobody has it, what the device writes may stay there or be lost.
    SmartCard,
}

impl DeviceKind {
    /// The type of its channel.
    #[must_use]
    pub const fn channel_type(&self) -> ChannelType {
        match self {
            Self::UsbRedir => ChannelType::USBREDIR,
            Self::Port { .. } => ChannelType::PORT,
            Self::WebDav => ChannelType::WEBDAV,
            Self::SmartCard => ChannelType::SMARTCARD,
        }
    }
}

/// Why a device cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddDeviceError {
    /// There are as many of this kind as there can be.
    #[error("there are as many {0} channels as there can be")]
    Full(ChannelType),
    /// The server has ended.
    #[error("the server has ended")]
    Ended,
}

/// Why an agent cannot be attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachAgentError {
    /// One is attached.
    #[error("an agent is attached already")]
    Taken,
    /// The server has ended.
    #[error("the server has ended")]
    Ended,
}

/// What there is one of.
#[derive(Debug, Default)]
struct Taken {
    channels: BTreeSet<(ChannelType, ChannelId)>,
    agent: bool,
}

/// The numbers that are taken. The lock is held to take or give back one.
#[derive(Debug)]
pub(crate) struct Devices {
    taken: Mutex<Taken>,
    offer: SharedOffer,
    reds: WeakUnboundedSender<RedsEvent>,
    viewer_timeout: Duration,
}

impl Devices {
    pub(crate) fn new(offer: SharedOffer, reds: &RedsHandle, viewer_timeout: Duration) -> Self {
        Self { taken: Mutex::default(), offer, reds: reds.downgrade(), viewer_timeout }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bell(&self, event: impl Fn() -> RedsEvent + Send + Sync + 'static) -> Bell {
        Bell::new(self.reds.clone(), event)
    }

    pub(crate) fn tell(&self, event: RedsEvent) {
        if let Some(reds) = self.reds.upgrade() {
            let _ = reds.send(event);
        }
    }

    /// Takes the one place of an agent, and tells the viewers' owner in whatever words.
    pub(crate) fn take_agent(&self, tell: impl FnOnce(&RedsHandle)) -> Result<(), AttachAgentError> {
        let reds = self.reds.upgrade().ok_or(AttachAgentError::Ended)?;
        let mut taken = self.lock();
        if std::mem::replace(&mut taken.agent, true) {
            return Err(AttachAgentError::Taken);
        }
        tell(&reds);
        Ok(())
    }

    pub(crate) fn detach_agent(&self) {
        let mut taken = self.lock();
        self.tell(RedsEvent::DetachAgent);
        taken.agent = false;
    }

    /// Adds a device under the lowest number that is free.
    pub(crate) fn add(
        self: &Arc<Self>,
        kind: DeviceKind,
        sink: DeviceSink,
    ) -> Result<DeviceHandle, AddDeviceError> {
        let reds = self.reds.upgrade().ok_or(AddDeviceError::Ended)?;
        let channel_type = kind.channel_type();
        // One lock from the number to the event: who gives a number back and who takes it next are told in that order.
        let mut taken = self.lock();
        let id = (0..=u8::MAX).map(ChannelId).find(|id| !taken.channels.contains(&(channel_type, *id)));
        let id = id.ok_or(AddDeviceError::Full(channel_type))?;
        let bell = self.bell(move || RedsEvent::Device(channel_type, id));
        let (mailbox, channel): (_, Box<dyn DeviceChannel>) = if kind == DeviceKind::SmartCard {
            let mailbox = Arc::new(Mailbox::framed(bell));
            (Arc::clone(&mailbox), Box::new(SmartcardChannel::new(mailbox, sink, self.viewer_timeout)))
        } else {
            let mailbox = Arc::new(Mailbox::new(bell));
            (Arc::clone(&mailbox), Box::new(VmcChannel::new(kind, mailbox, sink, self.viewer_timeout)))
        };
        taken.channels.insert((channel_type, id));
        self.offer.add(channel_type, id, &channel.caps());
        let _ = reds.send(RedsEvent::AddDevice(channel_type, id, channel));
        drop(taken);
        Ok(DeviceHandle::new(Arc::clone(self), channel_type, id, mailbox))
    }

    pub(crate) fn remove(&self, kind: ChannelType, id: ChannelId) {
        let mut taken = self.lock();
        self.offer.remove(kind, id);
        self.tell(RedsEvent::RemoveDevice(kind, id));
        taken.channels.remove(&(kind, id));
    }
}
