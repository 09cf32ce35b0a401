//! Which channels want TLS.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeMap;

use spice_proto::{ChannelType, LinkError};

use crate::transport::{Peer, Transport};

/// What a channel demands of the connection that links it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// Nothing.
    #[default]
    Any,
    /// TLS, or a Unix socket.
    Secure,
    /// No TLS.
    Plain,
}

impl Security {
    const NAMES: [(&str, Self); 3] = [("any", Self::Any), ("secure", Self::Secure), ("plain", Self::Plain)];
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().find(|(_, security)| security == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

/// What each channel demands: `default=secure,playback=any`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelSecurity {
    default: Security,
    channels: BTreeMap<ChannelType, Security>,
}

/// A demand that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelSecurityError {
    /// Something else than `CHANNEL=SECURITY`.
    #[error("`{0}` is no CHANNEL=secure, CHANNEL=any or CHANNEL=plain")]
    Form(String),
    /// No such channel.
    #[error("no channel is named `{0}`; there are default, main, display, inputs, cursor, playback, ...")]
    Channel(String),
    /// A channel that is named twice.
    #[error("`{0}` is named twice")]
    Twice(String),
}

impl FromStr for ChannelSecurity {
    type Err = ChannelSecurityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut default = None;
        let mut channels = BTreeMap::new();
        for part in text.split(',') {
            let form = || ChannelSecurityError::Form(part.to_owned());
            let (name, demand) = part.trim().split_once('=').ok_or_else(form)?;
            let named = Security::NAMES.iter().find(|(security, _)| *security == demand);
            let security = named.ok_or_else(form)?.1;
            let before = if name == "default" {
                default.replace(security)
            } else {
                let kind = name.parse().map_err(|_| ChannelSecurityError::Channel(name.to_owned()))?;
                channels.insert(kind, security)
            };
            if before.is_some() {
                return Err(ChannelSecurityError::Twice(name.to_owned()));
            }
        }
        Ok(Self { default: default.unwrap_or_default(), channels })
    }
}

impl ChannelSecurity {
    /// What channels demand that have no demand of their own.
    pub fn set_default(&mut self, demand: Security) {
        self.default = demand;
    }

    /// What the channels of a kind demand.
    pub fn set(&mut self, kind: ChannelType, demand: Security) {
        self.channels.insert(kind, demand);
    }

    /// What a channel demands.
    #[must_use]
    pub fn demand(&self, kind: ChannelType) -> Security {
        self.channels.get(&kind).copied().unwrap_or(self.default)
    }

    /// What to tell a link that does not come as this channel, or this place, demands. Where plain connections are not
    /// let in at all, a channel that wants no TLS has to do with it.
    pub(crate) fn refuses(
        &self,
        kind: ChannelType,
        transport: Transport,
        peer: Peer,
        plain_allowed: bool,
    ) -> Option<LinkError> {
        let demand = self.demand(kind);
        let local = matches!(peer, Peer::Unix { .. });
        match (transport.is_secure(), demand) {
            (false, _) if !plain_allowed => Some(LinkError::NEED_SECURED),
            (false, Security::Secure) if !local => Some(LinkError::NEED_SECURED),
            (true, Security::Plain) if plain_allowed => Some(LinkError::NEED_UNSECURED),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(addr: &str) -> Peer {
        Peer::Ip(addr.parse().unwrap())
    }

    #[test]
    fn demands_are_read_and_what_makes_no_sense_is_named() {
        let security: ChannelSecurity = "default=secure, playback=any".parse().unwrap();
        assert_eq!(security.default, Security::Secure);
        assert_eq!(security.channels, BTreeMap::from([(ChannelType::PLAYBACK, Security::Any)]));
        for (text, part) in [
            ("", "``"),
            ("secure", "`secure`"),
            ("main=tls", "`main=tls`"),
            ("sound=any", "`sound`"),
            ("main=any,main=secure", "`main`"),
            ("default=any,default=any", "`default`"),
        ] {
            let error = text.parse::<ChannelSecurity>().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn links_are_told_what_their_channel_or_their_place_demands() {
        let security: ChannelSecurity = "default=secure,playback=any,cursor=plain".parse().unwrap();
        let (plain, tls) = (Transport::Plain, Transport::Tls);
        let (near, far) = (peer("127.0.0.1:1"), peer("192.0.2.1:1"));
        let unix = Peer::Unix { uid: Some(0) };
        let (main, playback, cursor) = (ChannelType::MAIN, ChannelType::PLAYBACK, ChannelType::CURSOR);
        let (secured, unsecured) = (Some(LinkError::NEED_SECURED), Some(LinkError::NEED_UNSECURED));
        for (kind, transport, peer, plain_allowed, expected) in [
            (main, plain, near, true, secured),
            (main, Transport::WebSocket, near, true, secured),
            (main, plain, unix, true, None),
            (main, tls, far, false, None),
            (main, Transport::SecureWebSocket, far, false, None),
            (playback, plain, near, true, None),
            (playback, plain, far, false, secured),
            (playback, tls, far, false, None),
            (cursor, plain, near, true, None),
            (cursor, tls, near, true, unsecured),
            (cursor, tls, far, false, None),
            (cursor, plain, far, false, secured),
        ] {
            let refused = security.refuses(kind, transport, peer, plain_allowed);
            assert_eq!(refused, expected, "{kind} {transport} {peer} {plain_allowed}");
        }
    }
}
