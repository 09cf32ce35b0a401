//! `spice-cli server`.

use std::fs;
use std::future::pending;
use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sd_notify::NotifyState;
use spice_server::{Control, Server};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;

use crate::admin::{AdminSocket, Live};
use crate::args::{Listen, ServerArgs, ServerOptions, Text};
use crate::audit::AuditLog;
use crate::places::Places;
use crate::plan::{self, Plan};
use crate::sockets::Inherited;
use crate::stats_socket::StatsSocket;
use crate::{connection_file, guest, secret_file, sockets, stats, wiring};

/// Serves until it is told to end; what cannot start is one sentence.
pub(crate) fn serve(args: &ServerArgs) -> Result<(), String> {
    let options = match &args.config {
        Some(path) => args.options.clone().or(plan::read(path)?),
        None => args.options.clone(),
    };
    let places: Vec<Listen> = options.listen.iter().flatten().map(|Text(place)| place.clone()).collect();
    let inherited = sockets::inherited(&places)?;
    let plan = Plan::new(&options, &inherited)?;
    raise_descriptors();
    let audit = plan.audit_log.as_deref().map(AuditLog::open).transpose()?;
    let runtime = Runtime::new().map_err(|error| format!("cannot start the runtime: {error}"))?;
    let served = runtime.block_on(run(&options, &plan, inherited, audit.as_ref()));
    // Whoever could still tell the audit log something goes with it.
    drop(runtime);
    if let Some(audit) = audit {
        audit.finish();
    }
    served
}

async fn run(
    options: &ServerOptions,
    plan: &Plan,
    inherited: Vec<Inherited>,
    audit: Option<&AuditLog>,
) -> Result<(), String> {
    let guest = guest::guest(options)?;
    let config = wiring::config(plan, inherited, audit.map(AuditLog::sink))?;
    let socket = plan.stats_socket.as_deref().map(StatsSocket::bind).transpose()?;
    let admin = plan.admin.as_ref().map(AdminSocket::bind).transpose()?;
    // From here on a signal means something else than the end.
    let hangup = signal(SignalKind::hangup()).map_err(|error| format!("cannot take signals: {error}"))?;
    let server = Server::bind(config, guest).await.map_err(|error| error.to_string())?;
    say_how_to_connect(&server, plan, options)?;
    if let Some(socket) = &socket {
        tokio::spawn(socket.publish(&server)?);
    }
    if let Some(admin) = &admin {
        eprintln!("administered at {}", admin.name());
        tokio::spawn(admin.serve(Live::new(&server))?);
    }
    tokio::spawn(reload(hangup, server.control()));
    let stats = server.stats();
    let mut finished = server.finished();
    let (wants_stats, hold) = (options.stats.unwrap_or(false), options.hold.unwrap_or(false));
    let end = async {
        tokio::select! {
            () = asked_to_end() => {}
            () = async { if wants_stats { stats::print(stats).await } else { pending().await } } => {}
            _ = finished.wait_for(|finished| *finished), if !hold => {}
        }
        tell_service_manager(&[NotifyState::Stopping]);
    };
    tell_service_manager(&[NotifyState::Ready]);
    server.run(end).await;
    Ok(())
}

/// Viewers have several connections each, and the soft limit of descriptors is a thousand on most machines, for programs
/// that cannot do with more.
fn raise_descriptors() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    let told =
        |limit: Option<u64>| limit.map_or_else(|| "any number of".to_owned(), |limit| limit.to_string());
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => tracing::info!("up to {} descriptors, not {}", told(maximum), told(current)),
        Err(error) => tracing::warn!("no more than {} descriptors: {error}", told(current)),
    }
}

/// Where there is no service manager, nobody is told.
fn tell_service_manager(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("cannot tell the service manager: {error}");
    }
}

/// Reads the certificate anew at each signal.
async fn reload(mut hangup: Signal, control: Control) {
    while hangup.recv().await.is_some() {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell_service_manager(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!("cannot tell the service manager the time: {error}"),
        }
        let control = control.clone();
        match spawn_blocking(move || control.reload_tls()).await {
            Ok(Ok(())) => {
                tracing::info!("SIGHUP: the certificate and its key were read anew, where they are files");
            }
            Ok(Err(error)) => tracing::error!("SIGHUP: the certificate stays as it was: {error}"),
            Err(error) => tracing::error!("SIGHUP: {error}"),
        }
        tell_service_manager(&[NotifyState::Ready]);
    }
}

fn say_how_to_connect(server: &Server, plan: &Plan, options: &ServerOptions) -> Result<(), String> {
    let places = Places::new(plan, server.local_addrs());
    let asked = match (plan.admission.tickets.is_empty(), &plan.admission.users) {
        (true, None) if plan.admission.is_open() => "",
        (true, None) => "; nobody is let in until a ticket is added",
        (false, None) => "; viewers ask for the ticket",
        (true, Some(_)) => "; viewers ask for a user and its password",
        (false, Some(_)) => "; viewers ask for the ticket, or a user and its password",
    };
    if let Some(path) = &plan.vv_file {
        connection_file::write(path, &places.reachable(server.tls()).file())?;
    }
    eprintln!("serving {} on {}{asked}; Ctrl-C ends it", guest::name(options), places.list());
    if let Some(tls) = server.tls() {
        eprintln!("the certificate's SHA-256 fingerprint: {}", tls.fingerprint());
    }
    for command in places.commands() {
        eprintln!("connect with: {command}");
    }
    Ok(())
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
