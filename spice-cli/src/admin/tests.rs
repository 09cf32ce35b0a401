//! The routes, over a socket, in front of a server that is made up.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use spice_display::{Compression, WanCompression};
use spice_server::{ClientId, Stats};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;

use super::control::{Control, Present, TicketLine};
use super::listener::AdminSocket;
use crate::args::AdminAddress;
use crate::plan::Quality;
use crate::report::tests::viewer;
use crate::tickets::{May, NewTicket, Role};

#[derive(Clone, Debug, Default)]
struct Made(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    roles: BTreeMap<u64, Role>,
    tickets: BTreeMap<u64, (NewTicket, Option<Duration>)>,
    quality: Option<Quality>,
    ended: bool,
}

impl Made {
    fn new(viewers: u64) -> Self {
        let made = Self::default();
        made.state().roles = (1..=viewers).map(|id| (id, Role::Control)).collect();
        made
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Control for Made {
    fn stats(&self) -> Stats {
        Stats { viewers: 2, commands: 30, refused: 1, bytes: 4000, queued: 5, squashes: 6, links_refused: 7 }
    }

    fn linking(&self) -> usize {
        8
    }

    async fn viewers(&self) -> Option<Vec<Present>> {
        let state = self.state();
        let present = |(id, role): (&u64, &Role)| Present {
            viewer: viewer(*id, 1000, 10),
            transport: "tls".into(),
            role: *role,
            may: May::ALL.to_vec(),
            ticket: Some(4),
            user: None,
        };
        (!state.ended).then(|| state.roles.iter().map(present).collect())
    }

    async fn disconnect(&self, viewer: ClientId) -> bool {
        self.state().roles.remove(&viewer.0).is_some()
    }

    async fn set_role(&self, viewer: ClientId, role: Role) -> bool {
        self.state().roles.get_mut(&viewer.0).map(|it| *it = role).is_some()
    }

    fn tickets(&self) -> Vec<TicketLine> {
        let line = |(id, (ticket, expires_in)): (&u64, &(NewTicket, Option<Duration>))| TicketLine {
            id: *id,
            name: ticket.name.clone(),
            role: ticket.role,
            may: ticket.may.clone(),
            expires_in: *expires_in,
            single_use: ticket.single_use,
            spent: false,
            viewers: 9,
        };
        self.state().tickets.iter().map(line).collect()
    }

    fn add_ticket(&self, ticket: &NewTicket) -> Result<u64, String> {
        let mut state = self.state();
        if state.tickets.values().any(|(other, _)| other.secret == ticket.secret) {
            return Err("another ticket has the same secret".into());
        }
        let id = state.tickets.len() as u64 + 1;
        state.tickets.insert(id, (ticket.clone(), ticket.expires_after));
        Ok(id)
    }

    fn expire_ticket(&self, ticket: u64, after: Duration) -> bool {
        self.state().tickets.get_mut(&ticket).map(|it| it.1 = Some(after)).is_some()
    }

    async fn revoke_ticket(&self, ticket: u64) -> Option<usize> {
        self.state().tickets.remove(&ticket).map(|_| 3)
    }

    fn quality(&self) -> Quality {
        let default = Quality {
            compression: Compression::AutoGlz,
            jpeg: WanCompression::Auto,
            zlib_glz: WanCompression::Auto,
        };
        self.state().quality.unwrap_or(default)
    }

    fn set_quality(&self, quality: Quality) {
        self.state().quality = Some(quality);
    }
}

/// What answers, until it is dropped.
struct Admin {
    path: PathBuf,
    socket: Option<AdminSocket>,
    serving: JoinHandle<()>,
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Admin {
    fn new(name: &str, made: &Made) -> Self {
        Self::patient(name, made, Duration::from_secs(30))
    }

    fn patient(name: &str, made: &Made, patience: Duration) -> Self {
        let path = std::env::temp_dir().join(format!("spice-admin-{}-{name}", std::process::id()));
        let socket = AdminSocket::bind(&AdminAddress::Unix(path.clone())).unwrap();
        let serving = tokio::spawn(socket.serve_patiently(made.clone(), patience).unwrap());
        Self { path, socket: Some(socket), serving }
    }

    async fn raw(&self, request: &str) -> (u16, String) {
        let stream = UnixStream::connect(&self.path).await.unwrap();
        exchange(stream, request).await
    }

    async fn text(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let len = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {len}\r\n\r\n{body}"
        );
        self.raw(&request).await
    }

    async fn json(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (status, text) = self.text(method, path, body).await;
        let value = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        (status, value)
    }
}

async fn exchange(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin, request: &str) -> (u16, String) {
    // A body that is refused for its size is not read to its end.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn viewers_are_listed_demoted_and_ended() {
    let made = Made::new(2);
    let admin = Admin::new("viewers", &made);
    let (status, body) = admin.json("GET", "/viewers", "").await;
    let first = json!({
        "id": 1, "peer": "127.0.0.1:4000", "transport": "tls", "connected": 61.5, "role": "control",
        "may": ["inputs", "clipboard", "audio", "usb"], "ticket": 4, "user": null, "channels": ["main", "display"],
        "displays": [{
            "display": 0, "state": "following", "slow_link": false, "round_trip_ms": 1.234, "throughput": null,
            "in_flight": 7, "room": 16384, "pipe_items": 3, "pipe_bytes": 300, "damaged_pixels": 0, "squashes": 1,
            "updates": 10, "bytes": 1000,
        }],
    });
    assert_eq!((status, &body["viewers"][0]), (200, &first));
    assert_eq!(admin.json("PUT", "/viewers/2/role", "{\"role\":\"view\"}").await, (204, Value::Null));
    assert_eq!(made.state().roles.get(&2), Some(&Role::View));
    assert_eq!(admin.json("DELETE", "/viewers/1", "").await, (204, Value::Null));
    assert_eq!(made.state().roles.len(), 1);
    for (method, path, body) in [
        ("DELETE", "/viewers/1", ""),
        ("DELETE", "/viewers/first", ""),
        ("DELETE", "/viewers/-1", ""),
        ("PUT", "/viewers/9/role", "{\"role\":\"view\"}"),
    ] {
        let (status, body) = admin.json(method, path, body).await;
        assert_eq!(status, 404, "{path}");
        assert!(body["error"].as_str().unwrap().starts_with("there is no viewer `"), "{body}");
    }
}

#[tokio::test]
async fn tickets_are_drawn_told_once_expire_and_are_revoked() {
    let made = Made::new(0);
    let admin = Admin::new("tickets", &made);
    let (status, added) = admin.json("POST", "/tickets", "{\"name\":\"guests\",\"role\":\"view\",\"may\":[\"audio\"],\"expires\":\"10m\",\"single-use\":true}").await;
    let secret = added["secret"].as_str().unwrap();
    assert_eq!((status, secret.len(), &added["id"]), (201, 20, &json!(1)));
    assert_eq!(made.state().tickets[&1].0.secret.text(), secret);
    let (status, mine) =
        admin.json("POST", "/tickets", "{\"secret\":\"hunter2\",\"role\":\"control\"}").await;
    assert_eq!((status, mine), (201, json!({"id": 2, "name": "admin"})));
    let (status, list) = admin.text("GET", "/tickets", "").await;
    assert!(status == 200 && !list.contains(secret) && !list.contains("hunter2"), "{list}");
    let first = json!({"id": 1, "name": "guests", "role": "view", "may": ["audio"], "expires": 600, "single-use": true, "spent": false, "viewers": 9});
    assert_eq!(serde_json::from_str::<Value>(&list).unwrap()["tickets"][0], first);
    let (status, twice) = admin.text("POST", "/tickets", "{\"secret\":\"hunter2\"}").await;
    assert!(status == 409 && !twice.contains("hunter2"), "{twice}");
    assert_eq!(admin.json("PUT", "/tickets/2/expiry", "{\"expires\":90}").await.0, 204);
    assert_eq!(made.state().tickets[&2].1, Some(Duration::from_secs(90)));
    assert_eq!(admin.json("DELETE", "/tickets/2", "").await, (200, json!({"ended": 3})));
    for (method, path, body) in [
        ("DELETE", "/tickets/2", ""),
        ("PUT", "/tickets/2/expiry", "{\"expires\":90}"),
        ("DELETE", "/tickets/x", ""),
    ] {
        assert_eq!(admin.json(method, path, body).await.0, 404, "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_that_is_wrong_is_told_and_changes_nothing() {
    let made = Made::new(1);
    let admin = Admin::new("bodies", &made);
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(17 << 10));
    for (method, path, body, status, words) in [
        ("PUT", "/viewers/1/role", "{\"role\":\"admin\"}", 400, "`admin`"),
        ("PUT", "/viewers/1/role", "{\"rol\":\"view\"}", 400, "did you mean `role`?"),
        ("PUT", "/viewers/1/role", "{}", 400, "missing field `role`"),
        ("PUT", "/viewers/1/role", "", 400, "JSON object"),
        ("POST", "/tickets", "{\"secret\":\"\"}", 400, "ticket is empty"),
        ("POST", "/tickets", "{\"secret\":4711}", 400, "a secret in quotes"),
        ("POST", "/tickets", "{\"single_use\":true}", 400, "did you mean `single-use`?"),
        ("POST", "/tickets", "{\"expires\":\"0\"}", 400, "10 years"),
        ("POST", "/tickets", "[]", 400, "JSON object"),
        ("POST", "/tickets", &large, 413, "16384"),
        ("PUT", "/quality", "{\"image-compression\":\"zip\"}", 400, "auto_glz"),
        ("PUT", "/quality", "{\"jpeg\":\"auto\"}", 400, "jpeg-wan-compression"),
        ("GET", "/secrets", "", 404, "/secrets"),
        ("POST", "/viewers", "{}", 405, "cannot"),
        ("DELETE", "/healthz", "", 405, "cannot"),
    ] {
        let (got, body) = admin.json(method, path, body).await;
        let error = body["error"].as_str().unwrap();
        assert!(
            got == status && error.contains(words) && !error.contains("4711"),
            "{method} {path}: {got} {error}"
        );
    }
    let state = made.state();
    assert!(state.tickets.is_empty() && state.quality.is_none() && state.roles[&1] == Role::Control);
}

#[tokio::test]
async fn quality_is_changed_in_part() {
    let made = Made::new(0);
    let admin = Admin::new("quality", &made);
    let (status, body) = admin.json("PUT", "/quality", "{\"image-compression\":\"lz4\"}").await;
    let expected = json!({"image-compression": "lz4", "jpeg-wan-compression": "auto", "zlib-glz-wan-compression": "auto"});
    assert_eq!((status, &body), (200, &expected));
    assert_eq!(admin.json("GET", "/quality", "").await, (200, expected));
    admin.json("PUT", "/quality", "{\"jpeg-wan-compression\":\"never\"}").await;
    let quality = made.state().quality.unwrap();
    assert_eq!((quality.compression, quality.jpeg), (Compression::Lz4, WanCompression::Never));
}

#[tokio::test]
async fn metrics_have_a_series_for_each_viewer_and_no_address() {
    let made = Made::new(2);
    let admin = Admin::new("metrics", &made);
    let (status, text) = admin.text("GET", "/metrics", "").await;
    assert_eq!(status, 200);
    for line in [
        "spice_viewers 2.0",
        "spice_commands_total 30",
        "spice_refused_commands_total 1",
        "spice_refused_links_total 7",
        "spice_linking 8.0",
        "spice_sent_bytes_total 4000",
        "spice_viewer_round_trip_seconds{viewer=\"1\",display=\"0\"} 0.001234",
        "spice_viewer_pipe_items{viewer=\"2\",display=\"0\"} 3.0",
        "# EOF",
    ] {
        assert!(text.lines().any(|it| it == line), "no {line} in {text}");
    }
    // What is not known has no series.
    assert!(!text.contains("127.0.0.1") && !text.contains("throughput_per_second_bytes{"), "{text}");
    assert_eq!(admin.json("GET", "/healthz", "").await, (200, json!({"status": "ok"})));
    made.state().ended = true;
    for path in ["/healthz", "/metrics", "/viewers"] {
        assert_eq!(admin.json("GET", path, "").await, (503, json!({"error": "the server ends"})));
    }
}

#[tokio::test]
async fn the_socket_is_this_users_alone_and_gone_at_the_end() {
    let made = Made::new(0);
    let mut admin = Admin::new("socket", &made);
    let mode = std::fs::symlink_metadata(&admin.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = AdminSocket::bind(&AdminAddress::Unix(admin.path.clone())).unwrap_err();
    assert!(again.contains("another server listens there"), "{again}");
    admin.socket = None;
    assert!(!Path::new(&admin.path).exists());
}

#[tokio::test]
async fn on_loopback_web_pages_are_kept_out() {
    let made = Made::new(1);
    let socket = AdminSocket::bind(&AdminAddress::Loopback("127.0.0.1:0".parse().unwrap())).unwrap();
    let addr = socket.name().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let serving = tokio::spawn(socket.serve(made.clone()).unwrap());
    let ask = async |head: &str| {
        let stream = TcpStream::connect(&addr).await.unwrap();
        exchange(stream, &format!("{head}\r\nConnection: close\r\n\r\n")).await.0
    };
    assert_eq!(ask(&format!("GET /viewers HTTP/1.1\r\nHost: {addr}")).await, 200);
    assert_eq!(ask("GET /viewers HTTP/1.1\r\nHost: desk.example").await, 403);
    assert_eq!(ask("GET /viewers HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost").await, 403);
    assert_eq!(ask("DELETE /viewers/1 HTTP/1.1\r\nHost: localhost").await, 415);
    assert_eq!(ask("OPTIONS /viewers/1 HTTP/1.1\r\nHost: localhost").await, 415);
    // The target may name another host than the header.
    assert_eq!(ask("GET http://desk.example/viewers HTTP/1.1\r\nHost: desk.example").await, 403);
    assert_eq!(made.state().roles.len(), 1);
    serving.abort();
}

#[tokio::test]
async fn connections_that_ask_nothing_lose_their_places() {
    let made = Made::new(0);
    let admin = Admin::patient("places", &made, Duration::from_millis(200));
    let mut idle = Vec::new();
    for _ in 0..64 {
        let mut stream = UnixStream::connect(&admin.path).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: ").await.unwrap();
        idle.push(stream);
    }
    assert_eq!(admin.json("GET", "/healthz", "").await.0, 200);
    drop(idle);
}
