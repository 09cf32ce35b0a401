//! Where a server listens that is no port of its own, and where it reads tickets.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr as UnixSocketAddr, UnixStream};
use std::process::{Command, Stdio};

use libtest_mimic::Trial;
use rustix::process::Signal;
use spice_client::link;
use spice_proto::caps::CapabilitySet;
use spice_proto::{ChannelType, ConnectionId};

use crate::needs::{Need, trial};
use crate::scratch::Scratch;
use crate::server::{Server, cli};
use crate::viewer::Viewer;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("sockets_unix", &[], unix),
        trial("sockets_inherited", &[], inherited),
        trial("sockets_of_a_service_manager", &[], of_a_service_manager),
        trial(
            "sockets_of_systemd_socket_activate",
            &[Need::Program("systemd-socket-activate")],
            of_systemd_socket_activate,
        ),
        trial("sockets_tickets_from_standard_input", &[], tickets_from_standard_input),
    ]
}

/// Links a main channel.
fn join(mut stream: impl Read + Write, ticket: &str) -> Result<(), String> {
    let linked = link(&mut stream, ConnectionId(0), ChannelType::MAIN, CapabilitySet::default(), ticket);
    linked.map(drop).map_err(|error| error.to_string())
}

/// A socket with a file is for this user alone, and gone with the server; one without a file has its name.
fn unix() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let path = scratch.file("spice");
    let name = format!("spice-e2e-{}", std::process::id());
    let (at, without) = (format!("unix:{}", path.display()), format!("unix:@{name}"));
    let server = Server::start(&["--listen", &at, "--listen", &without])?;
    server.says(|line| {
        (*line == format!("connect with: remote-viewer spice+unix://{}", path.display())).then_some(())
    })?;
    let failed = |error: std::io::Error| error.to_string();
    join(UnixStream::connect(&path).map_err(failed)?, "")?;
    let address = UnixSocketAddr::from_abstract_name(&name).map_err(failed)?;
    join(UnixStream::connect_addr(&address).map_err(failed)?, "")?;
    let mode = fs::metadata(&path).map_err(failed)?.permissions().mode();
    if mode & 0o777 != 0o600 {
        return Err(format!("the socket has the mode {mode:o}"));
    }
    server.end_with(Signal::TERM)?;
    if path.exists() { Err("the socket outlives the server".into()) } else { Ok(()) }
}

fn listener() -> Result<(Stdio, std::net::SocketAddr), String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let addr = listener.local_addr().map_err(|error| error.to_string())?;
    Ok((Stdio::from(OwnedFd::from(listener)), addr))
}

fn is_served(server: &Server, addr: std::net::SocketAddr) -> Result<(), String> {
    if server.addr() != addr {
        return Err(format!("it listens on {}, and not on {addr}", server.addr()));
    }
    Viewer::connect(addr, "")?.display()?.paint_first()
}

fn inherited() -> Result<(), String> {
    let (stdin, addr) = listener()?;
    let server = Server::start_reading(Server::command(&["--listen", "fd:0"]), stdin)?;
    is_served(&server, addr)
}

/// A shell in its place: it hands over the socket as the third descriptor, and its number stays when it becomes the server.
fn of_a_service_manager() -> Result<(), String> {
    let (stdin, addr) = listener()?;
    let server = Server::command(&[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\" 3<&0 </dev/null"]);
    shell.arg(server.get_program()).args(server.get_args()).env_remove("RUST_LOG");
    let server = Server::start_reading(shell, stdin)?;
    // Without --listen there is no other place.
    is_served(&server, addr)
}

fn of_systemd_socket_activate() -> Result<(), String> {
    // A port that was free a moment ago.
    let (stdin, addr) = listener()?;
    drop(stdin);
    let server = Server::command(&[]);
    let mut activate = Command::new("systemd-socket-activate");
    activate.arg("-l").arg(addr.to_string()).arg(server.get_program()).args(server.get_args());
    let process = crate::process::Process::start(&mut activate)?;
    process.stderr_line(crate::viewer::PATIENCE, |line| line.contains("Listening on").then_some(()))?;
    // The first connection starts the server, and waits for it.
    Viewer::connect(addr, "")?.display()?.paint_first()
}

/// Two tickets of single use let in one viewer each, and a file that others may read is refused.
fn tickets_from_standard_input() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let text =
        "[[ticket]]\nsecret = 'one'\nsingle-use = true\n[[ticket]]\nsecret = 'two'\nsingle-use = true\n";
    let path = scratch.write("tickets.toml", text)?;
    let file = File::open(&path).map_err(|error| error.to_string())?;
    let command = Server::command(&["--listen", "127.0.0.1:0", "--tickets", "-"]);
    let server = Server::start_reading(command, Stdio::from(file))?;
    let first = Viewer::connect(server.addr(), "one")?;
    let second = Viewer::connect(server.addr(), "two")?;
    for viewer in [&first, &second] {
        viewer.display()?.paint_first()?;
    }
    for ticket in ["one", "two", "three"] {
        if Viewer::connect(server.addr(), ticket).is_ok() {
            return Err(format!("{ticket} lets in somebody more"));
        }
    }
    let open = scratch.write("ticket", "sesame")?;
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).map_err(|error| error.to_string())?;
    let mut command = cli(&["server", "--listen", "127.0.0.1:0", "--ticket-file"]);
    let ended = crate::process::Process::run(command.arg(&open), crate::viewer::PATIENCE)?;
    let said = ended.stderr.join("\n");
    if ended.status.code() == Some(2) && said.contains("chmod 600") && !said.contains("sesame") {
        Ok(())
    } else {
        Err(format!("{}: {said}", ended.status))
    }
}
