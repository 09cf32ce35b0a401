//! `--vv-file`: a file that remote-viewer opens to connect.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::system::uname;
use spice_proto::vv::ConnectionFile;

/// What viewers have to know of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reachable {
    /// Plain connections.
    pub(crate) plain: Option<SocketAddr>,
    /// TLS connections.
    pub(crate) tls: Option<SocketAddr>,
    /// A Unix socket, where there is no port.
    pub(crate) unix: Option<PathBuf>,
    /// The certificate to trust, as PEM, where nobody else vouches for it.
    pub(crate) ca: Option<String>,
    /// The certificate's subject, where it does not name the host.
    pub(crate) host_subject: Option<String>,
    /// Channels that are not to be linked without TLS, by name; where there is no plain port they all are.
    pub(crate) secure_channels: Vec<String>,
}

impl Reachable {
    /// The file's content. No ticket is in it: a viewer asks for it.
    pub(crate) fn file(&self) -> String {
        let mut file = ConnectionFile::new("spice");
        file.host = self.tls.or(self.plain).map(|addr| host(addr.ip()));
        file.port = self.plain.map(|addr| addr.port());
        file.tls_port = self.tls.map(|addr| addr.port());
        if file.host.is_none() {
            file.unix_path = self.unix.as_ref().map(|path| path.display().to_string());
        }
        file.secure_channels.clone_from(&self.secure_channels);
        file.ca.clone_from(&self.ca);
        file.host_subject.clone_from(&self.host_subject);
        file.write()
    }
}

/// How others name this machine, where it listens on all of its addresses.
pub(crate) fn host(ip: IpAddr) -> String {
    if ip.is_unspecified() { uname().nodename().to_string_lossy().into_owned() } else { ip.to_string() }
}

/// Writes a file for this user alone, in the place of one that is there: nobody who has that one open sees it.
pub(crate) fn write(path: &Path, content: &str) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot write {}: {error}", path.display());
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
    let written = written.and_then(|mut file| file.write_all(content.as_bytes()));
    written.and_then(|()| fs::rename(&beside, path)).map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::secret_file::tests::Scratch;

    #[test]
    fn a_viewer_is_told_where_to_connect_and_whom_to_trust() {
        let plain = Reachable { plain: Some("127.0.0.1:5900".parse().unwrap()), ..Reachable::default() };
        let read = |of: &Reachable| ConnectionFile::parse(&of.file()).unwrap();
        let file = read(&plain);
        assert_eq!((file.host.as_deref(), file.port, file.tls_port), (Some("127.0.0.1"), Some(5900), None));
        assert_eq!((file.title, file.password), (None, None));
        let secure = Reachable {
            tls: Some("[::]:5901".parse().unwrap()),
            ca: Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into()),
            host_subject: Some("CN=desk".into()),
            ..Reachable::default()
        };
        let file = read(&secure);
        assert_eq!((file.port, file.tls_port), (None, Some(5901)));
        assert_eq!((file.ca, file.host_subject), (secure.ca.clone(), secure.host_subject.clone()));
        assert!(file.host.is_some_and(|host| !host.is_empty() && host != "::"));
        let unix = Reachable { unix: Some("/run/spice".into()), ..Reachable::default() };
        assert_eq!((read(&unix).unix_path.as_deref(), read(&unix).host), (Some("/run/spice"), None));
    }

    #[test]
    fn the_file_is_for_this_user_alone_whatever_was_there() {
        let old = Scratch::new(b"old", 0o644);
        write(&old.0, "new").unwrap();
        assert_eq!(fs::read(&old.0).unwrap(), b"new");
        assert_eq!(fs::metadata(&old.0).unwrap().permissions().mode() & 0o777, 0o600);
        let said = write(Path::new("/nowhere/x.vv"), "").unwrap_err();
        assert!(said.starts_with("cannot write /nowhere/x.vv: "), "{said}");
    }
}
