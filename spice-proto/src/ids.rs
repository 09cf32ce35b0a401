//! Numbers with names: identifiers that cannot be mistaken for one another, and enumerations that stay open.

use std::str::FromStr;

use crate::open_enum;
use crate::wire::{id, wire_newtype};

id! {
    /// A surface of one display channel; 0 is the primary one, which is what a monitor shows.
    pub struct SurfaceId(u32);
}

impl SurfaceId {
    /// The surface that a monitor shows.
    pub const PRIMARY: Self = Self(0);
}

id! {
    /// Which channel of its type, for instance which monitor's display.
    pub struct ChannelId(u8);
}

id! {
    /// Ties the channels of one viewer together: the server names it in the main channel's init message and the
    /// viewer repeats it in the link of every other channel. 0 asks for a new one.
    pub struct ConnectionId(u32);
}

open_enum! {
    /// The kind of a channel (`SPICE_CHANNEL_*`).
    pub enum ChannelType: u8 {
        /// Session, mouse mode, agent, migration.
        MAIN = 1,
        /// Surfaces, drawing, video.
        DISPLAY = 2,
        /// Keyboard and mouse.
        INPUTS = 3,
        /// The pointer's shape and place.
        CURSOR = 4,
        /// Sound to the viewer.
        PLAYBACK = 5,
        /// Sound from the viewer.
        RECORD = 6,
        /// A legacy network tunnel.
        TUNNEL = 7,
        /// Smartcard readers.
        SMARTCARD = 8,
        /// USB devices.
        USBREDIR = 9,
        /// A named byte stream.
        PORT = 10,
        /// A shared folder.
        WEBDAV = 11,
    }
}

/// Each type and what it is called in texts, such as a connection file or a server's settings.
const CHANNEL_NAMES: [(ChannelType, &str); 11] = [
    (ChannelType::MAIN, "main"),
    (ChannelType::DISPLAY, "display"),
    (ChannelType::INPUTS, "inputs"),
    (ChannelType::CURSOR, "cursor"),
    (ChannelType::PLAYBACK, "playback"),
    (ChannelType::RECORD, "record"),
    (ChannelType::TUNNEL, "tunnel"),
    (ChannelType::SMARTCARD, "smartcard"),
    (ChannelType::USBREDIR, "usbredir"),
    (ChannelType::PORT, "port"),
    (ChannelType::WEBDAV, "webdav"),
];

impl ChannelType {
    /// The types that have a name, by number.
    pub fn all() -> impl Iterator<Item = Self> {
        CHANNEL_NAMES.into_iter().map(|(channel, _)| channel)
    }

    /// What the channel is called in texts, for instance `main`; [`Self::name`] is the name of the number.
    #[must_use]
    pub fn channel_name(self) -> Option<&'static str> {
        CHANNEL_NAMES.into_iter().find(|(channel, _)| *channel == self).map(|(_, name)| name)
    }
}

/// No channel is called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no channel is called `{name}`")]
pub struct UnknownChannelName {
    /// What was asked for.
    pub name: String,
}

/// From what the channel is called in texts, in lower case as [`ChannelType::channel_name`] has it.
impl FromStr for ChannelType {
    type Err = UnknownChannelName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = CHANNEL_NAMES.into_iter().find(|(_, name)| *name == text);
        found.map(|(channel, _)| channel).ok_or_else(|| UnknownChannelName { name: text.to_owned() })
    }
}

open_enum! {
    /// Why a link or a session ended (`SPICE_LINK_ERR_*`).
    pub enum LinkError: u32 {
        /// Nothing is wrong.
        OK = 0,
        /// Some error that has no number.
        ERROR = 1,
        /// The first four bytes are not `REDQ`.
        INVALID_MAGIC = 2,
        /// The link message cannot be understood.
        INVALID_DATA = 3,
        /// Another major protocol version.
        VERSION_MISMATCH = 4,
        /// This channel wants TLS.
        NEED_SECURED = 5,
        /// This channel does not want TLS.
        NEED_UNSECURED = 6,
        /// The ticket is wrong, or the channel is not for this viewer.
        PERMISSION_DENIED = 7,
        /// No viewer has this connection id.
        BAD_CONNECTION_ID = 8,
        /// No such channel here.
        CHANNEL_NOT_AVAILABLE = 9,
    }
}

wire_newtype!(ChannelType(u8), LinkError(u32));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_type_is_found_by_what_it_is_called() {
        assert!(ChannelType::all().map(|channel| channel.0).eq(1..=11));
        for channel in ChannelType::all() {
            let called = channel.channel_name().unwrap();
            assert_eq!(called.to_uppercase(), channel.name().unwrap());
            assert_eq!(called.parse(), Ok(channel));
        }
        assert_eq!(ChannelType(12).channel_name(), None);
        let error = "Main".parse::<ChannelType>().unwrap_err();
        assert_eq!(error.to_string(), "no channel is called `Main`");
    }
}
