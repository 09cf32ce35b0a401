//! What viewers do reaches the guest, and what the guest answers reaches them.

use spice_proto::ChannelType;
use spice_proto::inputs::{
    ClientMessage, KeyCode, KeyModifiers, KeyModifiersState, MouseButtons, MousePosition, ServerMessage,
};
use spice_proto::main::{self, MouseModeRequest, MouseModes};
use spice_server::Auth;
use spice_server::guest::GuestInput;

use crate::support::{PATIENCE, TestChannel, TestServer, TestViewer, scripted};

fn send(channel: &mut TestChannel, message: &ClientMessage) {
    channel.send(message.id(), &message.encode().to_bytes());
}

fn inputs(server: &TestServer, viewer: &TestViewer) -> TestChannel {
    let mut inputs = TestChannel::link(server, viewer.connection, ChannelType::INPUTS, "").unwrap();
    let (id, body) = inputs.receive().unwrap();
    assert!(matches!(ServerMessage::decode(id, &body), Ok(ServerMessage::Init(_))));
    inputs
}

#[test]
fn two_viewers_type_and_what_one_holds_is_let_go_when_it_leaves() {
    let (guest, script) = scripted(true);
    let server = TestServer::start(Auth::Open, guest);
    let (first, second) = (TestViewer::join(&server, "").unwrap(), TestViewer::join(&server, "").unwrap());
    let (mut left, mut right) = (inputs(&server, &first), inputs(&server, &second));
    let next = || script.inputs.recv_timeout(PATIENCE).unwrap();

    send(&mut left, &ClientMessage::KeyDown(KeyCode { code: 0x1e }));
    assert_eq!(next(), GuestInput::ScanCode(0x1e));
    send(&mut right, &ClientMessage::KeyDown(KeyCode { code: 0x48e0 }));
    assert_eq!([next(), next()], [GuestInput::ScanCode(0xe0), GuestInput::ScanCode(0x48)]);
    drop(first);
    assert_eq!(next(), GuestInput::ScanCode(0x9e));

    let lights = KeyModifiersState { modifiers: KeyModifiers::CAPS_LOCK };
    send(&mut right, &ClientMessage::KeyModifiers(lights));
    let (id, body) = right.receive().unwrap();
    assert_eq!(ServerMessage::decode(id, &body), Ok(ServerMessage::KeyModifiers(lights)));
}

#[test]
fn positions_count_in_client_mode_and_the_mode_is_everybodys() {
    let (guest, script) = scripted(true);
    let server = TestServer::start(Auth::Open, guest);
    let (mut first, mut second) =
        (TestViewer::join(&server, "").unwrap(), TestViewer::join(&server, "").unwrap());
    let mut mouse = inputs(&server, &first);
    let position = MousePosition { x: 3, y: 4, buttons_state: MouseButtons::empty(), display_id: 0 };
    send(&mut mouse, &ClientMessage::MousePosition(position));
    let expected = GuestInput::Position { x: 3, y: 4, display: 0, buttons: MouseButtons::empty() };
    assert_eq!(script.inputs.recv_timeout(PATIENCE).unwrap(), expected);

    let request = main::ClientMessage::MouseModeRequest(MouseModeRequest { mode: MouseModes::SERVER });
    second.main.send(request.id(), &request.encode().to_bytes());
    for viewer in [&mut first, &mut second] {
        let (id, body) = viewer.main.receive().unwrap();
        let Ok(main::ServerMessage::MouseMode(mode)) = main::ServerMessage::decode(id, &body) else {
            panic!("{id}")
        };
        assert_eq!(mode.current_mode, MouseModes::SERVER);
    }
    send(&mut mouse, &ClientMessage::MousePosition(position));
    send(&mut mouse, &ClientMessage::KeyDown(KeyCode { code: 0x1e }));
    assert_eq!(script.inputs.recv_timeout(PATIENCE).unwrap(), GuestInput::ScanCode(0x1e));
}

#[test]
fn a_mode_that_the_guest_cannot_do_is_not_entered() {
    let (guest, _script) = scripted(false);
    let server = TestServer::start(Auth::Open, guest);
    let mut viewer = TestViewer::join(&server, "").unwrap();
    let request = main::ClientMessage::MouseModeRequest(MouseModeRequest { mode: MouseModes::CLIENT });
    viewer.main.send(request.id(), &request.encode().to_bytes());
    assert_eq!(viewer.channels().0.len(), 3);
}
