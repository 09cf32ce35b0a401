//! A plan in the words of the server.

use std::net::SocketAddr;

use spice_server::{Auth, Secret, ServerConfig};

use crate::args::{ChannelSecurity, Listen};
use crate::plan::Plan;
use crate::sockets::Inherited;
use crate::tickets::{May, NewTicket, Role};

/// The server's configuration.
///
/// # Errors
/// What this server does not do.
pub(crate) fn config(plan: &Plan, inherited: &[Inherited]) -> Result<ServerConfig, String> {
    let mut config = ServerConfig::new(listen(plan, inherited)?, auth(plan)?);
    // What is off loopback was checked to be meant.
    config.listen.iter_mut().for_each(|listen| listen.insecure = true);
    config.viewer_timeout = plan.viewer_timeout;
    config.link_deadline = plan.limits.login_deadline;
    config.max_linking = plan.limits.linking;
    let display = &mut config.worker.display;
    display.compression = plan.quality.compression;
    display.jpeg = plan.quality.jpeg;
    display.zlib_glz = plan.quality.zlib_glz;
    Ok(config)
}

fn listen(plan: &Plan, inherited: &[Inherited]) -> Result<SocketAddr, String> {
    let not = |what: &str| Err(format!("this server has no {what}"));
    if let Some(socket) = inherited.first() {
        return not(&format!("way to take over {}", socket.name()));
    }
    match &plan.listen[..] {
        _ if plan.tls.is_some() => not("TLS"),
        _ if plan.admin.is_some() => not("administration"),
        _ if plan.audit_log.is_some() => not("audit log"),
        _ if plan.vv_file.is_some() => not("connection file"),
        _ if !plan.proxy_from.is_empty() => not("PROXY protocol"),
        _ if !plan.websocket_origins.is_empty() || !plan.websocket_hosts.is_empty() => not("WebSockets"),
        _ if plan.security != ChannelSecurity::default() => not("channel security"),
        [Listen::Tcp(addr)] => Ok(*addr),
        _ => not("listening elsewhere than on one address"),
    }
}

fn auth(plan: &Plan) -> Result<Auth, String> {
    if plan.admission.users.is_some() {
        return Err("this server has no users".into());
    }
    match &plan.admission.tickets[..] {
        [] => Ok(Auth::Open),
        [NewTicket { secret, role: Role::Control, may, expires_after: None, single_use: false, .. }]
            if may[..] == May::ALL =>
        {
            Secret::new(secret.expose()).map(Auth::ticket).map_err(|error| error.to_string())
        }
        _ => Err("this server has one ticket, which permits everything".into()),
    }
}
