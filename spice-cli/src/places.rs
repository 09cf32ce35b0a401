//! Where viewers find a server that listens, in their words.

use std::net::{IpAddr, SocketAddr};

use spice_server::{ChannelType, ListenAt, Security, Tls};

use crate::connection_file::{Reachable, host};
use crate::plan::{self, Plan};

/// The places of a server, and what is let in there.
#[derive(Debug)]
pub(crate) struct Places<'p> {
    plan: &'p Plan,
    all: &'p [ListenAt],
    /// Where plain connections and TLS may come, and where TLS alone may.
    open: &'p [ListenAt],
    tls_only: &'p [ListenAt],
}

impl<'p> Places<'p> {
    /// `all` is where the server listens, in the order of its configuration: those for TLS alone come last.
    pub(crate) fn new(plan: &'p Plan, all: &'p [ListenAt]) -> Self {
        let (open, tls_only) = all.split_at(all.len().saturating_sub(plan.tls_listen.len()));
        Self { plan, all, open, tls_only }
    }

    /// All of them, for people.
    pub(crate) fn list(&self) -> String {
        self.all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// How to connect, a line for each way.
    pub(crate) fn commands(&self) -> Vec<String> {
        let mut commands = Vec::new();
        if let Some(addr) = self.plain() {
            commands.push(format!("remote-viewer spice://{addr}"));
        }
        if let Some(addr) = self.tls() {
            let trust = match self.plan.tls {
                Some(plan::Tls::SelfSigned) => " (where its certificate is trusted)",
                _ => "",
            };
            let host = match addr.ip() {
                IpAddr::V6(ip) if !ip.is_unspecified() => format!("[{ip}]"),
                ip => host(ip),
            };
            commands.push(format!("remote-viewer spice://{host}?tls-port={}{trust}", addr.port()));
        }
        if let Some(path) = self.unix() {
            commands.push(format!("remote-viewer spice+unix://{path}"));
        }
        if let Some(path) = &self.plan.vv_file {
            commands.push(format!("remote-viewer {}", path.display()));
        }
        commands
    }

    /// What a connection file says. `tls` is what the server shows.
    pub(crate) fn reachable(&self, tls: Option<&Tls>) -> Reachable {
        let secure = self.tls();
        let mixed = self.plan.some_channel_is(Security::Plain);
        // A viewer that can have TLS is not to try a plain port, unless a channel wants one.
        let plain = self.plain().filter(|addr| secure.is_none_or(|tls| mixed && addr.ip() == tls.ip()));
        let self_signed = tls.filter(|_| matches!(self.plan.tls, Some(plan::Tls::SelfSigned)));
        let secured = ChannelType::all().filter(|kind| self.plan.security.demand(*kind) != Security::Plain);
        let secured = secured.filter_map(|kind| kind.channel_name().map(str::to_owned));
        Reachable {
            plain,
            tls: secure,
            unix: self.unix().map(Into::into),
            ca: self_signed.map(Tls::certificate_pem),
            host_subject: self_signed.map(Tls::subject),
            secure_channels: if plain.is_some() && secure.is_some() { secured.collect() } else { Vec::new() },
        }
    }

    /// The first port where a viewer without TLS gets all of its channels.
    fn plain(&self) -> Option<SocketAddr> {
        if self.plan.some_channel_is(Security::Secure) {
            return None;
        }
        let is_let_in = |ip: IpAddr| self.plan.insecure || ip.is_loopback() || ip.is_unspecified();
        tcp(self.open).find(|addr| is_let_in(addr.ip()))
    }

    /// The first port for TLS.
    fn tls(&self) -> Option<SocketAddr> {
        self.plan.tls.as_ref()?;
        tcp(self.tls_only).chain(tcp(self.open)).next()
    }

    fn unix(&self) -> Option<String> {
        self.open.iter().find_map(|place| match place {
            ListenAt::Unix(path) => Some(path.display().to_string()),
            ListenAt::Tcp(_) | ListenAt::Abstract(_) | ListenAt::Open(_) => None,
        })
    }
}

fn tcp(places: &[ListenAt]) -> impl Iterator<Item = SocketAddr> {
    places.iter().filter_map(|place| match place {
        ListenAt::Tcp(addr) => Some(*addr),
        ListenAt::Unix(_) | ListenAt::Abstract(_) | ListenAt::Open(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;

    fn at(places: &[&str]) -> Vec<ListenAt> {
        places.iter().map(|place| place.parse().unwrap()).collect()
    }

    #[test]
    fn viewers_are_told_the_ways_that_let_them_in() {
        let ways = |text: &str, places: &[&str]| Places::new(&plan(text).unwrap(), &at(places)).commands();
        assert_eq!(ways("", &["127.0.0.1:5900"]), ["remote-viewer spice://127.0.0.1:5900"]);
        let both = "tls-self-signed = true\nvv-file = 'x.vv'\ntls-listen = ['127.0.0.1:5901']\n";
        let expected = [
            "remote-viewer spice://127.0.0.1:5900",
            "remote-viewer spice://127.0.0.1?tls-port=5901 (where its certificate is trusted)",
            "remote-viewer spice+unix:///run/x",
            "remote-viewer x.vv",
        ];
        assert_eq!(ways(both, &["unix:/run/x", "127.0.0.1:5900", "127.0.0.1:5901"]), expected);
        let secure = format!("{both}channel-security = 'inputs=secure'\n");
        assert_eq!(ways(&secure, &["127.0.0.1:5900", "127.0.0.1:5901"]), [expected[1], expected[3]]);
        let files = "tls-cert = 'x'\ntls-key = 'x'\nno-ticket = true\nlisten = ['192.0.2.1:5900', '[2001:db8::1]:5900']";
        assert_eq!(
            ways(files, &["[2001:db8::1]:5900"]),
            ["remote-viewer spice://[2001:db8::1]?tls-port=5900"]
        );
    }

    #[test]
    fn a_plain_port_is_told_beside_tls_only_where_a_channel_wants_one() {
        let text = "tls-self-signed = true\n";
        let places = at(&["127.0.0.1:5900"]);
        let reach = |text: &str| Places::new(&plan(text).unwrap(), &places).reachable(None);
        let all = reach(text);
        assert_eq!((all.plain, all.tls.map(|addr| addr.port())), (None, Some(5900)));
        assert!(all.secure_channels.is_empty());
        let mixed = reach(&format!("{text}channel-security = 'playback=plain'"));
        assert_eq!(mixed.plain, mixed.tls);
        assert!(mixed.secure_channels.contains(&"main".to_owned()));
        assert!(!mixed.secure_channels.contains(&"playback".to_owned()));
        let plain = reach("");
        assert_eq!((plain.plain.is_some(), plain.tls), (true, None));
    }
}
