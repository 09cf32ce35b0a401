//! What the audit log says.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use libtest_mimic::Trial;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::http::Admin;
use crate::needs::trial;
use crate::scratch::Scratch;
use crate::server::Server;
use crate::viewer::{PATIENCE, Viewer};
use crate::wait;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("audit_log", &[], log)]
}

/// Who comes, is refused, gets another role and leaves, or is here when the server ends, has a line each.
fn log() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let ticket = scratch.write("ticket", "sesame")?.display().to_string();
    let (log, admin) = (scratch.file("audit.log"), scratch.file("admin"));
    let at = format!("unix:{}", admin.display());
    let log_name = log.display().to_string();
    let server = Server::start(&["--ticket-file", &ticket, "--audit-log", &log_name, "--admin", &at])?;
    let lines = || -> Result<Vec<Value>, String> {
        let text = fs::read_to_string(&log).map_err(|error| error.to_string())?;
        let line = |line: &str| serde_json::from_str(line).map_err(|error| format!("{error}: {line}"));
        text.lines().map(line).collect()
    };
    let has = |event: &str| {
        wait::until(event, PATIENCE, || Ok(lines()?.into_iter().find(|line| line["event"] == event)))
    };
    let viewer = Viewer::connect(server.addr(), "sesame")?;
    let connect = has("connect")?;
    if Viewer::connect(server.addr(), "barley").is_ok() {
        return Err("a wrong ticket lets in".into());
    }
    let refused = has("refused")?;
    let admin = Admin::new(&admin);
    let id = connect["viewer"].clone();
    admin.ask("PUT", &format!("/viewers/{id}/role"), "{\"role\":\"view\"}")?;
    let role = has("role")?;
    drop(viewer);
    let end = has("end")?;
    let added = admin.ask("POST", "/tickets", "{\"name\":\"guest\"}")?;
    let told = has("ticket-added")?;
    admin.ask("DELETE", &format!("/tickets/{}", added["id"]), "")?;
    let revoked = has("ticket-revoked")?;
    for (line, expected) in [
        (&connect, json!({"ticket": 0, "role": "control", "transport": "plain"})),
        (&refused, json!({"reason": "wrong ticket"})),
        (&role, json!({"viewer": id, "from": "control", "role": "view"})),
        (&end, json!({"viewer": id, "connected": 0})),
        (&told, json!({"ticket": added["id"], "name": "guest"})),
        (&revoked, json!({"ticket": added["id"], "viewers": 0})),
    ] {
        let mut pairs = expected.as_object().into_iter().flatten();
        if let Some((key, value)) = pairs.find(|(key, value)| **key != "connected" && line[*key] != **value) {
            return Err(format!("{key} is not {value}: {line}"));
        }
        if line["time"].as_str().is_none_or(|time| !time.ends_with('Z')) {
            return Err(format!("no time: {line}"));
        }
    }
    for line in [&connect, &refused, &end] {
        if line["peer"].as_str().is_none_or(|peer| !peer.starts_with("127.0.0.1:")) {
            return Err(format!("no peer: {line}"));
        }
    }
    let _here = Viewer::connect(server.addr(), "sesame")?;
    server.end_with(Signal::TERM)?;
    let all = lines()?;
    let last = all.last().ok_or("no line")?;
    if last["event"] != "end" || last["reason"] != "the server ends" {
        return Err(format!("the last line is {last}"));
    }
    let mode = fs::metadata(&log).map_err(|error| error.to_string())?.permissions().mode();
    if mode & 0o777 == 0o600 { Ok(()) } else { Err(format!("the log has the mode {mode:o}")) }
}
