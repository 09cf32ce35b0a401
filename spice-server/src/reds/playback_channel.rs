//! The playback channel: what every viewer hears of the guest.

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use spice_channel::{
    Channel, ChannelConfig, ChannelError, ChannelLink, ClientId, RedChannel, RedChannelClient, RoomLimits,
    Time, Transmit,
};
use spice_proto::caps::{CapabilitySet, PlaybackCap};
use spice_proto::playback::{AudioFormat, AudioMode, Mode, Mute, Packet, ServerMessage, Start, Volume};
use spice_proto::{ChannelId, ChannelType, DecodeError, DecodeErrorKind};

use super::device::DeviceChannel;
use crate::clock;
use crate::io::ReadPermit;
use crate::sound::{Due, Level, Pieces, PlaybackMailbox, PlaybackNews, SOUND_CHANNELS, Stream};

/// What viewers hear: the same for all of them, each as far as it keeps up.
#[derive(Debug)]
pub(crate) struct PlaybackChannel {
    channel: RedChannel<PlaybackClient>,
    config: ChannelConfig,
    mailbox: Arc<PlaybackMailbox>,
    playing: Option<Stream>,
    level: Level,
}

/// A viewer. What it is to be told waits as a fact that is due; only sound waits in a queue, of which the newest is kept.
#[derive(Debug)]
struct PlaybackClient {
    red: RedChannelClient,
    /// Whether it can do volume and mute.
    has_volume: bool,
    mode_due: bool,
    due: Due,
    /// It has been told that sound begins, once at least.
    begun: bool,
    /// What it has been told plays now.
    told: Option<Stream>,
    /// The latest time that it has been told; no sound is from before.
    time: Time,
    pieces: Pieces,
}

impl AsRef<RedChannelClient> for PlaybackClient {
    fn as_ref(&self) -> &RedChannelClient {
        &self.red
    }
}

impl AsMut<RedChannelClient> for PlaybackClient {
    fn as_mut(&mut self) -> &mut RedChannelClient {
        &mut self.red
    }
}

/// What may be on its way: 170 ms of sound at 48 kHz to begin with, half a second of it at most, so that a round trip of as
/// long is no gap. What a narrow link does not carry is not sent late, but left out.
const ROOM: RoomLimits = RoomLimits { least: 8 << 10, first: 32 << 10, most: 96 << 10 };

impl PlaybackChannel {
    /// A channel of which nothing is to be heard yet.
    pub(crate) fn new(id: ChannelId, viewer_timeout: Duration, mailbox: Arc<PlaybackMailbox>) -> Self {
        Self {
            channel: RedChannel::new(ChannelType::PLAYBACK, id),
            config: ChannelConfig { room: ROOM, ..ChannelConfig::default() }.with_stall_limit(viewer_timeout),
            mailbox,
            playing: None,
            level: Level::default(),
        }
    }

    /// What such a channel can do.
    pub(crate) fn offer() -> CapabilitySet {
        CapabilitySet::new([PlaybackCap::VOLUME.0])
    }
}

impl PlaybackClient {
    /// The next message, of many that may be due. Those that say what is to be come before the sound that it concerns, and
    /// what has been put of a stream before its end.
    fn poll_message(&mut self, playing: Option<Stream>, level: &Level, now: Time) -> Option<ServerMessage> {
        if std::mem::take(&mut self.mode_due) {
            let (time, data) = (clock::multimedia(now), Bytes::new());
            return Some(ServerMessage::Mode(Mode { time, mode: AudioMode::RAW, data }));
        }
        // Viewers of the C project have nothing to turn before sound begins, and forget it (`spice-gstaudio.c`).
        if self.begun && self.has_volume {
            if std::mem::take(&mut self.due.volume) {
                return Some(ServerMessage::Volume(Volume(level.volume.clone())));
            }
            if std::mem::take(&mut self.due.mute) {
                return Some(ServerMessage::Mute(Mute { mute: level.mute.unwrap_or(false).into() }));
            }
        }
        let Some(told) = self.told else { return self.start(playing?, now) };
        if self.pieces.front().is_some_and(|piece| piece.stream == told) {
            let piece = self.pieces.pop()?;
            self.time = self.time.max(piece.time);
            return Some(ServerMessage::Data(Packet {
                time: clock::multimedia(self.time),
                data: piece.data,
            }));
        }
        if playing == Some(told) {
            return None;
        }
        self.told = None;
        Some(ServerMessage::Stop)
    }

    fn start(&mut self, stream: Stream, now: Time) -> Option<ServerMessage> {
        // Of streams that were over before it heard of them.
        while self.pieces.front().is_some_and(|piece| piece.stream != stream) {
            self.pieces.pop();
        }
        (self.told, self.begun) = (Some(stream), true);
        // Sound from before its stream's time is an error to viewers of the C project (`channel-playback.c`).
        self.time = self.pieces.front().map_or(now, |piece| piece.time.min(now));
        Some(ServerMessage::Start(Start {
            channels: SOUND_CHANNELS,
            format: AudioFormat::S16,
            frequency: stream.rate,
            time: clock::multimedia(self.time),
        }))
    }
}

impl DeviceChannel for PlaybackChannel {
    fn admits(&self) -> bool {
        true
    }

    fn hold(&mut self, _: Option<ReadPermit>) {}

    fn poll_host(&mut self, _: Time) {
        let PlaybackNews { playing, mut pieces, level, due } = self.mailbox.take();
        (self.playing, self.level) = (playing, level);
        for (_, client) in self.channel.iter_mut() {
            client.due.add(due);
        }
        while let Some(piece) = pieces.pop() {
            for (_, client) in self.channel.iter_mut() {
                client.pieces.push(piece.clone());
            }
        }
    }
}

impl Channel for PlaybackChannel {
    fn caps(&self) -> CapabilitySet {
        Self::offer()
    }

    fn connect(&mut self, client: ClientId, link: ChannelLink, now: Time) {
        self.channel.attach(
            client,
            PlaybackClient {
                red: RedChannelClient::new(link.header(), self.config, now),
                has_volume: link.caps.channel.contains(PlaybackCap::VOLUME.0),
                mode_due: true,
                due: self.level.said(),
                begun: false,
                told: None,
                time: Time::ZERO,
                pieces: Pieces::default(),
            },
        );
        self.mailbox.set_viewers(self.channel.len());
    }

    fn disconnect(&mut self, client: ClientId, _: Time) {
        self.channel.detach(client);
        self.mailbox.set_viewers(self.channel.len());
    }

    fn handle_bytes(&mut self, id: ClientId, bytes: &[u8], now: Time) -> Result<(), ChannelError> {
        let Some(client) = self.channel.client_mut(id) else { return Ok(()) };
        client.red.handle_bytes(bytes, now);
        match client.red.poll_message(now)? {
            None => Ok(()),
            Some(message) => Err(ChannelError::Decode(DecodeError {
                message: "playback",
                field: "type",
                offset: 0,
                kind: DecodeErrorKind::Unknown { id: message.id },
            })),
        }
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
            && let Some(message) = client.poll_message(self.playing, &self.level, now)
        {
            client.red.send(message.id(), &message.encode());
        }
        client.red.poll_transmit(now)
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.channel.poll_timeout()
    }
}

/// A host whose server has ended is not to think that somebody listens.
impl Drop for PlaybackChannel {
    fn drop(&mut self) {
        self.mailbox.set_viewers(0);
    }
}

#[cfg(test)]
mod tests {
    use spice_client::ChannelPeer;
    use spice_proto::HeaderKind;
    use spice_proto::caps::Capabilities;

    use super::*;

    const RATE: u32 = 48_000;
    const LEVEL: [u16; 2] = [40_000, 50_000];

    /// A channel, its host, and a clock.
    struct Desk {
        channel: PlaybackChannel,
        mailbox: Arc<PlaybackMailbox>,
        now: Time,
    }

    impl Desk {
        fn new() -> Self {
            let mailbox = Arc::new(PlaybackMailbox::default());
            let timeout = Duration::from_secs(30);
            let channel = PlaybackChannel::new(ChannelId(0), timeout, Arc::clone(&mailbox));
            Self { channel, mailbox, now: Time::from_millis(10_000) }
        }

        fn join(&mut self, id: u64, cap: Option<PlaybackCap>) -> Viewer {
            let channel = CapabilitySet::new(cap.map(|cap| cap.0));
            let caps = Capabilities { channel, ..Capabilities::default() };
            self.channel.connect(ClientId(id), ChannelLink { caps }, self.now);
            Viewer { id: ClientId(id), peer: ChannelPeer::new(HeaderKind::Full) }
        }

        fn say(&mut self, say: impl FnOnce(&PlaybackMailbox)) {
            say(&self.mailbox);
            self.channel.poll_host(self.now);
        }

        /// Ten milliseconds of sound, all of it this byte.
        fn put(&mut self, byte: u8) {
            let now = self.now;
            self.say(|host| host.put(vec![byte; 1920].into(), now));
        }

        fn wait(&mut self, millis: u64) {
            self.now += Duration::from_millis(millis);
        }
    }

    struct Viewer {
        id: ClientId,
        peer: ChannelPeer,
    }

    impl Viewer {
        /// Reads and answers everything that there is.
        fn hear(&mut self, desk: &mut Desk) -> Vec<ServerMessage> {
            let mut heard = Vec::new();
            while let Some(transmit) = desk.channel.poll_transmit(self.id, desk.now) {
                desk.channel.handle_written(self.id, transmit.len, desk.now);
                self.peer.handle_bytes(&transmit.to_bytes());
                while let Some((id, body)) = self.peer.poll_message().unwrap() {
                    heard.push(ServerMessage::decode(id, &body).unwrap());
                }
                desk.channel.handle_bytes(self.id, &self.peer.take_answers(), desk.now).unwrap();
            }
            heard
        }
    }

    fn mode(time: u32) -> ServerMessage {
        ServerMessage::Mode(Mode { time, mode: AudioMode::RAW, data: Bytes::new() })
    }

    fn start(frequency: u32, time: u32) -> ServerMessage {
        ServerMessage::Start(Start { channels: 2, format: AudioFormat::S16, frequency, time })
    }

    fn sound(byte: u8, time: u32) -> ServerMessage {
        ServerMessage::Data(Packet { time, data: vec![byte; 1920].into() })
    }

    fn level() -> Level {
        Level { volume: LEVEL.into(), mute: Some(true) }
    }

    #[test]
    fn sound_goes_to_every_viewer_with_the_time_at_which_it_was_put() {
        let mut desk = Desk::new();
        let (mut one, mut two) = (desk.join(1, None), desk.join(2, None));
        desk.say(|host| host.start(44_100));
        desk.put(1);
        desk.wait(10);
        desk.put(2);
        let heard = [mode(10_010), start(44_100, 10_000), sound(1, 10_000), sound(2, 10_010)];
        assert_eq!(one.hear(&mut desk), heard);
        assert_eq!(two.hear(&mut desk), heard);
        desk.wait(10);
        desk.put(3);
        desk.say(PlaybackMailbox::stop);
        assert_eq!(one.hear(&mut desk), [sound(3, 10_020), ServerMessage::Stop]);
        assert_eq!(one.hear(&mut desk), []);
    }

    #[test]
    fn a_viewer_that_joins_while_something_plays_is_told_everything_and_hears_what_is_put_from_then_on() {
        let mut desk = Desk::new();
        desk.say(|host| host.set_level(&level()));
        desk.say(|host| host.start(RATE));
        desk.put(1);
        assert_eq!(desk.mailbox.viewers(), 0);
        let mut late = desk.join(1, Some(PlaybackCap::VOLUME));
        assert_eq!(desk.mailbox.viewers(), 1);
        desk.put(2);
        let (volume, mute) =
            (ServerMessage::Volume(Volume(LEVEL.into())), ServerMessage::Mute(Mute { mute: 1 }));
        let all = [mode(10_000), start(RATE, 10_000), volume.clone(), mute.clone(), sound(2, 10_000)];
        assert_eq!(late.hear(&mut desk), all);
        desk.say(|host| host.set_level(&Level { volume: vec![], mute: Some(false) }));
        assert_eq!(late.hear(&mut desk), [ServerMessage::Mute(Mute { mute: 0 })]);
        let mut cannot = desk.join(2, None);
        assert_eq!(cannot.hear(&mut desk), [mode(10_000), start(RATE, 10_000)]);
        desk.channel.disconnect(ClientId(1), desk.now);
        assert_eq!(desk.mailbox.viewers(), 1);
    }

    #[test]
    fn how_loud_it_is_waits_for_the_first_sound() {
        let mut desk = Desk::new();
        let mut viewer = desk.join(1, Some(PlaybackCap::VOLUME));
        desk.say(|host| host.set_level(&level()));
        assert_eq!(viewer.hear(&mut desk), [mode(10_000)]);
        desk.say(|host| host.start(RATE));
        let heard = viewer.hear(&mut desk);
        assert!(matches!(
            heard[..],
            [ServerMessage::Start(_), ServerMessage::Volume(_), ServerMessage::Mute(_)]
        ));
    }

    #[test]
    fn another_rate_is_another_stream() {
        let mut desk = Desk::new();
        let mut viewer = desk.join(1, None);
        desk.say(|host| host.start(RATE));
        desk.put(1);
        viewer.hear(&mut desk);
        desk.put(2);
        desk.say(PlaybackMailbox::stop);
        desk.say(|host| host.start(8000));
        desk.put(3);
        desk.say(PlaybackMailbox::stop);
        desk.say(|host| host.start(16_000));
        desk.put(4);
        let heard = [sound(2, 10_000), ServerMessage::Stop, start(16_000, 10_000), sound(4, 10_000)];
        assert_eq!(viewer.hear(&mut desk), heard);
    }

    #[test]
    fn a_host_whose_clock_is_read_a_little_late_makes_no_sound_older_than_its_stream() {
        let mut desk = Desk::new();
        let mut viewer = desk.join(1, None);
        desk.say(|host| host.start(RATE));
        assert_eq!(viewer.hear(&mut desk), [mode(10_000), start(RATE, 10_000)]);
        desk.say(|host| host.put(vec![1; 1920].into(), Time::from_millis(9_999)));
        assert_eq!(viewer.hear(&mut desk), [sound(1, 10_000)]);
    }

    #[test]
    fn a_viewer_that_does_not_read_costs_a_tenth_of_a_second_and_the_others_nothing() {
        let mut desk = Desk::new();
        let (mut stopped, mut other) = (desk.join(1, Some(PlaybackCap::VOLUME)), desk.join(2, None));
        desk.say(|host| host.start(RATE));
        other.hear(&mut desk);
        let mut sent = 0;
        for number in 0..2000_u32 {
            desk.wait(10);
            desk.put(number as u8);
            desk.say(|host| host.set_level(&level()));
            while let Some(transmit) = desk.channel.poll_transmit(stopped.id, desk.now) {
                sent += transmit.len;
                stopped.peer.handle_bytes(&transmit.to_bytes());
            }
            let time = 10_000 + 10 * (number + 1);
            assert_eq!(other.hear(&mut desk), [sound(number as u8, time)]);
        }
        assert!((32 << 10..36 << 10).contains(&sent), "{sent} bytes");

        // It reads again: what it hears next is what is newest.
        while stopped.peer.poll_message().unwrap().is_some() {}
        desk.channel.handle_written(stopped.id, sent, desk.now);
        desk.channel.handle_bytes(stopped.id, &stopped.peer.take_answers(), desk.now).unwrap();
        let heard = stopped.hear(&mut desk);
        let times = heard.iter().filter_map(|heard| match heard {
            ServerMessage::Data(packet) => Some(packet.time),
            _ => None,
        });
        assert!(times.eq((29_910..=30_000).step_by(10)), "{heard:?}");
        let volumes = heard.iter().filter(|heard| matches!(heard, ServerMessage::Volume(_))).count();
        assert_eq!(volumes, 1);
    }

    /// A link that carries so many bytes a millisecond, and a viewer that reads what comes; answers how old each piece was
    /// when it was heard, over so many seconds.
    fn ages_over(rate: usize, seconds: u32) -> Vec<u32> {
        let mut desk = Desk::new();
        let mut viewer = desk.join(1, None);
        desk.say(|host| host.start(RATE));
        let (mut under_way, mut ages) = (Vec::new(), Vec::new());
        for millis in 0..seconds * 1000 {
            desk.wait(1);
            if millis % 10 == 0 {
                desk.put(1);
            }
            while let Some(transmit) = desk.channel.poll_transmit(viewer.id, desk.now) {
                desk.channel.handle_written(viewer.id, transmit.len, desk.now);
                under_way.extend_from_slice(&transmit.to_bytes());
            }
            let arrived = under_way.drain(..rate.min(under_way.len())).collect::<Vec<u8>>();
            viewer.peer.handle_bytes(&arrived);
            while let Some((id, body)) = viewer.peer.poll_message().unwrap() {
                if let Ok(ServerMessage::Data(packet)) = ServerMessage::decode(id, &body) {
                    ages.push(clock::multimedia(desk.now) - packet.time);
                }
            }
            desk.channel.handle_bytes(viewer.id, &viewer.peer.take_answers(), desk.now).unwrap();
        }
        ages
    }

    #[test]
    fn what_a_narrow_link_cannot_carry_is_left_out_and_the_rest_is_not_late() {
        // A second of sound is 193 kB. Before it is known how narrow the link is, more is under way.
        let ages = ages_over(100, 20);
        assert!((900..1100).contains(&ages.len()), "{} of 2000", ages.len());
        let late = ages.iter().skip(ages.len() / 4).max().unwrap();
        assert!(*late <= 250, "{late} ms");
        let ages = ages_over(250, 20);
        assert_eq!(ages.len(), 2000);
        assert!(ages.iter().all(|age| *age <= 50), "{:?} ms", ages.iter().max());
    }

    #[test]
    fn a_viewer_that_speaks_loses_the_channel() {
        let mut desk = Desk::new();
        let viewer = desk.join(1, None);
        let mut bytes = Vec::new();
        HeaderKind::Full.encode(1, 101, 0, &mut bytes);
        let error = desk.channel.handle_bytes(viewer.id, &bytes, desk.now).unwrap_err();
        assert_eq!(error.scope(), spice_channel::Scope::ChannelClient);
    }
}
