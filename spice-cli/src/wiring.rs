//! A plan in the words of the server.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::system::uname;
use spice_server::{
    AuditSink, Auth, Credentials, Listen, ListenAt, ProxyRules, ServerConfig, TlsIdentity, WebSocketRules,
};

use crate::args::Listen as Place;
use crate::plan::{Plan, Tls};
use crate::sockets::Inherited;
use crate::tickets::NewTicket;

/// The server's configuration. Its places are in this order: those that were named, sockets of the service manager,
/// those for TLS alone.
///
/// # Errors
/// A descriptor that is none of `inherited`, an address that the server does not take.
pub(crate) fn config(
    plan: &Plan,
    inherited: Vec<Inherited>,
    audit: Option<AuditSink>,
) -> Result<ServerConfig, String> {
    // It has one place to listen at; they all follow.
    let mut config = ServerConfig::new(SocketAddr::from(([127, 0, 0, 1], 0)), auth(plan)?);
    config.listen = listen(plan, inherited);
    config.tls = plan.tls.as_ref().map(|tls| identity(tls, plan));
    config.security = plan.security.clone();
    config.websocket =
        WebSocketRules { hosts: plan.websocket_hosts.clone(), origins: plan.websocket_origins.clone() };
    config.proxies = proxies(plan)?;
    config.audit = audit;
    config.viewer_timeout = plan.viewer_timeout;
    config.max_viewers = plan.limits.viewers;
    config.max_linking = plan.limits.linking;
    config.max_linking_per_address = plan.limits.linking_per_address;
    config.link_deadline = plan.limits.login_deadline;
    let display = &mut config.worker.display;
    display.compression = plan.quality.compression;
    display.jpeg = plan.quality.jpeg;
    display.zlib_glz = plan.quality.zlib_glz;
    Ok(config)
}

fn listen(plan: &Plan, inherited: Vec<Inherited>) -> Vec<Listen> {
    let at = |at: ListenAt, tls_only: bool| Listen { at, tls_only, insecure: plan.insecure };
    let named = plan.listen.iter().filter_map(|place| match place {
        Place::Tcp(addr) => Some(ListenAt::Tcp(*addr)),
        Place::Unix(path) => Some(ListenAt::Unix(path.clone())),
        Place::Abstract(name) => Some(ListenAt::Abstract(name.clone())),
        // It is one of the inherited.
        Place::Fd(_) => None,
    });
    let inherited = inherited.into_iter().map(|it| ListenAt::Open(Arc::new(OwnedFd::from(it.socket))));
    let plain = named.chain(inherited).map(|place| at(place, false));
    plain.chain(plan.tls_listen.iter().map(|addr| at(ListenAt::Tcp(*addr), true))).collect()
}

fn auth(plan: &Plan) -> Result<Auth, String> {
    if plan.admission.is_open() {
        return Ok(Auth::Open);
    }
    let tickets = plan.admission.tickets.iter().map(NewTicket::ticket);
    Ok(Auth::Required(Credentials {
        tickets: tickets.collect::<Result<_, _>>()?,
        users: plan.admission.users.clone(),
    }))
}

/// Where the certificate comes from.
pub(crate) fn identity(tls: &Tls, plan: &Plan) -> TlsIdentity {
    match tls {
        Tls::Files { cert, key } => TlsIdentity::Files { cert: cert.clone(), key: key.clone() },
        Tls::SelfSigned => TlsIdentity::SelfSigned { names: names(plan) },
    }
}

/// By what viewers may call this machine, as far as it can be known here.
fn names(plan: &Plan) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let host = uname().nodename().to_string_lossy().into_owned();
    let plain = |name: &str| {
        !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || b".-".contains(&it))
    };
    names.extend(Some(host).filter(|host| plain(host)));
    names.extend(plan.websocket_hosts.iter().filter(|host| plain(host)).cloned());
    let named = plan.listen.iter().filter_map(|place| match place {
        Place::Tcp(addr) => Some(*addr),
        Place::Unix(_) | Place::Abstract(_) | Place::Fd(_) => None,
    });
    let addrs = named.chain(plan.tls_listen.iter().copied()).map(|addr| addr.ip());
    names.extend(addrs.filter(|ip| !ip.is_unspecified()).map(|ip| ip.to_string()));
    names.sort_unstable();
    names.dedup();
    names
}

fn proxies(plan: &Plan) -> Result<ProxyRules, String> {
    let network = |network: &crate::args::Network| {
        network.to_string().parse().map_err(|error| format!("--proxy-from: {error}"))
    };
    plan.proxy_from.iter().map(network).collect()
}
