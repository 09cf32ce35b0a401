//! `spice-cli server`.

use std::fmt::Display;
use std::fs;
use std::future::pending;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use spice_server::guest::Guest;
use spice_server::guest::bench::{BenchGuest, BenchSpec};
use spice_server::guest::demo::DemoGuest;
use spice_server::guest::replay::{ReplayGuest, ReplayOptions};
use spice_server::{Auth, ListenAt, Secret, Server, ServerConfig, wall_clock_offset};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::ServerArgs;
use crate::stats;
use crate::stats_socket::StatsSocket;

/// Serves until it is told to end; what cannot start is one sentence.
pub(crate) fn serve(args: &ServerArgs) -> Result<(), String> {
    let auth = auth(args)?;
    let guest = guest(args)?;
    let mut config = ServerConfig::new(args.listen, auth);
    // What is off loopback has a ticket, or was said to need none.
    config.listen.iter_mut().for_each(|listen| listen.insecure = true);
    config.viewer_timeout = Duration::from_secs(args.viewer_timeout);
    let display = &mut config.worker.display;
    display.compression = parse("--image-compression", &args.image_compression)?;
    display.jpeg = parse("--jpeg-wan-compression", &args.jpeg_wan_compression)?;
    display.zlib_glz = parse("--zlib-glz-wan-compression", &args.zlib_glz_wan_compression)?;
    let socket = args.stats_socket.as_deref().map(StatsSocket::bind).transpose()?;
    let runtime = Runtime::new().map_err(|error| format!("cannot start the runtime: {error}"))?;
    runtime.block_on(async {
        let server = Server::bind(config, guest).await.map_err(|error| error.to_string())?;
        if let [ListenAt::Tcp(addr), ..] = server.local_addrs() {
            print_how_to_connect(*addr, args);
        }
        if let Some(socket) = &socket {
            tokio::spawn(socket.publish(&server)?);
        }
        let stats = server.stats();
        let mut finished = server.finished();
        let end = async {
            tokio::select! {
                () = asked_to_end() => {}
                () = async { if args.stats { stats::print(stats).await } else { pending().await } } => {}
                _ = finished.wait_for(|finished| *finished), if !args.hold => {}
            }
        };
        server.run(end).await;
        Ok(())
    })
}

fn print_how_to_connect(addr: SocketAddr, args: &ServerArgs) {
    let ticket = if args.ticket_file.is_some() { "; viewers ask for the ticket" } else { "" };
    eprintln!("serving {} on {addr}{ticket}; Ctrl-C ends it", args.guest);
    eprintln!("connect with: remote-viewer spice://{addr}");
}

/// Whom to let in: anybody without a ticket on loopback, or when told so.
fn parse<T: FromStr<Err: Display>>(option: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|error| format!("{option}: {error}"))
}

fn auth(args: &ServerArgs) -> Result<Auth, String> {
    match &args.ticket_file {
        Some(path) => Ok(Auth::ticket(read_ticket(path)?)),
        None if args.no_ticket || args.listen.ip().is_loopback() => Ok(Auth::Open),
        None => Err(format!(
            "listening on {} needs --ticket-file, or --no-ticket to let in anybody who can connect",
            args.listen
        )),
    }
}

fn read_ticket(path: &Path) -> Result<Secret, String> {
    Secret::new(&ticket_line(path)?).map_err(|error| format!("ticket file {}: {error}", path.display()))
}

/// The ticket in a file: its first line.
pub(crate) fn ticket_line(path: &Path) -> Result<Vec<u8>, String> {
    let content =
        fs::read(path).map_err(|error| format!("cannot read ticket file {}: {error}", path.display()))?;
    let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}

fn guest(args: &ServerArgs) -> Result<Box<dyn Guest>, String> {
    let flags = [args.looped, args.wait.is_some(), args.in_step, args.hold];
    let replay_only = flags.contains(&true) || args.stop_after.is_some() || args.speed != 1.0;
    match args.guest.split_once(':') {
        Some(("replay", path)) => {
            let mut options = ReplayOptions::new(path);
            options.speed = args.speed;
            options.looped = args.looped;
            options.stop_after = args.stop_after;
            options.wait = args.wait.unwrap_or(0);
            options.in_step = args.in_step;
            Ok(Box::new(ReplayGuest::new(options).map_err(|error| error.to_string())?))
        }
        _ if replay_only => {
            let options = "--speed, --loop, --stop-after, --wait, --in-step and --hold";
            Err(format!("{options} are for --guest replay:FILE"))
        }
        Some(("bench", scene)) => {
            let spec: BenchSpec =
                scene.parse().map_err(|error| format!("--guest {}: {error}", args.guest))?;
            Ok(Box::new(BenchGuest::new(spec)))
        }
        None if args.guest == "demo" => {
            Ok(Box::new(DemoGuest::default().with_wall_clock(wall_clock_offset())))
        }
        _ => Err(format!("no guest is named `{}`; there are demo, replay:FILE and bench:SCENE", args.guest)),
    }
}

/// Ctrl-C, or what a service manager sends.
async fn asked_to_end() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
