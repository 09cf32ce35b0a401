//! What viewers may do, by their tickets and by their server's owner.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use spice_client::{DisplayModel, LinkFailure};
use spice_proto::inputs::{
    ClientMessage, KeyCode, MOTION_ACK_BUNCH, MouseButtons, MousePosition, ServerMessage,
};
use spice_proto::{ChannelType, LinkError};
use spice_server::guest::GuestInput;
use spice_server::{
    AuditEvent, AuditSink, Auth, ClientId, Credential, Credentials, Role, Secret, ServerConfig, Ticket,
};

use crate::support::{Script, TestChannel, TestServer, TestViewer, block_on, scripted, wait_for};

fn ticket(secret: &str) -> Ticket {
    Ticket::new(Secret::new(secret.as_bytes()).unwrap())
}

fn view(secret: &str) -> Ticket {
    Ticket { role: Role::View, permissions: Role::View.permissions(), ..ticket(secret) }
}

fn config(tickets: Vec<Ticket>) -> ServerConfig {
    let auth = Auth::Required(Credentials { tickets, users: None });
    ServerConfig::new("127.0.0.1:0".parse().unwrap(), auth)
}

fn start(tickets: Vec<Ticket>) -> (TestServer, Script) {
    let (guest, script) = scripted(true);
    (TestServer::with_config(config(tickets), guest), script)
}

fn denied<T>(linked: &Result<T, LinkFailure>) -> bool {
    matches!(linked, Err(LinkFailure::Refused(LinkError::PERMISSION_DENIED)))
}

/// Types a key, and waits until the server has looked at it: every fourth motion is acknowledged.
fn type_key(channel: &mut TestChannel, code: u32) {
    let key = ClientMessage::KeyDown(KeyCode { code });
    channel.send(key.id(), &key.encode().to_bytes());
    let position = MousePosition { x: 1, y: 1, buttons_state: MouseButtons::empty(), display_id: 0 };
    let position = ClientMessage::MousePosition(position);
    for _ in 0..MOTION_ACK_BUNCH {
        channel.send(position.id(), &position.encode().to_bytes());
    }
    while channel.receive().unwrap().0 != ServerMessage::MouseMotionAck.id() {}
}

/// What the guest has been typed since.
fn typed(script: &Script) -> Vec<u8> {
    let inputs = script.inputs.try_iter();
    inputs
        .filter_map(|input| if let GuestInput::ScanCode(code) = input { Some(code) } else { None })
        .collect()
}

#[test]
fn a_viewer_that_may_look_does_not_type_until_it_may_and_not_after() {
    let (server, script) = start(vec![ticket("control"), view("look")]);
    let typist = TestViewer::join(&server, "control").unwrap();
    let looker = TestViewer::join(&server, "look").unwrap();
    looker.display(&server, "look").until(DisplayModel::is_marked);
    let link = |viewer: &TestViewer, secret| {
        TestChannel::link(&server, viewer.connection, ChannelType::INPUTS, secret).unwrap()
    };
    let (mut typists, mut lookers) = (link(&typist, "control"), link(&looker, "look"));

    type_key(&mut lookers, 0x10);
    type_key(&mut typists, 0x11);
    wait_for("the typist's key", || typed(&script) == [0x11]);

    assert!(block_on(server.control.set_role(ClientId(2), Role::Control)));
    let viewers = block_on(server.control.viewers()).unwrap();
    assert_eq!(
        viewers[1].permissions,
        Role::View.permissions(),
        "its ticket is for looking, whatever its role"
    );
    type_key(&mut lookers, 0x12);
    type_key(&mut typists, 0x13);
    wait_for("the typist's second key", || typed(&script) == [0x13]);

    assert!(block_on(server.control.set_role(ClientId(1), Role::View)));
    wait_for("what it held is released", || typed(&script) == [0x91, 0x93]);
    type_key(&mut typists, 0x14);
    assert!(block_on(server.control.set_role(ClientId(1), Role::Control)));
    type_key(&mut typists, 0x15);
    wait_for("the typist's last key", || typed(&script) == [0x15]);
    assert!(!block_on(server.control.set_role(ClientId(9), Role::View)));
}

#[test]
fn all_channels_of_a_viewer_are_linked_with_a_ticket_that_is_spent_and_nobody_else_is_let_in_by_it() {
    let once = Ticket { single_use: true, ..ticket("once") };
    let (server, _script) = start(vec![once, ticket("other")]);
    let viewer = TestViewer::join(&server, "once").unwrap();
    assert!(denied(&TestViewer::join(&server, "once")));
    viewer.display(&server, "once").until(DisplayModel::is_marked);
    let linked = |kind, secret| TestChannel::link(&server, viewer.connection, kind, secret);
    assert!(denied(&linked(ChannelType::CURSOR, "other")), "another ticket opens no channel of the session");
    drop(linked(ChannelType::CURSOR, "once").unwrap());
    drop(viewer);
    wait_for("the viewer is gone", || (server.stats)().viewers == 0);
    assert!(denied(&TestViewer::join(&server, "once")));
}

#[test]
fn a_ticket_that_expires_lets_nobody_in_and_keeps_who_is_in() {
    let (server, _script) = start(vec![ticket("brief")]);
    let id = server.control.tickets()[0].id;
    let viewer = TestViewer::join(&server, "brief").unwrap();
    assert!(server.control.expire_ticket(id, Duration::ZERO));
    assert!(denied(&TestViewer::join(&server, "brief")));
    viewer.display(&server, "brief").until(DisplayModel::is_marked);
}

#[test]
fn a_ticket_that_is_revoked_ends_the_viewers_that_it_let_in_and_no_other() {
    let (server, _script) = start(vec![ticket("stays")]);
    let id = server.control.add_ticket(ticket("goes")).unwrap();
    assert!(server.control.add_ticket(ticket("goes")).is_err(), "a secret is one ticket's");
    let stays = TestViewer::join(&server, "stays").unwrap();
    let goes = TestViewer::join(&server, "goes").unwrap();
    let display = goes.display(&server, "goes");
    assert_eq!(block_on(server.control.revoke_ticket(id)), Some(1));
    assert_eq!(block_on(server.control.revoke_ticket(id)), None);
    assert!(goes.main.drains_to_its_end() && display.channel.drains_to_its_end());
    assert!(denied(&TestViewer::join(&server, "goes")));
    stays.display(&server, "stays").until(DisplayModel::is_marked);
}

#[test]
fn a_full_server_refuses_the_next_viewer_and_does_not_spend_its_ticket() {
    let once = Ticket { single_use: true, ..ticket("once") };
    let mut config = config(vec![ticket("many"), once]);
    config.max_viewers = 1;
    let (guest, _script) = scripted(true);
    let server = TestServer::with_config(config, guest);
    let first = TestViewer::join(&server, "many").unwrap();
    let refused = TestViewer::join(&server, "once").err();
    assert!(matches!(refused, Some(LinkFailure::Refused(LinkError::ERROR))), "{refused:?}");
    first.display(&server, "many").until(DisplayModel::is_marked);
    assert!(block_on(server.control.disconnect(ClientId(1))));
    assert!(first.main.drains_to_its_end());
    TestViewer::join(&server, "once").unwrap().display(&server, "once").until(DisplayModel::is_marked);
}

#[test]
fn an_address_that_guesses_is_locked_out_and_its_viewers_go_on_linking() {
    let (server, _script) = start(vec![ticket("right")]);
    let viewer = TestViewer::join(&server, "right").unwrap();
    for _ in 0..5 {
        assert!(denied(&TestViewer::join(&server, "wrong")));
    }
    assert!(denied(&TestViewer::join(&server, "right")), "locked out, whatever it offers");
    viewer.display(&server, "right").until(DisplayModel::is_marked);
}

#[test]
fn who_came_was_refused_changed_and_left_is_told_without_a_secret() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let mut config = config(vec![ticket("hush-hush")]);
    config.audit = Some(AuditSink::new(move |event| told.lock().unwrap().push(event)));
    let (guest, _script) = scripted(true);
    let server = TestServer::with_config(config, guest);
    let viewer = TestViewer::join(&server, "hush-hush").unwrap();
    assert!(denied(&TestViewer::join(&server, "psst-psst")));
    assert!(block_on(server.control.set_role(ClientId(1), Role::View)));
    assert!(block_on(server.control.disconnect(ClientId(1))));
    assert!(viewer.main.drains_to_its_end());
    let events = events.lock().unwrap();
    assert!(
        matches!(
            &events[..],
            [
                AuditEvent::Connected {
                    viewer: ClientId(1),
                    credential: Credential::Ticket(_),
                    role: Role::Control,
                    ..
                },
                AuditEvent::Refused { suppressed: 0, .. },
                AuditEvent::RoleChanged { from: Role::Control, to: Role::View, .. },
                AuditEvent::Ended { viewer: ClientId(1), .. },
            ]
        ),
        "{events:?}"
    );
    let text = format!("{events:?}");
    assert!(!text.contains("hush") && !text.contains("psst"), "{text}");
}
