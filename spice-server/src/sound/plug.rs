//! A sound device's place among the channels of a server.

use spice_proto::caps::CapabilitySet;
use spice_proto::{ChannelId, ChannelType};
use tokio::sync::mpsc::WeakUnboundedSender;

use crate::front::Front;
use crate::link::SharedOffer;
use crate::reds::{DeviceChannel, RedsEvent};

/// Why a sound device cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddSoundError {
    /// The server has ended.
    #[error("the server has ended")]
    Ended,
    /// A channel's number has 8 bits.
    #[error("there are 256 sound devices of this kind already")]
    Full,
}

/// A channel that viewers can link until this is dropped.
#[derive(Debug)]
pub(super) struct Plug {
    kind: ChannelType,
    id: ChannelId,
    reds: WeakUnboundedSender<RedsEvent>,
    offer: SharedOffer,
}

impl Plug {
    /// Offers a channel under the first number that is free: viewers of the C project play what comes on number 0, and
    /// that of the first only.
    pub(super) fn new(
        front: &Front,
        kind: ChannelType,
        caps: &CapabilitySet,
        channel: impl FnOnce(ChannelId) -> Box<dyn DeviceChannel>,
    ) -> Result<Self, AddSoundError> {
        let offer = front.acceptor.rules.offer.clone();
        let id = offer.add_next(kind, caps).ok_or(AddSoundError::Full)?;
        let plug = Self { kind, id, reds: front.reds.downgrade(), offer };
        front.reds.send(RedsEvent::AddDevice(kind, id, channel(id))).map_err(|_| AddSoundError::Ended)?;
        Ok(plug)
    }

    /// The channel's owner is to look into its mailbox.
    pub(super) fn wake(&self) {
        self.tell(RedsEvent::Device(self.kind, self.id));
    }

    pub(super) fn tell(&self, event: RedsEvent) {
        if let Some(reds) = self.reds.upgrade() {
            let _ = reds.send(event);
        }
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        // In this order, so that who gets the number next is not taken for this one.
        self.tell(RedsEvent::RemoveDevice(self.kind, self.id));
        self.offer.remove(self.kind, self.id);
    }
}
