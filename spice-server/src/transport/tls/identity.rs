//! A certificate with its key: out of files, or made here.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use spice_channel::Time;

use super::{TlsError, certificate};
use crate::clock;

/// The subject of certificates that are made here. Viewers check names and the certificate itself, not this.
const COMMON_NAME: &str = "spice-rs";

/// How long before now a certificate that is made here is valid, for viewers whose clock is late.
const BEFORE: Duration = Duration::from_secs(24 * 3600);

/// How long a certificate that is made here is valid from now.
const AFTER: Duration = Duration::from_secs(365 * 24 * 3600);

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// A certificate with its key.
pub(super) struct Identity {
    pub(super) key: CertifiedKey,
    /// The certificates, without anything else that was in their file.
    pub(super) pem: String,
}

impl Identity {
    /// Reads the files of an operator.
    pub(super) fn read(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<Self, TlsError> {
        let text = read(cert)?;
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<_, _>>()
            .map_err(|error| TlsError::Pem { path: cert.into(), reason: error.to_string() })?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate { path: cert.into() });
        }
        let pem = certificates(&String::from_utf8_lossy(&text));

        warn_if_readable(key);
        let secret = zeroize::Zeroizing::new(read(key)?);
        let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsError::NoKey { path: key.into() },
            error => TlsError::Pem { path: key.into(), reason: error.to_string() },
        })?;
        let secret = provider
            .key_provider
            .load_private_key(secret)
            .map_err(|error| TlsError::Key { path: key.into(), reason: error.to_string() })?;
        let certified = CertifiedKey::new(chain, secret);
        match keys_match(&certified) {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(Error::InconsistentKeys(_)) => {
                return Err(TlsError::Mismatch { cert: cert.into(), key: key.into() });
            }
            Err(error) => {
                return Err(TlsError::Certificate { path: cert.into(), reason: error.to_string() });
            }
        }
        Ok(Self { key: certified, pem })
    }

    /// Makes a certificate for these names.
    pub(super) fn make(names: &[String], provider: &CryptoProvider) -> Result<Self, TlsError> {
        let refused = |reason: String| TlsError::SelfSigned { names: names.to_vec(), reason };
        let mut params = CertificateParams::new(names).map_err(|error| refused(error.to_string()))?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, COMMON_NAME);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let since_1970 = clock::now().since(Time::ZERO) + clock::wall_clock_offset();
        let now = rcgen::date_time_ymd(1970, 1, 1) + since_1970;
        (params.not_before, params.not_after) = (now - BEFORE, now + AFTER);

        let key = KeyPair::generate().map_err(|error| refused(error.to_string()))?;
        let made = params.self_signed(&key).map_err(|error| refused(error.to_string()))?;
        let chain = vec![made.der().clone()];
        let secret = PrivateKeyDer::try_from(key.serialize_der()).map_err(|error| refused(error.into()))?;
        let certified = CertifiedKey::from_der(chain, secret, provider).map_err(TlsError::Setup)?;
        Ok(Self { key: certified, pem: made.pem() })
    }

    /// The server's own certificate, DER.
    fn leaf(&self) -> &[u8] {
        self.key.cert.first().map_or(&[], |cert| cert)
    }

    /// See [`super::Tls::fingerprint`].
    pub(super) fn fingerprint(&self) -> String {
        // The hash of this suite is SHA-256; there is no other way to it in rustls.
        let suite = aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13();
        let digest = suite.map(|suite| suite.common.hash_provider.hash(self.leaf()));
        let mut text = String::new();
        for byte in digest.as_ref().map_or(&[][..], AsRef::as_ref) {
            let colon = if text.is_empty() { "" } else { ":" };
            let _ = write!(text, "{colon}{byte:02X}");
        }
        text
    }

    /// See [`super::Tls::subject`].
    pub(super) fn subject(&self) -> String {
        certificate::subject(self.leaf()).unwrap_or_default()
    }
}

/// Whether a key is that of its certificate. rustls reads no certificates of version 1, which are still made and which
/// OpenSSL serves: whether to trust one is for the viewer to say.
fn keys_match(certified: &CertifiedKey) -> Result<(), Error> {
    let unknown = Error::InconsistentKeys(InconsistentKeys::Unknown);
    let leaf = certified.end_entity_cert()?;
    if !certificate::is_v1(leaf) {
        return certified.keys_match();
    }
    let public = certified.key.public_key().ok_or(unknown)?;
    if certificate::public_key(leaf) == Some(public.as_ref()) {
        Ok(())
    } else {
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read { path: path.into(), source })
}

/// The certificates among what stands in a PEM file: it may hold the key, too.
fn certificates(text: &str) -> String {
    let mut out = String::new();
    let mut within = false;
    for line in text.lines().map(str::trim_end) {
        within |= line == BEGIN;
        if within {
            out.push_str(line);
            out.push('\n');
        }
        within &= line != END;
    }
    out
}

#[cfg(unix)]
fn warn_if_readable(key: &Path) {
    use std::os::unix::fs::PermissionsExt;

    let mode = std::fs::metadata(key).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o004 != 0 {
        tracing::warn!("everybody on this machine can read the private key in {}", key.display());
    }
}

#[cfg(not(unix))]
fn warn_if_readable(_key: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certificates_are_taken_out_of_a_file_with_a_key() {
        let text = format!(
            "comment\r\n{BEGIN}\r\nAAAA\r\n{END}\r\n-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n\
             subject=x\n{BEGIN}\nCCCC\n{END}\nDDDD\n"
        );
        assert_eq!(certificates(&text), format!("{BEGIN}\nAAAA\n{END}\n{BEGIN}\nCCCC\n{END}\n"));
    }
}
