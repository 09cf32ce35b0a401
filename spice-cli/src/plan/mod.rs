//! What a server is to do, out of what its options say: all that can be checked without listening has been.

mod admission;
mod describe;
mod reach;
mod tls;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use spice_display::{Compression, WanCompression};
use spice_server::ChannelSecurity;
pub(crate) use spice_server::Quality;

pub(crate) use admission::Admission;
pub(crate) use tls::Tls;

use crate::args::{AdminAddress, Listen, Network, Number, ServerOptions, Text, toml_file};
use crate::sockets::Inherited;

/// The options, resolved.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) listen: Vec<Listen>,
    pub(crate) tls_listen: Vec<SocketAddr>,
    pub(crate) tls: Option<Tls>,
    pub(crate) vv_file: Option<PathBuf>,
    /// Plain connections from other machines are let in.
    pub(crate) insecure: bool,
    pub(crate) security: ChannelSecurity,
    pub(crate) proxy_from: Vec<Network>,
    pub(crate) websocket_origins: Vec<String>,
    pub(crate) websocket_hosts: Vec<String>,
    pub(crate) admission: Admission,
    pub(crate) limits: Limits,
    pub(crate) viewer_timeout: Duration,
    pub(crate) quality: Quality,
    pub(crate) admin: Option<AdminAddress>,
    pub(crate) audit_log: Option<PathBuf>,
    pub(crate) stats_socket: Option<PathBuf>,
}

/// How many may be here or on their way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) viewers: usize,
    pub(crate) linking: usize,
    pub(crate) linking_per_address: usize,
    pub(crate) login_deadline: Duration,
}

/// What a connection file is called that nobody has given a name.
const VV_FILE: &str = "spice-cli.vv";

/// The options in a file.
pub(crate) fn read(path: &Path) -> Result<ServerOptions, String> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    toml_file::read(&text, &name)
}

impl Plan {
    /// Resolves what the options say. `inherited` are the sockets that listen already.
    ///
    /// # Errors
    /// One sentence: what is missing, cannot be read, or does not go together.
    pub(crate) fn new(options: &ServerOptions, inherited: &[Inherited]) -> Result<Self, String> {
        let said: Vec<Listen> = options.listen.iter().flatten().map(|Text(place)| place.clone()).collect();
        let tls_listen = options.tls_listen.clone().unwrap_or_default();
        let listen = if said.is_empty() && tls_listen.is_empty() && inherited.is_empty() {
            vec![Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 5900)))]
        } else {
            said
        };
        let tls = Tls::new(options)?;
        let plan = Self {
            listen,
            tls_listen,
            vv_file: options.vv_file.clone().or_else(|| tls_default(tls.as_ref())),
            tls,
            insecure: options.insecure.unwrap_or(false),
            security: options.channel_security.clone().map(|Text(security)| security).unwrap_or_default(),
            proxy_from: options.proxy_from.iter().flatten().map(|Text(network)| *network).collect(),
            websocket_origins: checked("--websocket-origin", options.websocket_origin.as_ref(), is_origin)?,
            websocket_hosts: checked("--websocket-host", options.websocket_host.as_ref(), is_host)?,
            admission: Admission::new(options)?,
            limits: Limits {
                viewers: options.max_viewers.map_or(1000, Number::count),
                linking: options.max_linking.map_or(512, Number::count),
                linking_per_address: options.max_linking_per_address.map_or(128, Number::count),
                login_deadline: Duration::from_secs(options.login_deadline.map_or(10, Number::value)),
            },
            viewer_timeout: Duration::from_secs(options.viewer_timeout.map_or(30, Number::value)),
            quality: Quality {
                compression: options.image_compression.map_or_else(Compression::default, |Text(it)| it),
                jpeg: options.jpeg_wan_compression.map_or_else(WanCompression::default, |Text(it)| it),
                zlib_glz: options
                    .zlib_glz_wan_compression
                    .map_or_else(WanCompression::default, |Text(it)| it),
            },
            admin: options.admin.clone().map(|Text(address)| address),
            audit_log: options.audit_log.clone(),
            stats_socket: options.stats_socket.clone(),
        };
        plan.check_reach(inherited)?;
        Ok(plan)
    }
}

fn tls_default(tls: Option<&Tls>) -> Option<PathBuf> {
    matches!(tls, Some(Tls::SelfSigned)).then(|| VV_FILE.into())
}

fn checked(
    option: &str,
    list: Option<&Vec<String>>,
    makes_sense: impl Fn(&str) -> bool,
) -> Result<Vec<String>, String> {
    let list = list.cloned().unwrap_or_default();
    match list.iter().find(|item| !makes_sense(item)) {
        Some(wrong) => Err(format!("{option}: `{wrong}` is none")),
        None => Ok(list),
    }
}

/// A scheme, a host and perhaps a port, and nothing behind them: what a browser says.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', '*']) && is_word(host))
}

/// A name without its port.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::secret_file::tests::Scratch;

    /// The plan of a file that says this.
    pub(crate) fn plan(text: &str) -> Result<Plan, String> {
        Plan::new(&toml_file::read(text, "server.toml")?, &[])
    }

    #[test]
    fn nothing_said_is_a_server_on_loopback_for_anybody() {
        let plan = plan("").unwrap();
        assert_eq!(plan.listen, [Listen::Tcp("127.0.0.1:5900".parse().unwrap())]);
        assert!(plan.admission.is_open() && plan.tls.is_none() && plan.vv_file.is_none() && !plan.insecure);
        assert_eq!(
            (plan.limits.viewers, plan.limits.linking, plan.limits.linking_per_address),
            (1000, 512, 128)
        );
        assert_eq!((plan.limits.login_deadline.as_secs(), plan.viewer_timeout.as_secs()), (10, 30));
    }

    #[test]
    fn what_does_not_go_together_is_told() {
        let ticket = Scratch::new(b"secret", 0o600);
        let ticket = ticket.0.display();
        for (text, words) in [
            ("listen = ['0.0.0.0:5900']".to_owned(), "--no-ticket"),
            ("listen = ['0.0.0.0:5900']\nno-ticket = true".into(), "--insecure"),
            (format!("listen = ['0.0.0.0:5900']\nticket-file = '{ticket}'"), "--tls-self-signed"),
            ("tls-listen = ['0.0.0.0:5901']\ntls-self-signed = true".into(), "--no-ticket"),
            ("tls-listen = ['127.0.0.1:5901']".into(), "--tls-listen"),
            ("tls-cert = 'x'".into(), "--tls-key"),
            ("tls-key = 'x'".into(), "--tls-cert"),
            ("tls-key = 'x'\ntls-cert = 'x'\ntls-self-signed = true".into(), "--tls-self-signed"),
            ("channel-security = 'default=secure'".into(), "--channel-security"),
            (format!("no-ticket = true\nticket-file = '{ticket}'"), "--no-ticket"),
            ("ticket-file = '-'\ntickets = '-'".into(), "standard input"),
            ("proxy-from = ['127.0.0.1']".into(), "--no-ticket"),
            ("websocket-origin = ['desk.example']".into(), "--websocket-origin"),
            ("websocket-origin = ['https://desk.example/']".into(), "--websocket-origin"),
            ("websocket-host = ['desk.example:80']".into(), "--websocket-host"),
        ] {
            let said = plan(&text).unwrap_err();
            assert!(said.contains(words) && !said.contains('\n'), "{text}: {said}");
        }
    }

    #[test]
    fn what_goes_together_is_served() {
        let ticket = Scratch::new(b"secret", 0o600);
        let ticket = ticket.0.display();
        for text in [
            format!("listen = ['0.0.0.0:5900']\nticket-file = '{ticket}'\ninsecure = true"),
            format!("listen = ['0.0.0.0:5900']\nticket-file = '{ticket}'\ntls-self-signed = true"),
            "listen = ['0.0.0.0:5900']\nno-ticket = true\ninsecure = true".into(),
            "tls-listen = ['0.0.0.0:5901']\ntls-self-signed = true\nno-ticket = true".into(),
            "listen = ['[::1]:0', 'unix:/run/x', 'unix:@x', 'fd:7']".into(),
            "proxy-from = ['127.0.0.1']\nno-ticket = true\ninsecure = true".into(),
            "websocket-origin = ['https://desk.example:8443']\nwebsocket-host = ['desk.example']".into(),
        ] {
            assert!(plan(&text).is_ok(), "{text}: {:?}", plan(&text));
        }
        let signed = plan("tls-self-signed = true").unwrap();
        assert_eq!(signed.vv_file.as_deref(), Some(Path::new("spice-cli.vv")));
        // TLS alone has no plain port beside it.
        let alone = plan("tls-listen = ['127.0.0.1:5901']\ntls-self-signed = true").unwrap();
        assert!(alone.listen.is_empty());
    }
}
