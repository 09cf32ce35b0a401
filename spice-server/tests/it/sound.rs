//! Viewers hear the guest, each as far as it keeps up, and the guest hears one of them.

use std::time::Duration;

use spice_client::LinkFailure;
use spice_proto::playback::{self, AudioFormat, AudioMode, Packet, Start};
use spice_proto::record::{self, StartMark};
use spice_proto::{ChannelId, ChannelType, LinkError, main};
use spice_server::{
    Auth, Credentials, Permissions, Playback, SOUND_FRAMES, SOUND_RATE, Secret, ServerConfig, Ticket,
};

use crate::support::{TestChannel, TestServer, TestViewer, scripted, wait_for};

fn link(server: &TestServer, viewer: &TestViewer, kind: ChannelType) -> Result<TestChannel, LinkFailure> {
    TestChannel::link(server, viewer.connection, kind, "")
}

fn listen(server: &TestServer, viewer: &TestViewer) -> TestChannel {
    link(server, viewer, ChannelType::PLAYBACK).unwrap()
}

/// What a listener hears next.
fn hear(channel: &mut TestChannel) -> playback::ServerMessage {
    let (id, body) = channel.receive().unwrap();
    playback::ServerMessage::decode(id, &body).unwrap()
}

/// The mode and the start that come before all sound; when it began.
fn hear_start(channel: &mut TestChannel, rate: u32) -> u32 {
    let playback::ServerMessage::Mode(mode) = hear(channel) else { panic!("no mode") };
    assert_eq!(mode.mode, AudioMode::RAW);
    let playback::ServerMessage::Start(start) = hear(channel) else { panic!("no start") };
    let Start { channels, format, frequency, time } = start;
    assert_eq!((channels, format, frequency), (2, AudioFormat::S16, rate));
    time
}

fn hear_sound(channel: &mut TestChannel) -> Packet {
    match hear(channel) {
        playback::ServerMessage::Data(packet) => packet,
        other => panic!("{other:?}"),
    }
}

/// Ten milliseconds of sound that say which they are.
fn put(playback: &Playback, number: u32) {
    playback.put(&[number; SOUND_FRAMES]);
}

fn number(packet: &Packet) -> u32 {
    assert_eq!(packet.data.len(), SOUND_FRAMES * 4);
    u32::from_le_bytes(*packet.data.first_chunk().unwrap())
}

#[test]
fn every_viewer_hears_the_guest_and_one_that_does_not_read_takes_nothing_from_the_others() {
    let (guest, _script) = scripted(true);
    let server = TestServer::start(Auth::Open, guest);
    let playback = server.control.add_playback().unwrap();
    assert_eq!(playback.best_rate(), SOUND_RATE);
    playback.set_rate(44_100);
    let mut first = TestViewer::join(&server, "").unwrap();
    assert!(first.channels().0.iter().any(|offered| offered.channel_type == ChannelType::PLAYBACK));
    let stopped = TestViewer::join(&server, "").unwrap();
    let mut ear = listen(&server, &first);
    let _deaf = listen(&server, &stopped);
    playback.start();
    wait_for("a listener", || playback.is_listened());

    let mut last = hear_start(&mut ear, 44_100);
    for sent in 0..2000 {
        put(&playback, sent);
        let packet = hear_sound(&mut ear);
        assert_eq!(number(&packet), sent);
        assert!(packet.time >= last, "{} is before {last}", packet.time);
        last = packet.time;
    }

    // One that comes late hears what comes from then on, and how loud it is.
    playback.set_volume(&[40_000, 50_000]);
    playback.set_mute(false);
    let third = TestViewer::join(&server, "").unwrap();
    let mut late = listen(&server, &third);
    hear_start(&mut late, 44_100);
    let volume = playback::Volume(vec![40_000, 50_000]);
    assert_eq!(hear(&mut late), playback::ServerMessage::Volume(volume.clone()));
    assert_eq!(hear(&mut late), playback::ServerMessage::Mute(playback::Mute { mute: 0 }));
    assert_eq!(hear(&mut ear), playback::ServerMessage::Volume(volume));
    assert_eq!(hear(&mut ear), playback::ServerMessage::Mute(playback::Mute { mute: 0 }));
    put(&playback, 7);
    playback.stop();
    assert!(!playback.is_listened());
    for channel in [&mut ear, &mut late] {
        assert_eq!(number(&hear_sound(channel)), 7);
        assert_eq!(hear(channel), playback::ServerMessage::Stop);
    }

    // They go by the server's clock again, which is that of the sound.
    let (id, body) = first.main.receive().unwrap();
    let Ok(main::ServerMessage::MultiMediaTime(clock)) = main::ServerMessage::decode(id, &body) else {
        panic!("{id}")
    };
    assert!(clock.time >= last);
}

#[test]
fn sound_that_ends_for_good_takes_its_channel_along_and_makes_place_for_another() {
    let (guest, _script) = scripted(true);
    let server = TestServer::start(Auth::Open, guest);
    let first = server.control.add_playback().unwrap();
    let second = server.control.add_playback().unwrap();
    let mut viewer = TestViewer::join(&server, "").unwrap();
    let ids = |viewer: &mut TestViewer| -> Vec<ChannelId> {
        let list = viewer.channels().0.into_iter();
        let sound = list.filter(|offered| offered.channel_type == ChannelType::PLAYBACK);
        sound.map(|offered| offered.channel_id).collect()
    };
    assert_eq!(ids(&mut viewer), [ChannelId(0), ChannelId(1)]);
    let ear = listen(&server, &viewer);
    first.start();
    wait_for("a listener", || first.is_listened());
    assert!(!second.is_listened());
    drop(first);
    assert!(ear.drains_to_its_end());
    let third = server.control.add_playback().unwrap();
    third.start();
    let mut ear = listen(&server, &viewer);
    hear_start(&mut ear, SOUND_RATE);
    wait_for("a listener", || third.is_listened());
}

#[test]
fn a_host_outlives_its_server() {
    let (guest, _script) = scripted(true);
    let server = TestServer::start(Auth::Open, guest);
    let control = server.control.clone();
    let (playback, record) = (control.add_playback().unwrap(), control.add_record().unwrap());
    let viewer = TestViewer::join(&server, "").unwrap();
    let _ear = listen(&server, &viewer);
    playback.start();
    record.start();
    wait_for("a listener", || playback.is_listened());
    drop(server);
    wait_for("the end of the listener", || !playback.is_listened());
    (0..1000).for_each(|number| put(&playback, number));
    assert_eq!(record.read(&mut [0; 100]), 0);
    assert!(control.add_playback().is_err() && control.add_record().is_err());
}

fn say(channel: &mut TestChannel, message: &record::ClientMessage) {
    channel.send(message.id(), &message.encode().to_bytes());
}

fn speak(channel: &mut TestChannel, frames: core::ops::Range<u32>) {
    let data = frames.flat_map(u32::to_le_bytes).collect();
    say(channel, &record::ClientMessage::Data(Packet { time: 0, data }));
}

fn asked(channel: &mut TestChannel) -> record::ServerMessage {
    let (id, body) = channel.receive().unwrap();
    record::ServerMessage::decode(id, &body).unwrap()
}

#[test]
fn the_guest_hears_the_first_viewer_and_when_it_has_left_the_next() {
    let (guest, _script) = scripted(true);
    let server = TestServer::start(Auth::Open, guest);
    let device = server.control.add_record().unwrap();
    let (first, second) = (TestViewer::join(&server, "").unwrap(), TestViewer::join(&server, "").unwrap());
    let mut mouth = link(&server, &first, ChannelType::RECORD).unwrap();
    device.start();
    let start = record::Start { channels: 2, format: AudioFormat::S16, frequency: SOUND_RATE };
    assert_eq!(asked(&mut mouth), record::ServerMessage::Start(start));
    let taken = link(&server, &second, ChannelType::RECORD);
    assert!(matches!(taken, Err(LinkFailure::Refused(LinkError::CHANNEL_NOT_AVAILABLE))));

    let mode = record::Mode { time: 0, mode: AudioMode::RAW, data: bytes::Bytes::new() };
    say(&mut mouth, &record::ClientMessage::Mode(mode));
    say(&mut mouth, &record::ClientMessage::StartMark(StartMark { time: 0 }));
    (0..10).for_each(|piece| speak(&mut mouth, piece * 480..(piece + 1) * 480));
    let (mut heard, mut frames) = (Vec::new(), [0; 100]);
    wait_for("sound", || {
        let len = device.read(&mut frames);
        heard.extend_from_slice(&frames[..len]);
        heard.len() == 4800
    });
    assert!(heard.into_iter().eq(0..4800));
    device.stop();
    assert_eq!(asked(&mut mouth), record::ServerMessage::Stop);

    drop(mouth);
    device.start();
    let mut next = None;
    wait_for("the next one's turn", || {
        next = link(&server, &second, ChannelType::RECORD).ok();
        next.is_some()
    });
    let mut mouth = next.unwrap();
    assert_eq!(asked(&mut mouth), record::ServerMessage::Start(start));
    speak(&mut mouth, 0..8192);
    wait_for("sound", || device.read(&mut frames) > 0);
    assert!(frames.into_iter().eq(0..100));
}

#[test]
fn who_may_not_use_sound_is_not_offered_it_and_cannot_have_it() {
    let (guest, _script) = scripted(true);
    let secret = Secret::new(b"quiet").unwrap();
    let ticket = Ticket { permissions: Permissions::all() - Permissions::AUDIO, ..Ticket::new(secret) };
    let auth = Auth::Required(Credentials { tickets: vec![ticket], users: None });
    let config = ServerConfig::new("127.0.0.1:0".parse().unwrap(), auth);
    let server = TestServer::with_config(config, guest);
    let (playback, _record) = (server.control.add_playback().unwrap(), server.control.add_record().unwrap());
    playback.start();
    let mut viewer = TestViewer::join(&server, "quiet").unwrap();
    let sound = [ChannelType::PLAYBACK, ChannelType::RECORD];
    assert!(viewer.channels().0.iter().all(|offered| !sound.contains(&offered.channel_type)));
    for kind in sound {
        let denied = TestChannel::link(&server, viewer.connection, kind, "quiet");
        assert!(matches!(denied, Err(LinkFailure::Refused(LinkError::PERMISSION_DENIED))));
    }
    assert!(!playback.is_listened());
}

#[test]
fn a_viewer_that_speaks_in_another_codec_loses_the_channel_and_nothing_else() {
    let (guest, _script) = scripted(true);
    let server = TestServer::start(Auth::Open, guest);
    let device = server.control.add_record().unwrap();
    device.start();
    let mut viewer = TestViewer::join(&server, "").unwrap();
    let mut mouth = link(&server, &viewer, ChannelType::RECORD).unwrap();
    let mode = record::Mode { time: 0, mode: AudioMode::OPUS, data: bytes::Bytes::new() };
    say(&mut mouth, &record::ClientMessage::Mode(mode));
    assert!(mouth.drains_to_its_end());
    assert!(!viewer.channels().0.is_empty());
    wait_for("its place", || {
        std::thread::sleep(Duration::from_millis(1));
        link(&server, &viewer, ChannelType::RECORD).is_ok()
    });
}
