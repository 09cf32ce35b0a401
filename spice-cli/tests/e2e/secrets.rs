//! What nobody is told.

use std::fs;
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::http::Admin;
use crate::needs::trial;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::server::{Server, cli};
use crate::tls;
use crate::viewer::{PATIENCE, Viewer};

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("secrets_are_in_no_log", &[], secrets_are_in_no_log)]
}

const TICKET: &str = "open sesame says ali";
const GUEST: &str = "guest of the forty";
const ADDED: &str = "added while it runs";
const WRONG: &str = "open barley says kasim";
const PASSWORD: &str = "morgiana knows better";

/// A server that says all it can, asked for all that it tells: neither a ticket, right or wrong, nor a password or a key
/// is in any of it, in whatever form.
fn secrets_are_in_no_log() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let ticket = scratch.write("ticket", TICKET)?.display().to_string();
    let tickets = format!("[[ticket]]\nsecret = '{GUEST}'\nrole = 'view'\n");
    let tickets = scratch.write("tickets.toml", tickets)?.display().to_string();
    let password = fs::File::open(scratch.write("password", PASSWORD)?).map_err(|error| error.to_string())?;
    let user = Process::start_reading(&mut cli(&["user", "morgiana"]), Stdio::from(password))?;
    let user = user.wait(PATIENCE)?.stdout.join("\n");
    let users = scratch.write("users", &user)?.display().to_string();
    let (cert, key) = tls::made()?;
    let (cert_file, key_file) = (scratch.write("cert.pem", &cert)?, scratch.write("key.pem", &key)?);
    let (cert_file, key_file) = (cert_file.display().to_string(), key_file.display().to_string());
    let (log, socket) = (scratch.file("audit.log"), scratch.file("admin"));
    let (log_file, at) = (log.display().to_string(), format!("unix:{}", socket.display()));
    let mut command = Server::command(&[
        "-vv",
        "--listen",
        "127.0.0.1:0",
        "--ticket-file",
        &ticket,
        "--tickets",
        &tickets,
        "--sasl-users",
        &users,
        "--tls-cert",
        &cert_file,
        "--tls-key",
        &key_file,
        "--audit-log",
        &log_file,
        "--admin",
        &at,
    ]);
    command.env("RUST_LOG", "trace");
    let server = Server::start_command(command)?;
    let admin = Admin::new(&socket);

    let viewer = Viewer::connect(server.addr(), TICKET)?;
    viewer.display()?.paint_first()?;
    let looker = Viewer::connect(server.addr(), GUEST)?;
    let secure = tls::join(server.addr(), &cert, TICKET)?;
    if Viewer::connect(server.addr(), WRONG).is_ok() || tls::join(server.addr(), &cert, WRONG).is_ok() {
        return Err("a wrong ticket lets in".into());
    }
    admin.ask("POST", "/tickets", &format!("{{\"secret\":\"{ADDED}\"}}"))?;
    let drawn = admin.ask("POST", "/tickets", "{\"single-use\":true}")?;
    let drawn = drawn["secret"].as_str().ok_or("no secret is drawn")?.to_owned();
    let added = Viewer::connect(server.addr(), ADDED)?;
    let once = Viewer::connect(server.addr(), &drawn)?;
    let mut told = Vec::new();
    for path in ["/metrics", "/tickets", "/viewers", "/quality", "/healthz"] {
        told.push((path.to_owned(), admin.text("GET", path, "")?.1));
    }
    let (_, twice) = admin.text("POST", "/tickets", &format!("{{\"secret\":\"{ADDED}\"}}"))?;
    told.push(("a ticket that is there".into(), twice));
    drop((viewer, looker, secure, added, once));
    server.signal(Signal::HUP)?;
    server.says(|line| line.contains("were read anew").then_some(()))?;
    let ended = server.end_with(Signal::TERM)?;
    told.push(("standard output".into(), ended.stdout.join("\n")));
    told.push(("standard error".into(), ended.stderr.join("\n")));
    told.push(("the audit log".into(), fs::read_to_string(&log).map_err(|error| error.to_string())?));

    // They say what they are there to say: an empty log has no secret in it either.
    let of = |place: &str| told.iter().find(|(name, _)| name == place).map_or("", |(_, text)| text.as_str());
    let (refusals, lines) =
        (of("standard error").matches("link refused").count(), of("the audit log").lines().count());
    if refusals < 2 || lines < 8 || !of("/tickets").contains("single-use") {
        return Err(format!("{refusals} refusals are told, and {lines} lines of the audit"));
    }
    let key_line = key.lines().nth(1).unwrap_or_default().to_owned();
    let verifier = user.rsplit_once('$').map_or("", |(_, keys)| keys);
    let keys = verifier.split(':').map(str::to_owned);
    let secrets = [TICKET, GUEST, ADDED, WRONG, PASSWORD].map(str::to_owned);
    for secret in secrets.into_iter().chain([drawn, key_line]).chain(keys) {
        for form in forms(&secret) {
            if let Some((place, _)) = told.iter().find(|(_, text)| text.contains(&form)) {
                return Err(format!("`{secret}` is in {place}, as `{form}`"));
            }
        }
    }
    Ok(())
}

/// A secret as it is, in hexadecimal, as a list of bytes, and in Base64 wherever in a text it begins.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let lower: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let list = format!("{bytes:?}");
    let list = list.trim_matches(['[', ']']).to_owned();
    let mut forms = vec![secret.to_owned(), lower.to_uppercase(), lower, list];
    for before in 0..3 {
        let text = BASE64.encode([&vec![0; before][..], bytes].concat());
        // Characters that have bits of what stands around it are not its own.
        let (from, to) = ((before * 8).div_ceil(6), (before + bytes.len()) * 8 / 6);
        forms.push(text[from..to].to_owned());
    }
    forms
}
