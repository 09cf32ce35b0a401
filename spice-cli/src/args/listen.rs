//! Where a server listens, and from where it lets in whom.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// A place to listen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
    /// A socket with a name that no file system knows.
    Abstract(String),
    /// A socket that listens already, by its number.
    Fd(i32),
}

/// The longest name of a Unix socket, in bytes: what `sockaddr_un` holds, with the byte that ends or begins it.
const LONGEST_NAME: usize = 107;

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("unix:@") {
            return if (1..=LONGEST_NAME).contains(&name.len()) && !name.contains('\0') {
                Ok(Self::Abstract(name.to_owned()))
            } else {
                Err(format!("the name of an abstract socket has 1 to {LONGEST_NAME} bytes"))
            };
        }
        if let Some(path) = text.strip_prefix("unix:") {
            return unix_path(path).map(Self::Unix);
        }
        if let Some(number) = text.strip_prefix("fd:") {
            let number = number.parse().ok().filter(|number| *number >= 0);
            return number.map(Self::Fd).ok_or_else(|| "fd: wants the number of a descriptor".to_owned());
        }
        text.parse()
            .map(Self::Tcp)
            .map_err(|_| "neither ADDR:PORT, unix:PATH, unix:@NAME nor fd:N".to_owned())
    }
}

fn unix_path(path: &str) -> Result<PathBuf, String> {
    if (1..=LONGEST_NAME).contains(&path.len()) && !path.contains('\0') {
        Ok(path.into())
    } else {
        Err(format!("the path of a socket has 1 to {LONGEST_NAME} bytes"))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(addr) => addr.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Abstract(name) => write!(f, "unix:@{name}"),
            Self::Fd(number) => write!(f, "fd:{number}"),
        }
    }
}

/// Where the server is administered: only what no other machine reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AdminAddress {
    Unix(PathBuf),
    Loopback(SocketAddr),
}

impl FromStr for AdminAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path.strip_prefix('@') {
                // It has no mode, so everybody on the machine could reach it.
                Some(_) => Err("an abstract socket is open to every user; name a path".into()),
                None => unix_path(path).map(Self::Unix),
            };
        }
        let addr: SocketAddr = text.parse().map_err(|_| "neither unix:PATH nor 127.0.0.1:PORT".to_owned())?;
        if addr.ip().is_loopback() {
            Ok(Self::Loopback(addr))
        } else {
            Err(format!("{} is not a loopback address; other machines are to use a tunnel", addr.ip()))
        }
    }
}

impl fmt::Display for AdminAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Loopback(addr) => addr.fmt(f),
        }
    }
}

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) addr: IpAddr,
    /// How many bits they share.
    pub(crate) prefix: u8,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (addr, prefix) = text.split_once('/').map_or((text, None), |(addr, prefix)| (addr, Some(prefix)));
        let addr: IpAddr = addr.parse().map_err(|_| "neither ADDR nor ADDR/PREFIX".to_owned())?;
        let (bits, most) = match addr {
            IpAddr::V4(addr) => (u128::from(addr.to_bits()) << 96, 32),
            IpAddr::V6(addr) => (addr.to_bits(), 128),
        };
        let prefix = match prefix {
            None => most,
            Some(prefix) => {
                let prefix = prefix.parse().ok().filter(|prefix| *prefix <= most);
                prefix.ok_or_else(|| format!("the prefix of {addr} has 0 to {most} bits"))?
            }
        };
        // 10.0.0.5/8 is most likely a slip, and one that lets in more than was meant.
        if bits.checked_shl(prefix.into()).unwrap_or(0) != 0 {
            return Err(format!("{addr} has bits behind the first {prefix}"));
        }
        Ok(Self { addr, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_to_listen_at_are_told_apart_and_written_back() {
        for (text, expected) in [
            ("127.0.0.1:5900", Listen::Tcp("127.0.0.1:5900".parse().unwrap())),
            ("[::1]:0", Listen::Tcp("[::1]:0".parse().unwrap())),
            ("unix:/run/x y.sock", Listen::Unix("/run/x y.sock".into())),
            ("unix:@spice", Listen::Abstract("spice".into())),
            ("fd:3", Listen::Fd(3)),
        ] {
            let listen: Listen = text.parse().unwrap();
            assert_eq!((&listen, listen.to_string()), (&expected, text.to_owned()));
        }
        for text in ["", "localhost:5900", "5900", "127.0.0.1", "unix:", "unix:@", "fd:", "fd:-1", "fd:x"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
        assert!(format!("unix:{}", "x".repeat(108)).parse::<Listen>().is_err());
    }

    #[test]
    fn administration_is_for_this_machine_alone() {
        for text in ["unix:/run/admin", "127.0.0.1:8080", "127.8.8.8:1", "[::1]:8080"] {
            assert_eq!(text.parse::<AdminAddress>().unwrap().to_string(), text);
        }
        for text in
            ["0.0.0.0:8080", "192.0.2.1:80", "[::]:80", "unix:@admin", "unix:", "localhost:80", "fd:3", ""]
        {
            assert!(text.parse::<AdminAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn networks_have_a_prefix_and_nothing_behind_it() {
        for (text, written) in [
            ("192.0.2.7", "192.0.2.7/32"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::1", "::1/128"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), written);
        }
        for text in
            ["", "10.0.0.5/8", "10.0.0.0/33", "::1/129", "::1/127", "10.0.0.0/", "10.0.0.0/-1", "ten/8"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
