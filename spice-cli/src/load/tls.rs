//! How viewers encrypt.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whom viewers trust, which is nobody but those in a file.
#[derive(Clone)]
pub(super) struct Trust {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Trust {
    /// The certificates in this file (PEM) and those that they sign, for the server at this address.
    pub(super) fn read(path: &Path, addr: SocketAddr) -> Result<Self, String> {
        let failed =
            |error: &dyn fmt::Display| format!("cannot use the certificates in {}: {error}", path.display());
        let certificates =
            rustls::pki_types::CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            let added =
                certificate.map(|certificate| roots.add(certificate)).map_err(|error| failed(&error))?;
            added.map_err(|error| failed(&error))?;
        }
        if roots.is_empty() {
            return Err(failed(&"there is none"));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name: addr.ip().into() })
    }

    /// Encrypts a connection.
    pub(super) async fn connect(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, String> {
        let connected = self.connector.connect(self.name.clone(), stream).await;
        connected.map_err(|error| format!("TLS: {error}"))
    }
}
