//! The record channel: what the guest hears of a viewer.

use core::time::Duration;
use std::sync::Arc;

use spice_channel::{
    BudgetLimits, Channel, ChannelConfig, ChannelError, ChannelLink, ClientId, Rate, RedChannel,
    RedChannelClient, RoomLimits, Time, Transmit,
};
use spice_proto::caps::{CapabilitySet, RecordCap};
use spice_proto::record::{AudioFormat, AudioMode, ClientMessage, Mode, Mute, ServerMessage, Start, Volume};
use spice_proto::{ChannelId, ChannelType, DecodeError, DecodeErrorKind};

use super::device::DeviceChannel;
use crate::io::ReadPermit;
use crate::sound::{Due, Level, RecordMailbox, RecordNews, SOUND_CHANNELS, Stream};

/// The one viewer that the guest hears: the first that has linked the channel, until it leaves.
#[derive(Debug)]
pub(crate) struct RecordChannel {
    channel: RedChannel<RecordClient>,
    config: ChannelConfig,
    mailbox: Arc<RecordMailbox>,
    listening: Option<Stream>,
    level: Level,
}

/// A viewer; what it is to be told waits as facts that are due.
#[derive(Debug)]
struct RecordClient {
    red: RedChannelClient,
    /// Whether it can do volume and mute.
    has_volume: bool,
    due: Due,
    /// It has been told that the guest listens, once at least.
    begun: bool,
    /// What it has been told that the guest listens to now.
    told: Option<Stream>,
}

impl AsRef<RedChannelClient> for RecordClient {
    fn as_ref(&self) -> &RedChannelClient {
        &self.red
    }
}

impl AsMut<RedChannelClient> for RecordClient {
    fn as_mut(&mut self) -> &mut RedChannelClient {
        &mut self.red
    }
}

/// The largest message that a viewer may send: as much sound as is kept, and its time. Viewers of the C project send 480
/// frames at a time, others what their microphone gives.
const MAX_INCOMING: u32 = (32 << 10) + 4;

/// What a viewer may send: a second of sound at the highest rate, and all that can have waited in buffers on its way.
const BUDGET: BudgetLimits = BudgetLimits {
    messages: Rate { per_second: 4000, burst: 20_000 },
    bytes: Rate { per_second: 1 << 20, burst: 16 << 20 },
};

impl RecordChannel {
    /// A channel to which the guest does not listen yet.
    pub(crate) fn new(id: ChannelId, viewer_timeout: Duration, mailbox: Arc<RecordMailbox>) -> Self {
        Self {
            channel: RedChannel::new(ChannelType::RECORD, id),
            config: ChannelConfig {
                max_incoming: MAX_INCOMING,
                budget: BUDGET,
                room: RoomLimits::fixed(16 << 10),
                ..ChannelConfig::default()
            }
            .with_stall_limit(viewer_timeout),
            mailbox,
            listening: None,
            level: Level::default(),
        }
    }

    /// What such a channel can do.
    pub(crate) fn offer() -> CapabilitySet {
        CapabilitySet::new([RecordCap::VOLUME.0])
    }
}

impl RecordClient {
    /// The next message, of some that may be due.
    fn poll_message(&mut self, listening: Option<Stream>, level: &Level) -> Option<ServerMessage> {
        // Not before it has begun to record: until then viewers of the C project have nothing to turn.
        if self.begun && self.has_volume {
            if std::mem::take(&mut self.due.volume) {
                return Some(ServerMessage::Volume(Volume(level.volume.clone())));
            }
            if std::mem::take(&mut self.due.mute) {
                return Some(ServerMessage::Mute(Mute { mute: level.mute.unwrap_or(false).into() }));
            }
        }
        if self.told == listening {
            return None;
        }
        if self.told.take().is_some() {
            return Some(ServerMessage::Stop);
        }
        let stream = listening?;
        (self.told, self.begun) = (Some(stream), true);
        let (channels, format, frequency) = (SOUND_CHANNELS, AudioFormat::S16, stream.rate);
        Some(ServerMessage::Start(Start { channels, format, frequency }))
    }

    fn handle_message(
        &mut self,
        message: ClientMessage,
        mailbox: &RecordMailbox,
    ) -> Result<(), ChannelError> {
        match message {
            // What comes while nobody has asked may have been on its way when the guest stopped listening.
            ClientMessage::Data(packet) => {
                if let Some(stream) = self.told {
                    mailbox.push(stream, &packet.data);
                }
                Ok(())
            }
            ClientMessage::Mode(Mode { mode: AudioMode::RAW, .. }) => Ok(()),
            // Nobody has offered another one.
            ClientMessage::Mode(Mode { mode, .. }) => Err(ChannelError::Decode(DecodeError {
                message: "record.Mode",
                field: "mode",
                offset: 4,
                kind: DecodeErrorKind::Value { value: mode.0.into() },
            })),
            _ => Ok(()),
        }
    }
}

impl DeviceChannel for RecordChannel {
    fn admits(&self) -> bool {
        self.channel.is_empty()
    }

    fn hold(&mut self, _: Option<ReadPermit>) {}

    fn poll_host(&mut self, _: Time) {
        let RecordNews { listening, level, due } = self.mailbox.take();
        (self.listening, self.level) = (listening, level);
        for (_, client) in self.channel.iter_mut() {
            client.due.add(due);
        }
    }
}

impl Channel for RecordChannel {
    fn caps(&self) -> CapabilitySet {
        Self::offer()
    }

    fn connect(&mut self, client: ClientId, link: ChannelLink, now: Time) {
        self.channel.attach(
            client,
            RecordClient {
                red: RedChannelClient::new(link.header(), self.config, now),
                has_volume: link.caps.channel.contains(RecordCap::VOLUME.0),
                due: self.level.said(),
                begun: false,
                told: None,
            },
        );
    }

    fn disconnect(&mut self, client: ClientId, _: Time) {
        if self.channel.detach(client).is_some() {
            self.mailbox.forget();
        }
    }

    fn handle_bytes(&mut self, id: ClientId, bytes: &[u8], now: Time) -> Result<(), ChannelError> {
        let Some(client) = self.channel.client_mut(id) else { return Ok(()) };
        client.red.handle_bytes(bytes, now);
        while let Some(message) = client.red.poll_message(now)? {
            client.handle_message(ClientMessage::decode(message.id, &message.body)?, &self.mailbox)?;
        }
        Ok(())
    }

    fn handle_written(&mut self, client: ClientId, len: usize, now: Time) {
        self.channel.handle_written(client, len, now);
    }

    fn handle_timeout(&mut self, now: Time) -> Vec<(ClientId, ChannelError)> {
        self.channel.handle_timeout(now)
    }

    fn poll_transmit(&mut self, client: ClientId, now: Time) -> Option<Transmit> {
        let client = self.channel.client_mut(client)?;
        while client.red.has_room()
            && let Some(message) = client.poll_message(self.listening, &self.level)
        {
            client.red.send(message.id(), &message.encode());
        }
        client.red.poll_transmit(now)
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.channel.poll_timeout()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use spice_client::ChannelPeer;
    use spice_proto::HeaderKind;
    use spice_proto::caps::Capabilities;
    use spice_proto::record::{Packet, StartMark};

    use super::*;

    const VIEWER: ClientId = ClientId(1);
    const RATE: u32 = 48_000;

    struct Desk {
        channel: RecordChannel,
        mailbox: Arc<RecordMailbox>,
        peer: ChannelPeer,
    }

    impl Desk {
        /// A channel that a viewer has.
        fn new() -> Self {
            let mailbox = Arc::new(RecordMailbox::default());
            let timeout = Duration::from_secs(30);
            let channel = RecordChannel::new(ChannelId(0), timeout, Arc::clone(&mailbox));
            let mut desk = Self { channel, mailbox, peer: ChannelPeer::new(HeaderKind::Full) };
            desk.join();
            desk
        }

        fn join(&mut self) {
            assert!(self.channel.admits());
            let channel = CapabilitySet::new([RecordCap::VOLUME.0]);
            let caps = Capabilities { channel, ..Capabilities::default() };
            self.channel.connect(VIEWER, ChannelLink { caps }, Time::ZERO);
            self.peer = ChannelPeer::new(HeaderKind::Full);
            assert!(!self.channel.admits());
        }

        /// The host says something; what the viewer hears of it.
        fn say(&mut self, say: impl FnOnce(&RecordMailbox)) -> Vec<ServerMessage> {
            say(&self.mailbox);
            self.channel.poll_host(Time::ZERO);
            let mut heard = Vec::new();
            while let Some(transmit) = self.channel.poll_transmit(VIEWER, Time::ZERO) {
                self.channel.handle_written(VIEWER, transmit.len, Time::ZERO);
                self.peer.handle_bytes(&transmit.to_bytes());
                while let Some((id, body)) = self.peer.poll_message().unwrap() {
                    heard.push(ServerMessage::decode(id, &body).unwrap());
                }
                self.channel.handle_bytes(VIEWER, &self.peer.take_answers(), Time::ZERO).unwrap();
            }
            heard
        }

        fn speak(&mut self, message: &ClientMessage) -> Result<(), ChannelError> {
            self.peer.send_message(message.id(), &message.encode().to_bytes());
            self.channel.handle_bytes(VIEWER, &self.peer.take_answers(), Time::ZERO)
        }
    }

    fn start(frequency: u32) -> ServerMessage {
        ServerMessage::Start(Start { channels: 2, format: AudioFormat::S16, frequency })
    }

    fn sound(frames: u32) -> ClientMessage {
        let data = (0..frames).flat_map(u32::to_le_bytes).collect();
        ClientMessage::Data(Packet { time: 0, data })
    }

    fn mode(mode: AudioMode) -> ClientMessage {
        ClientMessage::Mode(Mode { time: 0, mode, data: Bytes::new() })
    }

    #[test]
    fn the_guest_hears_a_viewer_from_its_start_to_its_stop() {
        let mut desk = Desk::new();
        assert_eq!(desk.say(|host| host.start(44_100)), [start(44_100)]);
        desk.speak(&mode(AudioMode::RAW)).unwrap();
        desk.speak(&ClientMessage::StartMark(StartMark { time: 7 })).unwrap();
        desk.speak(&sound(5000)).unwrap();
        assert!(desk.mailbox.read().into_iter().eq(0..5000));
        desk.speak(&sound(5000)).unwrap();
        assert_eq!(desk.say(RecordMailbox::stop), [ServerMessage::Stop]);
        assert_eq!(desk.mailbox.read(), []);
        assert_eq!(desk.say(|host| host.start(RATE)), [start(RATE)]);
        assert_eq!(desk.mailbox.read(), [], "it is from before");
    }

    #[test]
    fn what_nobody_asked_for_is_not_heard() {
        let mut desk = Desk::new();
        desk.speak(&sound(5000)).unwrap();
        // The host has begun, and the viewer has not been told.
        desk.mailbox.start(RATE);
        desk.speak(&sound(5000)).unwrap();
        assert_eq!(desk.mailbox.read(), []);
        desk.say(|_| ());
        // The host has begun again, and the viewer speaks for the time before.
        desk.mailbox.stop();
        desk.mailbox.start(8000);
        desk.speak(&sound(5000)).unwrap();
        assert_eq!(desk.mailbox.read(), []);
        assert_eq!(desk.say(|_| ()), [ServerMessage::Stop, start(8000)]);
        desk.speak(&sound(5000)).unwrap();
        assert_eq!(desk.mailbox.read().len(), 5000);
    }

    #[test]
    fn a_codec_that_was_not_offered_ends_the_connection() {
        for codec in [AudioMode::OPUS, AudioMode::CELT_0_5_1, AudioMode(0), AudioMode(u16::MAX)] {
            let mut desk = Desk::new();
            let error = desk.speak(&mode(codec)).unwrap_err();
            assert_eq!(error.scope(), spice_channel::Scope::ChannelClient);
        }
    }

    #[test]
    fn the_next_viewer_begins_anew() {
        let mut desk = Desk::new();
        let level = Level { volume: vec![9; 300], mute: Some(false) };
        let told = desk.say(|host| {
            host.start(RATE);
            host.set_level(&level);
        });
        let volume = ServerMessage::Volume(Volume(vec![9; 255]));
        assert_eq!(told, [start(RATE), volume, ServerMessage::Mute(Mute { mute: 0 })]);
        desk.speak(&sound(5000)).unwrap();
        desk.channel.disconnect(VIEWER, Time::ZERO);
        assert_eq!(desk.mailbox.read(), []);
        desk.join();
        assert_eq!(desk.say(|_| ()), told);
        desk.speak(&sound(4095)).unwrap();
        assert_eq!(desk.mailbox.read(), []);
    }

    #[test]
    fn more_sound_than_is_kept_is_no_message() {
        let mut desk = Desk::new();
        desk.say(|host| host.start(RATE));
        desk.speak(&sound(8192)).unwrap();
        assert_eq!(desk.mailbox.read().len(), 8192);
        assert!(matches!(desk.speak(&sound(8193)), Err(ChannelError::TooLarge { .. })));
    }

    #[test]
    fn a_host_that_cannot_decide_costs_a_viewer_that_does_not_read_little() {
        let mut desk = Desk::new();
        let mut sent = 0;
        for number in 0..20_000 {
            desk.mailbox.start(RATE);
            desk.mailbox.set_level(&Level { volume: vec![number], mute: Some(number % 2 == 0) });
            desk.channel.poll_host(Time::ZERO);
            sent += desk.channel.poll_transmit(VIEWER, Time::ZERO).map_or(0, |transmit| transmit.len);
            desk.mailbox.stop();
            desk.channel.poll_host(Time::ZERO);
            sent += desk.channel.poll_transmit(VIEWER, Time::ZERO).map_or(0, |transmit| transmit.len);
        }
        assert!(sent < 17 << 10, "{sent} bytes");
    }

    proptest! {
        #[test]
        fn a_viewer_that_says_anything_is_heard_or_ended(
            messages in prop::collection::vec((99..106_u16, prop::collection::vec(any::<u8>(), 0..40)), 1..40),
        ) {
            let mut desk = Desk::new();
            desk.say(|host| host.start(RATE));
            let mut frames = 0;
            for (id, body) in messages {
                desk.peer.send_message(id, &body);
                let said = desk.channel.handle_bytes(VIEWER, &desk.peer.take_answers(), Time::ZERO);
                let mode = body.get(4..6).map(|mode| u16::from(mode[0]) | u16::from(mode[1]) << 8);
                let good = match id {
                    101 => body.len() >= 4,
                    102 => mode == Some(AudioMode::RAW.0),
                    103 => body.len() == 4,
                    _ => false,
                };
                prop_assert_eq!(said.is_ok(), good);
                if !good {
                    break;
                }
                frames += if id == 101 { (body.len() - 4) / 4 } else { 0 };
            }
            // As many as make sure that they are given out.
            desk.mailbox.push(desk.channel.listening.unwrap(), &[0; 4 * 4096]);
            prop_assert_eq!(desk.mailbox.read().len(), frames + 4096);
        }

        #[test]
        fn whatever_is_said_in_whatever_order_no_more_is_kept_than_fits(
            steps in prop::collection::vec((0..8_u8, 0..33_000_usize), 1..60),
        ) {
            let mut desk = Desk::new();
            for (step, len) in steps {
                match step {
                    0 => drop(desk.say(|host| host.start(len as u32))),
                    1 => drop(desk.say(RecordMailbox::stop)),
                    2 => prop_assert!(desk.mailbox.read().len() <= 8192),
                    3 => {
                        desk.channel.disconnect(VIEWER, Time::ZERO);
                        desk.join();
                    }
                    4 => desk.speak(&ClientMessage::StartMark(StartMark { time: len as u32 })).unwrap(),
                    5 => desk.speak(&mode(AudioMode::RAW)).unwrap(),
                    _ => {
                        let said = desk.speak(&ClientMessage::Data(Packet { time: 0, data: vec![0; len].into() }));
                        if len > 32 << 10 {
                            prop_assert!(said.is_err());
                            desk.channel.disconnect(VIEWER, Time::ZERO);
                            desk.join();
                        }
                    }
                }
            }
        }
    }
}
