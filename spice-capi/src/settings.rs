//! What the host says before `spice_server_init`, as the server's configuration.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use spice_server::{
    Auth, ChannelSecurity, Compression, Credentials, Listen, ListenAt, Quality, Secret, ServerConfig, Ticket,
    TlsIdentity, WanCompression,
};

/// How the addresses that the host names are to be read (`SPICE_ADDR_FLAG_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AddrFlags(pub(crate) i32);

impl AddrFlags {
    const IPV4_ONLY: i32 = 1;
    const IPV6_ONLY: i32 = 1 << 1;
    const UNIX_ONLY: i32 = 1 << 2;

    fn allows(self, addr: &SocketAddr) -> bool {
        let only = if addr.is_ipv4() { Self::IPV6_ONLY } else { Self::IPV4_ONLY };
        self.0 & only == 0
    }
}

/// What the host has said.
#[derive(Debug)]
pub(crate) struct Settings {
    /// A port without TLS; 0 for none.
    pub(crate) port: u16,
    /// A port with TLS; 0 for none.
    pub(crate) tls_port: u16,
    /// Where to listen; everywhere where nothing is named.
    pub(crate) addr: String,
    pub(crate) flags: AddrFlags,
    pub(crate) tls: Option<TlsIdentity>,
    /// The TLS that was asked for cannot be had: then there is no server, rather than one without it.
    pub(crate) tls_fails: bool,
    /// A socket that somebody else has made.
    pub(crate) listen_fd: Option<std::sync::Arc<std::os::fd::OwnedFd>>,
    /// Whether tickets are asked for.
    pub(crate) ticketing: bool,
    pub(crate) ticket: Option<Ticket>,
    pub(crate) security: ChannelSecurity,
    pub(crate) quality: Quality,
    pub(crate) exit_on_disconnect: bool,
    pub(crate) streaming_video: i32,
    /// The codecs that the host would like best, as a list of them.
    pub(crate) video_codecs: String,
    pub(crate) agent_mouse: bool,
    pub(crate) agent_copypaste: bool,
    pub(crate) agent_file_xfer: bool,
    pub(crate) seamless_migration: bool,
    pub(crate) name: Option<String>,
    pub(crate) uuid: Option<[u8; 16]>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 0,
            tls_port: 0,
            addr: String::new(),
            flags: AddrFlags::default(),
            tls: None,
            tls_fails: false,
            listen_fd: None,
            ticketing: true,
            ticket: None,
            security: ChannelSecurity::default(),
            quality: Quality {
                compression: Compression::AutoGlz,
                jpeg: WanCompression::Auto,
                zlib_glz: WanCompression::Auto,
            },
            exit_on_disconnect: false,
            streaming_video: 3,
            video_codecs: String::new(),
            agent_mouse: true,
            agent_copypaste: true,
            agent_file_xfer: true,
            seamless_migration: false,
            name: None,
            uuid: None,
        }
    }
}

/// Why the settings make no server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("cannot find the address `{addr}`: {source}")]
    Resolve { addr: String, source: std::io::Error },
    #[error("the TLS that the host asks for cannot be had")]
    Tls,
    #[error("`{0}` has no address of the kind that is asked for")]
    NoAddress(String),
}

impl Settings {
    /// The configuration that they make.
    pub(crate) fn config(&self) -> Result<ServerConfig, SettingsError> {
        if self.tls_fails {
            return Err(SettingsError::Tls);
        }
        let auth = if self.ticketing {
            Auth::Required(Credentials { tickets: self.ticket.clone().into_iter().collect(), users: None })
        } else {
            Auth::Open
        };
        let anywhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let mut config = ServerConfig::new(anywhere, auth);
        config.listen = self.listen()?;
        config.tls.clone_from(&self.tls);
        config.security = self.security.clone();
        config.worker.display.compression = self.quality.compression;
        config.worker.display.jpeg = self.quality.jpeg;
        config.worker.display.zlib_glz = self.quality.zlib_glz;
        config.spares_local = true;
        config.name.clone_from(&self.name);
        config.uuid = self.uuid;
        if let Some(viewers) = std::env::var("SPICE_MAX_CLIENTS").ok().and_then(|text| text.parse().ok()) {
            config.max_viewers = viewers;
            config.displaces = viewers == 1;
        }
        Ok(config)
    }

    /// Where to listen. As with the C library, whoever opens a port in the clear wants it to be used from elsewhere, too.
    fn listen(&self) -> Result<Vec<Listen>, SettingsError> {
        let insecure = |at| {
            let mut listen = Listen::new(at);
            listen.insecure = true;
            listen
        };
        if self.flags.0 & AddrFlags::UNIX_ONLY != 0 && !self.addr.is_empty() {
            let at = match self.addr.strip_prefix('@') {
                Some(name) => ListenAt::Abstract(name.to_owned()),
                None => ListenAt::Unix(PathBuf::from(&self.addr)),
            };
            return Ok(vec![insecure(at)]);
        }
        let mut listen = Vec::new();
        if self.port != 0 {
            listen.extend(self.addrs(self.port)?.map(|addr| insecure(ListenAt::Tcp(addr))));
        }
        if let Some(fd) = &self.listen_fd {
            listen.push(insecure(ListenAt::Open(std::sync::Arc::clone(fd))));
        }
        if self.tls_port != 0 {
            listen.extend(self.addrs(self.tls_port)?.map(|addr| {
                let mut listen = Listen::new(ListenAt::Tcp(addr));
                listen.tls_only = true;
                listen
            }));
        }
        Ok(listen)
    }

    /// One address for a port: the first that the name has, or all of this machine's.
    fn addrs(&self, port: u16) -> Result<impl Iterator<Item = SocketAddr>, SettingsError> {
        if self.addr.is_empty() {
            let v4 = self.flags.0 & AddrFlags::IPV4_ONLY != 0 || !has_ipv6();
            let any: IpAddr = if v4 { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
            return Ok(Some(SocketAddr::new(any, port)).into_iter());
        }
        let addr = self.addr.clone();
        let found = (addr.as_str(), port)
            .to_socket_addrs()
            .map_err(|source| SettingsError::Resolve { addr: addr.clone(), source })?
            .find(|addr| self.flags.allows(addr));
        Ok(Some(found.ok_or(SettingsError::NoAddress(addr))?).into_iter())
    }

    /// Takes a password in place of any before.
    pub(crate) fn set_ticket(&mut self, ticket: Option<Ticket>) {
        self.ticketing = true;
        self.ticket = ticket;
    }
}

/// Whether this machine can listen by IPv6, which takes connections by IPv4 too.
fn has_ipv6() -> bool {
    std::net::UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).is_ok()
}

/// A ticket of a password as the host has it; one that is empty lets nobody in.
pub(crate) fn ticket(password: &[u8], lifetime: Option<std::time::Duration>) -> Option<Ticket> {
    let mut ticket = Ticket::new(Secret::new(password).ok()?);
    ticket.expires_after = lifetime;
    Some(ticket)
}
