//! The main channel: the session itself.

mod migrate;

pub use migrate::{DstInfo, MigrateBeginSeamless, MigrateDstDoSeamless, MigrateSwitchHost};

use bytes::Bytes;

use crate::ids::{ChannelId, ChannelType, ConnectionId, LinkError};
use crate::wire::{In, Parsed, Wire, Writer, counted, field, flags, messages, named, record};

messages! {
    /// From the server.
    pub enum ServerMessage in "main" {
        /// The session is to move: the viewer is to link to the target.
        101 MigrateBegin(DstInfo, front),
        /// Migration has been called off.
        102 MigrateCancel,
        /// The first message of a session.
        103 Init(Init, all),
        /// The channels that the viewer may link to; comes again, in full, when there are more.
        104 ChannelsList(ChannelsList, all),
        /// How the mouse works now.
        105 MouseMode(MouseMode, all),
        /// The server's multimedia clock.
        106 MultiMediaTime(MultiMediaTime, all),
        /// An agent runs in the guest.
        107 AgentConnected,
        /// The guest's agent is gone.
        108 AgentDisconnected(AgentDisconnected, all),
        /// A piece of the agent's byte stream.
        109 AgentData(Bytes, all),
        /// The viewer may send this many more pieces to the agent.
        110 AgentToken(AgentTokens, all),
        /// The session has moved, without the viewer: it is to link anew.
        111 MigrateSwitchHost(MigrateSwitchHost, front),
        /// The session has moved: the viewer is to go on with the target.
        112 MigrateEnd,
        /// The guest's name.
        113 Name(Name, all),
        /// The guest's UUID.
        114 Uuid([u8; 16], all),
        /// An agent runs in the guest, and the viewer may send it this many pieces.
        115 AgentConnectedTokens(AgentTokens, all),
        /// The session is to move, each channel with its state; only where the viewer has
        /// [`MainCap::SEAMLESS_MIGRATE`](crate::caps::MainCap).
        116 MigrateBeginSeamless(MigrateBeginSeamless, front),
        /// The target can take over each channel's state.
        117 MigrateDstSeamlessAck,
        /// The target cannot: the session moves without each channel's state.
        118 MigrateDstSeamlessNack,
    }
}

messages! {
    /// From the viewer.
    pub enum ClientMessage in "main" {
        /// How much the viewer can cache.
        101 ClientInfo(ClientInfo, all),
        /// The migration target is linked.
        102 MigrateConnected,
        /// The migration target cannot be linked.
        103 MigrateConnectError,
        /// The viewer wants the list of channels.
        104 AttachChannels,
        /// The viewer wants another mouse mode.
        105 MouseModeRequest(MouseModeRequest, all),
        /// The viewer takes part in the agent's protocol, and takes this many pieces.
        106 AgentStart(AgentTokens, all),
        /// A piece of the agent's byte stream.
        107 AgentData(Bytes, all),
        /// The viewer takes this many more pieces from the agent.
        108 AgentToken(AgentTokens, all),
        /// To the target: every channel has moved.
        109 MigrateEnd,
        /// To the target: whether it can take over each channel's state.
        110 MigrateDstDoSeamless(MigrateDstDoSeamless, all),
        /// The migration target is linked, and can take over each channel's state.
        111 MigrateConnectedSeamless,
        /// How good the viewer finds what it gets, in a form that the protocol leaves to both ends
        /// (`SPICE_MSGC_MAIN_QUALITY_INDICATOR`).
        112 QualityIndicator(Bytes, all),
    }
}

flags! {
    /// Ways to use the mouse (`SPICE_MOUSE_MODE_*`).
    pub struct MouseModes: u16 {
        /// The viewer sends relative motion, the guest moves the pointer.
        const SERVER = 1;
        /// The viewer sends positions and draws the pointer itself.
        const CLIENT = 2;
    }
}

record! {
    /// `SpiceMsgMainInit`.
    #[derive(Copy, Eq)]
    pub struct Init {
        /// The connection id for the viewer's other channels.
        pub session_id: ConnectionId,
        /// How many displays to expect.
        pub display_channels_hint: u32,
        /// The bits of [`MouseModes`] that can be had.
        pub supported_mouse_modes: u32,
        /// The one bit of [`MouseModes`] that is in force.
        pub current_mouse_mode: u32,
        /// Not 0 where an agent runs in the guest.
        pub agent_connected: u32,
        /// Pieces that the viewer may send to the agent.
        pub agent_tokens: u32,
        /// The server's multimedia clock, in milliseconds.
        pub multi_media_time: u32,
        /// Bytes of graphics memory, or 0.
        pub ram_hint: u32,
    }
}

record! {
    /// A channel that can be linked to.
    #[derive(Copy, Eq)]
    pub struct OfferedChannel {
        /// Its type.
        pub channel_type: ChannelType,
        /// Which of that type.
        pub channel_id: ChannelId,
    }
}

/// `SpiceMsgChannels`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelsList(pub Vec<OfferedChannel>);

impl Wire for ChannelsList {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, count) = field::<u32>("num_of_channels", body, input)?;
        let (input, list) = named("channels", counted(body, input, count as usize, 2))?;
        Ok((input, Self(list)))
    }

    fn put(&self, writer: &mut Writer) {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX).put(writer);
        for channel in &self.0 {
            channel.put(writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        crate::wire::arbitrary_list(source, 1000).map(Self)
    }
}

record! {
    /// `SpiceMsgMainMouseMode`.
    #[derive(Copy, Eq)]
    pub struct MouseMode {
        /// What can be had.
        pub supported_modes: MouseModes,
        /// What is in force, one of them.
        pub current_mode: MouseModes,
    }
}

record! {
    /// `SpiceMsgMainMultiMediaTime`.
    #[derive(Copy, Eq)]
    pub struct MultiMediaTime {
        /// Milliseconds.
        pub time: u32,
    }
}

record! {
    /// `SpiceMsgMainAgentDisconnect`.
    #[derive(Copy, Eq)]
    pub struct AgentDisconnected {
        /// Why.
        pub error_code: LinkError,
    }
}

record! {
    /// `SpiceMsgMainAgentTokens`.
    #[derive(Copy, Eq)]
    pub struct AgentTokens {
        /// Pieces.
        pub num_tokens: u32,
    }
}

/// `SpiceMsgMainName`: the guest's name, with the NUL that ends it on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub Bytes);

impl Wire for Name {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, len) = field::<u32>("name_len", body, input)?;
        let (input, name) = named("name", crate::wire::shared(body, input, len as usize))?;
        Ok((input, Self(name)))
    }

    fn put(&self, writer: &mut Writer) {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX).put(writer);
        self.0.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Wire::arbitrary(source).map(Self)
    }
}

record! {
    /// `SpiceMsgcClientInfo`.
    #[derive(Copy, Eq)]
    pub struct ClientInfo {
        /// Bytes that the viewer can cache.
        pub cache_size: u64,
    }
}

record! {
    /// `SpiceMsgcMainMouseModeRequest`.
    #[derive(Copy, Eq)]
    pub struct MouseModeRequest {
        /// The mode that is asked for.
        pub mode: MouseModes,
    }
}
