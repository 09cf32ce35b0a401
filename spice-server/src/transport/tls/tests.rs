use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::CipherSuiteCommon;
use rustls::crypto::cipher::{
    AeadKey, KeyBlockShape, MessageDecrypter, MessageEncrypter, OutboundOpaqueMessage, OutboundPlainMessage,
    Tls12AeadAlgorithm, UnsupportedOperationError,
};
use rustls::{
    ClientConfig, ConnectionTrafficSecrets, ContentType, ProtocolVersion, RootCertStore,
    SupportedCipherSuite, SupportedProtocolVersion, Tls12CipherSuite,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::TlsConnector;

use super::*;

/// A folder of one test, gone when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("spice-tls-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A certificate and its key, PEM.
fn made(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(vec![name.into()]).unwrap().self_signed(&key).unwrap();
    (cert.pem(), key.serialize_pem())
}

fn files(cert: &Path, key: &Path) -> TlsIdentity {
    TlsIdentity::Files { cert: cert.into(), key: key.into() }
}

fn self_signed(names: &[&str]) -> Tls {
    Tls::load(TlsIdentity::SelfSigned { names: names.iter().map(|&name| name.into()).collect() }).unwrap()
}

/// A client that trusts what `pem` says.
fn client(pem: &str, versions: &[&'static SupportedProtocolVersion]) -> TlsConnector {
    client_of(aws_lc_rs::default_provider(), pem, versions)
}

fn client_of(
    provider: CryptoProvider,
    pem: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for cert in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(cert.unwrap()).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

type Pair = (tokio_rustls::client::TlsStream<DuplexStream>, Encrypted<DuplexStream>);

async fn connect(tls: &Tls, client: &TlsConnector, name: &str) -> io::Result<Pair> {
    let (near, far) = duplex(64 << 10);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let (client, server) = tokio::join!(client.connect(name, near), tls.accept(far));
    Ok((client?, server?))
}

async fn says(pair: &mut Pair, text: &[u8]) {
    let mut got = vec![0; text.len()];
    pair.0.write_all(text).await.unwrap();
    pair.0.flush().await.unwrap();
    pair.1.read_exact(&mut got).await.unwrap();
    assert_eq!(got, text);
    pair.1.write_all(text).await.unwrap();
    pair.1.flush().await.unwrap();
    got.fill(0);
    pair.0.read_exact(&mut got).await.unwrap();
    assert_eq!(got, text);
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_and_the_made_certificate_is_its_own_ca() {
    let tls = self_signed(&["desktop.example.org", "192.0.2.7", "2001:db8::7"]);
    for (version, spoken) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let client = client(&tls.certificate_pem(), &[version]);
        for name in ["desktop.example.org", "192.0.2.7", "2001:db8::7"] {
            let mut pair = connect(&tls, &client, name).await.unwrap();
            assert_eq!(pair.0.get_ref().1.protocol_version(), Some(spoken), "{name}");
            says(&mut pair, b"REDQ").await;
        }
        for other in ["other.example.org", "192.0.2.8"] {
            let error = connect(&tls, &client, other).await.err().map(|error| error.to_string());
            assert!(
                error.as_ref().is_some_and(|error| error.contains("not valid for name")),
                "{other}: {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn who_trusts_another_certificate_is_not_fooled() {
    let (tls, other) = (self_signed(&["localhost"]), self_signed(&["localhost"]));
    assert_ne!(tls.fingerprint(), other.fingerprint());
    let client = client(&other.certificate_pem(), &[&TLS13]);
    assert!(connect(&tls, &client, "localhost").await.is_err());
}

#[tokio::test]
async fn a_reload_changes_the_certificate_of_new_connections_only() {
    let folder = Folder::new();
    let ((old_cert, old_key), (new_cert, new_key)) = (made("old.example.org"), made("new.example.org"));
    let (cert, key) = (folder.file("cert", &old_cert), folder.file("key", &old_key));
    let tls = Tls::load(files(&cert, &key)).unwrap();
    let (old_client, new_client) = (client(&old_cert, &[&TLS13]), client(&new_cert, &[&TLS13]));
    let old_fingerprint = tls.fingerprint();
    let mut old = connect(&tls, &old_client, "old.example.org").await.unwrap();

    folder.file("cert", &new_cert);
    let error = tls.reload().unwrap_err();
    assert!(matches!(error, TlsError::Mismatch { .. }), "{error}");
    assert_eq!(tls.fingerprint(), old_fingerprint);
    connect(&tls, &old_client, "old.example.org").await.unwrap();

    folder.file("key", &new_key);
    tls.reload().unwrap();
    assert_ne!(tls.fingerprint(), old_fingerprint);
    assert_eq!(tls.certificate_pem(), new_cert.replace("\r\n", "\n"));
    let mut new = connect(&tls, &new_client, "new.example.org").await.unwrap();
    // It has a session of the old certificate, and gets no further with it.
    assert!(connect(&tls, &old_client, "old.example.org").await.is_err());
    says(&mut old, b"still here").await;
    says(&mut new, b"new here").await;
}

#[tokio::test]
async fn a_made_certificate_survives_a_reload() {
    let tls = self_signed(&["localhost"]);
    let before = tls.fingerprint();
    tls.reload().unwrap();
    assert_eq!(tls.fingerprint(), before);
    connect(&tls, &client(&tls.certificate_pem(), &[&TLS13]), "localhost").await.unwrap();
}

#[test]
fn files_that_do_not_do_are_named_with_what_is_wrong() {
    let folder = Folder::new();
    let ((cert, key), (other_cert, other_key)) = (made("a.example.org"), made("b.example.org"));
    let begin =
        |kind: &str, base64: &str| format!("-----BEGIN {kind}-----\n{base64}\n-----END {kind}-----\n");
    let good_cert = folder.file("good-cert", &cert);
    let good_key = folder.file("good-key", &key);
    let both = folder.file("both", &format!("{key}{cert}"));
    let chain = folder.file("chain", &format!("{cert}{other_cert}"));
    for (cert, key) in [(&good_cert, &good_key), (&both, &both), (&chain, &good_key)] {
        let tls = Tls::load(files(cert, key)).unwrap();
        assert!(!tls.certificate_pem().contains("PRIVATE"), "{}", cert.display());
    }

    let bad_base64 = begin("CERTIFICATE", "!!!!");
    let cases = [
        ("empty", "", true, "there is no certificate in"),
        ("only-a-key", &key, true, "there is no certificate in"),
        ("not-pem", "MIIB", true, "there is no certificate in"),
        ("no-base64", &bad_base64, true, "is no PEM file"),
        ("no-end", cert.split("-----END").next().unwrap(), true, "is no PEM file"),
        ("no-der", &begin("CERTIFICATE", "AAAA"), true, "cannot be used"),
        ("other-cert", &other_cert, true, "is not that of the certificate in"),
        ("other-chain", &format!("{other_cert}{cert}"), true, "is not that of the certificate in"),
        ("no-key", "", false, "there is no private key in"),
        ("only-a-cert", &cert, false, "there is no private key in"),
        ("encrypted", &begin("ENCRYPTED PRIVATE KEY", "AAAA"), false, "there is no private key in"),
        ("no-key-base64", &begin("PRIVATE KEY", "!!!!"), false, "is no PEM file"),
        ("no-key-der", &begin("PRIVATE KEY", "AAAA"), false, "cannot be used"),
        ("other-key", &other_key, false, "is not that of the certificate in"),
    ];
    for (name, text, is_cert, sentence) in cases {
        let path = folder.file(name, text);
        let source = if is_cert { files(&path, &good_key) } else { files(&good_cert, &path) };
        let error = Tls::load(source).expect_err(name).to_string();
        assert!(error.contains(sentence) && error.contains(&format!("/{name}")), "{name}: {error}");
    }
    let error = Tls::load(files(&folder.0.join("gone"), &good_key)).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.contains("/gone: "), "{error}");
    let names = vec!["näme".to_owned()];
    let error = Tls::load(TlsIdentity::SelfSigned { names }).unwrap_err().to_string();
    assert!(error.starts_with("cannot make a certificate for [\"näme\"]"), "{error}");
}

#[test]
fn a_fingerprint_has_32_bytes_and_nothing_secret_is_printed() {
    let tls = self_signed(&["localhost"]);
    let fingerprint = tls.fingerprint();
    assert_eq!(fingerprint.split(':').filter(|byte| u8::from_str_radix(byte, 16).is_ok()).count(), 32);
    assert_eq!(fingerprint.len(), 32 * 3 - 1);
    assert_eq!(tls.subject(), "CN=spice-rs");
    let printed = format!("{tls:?}");
    assert!(
        printed.contains(&fingerprint) && !printed.contains("config") && !printed.contains("key"),
        "{printed}"
    );
}

/// A `ClientHello` of TLS 1.2, as a client begins a renegotiation with it.
const CLIENT_HELLO: &[u8] = &[
    1, 0, 0, 43, 3, 3, // ClientHello of 43 bytes, TLS 1.2
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
    29, 30, 31, // random
    0, 0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0, // no session, two suites, no compression
];

/// The cipher of a client that sends [`CLIENT_HELLO`] as a handshake message when it is told to send it as data: no
/// library does.
struct Renegotiating(&'static dyn Tls12AeadAlgorithm);

impl Tls12AeadAlgorithm for Renegotiating {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        Box::new(RenegotiatingEncrypter(self.0.encrypter(key, iv, extra)))
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        self.0.decrypter(key, iv)
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.0.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv, explicit)
    }
}

struct RenegotiatingEncrypter(Box<dyn MessageEncrypter>);

impl MessageEncrypter for RenegotiatingEncrypter {
    fn encrypt(
        &mut self,
        mut msg: OutboundPlainMessage<'_>,
        seq: u64,
    ) -> Result<OutboundOpaqueMessage, rustls::Error> {
        if msg.payload.to_vec() == CLIENT_HELLO {
            msg.typ = ContentType::Handshake;
        }
        self.0.encrypt(msg, seq)
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        self.0.encrypted_payload_len(payload_len)
    }
}

#[tokio::test]
async fn cve_2021_20201_a_client_cannot_have_the_handshake_done_again() {
    let tls = self_signed(&["localhost"]);
    let honest = aws_lc_rs::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    let SupportedCipherSuite::Tls12(honest) = honest else { panic!("not of TLS 1.2") };
    let suite = Tls12CipherSuite {
        common: CipherSuiteCommon { ..honest.common },
        prf_provider: honest.prf_provider,
        kx: honest.kx,
        sign: honest.sign,
        aead_alg: Box::leak(Box::new(Renegotiating(honest.aead_alg))),
    };
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites = vec![SupportedCipherSuite::Tls12(Box::leak(Box::new(suite)))];
    let client = client_of(provider, &tls.certificate_pem(), &[&TLS12]);
    let mut pair = connect(&tls, &client, "localhost").await.unwrap();

    // The first time it is told no, and may go on.
    pair.0.write_all(CLIENT_HELLO).await.unwrap();
    says(&mut pair, b"goes on").await;
    assert_eq!(pair.1.0.get_ref().1.handshake_kind(), Some(rustls::HandshakeKind::Full));
    // Whoever asks again is thrown out.
    pair.0.write_all(CLIENT_HELLO).await.unwrap();
    let error = pair.1.read_u8().await.unwrap_err().to_string();
    assert!(error.contains("TooManyRenegotiationRequests"), "{error}");
}

#[tokio::test]
async fn what_is_no_tls_is_told_so_and_refused() {
    for said in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"REDQ\x02\0\0\0\x02\0\0\0", &[0x16, 3, 1, 0xff, 0xff, 1]] {
        let (mut near, far) = duplex(1024);
        near.write_all(said).await.unwrap();
        near.shutdown().await.unwrap();
        let error = self_signed(&["localhost"]).accept(far).await.map(drop).unwrap_err();
        assert!(matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof), "{error}");
    }
}

/// So ends every viewer of spice-gtk.
#[tokio::test]
async fn who_just_ends_the_connection_has_ended_it() {
    let tls = self_signed(&["localhost"]);
    for versions in [&TLS12, &TLS13] {
        let client = client(&tls.certificate_pem(), &[versions]);
        let (mut near, mut far) = connect(&tls, &client, "localhost").await.unwrap();
        near.write_all(b"last words").await.unwrap();
        near.flush().await.unwrap();
        drop(near);
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"last words");
    }
}

/// OpenSSL is who checks in viewers.
#[test]
fn a_made_certificate_does_for_openssl() {
    let folder = Folder::new();
    let tls = self_signed(&["localhost", "127.0.0.1"]);
    let pem = folder.file("cert", &tls.certificate_pem());
    let Ok(_) = std::process::Command::new("openssl").arg("version").output() else {
        let required = std::env::var_os("SPICE_E2E").is_some_and(|value| value == "required");
        assert!(!required, "there is no openssl");
        eprintln!("skipped: there is no openssl");
        return;
    };
    let ask = |arguments: &[&str]| {
        let output = std::process::Command::new("openssl").args(arguments).arg(&pem).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    let ca = pem.to_str().unwrap();
    for extra in [&["-verify_hostname", "localhost"][..], &["-verify_ip", "127.0.0.1"], &["-x509_strict"]] {
        let verdict = ask(&[&["verify", "-purpose", "sslserver", "-CAfile", ca][..], extra].concat());
        assert!(verdict.trim().ends_with(": OK"), "{extra:?}: {verdict}");
    }
    let verdict = ask(&["verify", "-CAfile", ca, "-verify_hostname", "example.org"]);
    assert!(verdict.contains("ostname mismatch"), "{verdict}");
    let fingerprint = ask(&["x509", "-noout", "-fingerprint", "-sha256", "-in"]);
    assert_eq!(fingerprint.trim().rsplit('=').next().unwrap(), tls.fingerprint());
    for (seconds, valid) in [(364 * 24 * 3600, true), (366 * 24 * 3600, false)] {
        let verdict = ask(&["x509", "-noout", "-checkend", &seconds.to_string(), "-in"]);
        assert_eq!(verdict.contains("will not expire"), valid, "{verdict}");
    }
}

#[test]
fn a_certificate_of_version_1_is_served_with_its_own_key_only() {
    let folder = Folder::new();
    let cert = folder.file("cert", include_str!("data/v1-cert.pem"));
    let key = folder.file("key", include_str!("data/v1-key.pem"));
    let tls = Tls::load(files(&cert, &key)).unwrap();
    assert_eq!(tls.subject(), "O=Example,CN=desktop.example.org");
    let other = folder.file("other-key", &made("desktop.example.org").1);
    let error = Tls::load(files(&cert, &other)).unwrap_err();
    assert!(matches!(error, TlsError::Mismatch { .. }), "{error}");
}
