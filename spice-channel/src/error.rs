//! What can go wrong with a peer, and how far it reaches.

use core::time::Duration;

use spice_proto::{DecodeError, LinkError};

/// How far an error reaches. Nothing that a peer sends reaches further than that peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// This connection ends; the viewer's other channels go on.
    ChannelClient,
    /// The viewer ends, with all its channels.
    Client,
}

/// Why a connection ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// A message that means nothing.
    #[error("bad message: {0}")]
    Decode(#[from] DecodeError),
    /// A message larger than its channel takes; nothing was read of it.
    #[error("message {id} of {size} bytes is larger than the {max} that this channel takes")]
    TooLarge {
        /// The message's number.
        id: u16,
        /// What its header says.
        size: u32,
        /// The channel's cap.
        max: u32,
    },
    /// A message that is well formed, at a time when it makes no sense.
    #[error("{message} out of turn")]
    OutOfTurn {
        /// The message's name.
        message: &'static str,
    },
    /// The viewer said that it closes the channel.
    #[error("the viewer closed the channel: {reason}")]
    Closed {
        /// Why, by its word.
        reason: LinkError,
    },
    /// The viewer took nothing of what waits for it.
    #[error("nothing was taken for {} s", .0.as_secs())]
    Stalled(Duration),
    /// The viewer says more than any viewer has to say.
    #[error("more than {per_second} {what} a second and {burst} at once")]
    OverBudget {
        /// Of what.
        what: &'static str,
        /// So many it may send each second.
        per_second: u32,
        /// So many it may send after a while of silence.
        burst: u32,
    },
    /// The viewer has not said what it has to say first.
    #[error("no {message} within {} s", .waited.as_secs())]
    Unsaid {
        /// The message's name.
        message: &'static str,
        /// Since the channel was linked.
        waited: Duration,
    },
}

impl ChannelError {
    /// How far the error reaches. Who floods one channel is ended with all of them: on a new connection for that channel
    /// alone it would begin again.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        match self {
            Self::Stalled(_) | Self::Unsaid { .. } | Self::OverBudget { .. } => Scope::Client,
            Self::Closed { .. } | Self::Decode(_) | Self::OutOfTurn { .. } | Self::TooLarge { .. } => {
                Scope::ChannelClient
            }
        }
    }
}
