//! TLS: the server's certificate and key, and connections that are encrypted with them.
//!
//! TLS 1.2 and 1.3 by rustls with aws-lc-rs. There is no renegotiation (it is what CVE-2021-20201 made the C server
//! spend its processor on), no compression, no client certificate and no early data.

mod certificate;
mod identity;
mod stream;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::ServerSessionMemoryCache;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use identity::Identity;
use stream::Encrypted;

/// Sessions that can be resumed, each of at most a few hundred bytes; older ones are forgotten.
const SESSIONS: usize = 512;

/// Where a server's certificate and key come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsIdentity {
    /// PEM files of an operator.
    Files {
        /// The server's certificate, then those that lead from it to who is trusted.
        cert: PathBuf,
        /// Its private key (PKCS#8, PKCS#1 or SEC1), not encrypted.
        key: PathBuf,
    },
    /// A certificate that is made now and valid for a year. Who trusts it, trusts it alone: it signs no other.
    SelfSigned {
        /// Host names and addresses that viewers type.
        names: Vec<String>,
    },
}

/// Why there is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file that cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is no PEM.
    #[error("{path} is no PEM file: {reason}", path = path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file without a certificate.
    #[error("there is no certificate in {path}", path = path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A certificate that makes no sense.
    #[error("the certificate in {path} cannot be used: {reason}", path = path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file without a key, or with one that is encrypted.
    #[error("there is no private key in {path}, or it is encrypted", path = path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A key that makes no sense.
    #[error("the private key in {path} cannot be used: {reason}", path = path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A key of another certificate.
    #[error(
        "the private key in {key} is not that of the certificate in {cert}",
        key = key.display(),
        cert = cert.display()
    )]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// A certificate that cannot be made.
    #[error("cannot make a certificate for {names:?}: {reason}")]
    SelfSigned {
        /// The names that it was to be for.
        names: Vec<String>,
        /// What is wrong.
        reason: String,
    },
    /// The library refuses to serve.
    #[error("cannot set up TLS: {0}")]
    Setup(rustls::Error),
}

/// What every encrypted connection of a server needs. Its certificate can be exchanged while it serves.
pub struct Tls {
    source: TlsIdentity,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<Current>,
}

/// A certificate in force.
struct Current {
    config: Arc<ServerConfig>,
    fingerprint: String,
    pem: String,
    subject: String,
}

impl Tls {
    /// Reads or makes the certificate. Reads files: not for the middle of a task.
    ///
    /// # Errors
    /// See [`TlsError`]; it names the file and what is wrong with it.
    pub fn load(source: TlsIdentity) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let current = Current::load(&source, &provider)?;
        Ok(Self { source, provider, current: ArcSwap::from_pointee(current) })
    }

    /// Reads the files again. Connections that are there go on as they are, new ones get the new certificate, and a
    /// session with the old one is not resumed. A certificate that was made by [`Tls::load`] stays.
    ///
    /// # Errors
    /// As [`Tls::load`]; the old certificate stays in force then.
    pub fn reload(&self) -> Result<(), TlsError> {
        if let TlsIdentity::Files { .. } = self.source {
            self.current.store(Arc::new(Current::load(&self.source, &self.provider)?));
        }
        Ok(())
    }

    /// The SHA-256 of the server's certificate (its DER), as OpenSSL writes it: `AB:CD:..`, 32 bytes.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.current.load().fingerprint.clone()
    }

    /// The certificate and those that follow it, as PEM. A self-signed one is what viewers need as `ca`.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        self.current.load().pem.clone()
    }

    /// The certificate's subject, as spice-gtk wants it for `host-subject`: `C=DE,O=Example,CN=desktop.example`, from
    /// the first part to the last, with `\` before `,` and `\` (`spice-common`, `common/ssl_verify.c`).
    #[must_use]
    pub fn subject(&self) -> String {
        self.current.load().subject.clone()
    }

    /// Encrypts a connection. Takes as long as the peer does: the caller has the deadline.
    ///
    /// # Errors
    /// A peer that speaks no TLS, or none before 1.2; a connection that breaks. What the peer can be told, it was told.
    pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<Encrypted<S>> {
        let config = Arc::clone(&self.current.load().config);
        TlsAcceptor::from(config).accept(stream).await.map(Encrypted)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let current = self.current.load();
        f.debug_struct("Tls")
            .field("source", &self.source)
            .field("subject", &current.subject)
            .field("fingerprint", &current.fingerprint)
            .finish_non_exhaustive()
    }
}

impl Current {
    fn load(source: &TlsIdentity, provider: &Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let identity = match source {
            TlsIdentity::Files { cert, key } => Identity::read(cert, key, provider)?,
            TlsIdentity::SelfSigned { names } => Identity::make(names, provider)?,
        };
        let (fingerprint, subject) = (identity.fingerprint(), identity.subject());
        let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(identity.key)));
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        Ok(Self { config: Arc::new(config), fingerprint, pem: identity.pem, subject })
    }
}

#[cfg(test)]
mod tests;
