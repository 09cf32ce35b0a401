//! A socket in the file system, for this user alone.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

/// A Unix socket that listens, with a file that only its user may connect to. The file is removed when it is dropped,
/// unless somebody has put another in its place.
#[derive(Debug)]
pub struct OwnSocket {
    socket: Socket,
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

impl OwnSocket {
    /// Makes the socket, in the place of one that nobody listens on any more. Up to `waiting` connections may wait to be
    /// accepted. It does not block.
    ///
    /// # Errors
    /// A place where something is that is no socket, or that somebody listens on; whatever the system has against it.
    pub fn bind(path: &Path, waiting: usize) -> io::Result<Self> {
        let address = SockAddr::unix(path)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        match socket.bind(&address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                remove_stale(path, &address)?;
                socket.bind(&address)?;
            }
            bound => bound?,
        }
        let file = identity(&fs::symlink_metadata(path)?);
        let bound = Self { socket, path: path.to_owned(), file };
        // Nobody can connect to one that does not listen yet, so there is no moment in which others could.
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        bound.socket.listen(i32::try_from(waiting).unwrap_or(i32::MAX))?;
        bound.socket.set_nonblocking(true)?;
        Ok(bound)
    }

    /// What accepts, for as long as this is there.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn try_clone(&self) -> io::Result<UnixListener> {
        self.socket.try_clone().map(|socket| OwnedFd::from(socket).into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for OwnSocket {
    fn drop(&mut self) {
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
fn remove_stale(path: &Path, address: &SockAddr) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "there is something else that is no socket"));
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // One that listens and is busy is not waited for.
    probe.set_nonblocking(true)?;
    match probe.connect(address) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
        _ => Err(io::Error::new(ErrorKind::AddrInUse, "another server listens there")),
    }
}
