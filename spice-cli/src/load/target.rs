//! Which server.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// The port of a server whose address names none.
const PORT: u16 = 5900;

/// A server by its address, not yet looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    host: String,
    port: u16,
}

impl Target {
    /// The first address that the name stands for.
    pub(super) fn resolve(&self) -> Result<SocketAddr, String> {
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        let mut found = found.map_err(|error| format!("{self}: {error}"))?;
        found.next().ok_or_else(|| format!("{self}: the name has no address"))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// From `spice://HOST:PORT`, or without the scheme, the port, or both.
impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("{what}; a server is spice://HOST:PORT or HOST:PORT"));
        let place = match text.split_once("://") {
            Some(("spice", place)) => place.strip_suffix('/').unwrap_or(place),
            Some((scheme, _)) => return wrong(&format!("there is no way to connect to {scheme}://")),
            None => text,
        };
        // An address of IPv6 has colons of its own, and stands in brackets before a port.
        let (host, port) = match place.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, rest))) => (host, rest),
            Some(None) => return wrong("a bracket is missing"),
            None => place.find(':').map_or((place, ""), |colon| place.split_at(colon)),
        };
        let port = match port.strip_prefix(':').map(str::parse) {
            Some(Ok(port)) if port != 0 => port,
            None if port.is_empty() => PORT,
            _ => return wrong(&format!("`{port}` is no port")),
        };
        if host.is_empty() || host.contains(['/', '?', '@']) {
            return wrong(&format!("`{host}` is no host"));
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_a_scheme_and_a_port() {
        for (text, expected) in [
            ("spice://example.org:5930", "example.org:5930"),
            ("spice://example.org/", "example.org:5900"),
            ("127.0.0.1:5999", "127.0.0.1:5999"),
            ("localhost", "localhost:5900"),
            ("spice://[::1]:5901", "[::1]:5901"),
            ("[::1]", "[::1]:5900"),
        ] {
            assert_eq!(text.parse::<Target>().map(|target| target.to_string()), Ok(expected.to_owned()));
        }
        let target: Target = "[::1]:77".parse().unwrap();
        assert_eq!(target.resolve(), Ok("[::1]:77".parse().unwrap()));
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_one_is() {
        for text in [
            "",
            "spice://",
            "vnc://x:1",
            "x:",
            "x:0",
            "x:70000",
            "x:y",
            "::1",
            "[::1",
            "[::1]5",
            "a/b",
            "a@b:1",
            "spice://h?port=5",
        ] {
            let error = text.parse::<Target>().unwrap_err();
            assert!(error.contains("spice://HOST:PORT"), "{text}: {error}");
        }
    }
}
