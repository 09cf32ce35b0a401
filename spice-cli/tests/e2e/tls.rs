//! TLS of a server that runs: the connection file, and a certificate that is exchanged.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use libtest_mimic::Trial;
use rcgen::{CertificateParams, KeyPair};
use rustix::process::Signal;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use spice_client::link;
use spice_proto::caps::CapabilitySet;
use spice_proto::vv::ConnectionFile;
use spice_proto::{ChannelType, ConnectionId};

use crate::needs::trial;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::server::{Server, cli};
use crate::viewer::{PATIENCE, Viewer, dial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("tls_connection_file", &[], connection_file),
        trial("tls_certificate_is_exchanged", &[], certificate_is_exchanged),
        trial("tls_files_are_checked", &[], files_are_checked),
        trial("tls_channels_that_demand_it", &[], channels_that_demand_it),
    ]
}

/// A certificate and its key, PEM.
pub(crate) fn made() -> Result<(String, String), String> {
    let key = KeyPair::generate().map_err(|error| error.to_string())?;
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).map_err(|error| error.to_string())?;
    let cert = params.self_signed(&key).map_err(|error| error.to_string())?;
    Ok((cert.pem(), key.serialize_pem()))
}

/// Links a main channel to a server that shows this certificate, or tells why not.
pub(crate) fn join(
    addr: SocketAddr,
    cert: &str,
    ticket: &str,
) -> Result<StreamOwned<ClientConnection, TcpStream>, String> {
    let mut roots = RootCertStore::empty();
    for cert in CertificateDer::pem_slice_iter(cert.as_bytes()) {
        roots.add(cert.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::from(addr.ip());
    let client = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    let mut stream = StreamOwned::new(client, dial(addr)?);
    let linked = link(&mut stream, ConnectionId(0), ChannelType::MAIN, CapabilitySet::default(), ticket);
    linked.map_err(|error| error.to_string())?;
    Ok(stream)
}

/// Whoever has the file knows where the server is and trusts its certificate; no ticket is in it.
fn connection_file() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let ticket = scratch.write("ticket", "sesame")?.display().to_string();
    let path = scratch.file("desk.vv");
    let vv = path.display().to_string();
    let server = Server::start(&["--ticket-file", &ticket, "--tls-self-signed", "--vv-file", &vv])?;
    server.says(|line| line.strip_prefix("the certificate's SHA-256 fingerprint: ").map(drop))?;
    let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let file = ConnectionFile::parse(&text).map_err(|error| error.to_string())?;
    let port = Some(server.addr().port());
    if (file.host.as_deref(), file.port, file.tls_port) != (Some("127.0.0.1"), None, port) {
        return Err(text);
    }
    if text.contains("sesame") || file.host_subject.as_deref() != Some("CN=spice-rs") {
        return Err(text);
    }
    let ca = file.ca.ok_or("no certificate in the file")?;
    drop(join(server.addr(), &ca, "sesame")?);
    match join(server.addr(), &ca, "barley") {
        Ok(_) => Err("a wrong ticket lets in".into()),
        // Without TLS it is the same port.
        Err(_) => Viewer::connect(server.addr(), "sesame").map(drop),
    }
}

/// New connections get the new certificate, those that are there go on, and a bad file changes nothing.
fn certificate_is_exchanged() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let (old, new) = (made()?, made()?);
    let write = |pair: &(String, String)| -> Result<_, String> {
        Ok((scratch.write("cert.pem", &pair.0)?, scratch.write("key.pem", &pair.1)?))
    };
    let (cert, key) = write(&old)?;
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    let mut command =
        Server::command(&["-v", "--listen", "127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &key]);
    let server = Server::start_command({
        command.env("NO_COLOR", "1");
        command
    })?;
    let addr = server.addr();
    let here = join(addr, &old.0, "")?;
    if join(addr, &new.0, "").is_ok() {
        return Err("another certificate is shown than that of the file".into());
    }
    write(&new)?;
    server.signal(Signal::HUP)?;
    server.says(|line| line.contains("were read anew").then_some(()))?;
    drop(join(addr, &new.0, "")?);
    if join(addr, &old.0, "").is_ok() {
        return Err("the old certificate is still shown".into());
    }
    scratch.write("key.pem", &old.1)?;
    server.signal(Signal::HUP)?;
    let said = server.says(|line| line.contains("stays as it was").then(|| line.to_owned()))?;
    if !said.contains("key.pem") {
        return Err(format!("it does not name the file: {said}"));
    }
    drop(join(addr, &new.0, "")?);
    drop(here);
    Ok(())
}

fn check(scratch: &Scratch, cert: &Path, key: &Path) -> Result<(Option<i32>, String), String> {
    let text = format!("tls-cert = '{}'\ntls-key = '{}'\n", cert.display(), key.display());
    let file = scratch.write("server.toml", text)?;
    let mut command = cli(&["check-config"]);
    let ended = Process::run(command.arg(&file), PATIENCE)?;
    Ok((ended.status.code(), ended.stderr.join("\n")))
}

/// `check-config` loads what a server would.
fn files_are_checked() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let (one, other) = (made()?, made()?);
    let (cert, key) = (scratch.write("cert.pem", &one.0)?, scratch.write("key.pem", &one.1)?);
    let (status, said) = check(&scratch, &cert, &key)?;
    if status != Some(0) {
        return Err(format!("{status:?}: {said}"));
    }
    let another = scratch.write("another.pem", &other.1)?;
    for (cert, key, word) in
        [(&cert, &another, "another.pem"), (&key, &key, "no certificate"), (&cert, &cert, "no private key")]
    {
        let (status, said) = check(&scratch, cert, key)?;
        if status != Some(2) || !said.contains(word) {
            return Err(format!("{}, {}: {status:?}: {said}", cert.display(), key.display()));
        }
    }
    Ok(())
}

fn channels_that_demand_it() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let (vv, tls) = (scratch.file("desk.vv").display().to_string(), "--tls-self-signed");
    let mut command = Server::command(&[
        "--listen",
        "127.0.0.1:0",
        tls,
        "--vv-file",
        &vv,
        "--channel-security",
        "default=secure",
    ]);
    let process = Process::start(&mut command)?;
    let port = process.stderr_line(PATIENCE, |line| {
        let (_, port) =
            line.strip_prefix("connect with: remote-viewer spice://")?.split_once("?tls-port=")?;
        port.split(' ').next()?.parse::<u16>().ok()
    })?;
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    let error = Viewer::connect(addr, "").err().ok_or("a plain main channel is let in")?;
    if !error.contains("NEED_SECURED") && !error.contains("secure") {
        return Err(format!("not told to come with TLS: {error}"));
    }
    let text = fs::read_to_string(&vv).map_err(|error| error.to_string())?;
    let ca = ConnectionFile::parse(&text).map_err(|error| error.to_string())?.ca.ok_or("no certificate")?;
    join(addr, &ca, "").map(drop)
}
