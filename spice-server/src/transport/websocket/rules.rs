//! Which pages of which hosts may connect.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Which pages may connect by WebSocket.
///
/// A browser sends the name that it was told to connect to (`Host`), and where the page came from that wants to
/// (`Origin`). A page of anybody's can give its own name the address of this server (DNS rebinding), or just name this
/// server; neither gets through: the host has to be an address, `localhost` or listed, and the origin to be of the same
/// host, or listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebSocketRules {
    /// Host names, without port, by which viewers may call this server, beside its addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Origins, exactly as browsers send them (`https://desk.example.org`), that may connect beside pages of the same
    /// host. `*` is any.
    pub origins: Vec<String>,
}

/// A host as `Host` and `Origin` have it.
#[derive(Debug, PartialEq, Eq)]
enum Host {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    /// In lower case.
    Name(String),
}

impl WebSocketRules {
    /// Whether viewers may call this server by what stands in `Host`. `None` when that is no host.
    pub(super) fn host_allowed(&self, host: &str) -> Option<bool> {
        Some(match parse(host)? {
            Host::V4(_) | Host::V6(_) => true,
            Host::Name(name) => {
                name == "localhost" || self.hosts.iter().any(|listed| listed.eq_ignore_ascii_case(&name))
            }
        })
    }

    /// Whether a page of `origin` may connect to `host`. Who sends no origin is no browser.
    pub(super) fn origin_allowed(&self, origin: Option<&str>, host: &str) -> bool {
        let Some(origin) = origin else { return true };
        if self.origins.iter().any(|listed| listed == "*" || listed == origin) {
            return true;
        }
        let page = origin.split_once("://").and_then(|(_, page)| parse(page));
        page.is_some() && page == parse(host)
    }
}

/// Takes `HOST[:PORT]` apart (RFC 3986, section 3.2.2); the port is checked and dropped.
fn parse(text: &str) -> Option<Host> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (Host::V6(address.parse().ok()?), port),
        None => {
            let at = text.find(':').unwrap_or(text.len());
            let (name, port) = text.split_at_checked(at)?;
            (name_or_v4(name)?, port)
        }
    };
    let port_is_one = match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(digits) => digits.len() <= 5 && digits.bytes().all(|digit| digit.is_ascii_digit()),
    };
    port_is_one.then_some(host)
}

fn name_or_v4(name: &str) -> Option<Host> {
    if let Ok(address) = name.parse() {
        return Some(Host::V4(address));
    }
    let of_names = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_name = !name.is_empty() && name.len() <= 255 && name.bytes().all(of_names);
    is_name.then(|| Host::Name(name.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> WebSocketRules {
        WebSocketRules {
            hosts: vec!["Desk.example.org".into()],
            origins: vec!["https://portal.example.org".into(), "null".into()],
        }
    }

    #[test]
    fn a_host_is_an_address_or_localhost_or_listed() {
        let cases = [
            ("127.0.0.1", Some(true)),
            ("192.0.2.7:5900", Some(true)),
            ("[::1]", Some(true)),
            ("[2001:db8::7]:5900", Some(true)),
            ("localhost", Some(true)),
            ("LOCALHOST:5900", Some(true)),
            ("desk.example.org", Some(true)),
            ("DESK.example.org:443", Some(true)),
            ("desk.example.org.", Some(false)),
            ("localhost.example.org", Some(false)),
            ("127.0.0.1.example.org", Some(false)),
            ("0x7f.1", Some(false)),
            ("2130706433", Some(false)),
            ("evil.example", Some(false)),
            ("", None),
            (":5900", None),
            ("::1", None),
            ("[::1", None),
            ("[::1]5900", None),
            ("[desk.example.org]", None),
            ("localhost:", Some(true)),
            ("localhost:http", None),
            ("localhost:5900:1", None),
            ("localhost:123456", None),
            ("user@localhost", None),
            ("localhost/x", None),
            ("evil.example,localhost", None),
        ];
        for (host, allowed) in cases {
            assert_eq!(rules().host_allowed(host), allowed, "{host}");
        }
        assert_eq!(WebSocketRules::default().host_allowed("desk.example.org"), Some(false));
    }

    #[test]
    fn an_origin_is_of_the_same_host_or_listed() {
        let cases = [
            (None, "127.0.0.1:5900", true),
            (Some("http://127.0.0.1:8000"), "127.0.0.1:5900", true),
            (Some("https://127.0.0.1"), "127.0.0.1:5900", true),
            (Some("http://[::1]:8000"), "[0:0::1]:5900", true),
            (Some("http://Desk.example.org"), "desk.EXAMPLE.org:5900", true),
            (Some("https://portal.example.org"), "127.0.0.1:5900", true),
            (Some("null"), "127.0.0.1:5900", true),
            (Some("http://portal.example.org"), "127.0.0.1:5900", false),
            (Some("https://portal.example.org:444"), "127.0.0.1:5900", false),
            (Some("https://portal.example.org.evil.example"), "127.0.0.1:5900", false),
            (Some("http://localhost"), "127.0.0.1:5900", false),
            (Some("http://evil.example"), "127.0.0.1:5900", false),
            (Some("http://evil.example@127.0.0.1"), "127.0.0.1:5900", false),
            (Some("http://127.0.0.1@evil.example"), "127.0.0.1:5900", false),
            (Some("http://127.0.0.1.evil.example"), "127.0.0.1:5900", false),
            (Some("127.0.0.1"), "127.0.0.1:5900", false),
            (Some(""), "127.0.0.1:5900", false),
            (Some("://"), "", false),
            (Some("*"), "127.0.0.1:5900", false),
        ];
        for (origin, host, allowed) in cases {
            assert_eq!(rules().origin_allowed(origin, host), allowed, "{origin:?} to {host}");
        }
        assert!(!WebSocketRules::default().origin_allowed(Some("null"), "127.0.0.1"));
        let any = WebSocketRules { hosts: Vec::new(), origins: vec!["*".into()] };
        assert!(any.origin_allowed(Some("http://evil.example"), "127.0.0.1"));
        assert_eq!(any.host_allowed("evil.example"), Some(false), "an origin is no host");
    }
}
