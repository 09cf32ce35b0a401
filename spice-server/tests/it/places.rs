//! Connections that are not in yet.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use spice_client::DisplayModel;
use spice_proto::caps::{Capabilities, CapabilitySet};
use spice_proto::link::LinkMess;
use spice_proto::{ChannelId, ChannelType, ConnectionId};
use spice_server::{Auth, Secret, ServerConfig};

use crate::support::{TestServer, TestViewer, scripted, wait_for};

fn start(in_all: usize, per_address: usize, deadline: Duration) -> TestServer {
    let auth = Auth::ticket(Secret::new(b"s3cret").unwrap());
    let mut config = ServerConfig::new("127.0.0.1:0".parse().unwrap(), auth);
    (config.max_linking, config.max_linking_per_address) = (in_all, per_address);
    config.link_deadline = deadline;
    TestServer::with_config(config, scripted(true).0)
}

const LONG: Duration = Duration::from_secs(60);

fn is_closed(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = (&mut &*stream).read(&mut [0; 512]);
    stream.set_nonblocking(false).unwrap();
    matches!(&read, Ok(0)) || read.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
}

#[test]
fn silent_connections_give_way_and_keep_no_viewer_out() {
    let server = start(64, 16, LONG);
    let silent: Vec<_> = (0..500).map(|_| server.connect()).collect();
    let viewer = TestViewer::join(&server, "s3cret").unwrap();
    viewer.display(&server, "s3cret").until(DisplayModel::is_marked);
    wait_for("all but those of one address's places are closed", || {
        silent.iter().filter(|stream| !is_closed(stream)).count() <= 16
    });
    assert!(server.control.linking() <= 16);
}

#[test]
fn who_has_sent_a_link_message_keeps_its_place_beside_the_silent() {
    let server = start(8, 8, LONG);
    let mut spoken = server.connect();
    let mut bytes = Vec::new();
    let (connection_id, channel_type, channel_id) = (ConnectionId(0), ChannelType::MAIN, ChannelId(0));
    let caps = Capabilities { common: CapabilitySet::new([0]), channel: CapabilitySet::default() };
    LinkMess { connection_id, channel_type, channel_id, caps }.encode(&mut bytes);
    spoken.write_all(&bytes).unwrap();
    let mut reply = [0; 16];
    spoken.read_exact(&mut reply).unwrap();
    let silent: Vec<_> = (0..50).map(|_| server.connect()).collect();
    wait_for("the silent give way", || silent.iter().filter(|stream| is_closed(stream)).count() >= 43);
    assert!(!is_closed(&spoken));
}

#[test]
fn a_link_that_comes_byte_by_byte_ends_at_its_deadline() {
    let server = start(8, 8, Duration::from_millis(300));
    let mut slow = server.connect();
    let mut bytes = b"REDQ".to_vec();
    bytes.extend([2, 0, 0, 0, 2, 0, 0, 0, 0, 16, 0, 0]);
    bytes.resize(4096, 0);
    let mut sent = 0;
    for byte in bytes {
        if slow.write_all(&[byte]).is_err() || is_closed(&slow) {
            break;
        }
        sent += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(sent < 4000, "{sent} bytes of a link were taken");
    wait_for("its place is free", || server.control.linking() == 0);
}
