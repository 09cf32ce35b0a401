//! A socket in the file system, for this user alone.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

/// A socket that listens. Its file is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct OwnSocket {
    socket: Socket,
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

impl OwnSocket {
    /// Makes the socket, in the place of one that nobody listens on any more. `what` is what messages call it, and
    /// `most` how many may wait to be let in.
    pub(crate) fn bind(what: &str, path: &Path, most: usize) -> Result<Self, String> {
        let failed = |error: io::Error| format!("cannot make {what} {}: {error}", path.display());
        let address = SockAddr::unix(path).map_err(failed)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
        match socket.bind(&address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                remove_stale(what, path, &address)?;
                socket.bind(&address).map_err(failed)?;
            }
            bound => bound.map_err(failed)?,
        }
        let file = fs::symlink_metadata(path).map_err(failed)?;
        let bound = Self { socket, path: path.to_owned(), file: identity(&file) };
        // Nobody can connect to one that does not listen yet, so there is no moment in which others could.
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        bound.socket.listen(i32::try_from(most).unwrap_or(i32::MAX)).map_err(failed)?;
        bound.socket.set_nonblocking(true).map_err(failed)?;
        Ok(bound)
    }

    /// What accepts, without waiting.
    pub(crate) fn try_clone(&self) -> io::Result<UnixListener> {
        self.socket.try_clone().map(|socket| OwnedFd::from(socket).into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for OwnSocket {
    fn drop(&mut self) {
        // Only its own: somebody may have put another in its place.
        if fs::symlink_metadata(&self.path).is_ok_and(|file| identity(&file) == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(file: &fs::Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Removes what a server has left behind that did not end as it should. What is no socket, or has somebody listening,
/// stays.
fn remove_stale(what: &str, path: &Path, address: &SockAddr) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot replace {what} {}: {error}", path.display());
    if !fs::symlink_metadata(path).map_err(failed)?.file_type().is_socket() {
        return Err(format!("{what} {}: there is something else that is no socket", path.display()));
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
    // One that listens and is busy is not waited for.
    probe.set_nonblocking(true).map_err(failed)?;
    match probe.connect(address) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(failed),
        Ok(()) => Err(format!("{what} {}: another server listens there", path.display())),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            Err(format!("{what} {}: another server listens there", path.display()))
        }
        Err(error) => Err(failed(error)),
    }
}
