//! TLS with those who speak it: the viewers of spice-gtk, and OpenSSL.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::Trial;
use spice_proto::Point;
use spice_proto::vv::ConnectionFile;

use crate::audit_log::Audit;
use crate::desktop::{Desktop, VIEWER_NEEDS};
use crate::json;
use crate::needs::{Need, trial};
use crate::process::Process;
use crate::scratch::Scratch;
use crate::server::{Server, cli};
use crate::still::{STILL_NEEDS, Still};
use crate::viewer::Viewer;
use crate::wait;

/// What stands still while its pictures are compared.
pub(crate) const RECORDING: &str = "xspice-term";

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn trials() -> Vec<Trial> {
    let viewer = [&STILL_NEEDS[..], &VIEWER_NEEDS].concat();
    let openssl = [Need::Program("openssl"), Need::Program("timeout")];
    vec![
        trial("tls_remote_viewer", &viewer, remote_viewer),
        trial("tls_and_plain_on_one_port", &viewer, need_secured),
        trial("tls_wrong_ca", &viewer, wrong_ca),
        trial("tls_load", &[], load),
        trial("tls_openssl_below_1_2_is_refused", &openssl, versions),
        trial("cve_2021_20201_renegotiation_is_refused", &openssl, renegotiation),
    ]
}

/// A server with a certificate of its own, and how viewers are told to connect.
#[derive(Debug)]
pub(crate) struct Secure {
    pub(crate) server: Server,
    pub(crate) file: ConnectionFile,
    pub(crate) vv: PathBuf,
    pub(crate) audit: Audit,
    pub(crate) scratch: Scratch,
}

impl Secure {
    /// A server of what stands still.
    pub(crate) fn start(still: &Still, arguments: &[&str]) -> Result<Self, String> {
        Self::start_with(arguments, |arguments| still.serve(arguments))
    }

    fn start_with(
        arguments: &[&str],
        start: impl FnOnce(&[&str]) -> Result<Server, String>,
    ) -> Result<Self, String> {
        let scratch = Scratch::new()?;
        let (vv, audit) = (scratch.file("spice.vv"), Audit::new(&scratch));
        let (vv_text, audit_text) = (vv.display().to_string(), audit.path().display().to_string());
        let own = ["--tls-self-signed", "--vv-file", &vv_text, "--audit-log", &audit_text];
        let server = start(&[&own[..], arguments].concat())?;
        let text = fs::read_to_string(&vv).map_err(|error| format!("no {vv_text}: {error}"))?;
        let file = ConnectionFile::parse(&text).map_err(|error| error.to_string())?;
        Ok(Self { server, file, vv, audit, scratch })
    }

    /// The certificate to trust, as a file.
    fn ca(&self) -> Result<PathBuf, String> {
        let ca = self.file.ca.as_deref().ok_or("there is no certificate in the connection file")?;
        self.scratch.write("ca.pem", ca)
    }

    /// The SHA-256 of the certificate's public key, in base64, by which browsers name it.
    pub(crate) fn spki_digest(&self) -> Result<String, String> {
        let (ca, key) = (self.ca()?, self.scratch.file("key.pem"));
        let (der, digest) = (self.scratch.file("key.der"), self.scratch.file("key.sha256"));
        let openssl = |arguments: &[&str], files: [&Path; 2]| {
            let mut command = Command::new("openssl");
            command.args(arguments).arg("-out").arg(files[1]);
            // The digest of a file is asked for without a name for it.
            if arguments[0] != "dgst" {
                command.arg("-in");
            }
            Process::succeed(command.arg(files[0]), PATIENCE)
        };
        openssl(&["x509", "-pubkey", "-noout"], [&ca, &key])?;
        openssl(&["pkey", "-pubin", "-outform", "DER"], [&key, &der])?;
        openssl(&["dgst", "-sha256", "-binary"], [&der, &digest])?;
        let digest = fs::read(&digest).map_err(|error| format!("no digest: {error}"))?;
        Ok(STANDARD.encode(digest))
    }

    /// Another connection file for this server.
    pub(crate) fn write_vv(&self, name: &str, file: &ConnectionFile) -> Result<String, String> {
        Ok(self.scratch.write(name, file.write())?.display().to_string())
    }
}

/// remote-viewer opens the file that the server has written, and shows the screen; all of its channels are encrypted, as
/// the server wants it.
fn remote_viewer() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let still = Still::new(RECORDING, &scratch)?;
    let secure = Secure::start(&still, &["--channel-security", "default=secure"])?;
    if secure.file.port.is_some() || secure.file.tls_port != Some(secure.server.addr().port()) {
        return Err(format!("the connection file has other ports: {:?}", secure.file));
    }
    let mut desktop = Desktop::open(&secure.vv.display().to_string(), |command| command)?;
    desktop.find("the screen", &still.picture, Point::default())?;
    secure.audit.wait("connect", |line| line["transport"] == "tls")?;
    drop(desktop);
    // It ends the connection without saying so, and that is no error.
    secure.audit.wait("end", |line| !line["reason"].as_str().unwrap_or_default().contains("close_notify"))?;
    if let Some(line) = secure.audit.lines()?.iter().find(|line| line["event"] == "refused") {
        return Err(format!("it tries something else, too: {line}"));
    }
    match Viewer::connect(secure.server.addr(), "") {
        Err(_) => secure.audit.wait_refused("NEED_SECURED").map(drop),
        Ok(_) => Err("a plain connection gets in".into()),
    }
}

/// A viewer that knows of both ports, which are one, begins without TLS where it may, and comes back with TLS for the
/// channels that want it.
fn need_secured() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let still = Still::new(RECORDING, &scratch)?;
    // (which channels, how the main channel gets in)
    let cases = [("default=secure,cursor=any", "tls"), ("inputs=secure,display=secure", "plain")];
    for (security, transport) in cases {
        let secure = Secure::start(&still, &["--channel-security", security])?;
        let (ca, port) = (secure.ca()?, secure.server.addr().port());
        let mut desktop =
            Desktop::open(&format!("spice://127.0.0.1?port={port}&tls-port={port}"), |mut command| {
                command.env("SSL_CERT_FILE", ca);
                command
            })?;
        desktop
            .find("the screen", &still.picture, Point::default())
            .map_err(|error| format!("{security}: {error}; {:?}", secure.audit.lines()))?;
        secure.audit.wait_refused("NEED_SECURED")?;
        secure.audit.wait("connect", |line| line["transport"] == transport)?;
    }
    Ok(())
}

/// What spicy-screenshot makes of a server's TLS port, when it trusts whoever `ca` vouches for.
fn screenshot(addr: SocketAddr, ca: &Path, to: &Path) -> Result<(), String> {
    let mut command = Command::new("spicy-screenshot");
    command.arg("--uri").arg(format!("spice://127.0.0.1?tls-port={}", addr.port())).arg("-o").arg(to);
    command.env("SSL_CERT_FILE", ca);
    Process::succeed(&mut command, PATIENCE)?;
    if to.is_file() { Ok(()) } else { Err("there is no screenshot".into()) }
}

/// Viewers that trust somebody else do not show the screen, nor do those that were told another subject; those that trust
/// this server do, afterwards.
fn wrong_ca() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let still = Still::new(RECORDING, &scratch)?;
    let secure = Secure::start(&still, &[])?;
    let other = Secure::start_with(&[], Server::start)?;

    let addr = secure.server.addr();
    let wrong = screenshot(addr, &other.ca()?, &scratch.file("wrong.ppm"));
    if wrong.is_ok() {
        return Err("spicy-screenshot trusts another certificate".into());
    }
    secure.audit.wait_refused("TLS")?;

    let mut file = secure.file.clone();
    file.ca.clone_from(&other.file.ca);
    let mut impostor = secure.file.clone();
    impostor.host_subject = Some("CN=somebody else".into());
    for (name, file) in [("ca.vv", file), ("subject.vv", impostor)] {
        let before = secure.audit.lines()?.len();
        let desktop = Desktop::open(&secure.write_vv(name, &file)?, |command| command)?;
        wait::until(&format!("a refusal of {name}"), PATIENCE, || {
            Ok((secure.audit.lines()?.len() > before).then_some(()))
        })?;
        drop(desktop);
    }
    if let Some(line) = secure.audit.lines()?.iter().find(|line| line["event"] == "connect") {
        return Err(format!("a viewer with the wrong trust got in: {line}"));
    }
    screenshot(addr, &secure.ca()?, &scratch.file("right.ppm"))?;
    let mut desktop = Desktop::open(&secure.vv.display().to_string(), |command| command)?;
    desktop.find("the screen", &still.picture, Point::default()).map(drop)
}

/// `spice-cli load` encrypts, where it trusts the server, and measures nothing where it does not.
fn load() -> Result<(), String> {
    let demand = ["--guest", "bench:mixed", "--channel-security", "default=secure"];
    let secure = Secure::start_with(&demand, Server::start)?;
    let other = Secure::start_with(&[], Server::start)?;
    let addr = secure.server.addr().to_string();
    let load = |ca: &Path| {
        let mut command =
            cli(&["load", &addr, "--viewers", "3", "--warm", "0", "--seconds", "0.5", "--json"]);
        Process::start(command.arg("--tls-ca").arg(ca))?.wait(PATIENCE)
    };
    let measured = load(&secure.ca()?)?;
    let dead = measured.stdout.first().and_then(|line| json::number(line, "dead"));
    if !measured.status.success() || dead != Some(0.0) {
        return Err(format!("{:?}: {}", measured.stdout, measured.stderr.join("\n")));
    }
    let refused = load(&other.ca()?)?;
    if refused.status.code() == Some(2) && refused.stderr.join(" ").contains("certificate") {
        return Ok(());
    }
    Err(format!("with another certificate: {}: {}", refused.status, refused.stderr.join("\n")))
}

/// What `openssl s_client` says of a server when it is told `input`, and whether it is content.
fn s_client(addr: SocketAddr, arguments: &[&str], input: &str) -> Result<(bool, String), String> {
    let seconds = PATIENCE.as_secs().to_string();
    let mut command = Command::new("timeout");
    command.args([&seconds, "openssl", "s_client", "-connect", &addr.to_string()]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot start openssl: {error}"))?;
    let mut stdin = child.stdin.take().ok_or("no input")?;
    // One that has ended already hears nothing.
    let _ = stdin.write_all(input.as_bytes());
    let ended = child.wait_with_output().map_err(|error| error.to_string())?;
    drop(stdin);
    let text = [ended.stdout, ended.stderr].concat();
    if ended.status.code() == Some(124) {
        return Err(format!("openssl does not end: {}", String::from_utf8_lossy(&text)));
    }
    Ok((ended.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

/// Versions before 1.2 get an alert, 1.2 and 1.3 are spoken.
fn versions() -> Result<(), String> {
    let secure = Secure::start_with(&[], Server::start)?;
    let addr = secure.server.addr();
    for version in ["-tls1", "-tls1_1"] {
        // OpenSSL itself offers them at this level only.
        let (connected, said) = s_client(addr, &[version, "-cipher", "DEFAULT@SECLEVEL=0"], "Q\n")?;
        if connected || !said.contains("SSL alert number") {
            return Err(format!("{version} is not refused with an alert: {said}"));
        }
        secure.audit.wait_refused("TLS")?;
    }
    for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let ca = secure.ca()?.display().to_string();
        let arguments = [version, "-CAfile", &ca, "-verify_return_error", "-verify_ip", "127.0.0.1"];
        let (connected, said) = s_client(addr, &arguments, "Q\n")?;
        if !connected || !said.contains(&format!("New, {name}")) {
            return Err(format!("{version} is not spoken: {said}"));
        }
    }
    Ok(())
}

/// A client that asks for another handshake within the connection, which costs the server far more than the client, does
/// not get one.
fn renegotiation() -> Result<(), String> {
    let secure = Secure::start_with(&["--login-deadline", "2"], Server::start)?;
    let (content, said) = s_client(secure.server.addr(), &["-tls1_2"], "R\n")?;
    let (before, after) = said.split_once("RENEGOTIATING").ok_or("openssl does not ask for it")?;
    // It looks at the certificate once in each handshake.
    const LOOKS: &str = "verify return:1";
    if content || !before.contains(LOOKS) || after.contains(LOOKS) {
        return Err(format!("it is not refused: {said}"));
    }
    // The server is there for others.
    let (connected, said) = s_client(secure.server.addr(), &["-tls1_2"], "Q\n")?;
    if connected { Ok(()) } else { Err(format!("nobody can connect any more: {said}")) }
}
