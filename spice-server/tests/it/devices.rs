//! Devices of a host, and the viewers that have them.

use std::sync::mpsc::{Receiver, channel};

use bytes::Bytes;
use spice_client::LinkFailure;
use spice_proto::port::{ClientMessage, Event, Init, PortEvent, ServerMessage};
use spice_proto::{ChannelId, ChannelType, LinkError};
use spice_server::devices::{DeviceData, DeviceEvent, DeviceHandle, DeviceKind, DeviceLink, DeviceSink};
use spice_server::{Auth, ClientId, Role};

use crate::support::{PATIENCE, TestChannel, TestServer, TestViewer, block_on, scripted, wait_for};

/// A device whose host notes what happens.
struct TestDevice {
    handle: DeviceHandle,
    events: Receiver<DeviceEvent>,
}

impl TestDevice {
    fn add(server: &TestServer, kind: DeviceKind) -> Self {
        let (sender, events) = channel();
        let sink = DeviceSink::new(move |event| drop(sender.send(event)));
        Self { handle: server.control.add_device(kind, sink).unwrap(), events }
    }

    fn next(&self) -> DeviceEvent {
        self.events.recv_timeout(PATIENCE).unwrap()
    }

    fn connected(&self) -> DeviceLink {
        match self.next() {
            DeviceEvent::Connected(link) => link,
            other => panic!("{other:?}"),
        }
    }

    fn data(&self) -> DeviceData {
        match self.next() {
            DeviceEvent::Data(data) => data,
            other => panic!("{other:?}"),
        }
    }
}

fn port() -> DeviceKind {
    DeviceKind::Port { name: "org.example.port".to_owned() }
}

fn server() -> (TestServer, crate::support::Script) {
    let (guest, script) = scripted(true);
    (TestServer::start(Auth::Open, guest), script)
}

fn link(server: &TestServer, viewer: &TestViewer, kind: ChannelType) -> Result<TestChannel, LinkFailure> {
    TestChannel::link(server, viewer.connection, kind, "")
}

fn hears(channel: &mut TestChannel) -> ServerMessage {
    let (id, body) = channel.receive().unwrap();
    ServerMessage::decode(id, &body).unwrap()
}

fn say(channel: &mut TestChannel, message: &ClientMessage) {
    channel.send(message.id(), &message.encode().to_bytes());
}

#[test]
fn a_port_of_the_guest_speaks_with_the_viewer_that_has_it() {
    let (server, _script) = server();
    let device = TestDevice::add(&server, port());
    assert_eq!(device.handle.channel(), (ChannelType::PORT, ChannelId(0)));
    let mut viewer = TestViewer::join(&server, "").unwrap();
    assert!(viewer.channels().0.iter().any(|offered| offered.channel_type == ChannelType::PORT));
    let mut channel = link(&server, &viewer, ChannelType::PORT).unwrap();
    let host = device.connected();
    let name = Bytes::from_static(b"org.example.port");
    assert_eq!(hears(&mut channel), ServerMessage::Init(Init { name, opened: 0 }));
    device.handle.port_event(PortEvent::OPENED.0);
    host.send(Bytes::from_static(b"from the guest")).unwrap();
    assert_eq!(hears(&mut channel), ServerMessage::Event(Event { event: PortEvent::OPENED }));
    assert_eq!(hears(&mut channel), ServerMessage::Data(Bytes::from_static(b"from the guest")));
    say(&mut channel, &ClientMessage::Data(Bytes::from_static(b"from the viewer")));
    say(&mut channel, &ClientMessage::Event(Event { event: PortEvent::BREAK }));
    assert_eq!(device.data()[..], *b"from the viewer");
    assert!(matches!(device.next(), DeviceEvent::PortEvent(2)));

    let second = TestViewer::join(&server, "").unwrap();
    let refused = link(&server, &second, ChannelType::PORT).err();
    assert!(matches!(refused, Some(LinkFailure::Refused(LinkError::CHANNEL_NOT_AVAILABLE))), "{refused:?}");
    drop(channel);
    assert!(matches!(device.next(), DeviceEvent::Disconnected));
    let mut channel = link(&server, &second, ChannelType::PORT).unwrap();
    assert!(matches!(hears(&mut channel), ServerMessage::Init(Init { opened: 1, .. })));
    drop(device);
    assert!(channel.drains_to_its_end());
    assert!(link(&server, &second, ChannelType::PORT).is_err());
}

#[test]
fn devices_have_the_lowest_numbers_that_are_free() {
    let (server, _script) = server();
    let mut devices: Vec<_> = (0..3).map(|_| TestDevice::add(&server, DeviceKind::UsbRedir)).collect();
    let numbers = |devices: &[TestDevice]| -> Vec<u8> {
        devices.iter().map(|device| device.handle.channel().1.0).collect()
    };
    assert_eq!(numbers(&devices), [0, 1, 2]);
    devices.remove(1).handle.remove();
    devices.push(TestDevice::add(&server, DeviceKind::UsbRedir));
    assert_eq!(numbers(&devices), [0, 2, 1]);
    assert_eq!(TestDevice::add(&server, DeviceKind::WebDav).handle.channel().1, ChannelId(0));
}

#[test]
fn a_device_that_is_slow_holds_its_viewer_back_and_loses_nothing() {
    const PIECE: usize = 50_000;
    const PIECES: usize = 400;
    let (server, _script) = server();
    let device = TestDevice::add(&server, DeviceKind::UsbRedir);
    let viewer = TestViewer::join(&server, "").unwrap();
    let mut channel = link(&server, &viewer, ChannelType::USBREDIR).unwrap();
    let _host = device.connected();
    let sender = std::thread::spawn(move || {
        for number in 0..PIECES {
            let piece = vec![u8::try_from(number % 251).unwrap(); PIECE];
            say(&mut channel, &ClientMessage::Data(piece.into()));
        }
        channel
    });
    // The host holds on to what comes: it stops coming, far before all of it has.
    let mut held = vec![device.data()];
    while let Ok(event) = device.events.recv_timeout(std::time::Duration::from_millis(500)) {
        let DeviceEvent::Data(data) = event else { panic!("{event:?}") };
        held.push(data);
    }
    assert!(held.len() * PIECE <= (256 << 10) + (64 << 10) + 2 * PIECE, "{}", held.len());
    // Others go on meanwhile.
    let mut bystander = TestViewer::join(&server, "").unwrap();
    assert!(!bystander.channels().0.is_empty());
    let seen = held.len();
    drop(held);
    for number in seen..PIECES {
        let data = device.data();
        assert!(data.len() == PIECE && data[0] == u8::try_from(number % 251).unwrap(), "{number}");
    }
    drop(sender.join().unwrap());
    assert!(matches!(device.next(), DeviceEvent::Disconnected));
}

#[test]
fn who_may_only_look_has_no_device_and_loses_the_one_it_has() {
    let (server, _script) = server();
    let device = TestDevice::add(&server, port());
    let viewer = TestViewer::join(&server, "").unwrap();
    let channel = link(&server, &viewer, ChannelType::PORT).unwrap();
    let _host = device.connected();
    assert!(block_on(server.control.set_role(ClientId(1), Role::View)));
    assert!(matches!(device.next(), DeviceEvent::Disconnected));
    assert!(channel.drains_to_its_end());
    let refused = link(&server, &viewer, ChannelType::PORT).err();
    assert!(matches!(refused, Some(LinkFailure::Refused(LinkError::PERMISSION_DENIED))), "{refused:?}");
    assert!(block_on(server.control.set_role(ClientId(1), Role::Control)));
    wait_for("the device", || link(&server, &viewer, ChannelType::PORT).is_ok());
}
