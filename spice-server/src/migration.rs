//! Desktops that move to another server.

/// A server that has the desktop from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationTarget {
    /// Its name or address, as viewers reach it.
    pub host: String,
    /// Its port in the clear.
    pub port: Option<u16>,
    /// Its port with TLS.
    pub secure_port: Option<u16>,
    /// The subject of its certificate, where viewers are to check that instead of its name.
    pub subject: Option<String>,
}
