//! Messages that every channel has (`BaseChannel` in `spice.proto`).

pub use super::sub_list::{SubMessage, SubMessageList};

use bytes::Bytes;

use crate::error::DecodeErrorKind;
use crate::ids::{ChannelId, ChannelType, LinkError};
use crate::open_enum;
use crate::wire::{
    Fault, In, Parsed, Wire, Writer, counted, field, flags, messages, named, record, rest, wire_newtype,
};

messages! {
    /// From the server, on any channel.
    pub enum ServerMessage in "base" {
        /// The session moves to another host.
        1 Migrate(Migrate, all),
        /// State of the channel for the other host, to be relayed.
        2 MigrateData(Bytes, all),
        /// The viewer is to acknowledge messages from here on.
        3 SetAck(SetAck, all),
        /// To be answered by a pong.
        4 Ping(Ping, all),
        /// The viewer is to hold this channel until others have come so far.
        5 WaitForChannels(WaitForChannels, all),
        /// The server is about to close the channel.
        6 Disconnecting(Disconnecting, all),
        /// A text for the user.
        7 Notify(Notify, all),
        /// Several messages in one: [`SubMessageList::decode`] takes it apart.
        8 List(Bytes, all),
    }
}

messages! {
    /// From the viewer, on any channel.
    pub enum ClientMessage in "base" {
        /// The acknowledgement of generation `generation` begins here.
        1 AckSync(AckSync, all),
        /// A window of messages has been taken.
        2 Ack,
        /// The answer to a ping.
        3 Pong(Pong, all),
        /// All that the viewer will send before migration has been sent.
        4 MigrateFlushMark,
        /// State of the channel, relayed from the other host.
        5 MigrateData(Bytes, all),
        /// The viewer is about to close the channel.
        6 Disconnecting(Disconnecting, all),
    }
}

flags! {
    /// What a viewer does before it moves (`SPICE_MIGRATE_*`).
    pub struct MigrateFlags: u32 {
        /// Send a flush mark.
        const NEED_FLUSH = 1;
        /// Relay the channel's state.
        const NEED_DATA_TRANSFER = 2;
    }
}

record! {
    /// `SpiceMsgMigrate`.
    #[derive(Copy, Eq)]
    pub struct Migrate {
        /// What the viewer does first.
        pub flags: MigrateFlags,
    }
}

record! {
    /// `SpiceMsgSetAck`: acknowledge after each `window` messages, once `generation` has been echoed.
    #[derive(Copy, Eq)]
    pub struct SetAck {
        /// Names this setting.
        pub generation: u32,
        /// Messages from one acknowledgement to the next.
        pub window: u32,
    }
}

record! {
    /// `SpiceMsgPing`.
    #[derive(Eq)]
    pub struct Ping {
        /// Names this ping.
        pub id: u32,
        /// The server's clock, which comes back unchanged.
        pub timestamp: u64,
        /// Padding, to measure a rate with.
        pub data: Bytes,
    }
}

record! {
    /// `SpiceMsgcPong`.
    #[derive(Copy, Eq)]
    pub struct Pong {
        /// The ping's id.
        pub id: u32,
        /// The ping's timestamp.
        pub timestamp: u64,
    }
}

record! {
    /// `SpiceMsgcAckSync`.
    #[derive(Copy, Eq)]
    pub struct AckSync {
        /// The generation of the [`SetAck`] that is now in force.
        pub generation: u32,
    }
}

record! {
    /// One channel to wait for (`SpiceWaitForChannel`).
    #[derive(Copy, Eq)]
    pub struct WaitForChannel {
        /// Its type.
        pub channel_type: ChannelType,
        /// Which of that type.
        pub channel_id: ChannelId,
        /// The serial of the message that it must have taken.
        pub message_serial: u64,
    }
}

/// `SpiceMsgWaitForChannels`: at most 255 of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitForChannels(pub Vec<WaitForChannel>);

impl Wire for WaitForChannels {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, count) = field::<u8>("wait_count", body, input)?;
        let (input, list) = named("wait_list", counted(body, input, count.into(), 10))?;
        Ok((input, Self(list)))
    }

    fn put(&self, writer: &mut Writer) {
        let count = u8::try_from(self.0.len()).unwrap_or(u8::MAX);
        count.put(writer);
        for wait in self.0.iter().take(count.into()) {
            wait.put(writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        crate::wire::arbitrary_list(source, 255).map(Self)
    }
}

record! {
    /// `SpiceMsgDisconnect`.
    #[derive(Copy, Eq)]
    pub struct Disconnecting {
        /// The sender's clock.
        pub time_stamp: u64,
        /// Why.
        pub reason: LinkError,
    }
}

open_enum! {
    /// How bad it is (`SPICE_NOTIFY_SEVERITY_*`).
    pub enum NotifySeverity: u32 {
        /// For information.
        INFO = 0,
        /// A warning.
        WARN = 1,
        /// An error.
        ERROR = 2,
    }
}

open_enum! {
    /// How much the user should see of it (`SPICE_NOTIFY_VISIBILITY_*`).
    pub enum NotifyVisibility: u32 {
        /// Little.
        LOW = 0,
        /// Some.
        MEDIUM = 1,
        /// All.
        HIGH = 2,
    }
}

wire_newtype!(NotifySeverity(u32), NotifyVisibility(u32));

/// `SpiceMsgNotify`: a text for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// The server's clock.
    pub time_stamp: u64,
    /// How bad it is.
    pub severity: NotifySeverity,
    /// How much the user should see of it.
    pub visibility: NotifyVisibility,
    /// A code of the severity's own list.
    pub what: u32,
    /// The text, UTF-8 by custom. The wire ends it with a NUL, which is not part of it.
    pub message: Bytes,
}

impl Wire for Notify {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, time_stamp) = field("time_stamp", body, input)?;
        let (input, severity) = field("severity", body, input)?;
        let (input, visibility) = field("visibility", body, input)?;
        let (input, what) = field("what", body, input)?;
        let at = input;
        let (input, len) = field::<u32>("message_len", body, input)?;
        let (left, mut message) = named("message", rest(body, input))?;
        match message.len().checked_sub(len as usize) {
            Some(0 | 1) => message.truncate(len as usize),
            Some(_) => {
                let kind = DecodeErrorKind::Trailing { left: message.len() - len as usize };
                return named("message", Err(Fault::at(at, kind)));
            }
            None => {
                let kind = DecodeErrorKind::Truncated { missing: len as usize - message.len() };
                return named("message", Err(Fault::at(left, kind)));
            }
        }
        Ok((left, Self { time_stamp, severity, visibility, what, message }))
    }

    fn put(&self, writer: &mut Writer) {
        self.time_stamp.put(writer);
        self.severity.put(writer);
        self.visibility.put(writer);
        self.what.put(writer);
        u32::try_from(self.message.len()).unwrap_or(u32::MAX).put(writer);
        self.message.put(writer);
        0_u8.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            time_stamp: Wire::arbitrary(source)?,
            severity: Wire::arbitrary(source)?,
            visibility: Wire::arbitrary(source)?,
            what: Wire::arbitrary(source)?,
            message: Wire::arbitrary(source)?,
        })
    }
}
