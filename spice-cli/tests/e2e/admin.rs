//! The administration of a server with viewers.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::json;
use spice_proto::display::ServerMessage;

use crate::http::{Admin, status};
use crate::methods::packing;
use crate::needs::trial;
use crate::scratch::Scratch;
use crate::server::Server;
use crate::viewer::{PATIENCE, Viewer};
use crate::wait;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("admin_viewers", &[], viewers),
        trial("admin_tickets", &[], tickets),
        trial("admin_quality", &[], quality),
        trial("admin_metrics", &[], metrics),
        trial("admin_keeps_web_pages_out", &[], keeps_web_pages_out),
        trial("admin_of_a_server_for_anybody", &[], of_a_server_for_anybody),
    ]
}

/// A server that asks for the ticket `sesame`, and who administers it.
fn start(scratch: &Scratch) -> Result<(Server, Admin), String> {
    let ticket = scratch.write("ticket", "sesame")?.display().to_string();
    let path = scratch.file("admin");
    let at = format!("unix:{}", path.display());
    let server = Server::start(&["--guest", "bench:mixed?fps=30", "--ticket-file", &ticket, "--admin", &at])?;
    server.says(|line| line.starts_with("administered at ").then_some(()))?;
    Ok((server, Admin::new(&path)))
}

fn viewers() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let (server, admin) = start(&scratch)?;
    let (one, other) = (Viewer::connect(server.addr(), "sesame")?, Viewer::connect(server.addr(), "sesame")?);
    let mut display = one.display()?;
    display.paint_first()?;
    let list = || admin.ask("GET", "/viewers", "").map(|list| list["viewers"].clone());
    let first = list()?[0].clone();
    let expected = json!({"role": "control", "transport": "plain", "ticket": 0, "user": null,
        "may": ["inputs", "clipboard", "audio", "usb"], "channels": ["main", "display"]});
    for (key, value) in expected.as_object().into_iter().flatten() {
        if first[key] != *value {
            return Err(format!("{key} is not {value}: {first}"));
        }
    }
    let id = |at: usize| list()?[at]["id"].as_u64().ok_or_else(|| format!("no viewer {at}"));
    let (first_id, second_id) = (id(0)?, id(1)?);
    admin.ask("PUT", &format!("/viewers/{first_id}/role"), "{\"role\":\"view\"}")?;
    let demoted = list()?[0].clone();
    if demoted["role"] != "view" || demoted["may"] != json!(["audio"]) {
        return Err(format!("not demoted: {demoted}"));
    }
    admin.ask("DELETE", &format!("/viewers/{second_id}"), "")?;
    other.main.wait_closed()?;
    wait::until("one viewer", PATIENCE, || Ok((list()?.as_array().map(Vec::len) == Some(1)).then_some(())))?;
    // Who stays goes on seeing the desktop.
    display.paint_pending()?;
    display.paint_until("another frame", PATIENCE, |_, _, _| true)?;
    admin.refuses("DELETE", &format!("/viewers/{second_id}"), "", 404)?;
    admin.refuses("PUT", "/viewers/99/role", "{\"role\":\"view\"}", 404)?;
    admin.refuses("PUT", &format!("/viewers/{first_id}/role"), "{\"role\":\"king\"}", 400)
}

fn tickets() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let (server, admin) = start(&scratch)?;
    let added = admin.ask("POST", "/tickets", "{\"name\":\"guest\",\"role\":\"view\"}")?;
    let secret = added["secret"].as_str().ok_or("no secret")?.to_owned();
    let path = format!("/tickets/{}", added["id"]);
    let viewer = Viewer::connect(server.addr(), &secret)?;
    let list = admin.ask("GET", "/tickets", "")?;
    let told = &list["tickets"][1];
    if told["name"] != "guest" || told["viewers"] != 1 || list.to_string().contains(&secret) {
        return Err(format!("the list: {list}"));
    }
    let role = admin.ask("GET", "/viewers", "")?["viewers"][0]["role"].clone();
    if role != "view" {
        return Err(format!("its viewer's role is {role}"));
    }
    if admin.ask("DELETE", &path, "")? != json!({"ended": 1}) {
        return Err("revoking it ends not its viewer alone".into());
    }
    viewer.main.wait_closed()?;
    if Viewer::connect(server.addr(), &secret).is_ok() {
        return Err("it lets in after it was revoked".into());
    }
    // One of single use lets in one viewer, with all of its channels.
    admin.ask("POST", "/tickets", "{\"secret\":\"once\",\"single-use\":true}")?;
    let once = Viewer::connect(server.addr(), "once")?;
    once.display()?.paint_first()?;
    if Viewer::connect(server.addr(), "once").is_ok() {
        return Err("it lets in twice".into());
    }
    let short = admin.ask("POST", "/tickets", "{\"secret\":\"short\"}")?;
    drop(Viewer::connect(server.addr(), "short")?);
    admin.ask("PUT", &format!("/tickets/{}/expiry", short["id"]), "{\"expires\":1}")?;
    wait::until("its expiry", PATIENCE, || {
        let list = admin.ask("GET", "/tickets", "")?;
        let ticket = list["tickets"].as_array().and_then(|all| all.iter().find(|it| it["id"] == short["id"]));
        Ok(ticket.is_none_or(|ticket| ticket["expires"] == 0).then_some(()))
    })?;
    if Viewer::connect(server.addr(), "short").is_ok() {
        return Err("it lets in after its time".into());
    }
    admin.refuses("POST", "/tickets", "{\"secret\":\"sesame\"}", 409)?;
    admin.refuses("DELETE", &path, "", 404)
}

/// A change reaches viewers that are here.
fn quality() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let (server, admin) = start(&scratch)?;
    let viewer = Viewer::connect(server.addr(), "sesame")?;
    let mut display = viewer.display()?;
    let seen = RefCell::new(BTreeSet::new());
    let note = |id: u16, body: &_| {
        if let Ok(ServerMessage::DrawCopy(copy)) = ServerMessage::decode(id, body) {
            seen.borrow_mut().extend(copy.source.map(|image| packing(&image.data)));
        }
    };
    let mut frames = 0;
    display.paint_until("some images", PATIENCE, |_, id, body| {
        note(id, body);
        frames += 1;
        frames > 100 && !seen.borrow().is_empty()
    })?;
    let before = seen.take();
    if before.contains("lz4") {
        return Err(format!("images came as {before:?}"));
    }
    let shown = admin.ask("PUT", "/quality", "{\"image-compression\":\"lz4\"}")?;
    if shown["image-compression"] != "lz4" || admin.ask("GET", "/quality", "")? != shown {
        return Err(format!("it is {shown}"));
    }
    display.paint_until("images in another form", PATIENCE, |_, id, body| {
        note(id, body);
        seen.borrow().contains("lz4")
    })?;
    admin.ask("PUT", "/quality", "{\"image-compression\":\"off\"}")?;
    seen.take();
    display.paint_until("images in no form", PATIENCE, |_, id, body| {
        note(id, body);
        seen.borrow().contains("raw")
    })?;
    admin.refuses("PUT", "/quality", "{\"image-compression\":\"zip\"}", 400)
}

fn metrics() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let (server, admin) = start(&scratch)?;
    let viewer = Viewer::connect(server.addr(), "sesame")?;
    let mut display = viewer.display()?;
    display.paint_first()?;
    if Viewer::connect(server.addr(), "barley").is_ok() {
        return Err("a wrong ticket lets in".into());
    }
    let (_, text) = admin.text("GET", "/metrics", "")?;
    let mut series = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let value = line.rsplit_once(' ').and_then(|(_, value)| value.parse::<f64>().ok());
        value.ok_or_else(|| format!("no sample: {line}"))?;
        series += 1;
    }
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse::<f64>().ok()).ok_or_else(|| format!("no {name} in {text}"))
    };
    if value("spice_viewers")? != 1.0 || value("spice_refused_links_total")? < 1.0 || series < 10 {
        return Err(text);
    }
    value("spice_linking")?;
    if !text.ends_with("# EOF\n") || text.contains("127.0.0.1") {
        return Err(text);
    }
    let healthy = admin.ask("GET", "/healthz", "")?;
    if healthy == json!({"status": "ok"}) { Ok(()) } else { Err(healthy.to_string()) }
}

fn keeps_web_pages_out() -> Result<(), String> {
    let server = Server::start(&["--guest", "bench:mixed", "--admin", "127.0.0.1:0"])?;
    let addr: SocketAddr =
        server.says(|line| line.strip_prefix("administered at http://")?.strip_suffix('/')?.parse().ok())?;
    let viewer = Viewer::connect(server.addr(), "")?;
    for (head, expected) in [
        (format!("GET /viewers HTTP/1.1\r\nHost: {addr}"), 200),
        ("GET /viewers HTTP/1.1\r\nHost: localhost".to_owned(), 200),
        ("GET /viewers HTTP/1.1\r\nHost: desk.example".into(), 403),
        (format!("GET /viewers HTTP/1.1\r\nHost: {addr}\r\nOrigin: http://{addr}"), 403),
        (format!("DELETE /viewers/1 HTTP/1.1\r\nHost: {addr}"), 415),
        (format!("DELETE /viewers/1 HTTP/1.1\r\nHost: {addr}\r\nContent-Type: text/plain"), 415),
        (format!("OPTIONS /viewers/1 HTTP/1.1\r\nHost: {addr}"), 415),
    ] {
        let got = status(addr, &head)?;
        if got != expected {
            return Err(format!("{head}: {got}, and no {expected}"));
        }
    }
    // None of it has ended the viewer.
    viewer.display()?.paint_first()?;
    let delete = format!("DELETE /viewers/1 HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json");
    let got = status(addr, &delete)?;
    if got != 204 {
        return Err(format!("{delete}: {got}"));
    }
    viewer.main.wait_closed()
}

fn of_a_server_for_anybody() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let path = scratch.file("admin");
    let server = Server::start(&["--admin", &format!("unix:{}", path.display())])?;
    let admin = Admin::new(&path);
    wait::until("the admin socket", Duration::from_secs(10), || Ok(admin.ask("GET", "/healthz", "").ok()))?;
    // A ticket would keep nobody out.
    admin.refuses("POST", "/tickets", "{}", 409)?;
    server.end_with(rustix::process::Signal::TERM)?;
    if path.exists() { Err("the socket outlives the server".into()) } else { Ok(()) }
}
