//! Sockets that somebody else has opened: the service manager, or whoever has started this process.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use listenfd::ListenFd;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use socket2::Socket;

use crate::args::Listen;

/// The first descriptor that a service manager hands over (sd_listen_fds(3)).
const FIRST: i32 = 3;

/// A socket that listens.
#[derive(Debug)]
pub(crate) struct Inherited {
    pub(crate) socket: Socket,
}

impl Inherited {
    fn new(fd: OwnedFd, name: &str) -> Result<Self, String> {
        let socket = Socket::from(fd);
        // What is no socket answers no such question.
        let listens = socket.is_listener().map_err(|error| format!("{name}: {error}"))?;
        if !listens {
            return Err(format!("{name} is a socket that does not listen"));
        }
        Ok(Self { socket })
    }

    /// Where it listens, if that is an address.
    pub(crate) fn addr(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()?.as_socket()
    }
}

/// The sockets of the service manager, and those that `listen` names by their number.
pub(crate) fn inherited(listen: &[Listen]) -> Result<Vec<Inherited>, String> {
    let mut managed = ListenFd::from_env();
    let mut sockets = Vec::new();
    let after = FIRST.saturating_add(i32::try_from(managed.len()).unwrap_or(i32::MAX));
    for at in 0..managed.len() {
        let name = format!("socket {at} of the service manager");
        sockets.push(managed_socket(&mut managed, at, &name)?);
    }
    for place in listen {
        if let Listen::Fd(number) = place
            // It is the same socket.
            && !(FIRST..after).contains(number)
        {
            let name = place.to_string();
            let fd = descriptor(*number).map_err(|error| format!("{name}: {error}"))?;
            sockets.push(Inherited::new(fd, &name)?);
        }
    }
    Ok(sockets)
}

fn managed_socket(managed: &mut ListenFd, at: usize, name: &str) -> Result<Inherited, String> {
    let failed = |error: io::Error| format!("{name}: {error}");
    // It is taken as what it is, or stays.
    if let Ok(Some(tcp)) = managed.take_tcp_listener(at) {
        return Inherited::new(tcp.into(), name);
    }
    match managed.take_unix_listener(at).map_err(failed)? {
        Some(unix) => Inherited::new(unix.into(), name),
        None => Err(format!("{name} is gone")),
    }
}

/// A descriptor of this process that belongs to nobody here yet: a duplicate, so that what it is meant to be is the
/// caller's whatever becomes of the number.
fn descriptor(number: i32) -> io::Result<OwnedFd> {
    let this = pidfd_open(getpid(), PidfdFlags::empty())?;
    Ok(pidfd_getfd(this, number, PidfdGetfdFlags::empty())?)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn a_descriptor_is_taken_by_its_number_if_it_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let taken = inherited(&[Listen::Fd(listener.as_raw_fd())]).unwrap();
        assert_eq!(taken[0].addr(), Some(addr));
        drop(listener);
        TcpStream::connect(addr).unwrap();

        let stream = TcpStream::connect(addr).unwrap();
        let said = inherited(&[Listen::Fd(stream.as_raw_fd())]).unwrap_err();
        assert!(said.contains("does not listen"), "{said}");
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(inherited(&[Listen::Fd(file.as_raw_fd())]).is_err());
        let said = inherited(&[Listen::Fd(9999)]).unwrap_err();
        assert!(said.starts_with("fd:9999: "), "{said}");
    }
}
