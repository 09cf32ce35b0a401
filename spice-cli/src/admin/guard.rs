//! What is refused before anybody looks what it is about.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::json::Refusal;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Unix,
    Loopback,
}

/// Lets a request through, for a time.
pub(super) async fn guard(State(way): State<Way>, request: Request, next: Next) -> Response {
    if let Err(refusal) = check(way, request.method(), request.headers()) {
        return refusal.into_response();
    }
    match timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            Refusal(StatusCode::SERVICE_UNAVAILABLE, "there is no answer in time".into()).into_response()
        }
    }
}

/// Web pages are kept out: those of other sites say where they come from, or can send no JSON without asking; those that
/// have made their own name mean this machine still say that name.
fn check(way: Way, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    let forbidden = |why: &str| Err(Refusal(StatusCode::FORBIDDEN, why.into()));
    if headers.contains_key(ORIGIN) {
        return forbidden("requests of web pages are refused");
    }
    if way == Way::Loopback {
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok());
        if hosts.next().is_some() || !host.is_some_and(is_loopback) {
            return forbidden("the host has to be named by its loopback address, or localhost");
        }
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            let why = "what changes something needs `Content-Type: application/json`";
            return Err(Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, why.into()));
        }
    }
    Ok(())
}

/// Whether the value of a `Host` is this machine, by a name that nobody else can give a meaning to.
fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, port)) => (name, port.strip_prefix(':').or(port.is_empty().then_some("0"))),
        None => host.split_once(':').map_or((host, Some("0")), |(name, port)| (name, Some(port))),
    };
    port.is_some_and(|port| port.parse::<u16>().is_ok())
        && (name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok_and(|addr| addr.is_loopback()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn status(way: Way, method: &Method, headers: &[(HeaderName, &str)]) -> Option<u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        check(way, method, &map).err().map(|refusal| refusal.0.as_u16())
    }

    #[test]
    fn only_this_machine_by_its_own_names_is_a_host() {
        for host in
            ["127.0.0.1", "127.0.0.1:8080", "127.9.9.9:1", "localhost", "LocalHost:80", "[::1]", "[::1]:8080"]
        {
            assert_eq!(status(Way::Loopback, &Method::GET, &[(HOST, host)]), None, "{host}");
        }
        for host in [
            "",
            "desk.example",
            "desk.example:8080",
            "127.0.0.1.desk.example",
            "192.0.2.1",
            "0.0.0.0",
            "localhost.",
            "[::1",
            "[::1]x",
            "[::]:80",
            "127.0.0.1:x",
            "localhost:",
            "localhost@desk.example",
            "127.0.0.1:80:80",
        ] {
            assert_eq!(status(Way::Loopback, &Method::GET, &[(HOST, host)]), Some(403), "{host}");
        }
        assert_eq!(status(Way::Loopback, &Method::GET, &[]), Some(403));
        let twice = [(HOST, "localhost"), (HOST, "desk.example")];
        assert_eq!(status(Way::Loopback, &Method::GET, &twice), Some(403));
        // Who can open the socket is this user.
        assert_eq!(status(Way::Unix, &Method::GET, &[(HOST, "desk.example")]), None);
    }

    #[test]
    fn web_pages_are_refused_and_changes_are_json() {
        let host = (HOST, "localhost:80");
        for origin in ["https://desk.example", "null", "http://localhost:80"] {
            for way in [Way::Unix, Way::Loopback] {
                assert_eq!(status(way, &Method::GET, &[host.clone(), (ORIGIN, origin)]), Some(403));
            }
        }
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            let with = |kind| status(Way::Loopback, &method, &[host.clone(), (CONTENT_TYPE, kind)]);
            assert_eq!(status(Way::Loopback, &method, std::slice::from_ref(&host)), Some(415));
            assert_eq!(with("application/json"), None);
            assert_eq!(with("Application/JSON; charset=utf-8"), None);
            // What a page may send without asking.
            for kind in
                ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"]
            {
                assert_eq!(with(kind), Some(415), "{kind}");
            }
        }
    }
}
