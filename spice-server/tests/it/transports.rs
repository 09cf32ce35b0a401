//! The ways in: Unix sockets, descriptors, TLS, WebSocket, proxies.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr as UnixSocketAddr, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;

use spice_client::{LinkFailure, link};
use spice_proto::caps::CapabilitySet;
use spice_proto::{ChannelType, ConnectionId, LinkError};
use spice_server::{Auth, Listen, ListenAt, Peer, ServerConfig, Transport};

use crate::support::{TestServer, block_on, scripted, wait_for};

fn config() -> ServerConfig {
    ServerConfig::new("127.0.0.1:0".parse().unwrap(), Auth::Open)
}

fn start(config: ServerConfig) -> TestServer {
    TestServer::with_config(config, scripted(true).0)
}

/// Links a main channel and keeps the connection.
fn join<S: Read + Write>(mut stream: S) -> Result<S, LinkFailure> {
    link(&mut stream, ConnectionId(0), ChannelType::MAIN, CapabilitySet::default(), "")?;
    Ok(stream)
}

fn peers(server: &TestServer) -> Vec<(Peer, Transport)> {
    let viewers = block_on(server.control.viewers()).unwrap();
    viewers.iter().map(|viewer| (viewer.peer, viewer.transport)).collect()
}

/// A name that no other test and no other run has.
fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("spice-{}-{name}", std::process::id()))
}

#[test]
fn unix_sockets_are_for_their_user_and_gone_with_the_server() {
    let path = scratch("unix");
    let name = format!("spice-{}-abstract", std::process::id());
    let mut config = config();
    config.listen.push(Listen::new(ListenAt::Unix(path.clone())));
    config.listen.push(Listen::new(ListenAt::Abstract(name.clone())));
    let server = start(config);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let by_path = join(UnixStream::connect(&path).unwrap()).unwrap();
    let addr = UnixSocketAddr::from_abstract_name(&name).unwrap();
    let by_name = join(UnixStream::connect_addr(&addr).unwrap()).unwrap();
    let by_port = join(server.connect()).unwrap();
    wait_for("three viewers", || (server.stats)().viewers == 3);
    let peers = peers(&server);
    let us = Peer::Unix { uid: Some(rustix::process::getuid().as_raw()) };
    assert_eq!(peers[..2], [(us, Transport::Plain); 2]);
    drop((by_path, by_name, by_port, server));
    assert!(!path.exists());
}

#[test]
fn a_socket_file_that_nobody_listens_on_is_replaced_and_anything_else_stays() {
    let path = scratch("stale");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let mut with_path = config();
    with_path.listen.push(Listen::new(ListenAt::Unix(path.clone())));
    let server = start(with_path.clone());
    drop(join(UnixStream::connect(&path).unwrap()).unwrap());
    let refused = block_on(spice_server::Server::bind(with_path.clone(), scripted(true).0)).unwrap_err();
    assert!(refused.to_string().contains("another server listens there"), "{refused}");
    drop(server);
    std::fs::write(&path, "mine").unwrap();
    let refused = block_on(spice_server::Server::bind(with_path, scripted(true).0)).unwrap_err();
    assert!(refused.to_string().contains("something else"), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn sockets_that_somebody_has_opened_are_served() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut config = config();
    for descriptor in [OwnedFd::from(listener), OwnedFd::from(theirs)] {
        config.listen.push(Listen::new(ListenAt::Open(Arc::new(descriptor))));
    }
    let server = start(config);
    let by_listener = join(TcpStream::connect(addr).unwrap()).unwrap();
    let by_connection = join(ours).unwrap();
    wait_for("two viewers", || (server.stats)().viewers == 2);
    drop((by_listener, by_connection));
}

#[test]
fn connections_are_handed_to_a_server_that_runs_from_any_thread() {
    let server = start(config());
    let (ours, theirs) = UnixStream::pair().unwrap();
    server.control.serve(theirs.into(), false).unwrap();
    let viewer = join(ours).unwrap();
    wait_for("the viewer", || (server.stats)().viewers == 1);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = server.control.serve(listener.into(), false).unwrap_err();
    assert!(refused.to_string().contains("listens"), "{refused}");
    let control = server.control.clone();
    drop((viewer, server));
    let late = control.serve(UnixStream::pair().unwrap().0.into(), false).unwrap_err();
    assert_eq!(late.kind(), std::io::ErrorKind::NotConnected);
}

#[test]
fn what_is_plain_is_told_to_come_with_tls_where_a_channel_wants_it() {
    let mut config = config();
    config.security = "default=any,main=secure".parse().unwrap();
    let server = start(config);
    let refused = join(server.connect()).unwrap_err();
    assert!(matches!(refused, LinkFailure::Refused(LinkError::NEED_SECURED)), "{refused:?}");
}

#[test]
fn a_trusted_proxy_says_from_where_a_viewer_comes_and_nobody_else_does() {
    let header = |source: SocketAddr| {
        let SocketAddr::V4(source) = source else { panic!("IPv4 here") };
        let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
        bytes.extend(source.ip().octets());
        bytes.extend([127, 0, 0, 1]);
        bytes.extend(source.port().to_be_bytes());
        bytes.extend(5900_u16.to_be_bytes());
        bytes
    };
    let source: SocketAddr = "192.0.2.7:4711".parse().unwrap();
    let mut trusting = config();
    trusting.proxies = ["127.0.0.0/8".parse().unwrap()].into_iter().collect();
    let server = start(trusting);
    let mut stream = server.connect();
    stream.write_all(&header(source)).unwrap();
    let viewer = join(stream).unwrap();
    wait_for("the viewer", || (server.stats)().viewers == 1);
    assert_eq!(peers(&server), [(Peer::Ip(source), Transport::Plain)]);
    assert!(join(server.connect()).is_err(), "a proxy that does not say who comes is not let in");
    drop(viewer);

    let server = start(config());
    let mut stream = server.connect();
    stream.write_all(&header(source)).unwrap();
    let refused = join(stream).unwrap_err();
    assert!(
        matches!(refused, LinkFailure::Refused(LinkError::INVALID_MAGIC) | LinkFailure::Io(_)),
        "{refused:?}"
    );
}
