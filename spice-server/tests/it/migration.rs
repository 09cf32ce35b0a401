//! Desktops that move to another server, and their viewers with them.

use std::sync::mpsc::{Receiver, channel};

use bytes::Bytes;
use spice_client::{DisplayModel, LinkFailure};
use spice_proto::caps::{CapabilitySet, MainCap};
use spice_proto::main::{ClientMessage, DstInfo, MigrateDstDoSeamless, ServerMessage};
use spice_proto::{ChannelType, ConnectionId, LinkError};
use spice_server::{Auth, Credential, MigrationEvent, MigrationSink, MigrationTarget, Role, Secret};

use crate::support::{
    PATIENCE, Script, TestChannel, TestDisplay, TestServer, TestViewer, block_on, scripted, wait_for,
};

fn start(auth: Auth) -> (TestServer, Script) {
    let (guest, script) = scripted(true);
    (TestServer::start(auth, guest), script)
}

fn say(channel: &mut TestChannel, message: &ClientMessage) {
    channel.send(message.id(), &message.encode().to_bytes());
}

fn hear(channel: &mut TestChannel) -> ServerMessage {
    let (id, body) = channel.receive().unwrap();
    ServerMessage::decode(id, &body).unwrap()
}

/// A main channel of a viewer that can link to another server beforehand, greeted.
fn join(server: &TestServer, ticket: &str) -> (TestChannel, ConnectionId) {
    let caps = CapabilitySet::new([MainCap::SEMI_SEAMLESS_MIGRATE.0]);
    let mut main = TestChannel::link_with(server, ConnectionId(0), ChannelType::MAIN, caps, ticket).unwrap();
    let ServerMessage::Init(init) = hear(&mut main) else { panic!("not greeted") };
    (main, init.session_id)
}

fn begin(server: &TestServer, port: u16) -> Receiver<MigrationEvent> {
    let (sender, events) = channel();
    let target =
        MigrationTarget { host: "127.0.0.1".into(), port: Some(port), secure_port: None, subject: None };
    let sink = MigrationSink::new(move |event| {
        let _ = sender.send(event);
    });
    server.control.begin_migration(target, sink);
    events
}

#[test]
fn a_desktop_moves_and_its_viewer_is_at_the_target_before_it_leaves() {
    let secret = || Auth::ticket(Secret::new(b"s3cret").unwrap());
    let ((source, _source_script), (target, _target_script)) = (start(secret()), start(secret()));
    let (mut main, session) = join(&source, "s3cret");

    let events = begin(&source, target.addr.port());
    let ServerMessage::MigrateBegin(DstInfo { port, host, .. }) = hear(&mut main) else { panic!("no begin") };
    assert_eq!((port, host), (target.addr.port(), Bytes::from_static(b"127.0.0.1")));
    assert!(events.try_recv().is_err());

    let mut there = TestChannel::link(&target, session, ChannelType::MAIN, "s3cret").unwrap();
    say(&mut there, &ClientMessage::MigrateDstDoSeamless(MigrateDstDoSeamless { src_version: 1 }));
    assert_eq!(hear(&mut there), ServerMessage::MigrateDstSeamlessNack);
    let mut display = TestDisplay {
        channel: TestChannel::link(&target, session, ChannelType::DISPLAY, "s3cret").unwrap(),
        model: DisplayModel::default(),
    };
    let init = DisplayModel::default().init();
    display.channel.send(init.id(), &init.encode().to_bytes());
    say(&mut main, &ClientMessage::MigrateConnected);
    assert_eq!(events.recv_timeout(PATIENCE), Ok(MigrationEvent::Connected));

    source.control.end_migration(true);
    assert_eq!(hear(&mut main), ServerMessage::MigrateEnd);
    assert!(events.try_recv().is_err());
    drop(main);
    assert_eq!(events.recv_timeout(PATIENCE), Ok(MigrationEvent::Ended));

    // The first thing that the target says of the session is its beginning.
    say(&mut there, &ClientMessage::MigrateEnd);
    let ServerMessage::Init(init) = hear(&mut there) else { panic!("not greeted") };
    assert_eq!(init.session_id, session);
    display.until(DisplayModel::is_marked);
    let viewers = block_on(target.control.viewers()).unwrap();
    assert!(matches!(viewers[0].credential, Credential::Ticket(_)));
    // Channels that it opens by now are not held any more.
    TestChannel::link(&target, session, ChannelType::INPUTS, "s3cret").unwrap().receive().unwrap();
}

#[test]
fn a_viewer_that_cannot_go_beforehand_is_sent_in_the_end_and_one_that_stays_behind_is_told_so() {
    let (server, _script) = start(Auth::Open);
    let mut plain = TestViewer::join(&server, "").unwrap();
    let (mut able, _) = join(&server, "");
    let events = begin(&server, 5900);
    assert!(matches!(hear(&mut able), ServerMessage::MigrateBegin(_)));
    say(&mut able, &ClientMessage::MigrateConnectError);
    assert_eq!(events.recv_timeout(PATIENCE), Ok(MigrationEvent::Connected));
    server.control.end_migration(true);
    for main in [&mut plain.main, &mut able] {
        let ServerMessage::MigrateSwitchHost(switch) = hear(main) else { panic!("not sent") };
        assert_eq!((switch.port, switch.sport), (5900, 0));
    }
    drop(able);
    assert!(events.try_recv().is_err());
    drop(plain);
    assert_eq!(events.recv_timeout(PATIENCE), Ok(MigrationEvent::Ended));
}

#[test]
fn a_desktop_that_stays_calls_its_viewers_back() {
    let (server, _script) = start(Auth::Open);
    let (mut able, _) = join(&server, "");
    let events = begin(&server, 5900);
    assert!(matches!(hear(&mut able), ServerMessage::MigrateBegin(_)));
    server.control.end_migration(false);
    assert_eq!(hear(&mut able), ServerMessage::MigrateCancel);
    let events: Vec<_> = events.iter().take(2).collect();
    assert_eq!(events, [MigrationEvent::Connected, MigrationEvent::Ended]);
    // It was on its way.
    say(&mut able, &ClientMessage::MigrateConnected);
    say(&mut able, &ClientMessage::AttachChannels);
    assert!(matches!(hear(&mut able), ServerMessage::ChannelsList(_)));
}

#[test]
fn a_name_that_another_viewer_has_is_not_given_to_one_that_arrives() {
    let (server, _script) = start(Auth::Open);
    let here = TestViewer::join(&server, "").unwrap();
    for name in [here.connection, ConnectionId(u32::MAX)] {
        let refused = TestChannel::link(&server, name, ChannelType::MAIN, "").err();
        assert!(matches!(refused, Some(LinkFailure::Refused(LinkError::BAD_CONNECTION_ID))), "{refused:?}");
    }
}

#[test]
fn the_channels_of_one_that_never_arrives_end_with_it() {
    let (server, _script) = start(Auth::Open);
    let main = TestChannel::link(&server, ConnectionId(42), ChannelType::MAIN, "").unwrap();
    let display = TestChannel::link(&server, ConnectionId(42), ChannelType::DISPLAY, "").unwrap();
    let twice = TestChannel::link(&server, ConnectionId(42), ChannelType::DISPLAY, "").err();
    assert!(matches!(twice, Some(LinkFailure::Refused(LinkError::CHANNEL_NOT_AVAILABLE))), "{twice:?}");
    drop(main);
    assert!(display.drains_to_its_end());
    wait_for("it is forgotten", || (server.stats)().viewers == 0);
}

#[test]
fn a_role_that_is_given_on_the_way_counts_on_arrival() {
    let (server, _script) = start(Auth::Open);
    let mut main = TestChannel::link(&server, ConnectionId(42), ChannelType::MAIN, "").unwrap();
    let mut inputs = TestChannel::link(&server, ConnectionId(42), ChannelType::INPUTS, "").unwrap();
    let viewer = block_on(server.control.viewers()).unwrap()[0].id;
    assert!(block_on(server.control.set_role(viewer, Role::View)));
    say(&mut main, &ClientMessage::MigrateEnd);
    assert!(matches!(hear(&mut main), ServerMessage::Init(_)));
    inputs.receive().unwrap();
    let here = block_on(server.control.viewers()).unwrap();
    assert_eq!((here[0].role, here[0].permissions), (Role::View, Role::View.permissions()));
}

#[test]
fn who_was_here_all_along_cannot_say_that_it_has_arrived() {
    let (server, _script) = start(Auth::Open);
    for message in
        [ClientMessage::MigrateEnd, ClientMessage::MigrateConnected, ClientMessage::MigrateConnectError]
    {
        let mut viewer = TestViewer::join(&server, "").unwrap();
        say(&mut viewer.main, &message);
        assert!(viewer.main.drains_to_its_end());
    }
}
