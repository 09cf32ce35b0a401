//! `spice-cli server`.

use std::fs;
use std::future::pending;
use std::net::SocketAddr;
use std::path::Path;

use sd_notify::NotifyState;
use spice_server::{ListenAt, Server};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{Listen, ServerArgs, ServerOptions, Text};
use crate::plan::{self, Plan};
use crate::stats_socket::StatsSocket;
use crate::{guest, secret_file, sockets, stats, wiring};

/// Serves until it is told to end; what cannot start is one sentence.
pub(crate) fn serve(args: &ServerArgs) -> Result<(), String> {
    let options = match &args.config {
        Some(path) => args.options.clone().or(plan::read(path)?),
        None => args.options.clone(),
    };
    let places: Vec<Listen> = options.listen.iter().flatten().map(|Text(place)| place.clone()).collect();
    let inherited = sockets::inherited(&places)?;
    let plan = Plan::new(&options, &inherited)?;
    let guest = guest::guest(&options)?;
    let config = wiring::config(&plan, &inherited)?;
    let socket = plan.stats_socket.as_deref().map(StatsSocket::bind).transpose()?;
    let runtime = Runtime::new().map_err(|error| format!("cannot start the runtime: {error}"))?;
    runtime.block_on(async {
        let server = Server::bind(config, guest).await.map_err(|error| error.to_string())?;
        if let [ListenAt::Tcp(addr), ..] = server.local_addrs() {
            print_how_to_connect(*addr, &plan, &options);
        }
        if let Some(socket) = &socket {
            tokio::spawn(socket.publish(&server)?);
        }
        let stats = server.stats();
        let mut finished = server.finished();
        let (wants_stats, hold) = (options.stats.unwrap_or(false), options.hold.unwrap_or(false));
        let end = async {
            tokio::select! {
                () = asked_to_end() => {}
                () = async { if wants_stats { stats::print(stats).await } else { pending().await } } => {}
                _ = finished.wait_for(|finished| *finished), if !hold => {}
            }
            tell_service_manager(NotifyState::Stopping);
        };
        tell_service_manager(NotifyState::Ready);
        server.run(end).await;
        Ok(())
    })
}

/// Where there is no service manager, nobody is told.
fn tell_service_manager(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!("cannot tell the service manager: {error}");
    }
}

fn print_how_to_connect(addr: SocketAddr, plan: &Plan, options: &ServerOptions) {
    let ticket = if plan.admission.is_open() { "" } else { "; viewers ask for the ticket" };
    eprintln!("serving {} on {addr}{ticket}; Ctrl-C ends it", guest::name(options));
    eprintln!("connect with: remote-viewer spice://{addr}");
}

/// The ticket in a file of one who connects: its first line.
pub(crate) fn ticket_line(path: &Path) -> Result<Vec<u8>, String> {
    let content =
        fs::read(path).map_err(|error| format!("cannot read ticket file {}: {error}", path.display()))?;
    Ok(secret_file::first_line(&content).to_vec())
}

/// Ctrl-C, or what a service manager sends.
async fn asked_to_end() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
