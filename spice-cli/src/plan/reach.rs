//! Who can reach the server: what only this machine reaches needs neither tickets nor TLS.

use std::net::SocketAddr;

use spice_server::{ChannelType, Security};

use super::Plan;
use crate::args::Listen;
use crate::sockets::Inherited;

impl Plan {
    /// Refuses a server that would let in anybody, or show its viewers' screens and tickets to whoever is on the way,
    /// unless that was said to be meant.
    pub(super) fn check_reach(&self, inherited: &[Inherited]) -> Result<(), String> {
        if self.tls.is_none() {
            if !self.tls_listen.is_empty() {
                return Err("--tls-listen needs --tls-cert and --tls-key, or --tls-self-signed".into());
            }
            if self.some_channel_is(Security::Secure) {
                return Err(
                    "--channel-security wants TLS, which needs --tls-cert and --tls-key, or --tls-self-signed".into()
                );
            }
        }
        let plain = self.plain_from_elsewhere(inherited);
        let secure =
            self.tls_listen.iter().find(|addr| self.is_from_elsewhere(addr)).map(ToString::to_string);
        if let Some(place) = plain.as_ref().or(secure.as_ref())
            && self.admission.is_open()
            && !self.admission.is_meant_to_be_open()
        {
            return Err(format!(
                "listening on {place} needs --ticket-file, --tickets or --sasl-users, or --no-ticket to let in anybody \
                 who can connect"
            ));
        }
        match plain {
            Some(place) if self.tls.is_none() && !self.insecure => Err(format!(
                "listening on {place} needs a certificate (--tls-cert and --tls-key, or --tls-self-signed), or \
                 --insecure to let whoever is on the way read and change everything"
            )),
            _ => Ok(()),
        }
    }

    /// Whether a channel demands this.
    pub(crate) fn some_channel_is(&self, demand: Security) -> bool {
        ChannelType::all().any(|kind| self.security.demand(kind) == demand)
    }

    /// A plain port that other machines reach.
    fn plain_from_elsewhere(&self, inherited: &[Inherited]) -> Option<String> {
        let said = self.listen.iter().find_map(|place| match place {
            Listen::Tcp(addr) if self.is_from_elsewhere(addr) => Some(addr.to_string()),
            // What a descriptor is says the socket.
            Listen::Tcp(_) | Listen::Unix(_) | Listen::Abstract(_) | Listen::Fd(_) => None,
        });
        said.or_else(|| {
            let mut addrs = inherited.iter().filter_map(Inherited::addr);
            addrs.find(|addr| self.is_from_elsewhere(addr)).map(|addr| addr.to_string())
        })
    }

    /// A proxy on this machine brings who is on others.
    fn is_from_elsewhere(&self, addr: &SocketAddr) -> bool {
        !addr.ip().is_loopback() || !self.proxy_from.is_empty()
    }
}
