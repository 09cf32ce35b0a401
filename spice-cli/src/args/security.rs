//! Which channels may go over connections that anybody on the way can read.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use spice_server::ChannelType;

/// What a channel's connection has to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Security {
    /// Encrypted or not.
    #[default]
    Any,
    Secure,
    Plain,
}

impl Security {
    const ALL: [(&'static str, Self); 3] =
        [("secure", Self::Secure), ("any", Self::Any), ("plain", Self::Plain)];
}

/// The same for all channels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChannelSecurity {
    pub(crate) default: Security,
    pub(crate) channels: BTreeMap<ChannelType, Security>,
}

impl ChannelSecurity {
    /// Whether a channel may be asked to be encrypted only.
    pub(crate) fn wants_tls(&self) -> bool {
        self.default == Security::Secure
            || self.channels.values().any(|security| *security == Security::Secure)
    }
}

/// `default=secure,playback=any`: channels that are not named are as `default` says, which is `any` unless it is said.
impl FromStr for ChannelSecurity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut default = None;
        let mut channels = BTreeMap::new();
        for item in text.split(',') {
            let (name, value) =
                item.split_once('=').ok_or_else(|| format!("`{item}` is not CHANNEL=secure|any|plain"))?;
            let known = Security::ALL.iter().find(|(name, _)| *name == value);
            let (_, security) = known
                .ok_or_else(|| format!("there is no security `{value}`; there are secure, any and plain"))?;
            let before = if name == "default" {
                default.replace(*security)
            } else {
                let channel: ChannelType =
                    name.parse().map_err(|_| format!("there is no channel `{name}`"))?;
                channels.insert(channel, *security)
            };
            if before.is_some() {
                return Err(format!("`{name}` is there twice"));
            }
        }
        Ok(Self { default: default.unwrap_or_default(), channels })
    }
}

impl fmt::Display for ChannelSecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |of: Security| Security::ALL.iter().find(|(_, it)| *it == of).map_or("", |(name, _)| name);
        write!(f, "default={}", name(self.default))?;
        for (channel, security) in &self.channels {
            write!(f, ",{}={}", channel.channel_name().unwrap_or_default(), name(*security))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_named_and_the_rest_is_as_the_default_says() {
        let security: ChannelSecurity = "default=secure,playback=any".parse().unwrap();
        assert_eq!(security.default, Security::Secure);
        assert_eq!(security.channels, BTreeMap::from([(ChannelType::PLAYBACK, Security::Any)]));
        assert_eq!(security.to_string(), "default=secure,playback=any");
        assert!(security.wants_tls());
        let security: ChannelSecurity = "inputs=secure".parse().unwrap();
        assert!(security.default == Security::Any && security.wants_tls());
        assert!(!"default=plain".parse::<ChannelSecurity>().unwrap().wants_tls());
        for wrong in [
            "",
            "secure",
            "default=",
            "default=tls",
            "video=any",
            "main=any,main=any",
            "default=any,",
            "=any",
        ] {
            assert!(wrong.parse::<ChannelSecurity>().is_err(), "{wrong}");
        }
    }
}
