//! Which certificate a server shows.

use std::path::PathBuf;

use crate::args::ServerOptions;

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    Files { cert: PathBuf, key: PathBuf },
    SelfSigned,
}

impl Tls {
    /// What the options say of it, if anything. Its files are not looked at.
    pub(super) fn new(options: &ServerOptions) -> Result<Option<Self>, String> {
        let self_signed = options.tls_self_signed.unwrap_or(false);
        match (&options.tls_cert, &options.tls_key) {
            (None, None) if self_signed => Ok(Some(Self::SelfSigned)),
            (None, None) => Ok(None),
            _ if self_signed => {
                Err("--tls-self-signed makes what --tls-cert and --tls-key name: not both".into())
            }
            (Some(_), None) => Err("--tls-cert needs --tls-key".into()),
            (None, Some(_)) => Err("--tls-key needs --tls-cert".into()),
            (Some(cert), Some(key)) => Ok(Some(Self::Files { cert: cert.clone(), key: key.clone() })),
        }
    }
}
