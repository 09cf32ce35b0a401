use proptest::prelude::*;
use tokio::io::AsyncReadExt;

use super::*;

/// A header with this command, family and body.
fn header(version_and_command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let len = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[version_and_command, family], &len, body].concat()
}

/// What a proxy sends for `source`, with these bytes of extensions.
fn encode(source: SocketAddr, extensions: &[u8]) -> Vec<u8> {
    let ports = [source.port().to_be_bytes(), 5900_u16.to_be_bytes()].concat();
    match source.ip() {
        IpAddr::V4(ip) => {
            header(0x21, 0x11, &[&ip.octets()[..], &[192, 0, 2, 1], &ports, extensions].concat())
        }
        IpAddr::V6(ip) => header(0x21, 0x21, &[&ip.octets()[..], &[0xfe; 16], &ports, extensions].concat()),
    }
}

fn extension(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind][..], &u16::try_from(value.len()).unwrap().to_be_bytes(), value].concat()
}

async fn read(mut bytes: &[u8]) -> Result<(Option<SocketAddr>, usize), ProxyError> {
    let source = read_from(&mut bytes).await?;
    Ok((source, bytes.len()))
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[tokio::test]
async fn headers_of_the_specification_say_what_they_say() {
    let v4: SocketAddr = "203.0.113.9:40000".parse().unwrap();
    let v6: SocketAddr = "[2001:db8::9]:40000".parse().unwrap();
    let tlvs = [extension(0x04, &[0; 300]), extension(0x01, b"spice"), extension(0xee, b"")].concat();
    let cases: [(&str, Vec<u8>, Option<SocketAddr>); 11] = [
        ("TCP over IPv4", encode(v4, b""), Some(v4)),
        ("TCP over IPv6", encode(v6, b""), Some(v6)),
        ("extensions are skipped", encode(v4, &tlvs), Some(v4)),
        ("extensions are skipped for IPv6, too", encode(v6, &tlvs), Some(v6)),
        ("the longest header", encode(v4, &extension(0x04, &[7; MAX_BODY - 12 - 3])), Some(v4)),
        ("LOCAL, as health checks send it", header(0x20, 0x00, b""), None),
        ("LOCAL ignores its family", header(0x20, 0x11, b""), None),
        ("LOCAL ignores its bytes", header(0x20, 0xff, &[1; 77]), None),
        ("an unspecified family", header(0x21, 0x00, &[1; 5]), None),
        ("a Unix socket", header(0x21, 0x31, &[0; 216]), None),
        ("a Unix socket with an extension", header(0x21, 0x31, &[&[0; 216][..], &tlvs].concat()), None),
    ];
    for (name, mut bytes, source) in cases {
        bytes.extend_from_slice(b"REDQ");
        let (got, left) = read(&bytes).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((got, left), (source, 4), "{name}");
    }
}

#[tokio::test]
async fn what_is_no_header_is_refused_with_a_sentence() {
    let cases: [(&str, Vec<u8>, &str); 18] = [
        ("version 1", b"PROXY TCP4 203.0.113.9 192.0.2.1 40000 5900\r\n".to_vec(), "version 1, and"),
        ("SPICE at once", b"REDQ\x02\0\0\0\x02\0\0\0\x1a\0\0\0".to_vec(), "no PROXY header"),
        ("one wrong byte", header(0x21, 0x00, b"").tap(|b| b[11] = 0), "no PROXY header"),
        ("nothing", Vec::new(), "not whole"),
        ("fifteen bytes", header(0x20, 0, b"")[..15].to_vec(), "not whole"),
        ("a body that ends", header(0x21, 0x11, &[0; 12])[..27].to_vec(), "not whole"),
        ("version 0", header(0x01, 0x11, &[0; 12]), "of version 0"),
        ("version 3", header(0x31, 0x11, &[0; 12]), "of version 3"),
        ("command 2", header(0x22, 0x11, &[0; 12]), "unknown command 2"),
        ("family 4", header(0x21, 0x41, &[0; 12]), "unknown family and protocol 0x41"),
        ("a family without protocol", header(0x21, 0x10, &[0; 12]), "unknown family and protocol 0x10"),
        ("UDP over IPv4", header(0x21, 0x12, &[0; 12]), "datagrams"),
        ("UDP over IPv6", header(0x21, 0x22, &[0; 36]), "datagrams"),
        ("a Unix datagram", header(0x21, 0x32, &[0; 216]), "datagrams"),
        ("IPv4 in 11 bytes", header(0x21, 0x11, &[0; 11]), "11 bytes for addresses of 12"),
        ("IPv6 in 35 bytes", header(0x21, 0x21, &[0; 35]), "35 bytes for addresses of 36"),
        ("half an extension", header(0x21, 0x11, &[&[0; 12][..], &[4, 0]].concat()), "extension at byte 12"),
        ("too long", header(0x21, 0x11, &[0; MAX_BODY + 1]), "2049 bytes"),
    ];
    for (name, bytes, sentence) in cases {
        let error = read(&bytes).await.expect_err(name).to_string();
        assert!(error.contains(sentence), "{name}: {error}");
    }
    let beyond = [extension(1, b"ok"), extension(4, &[0; 9])[..11].to_vec()].concat();
    let error = read(&encode("192.0.2.3:1".parse().unwrap(), &beyond)).await.unwrap_err();
    assert!(matches!(error, ProxyError::Extension { at: 17 }), "{error}");
}

trait Tap: Sized {
    fn tap(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl Tap for Vec<u8> {}

#[tokio::test]
async fn a_header_that_is_too_long_is_refused_before_more_of_it_is_read() {
    let mut header = &[&SIGNATURE[..], &[0x21, 0x11, 0xff, 0xff]].concat()[..];
    let mut endless = (&mut header).chain(tokio::io::repeat(0));
    assert!(matches!(read_from(&mut endless).await, Err(ProxyError::TooLong(0xffff))));
}

proptest! {
    #[test]
    fn no_bytes_do_any_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = now(read(&bytes));
    }

    #[test]
    fn no_bytes_after_a_signature_do_any_harm(
        family in prop::sample::select(vec![0x00_u8, 0x11, 0x21, 0x31]),
        body in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        if let Ok((source, left)) = now(read(&header(0x21, family, &body))) {
            prop_assert_eq!(left, 0);
            prop_assert_eq!(source.is_some(), matches!(family, 0x11 | 0x21));
        }
    }

    #[test]
    fn what_a_proxy_says_is_what_is_understood(
        ip in any::<IpAddr>(),
        port in any::<u16>(),
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..90), 0..6),
        follows in proptest::collection::vec(any::<u8>(), 0..9),
    ) {
        let extensions: Vec<u8> = values.iter().flat_map(|value| extension(0xe0, value)).collect();
        let source = SocketAddr::new(ip, port);
        let bytes = [encode(source, &extensions), follows.clone()].concat();
        prop_assert_eq!(now(read(&bytes)).unwrap(), (Some(source), follows.len()));
    }
}

#[test]
fn networks_hold_the_addresses_of_their_prefix() {
    let cases = [
        ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.8", false),
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.1.2.3/8", "10.9.9.9", true),
        ("0.0.0.0/0", "203.0.113.5", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true),
        ("::/0", "192.0.2.1", false),
        ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false),
        ("::1", "::1", true),
        ("::1", "::2", false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ("::ffff:10.0.0.0/104", "10.1.2.3", true),
        ("::ffff:10.0.0.0/104", "11.1.2.3", false),
        ("::ffff:192.0.2.7", "192.0.2.7", true),
        ("127.0.0.1", "::1", false),
    ];
    for (network, peer, trusted) in cases {
        let rules: ProxyRules = [network.parse::<TrustedNetwork>().unwrap()].into_iter().collect();
        assert_eq!(rules.trusts(peer.parse().unwrap()), trusted, "{network} and {peer}");
    }
    assert!(!ProxyRules::default().trusts(Ipv4Addr::LOCALHOST.into()));
}

#[test]
fn what_is_no_network_is_refused_with_a_sentence() {
    for (text, sentence) in [
        ("", "no address and no network"),
        ("localhost", "no address and no network"),
        ("10.0.0/8", "no address and no network"),
        ("[::1]", "no address and no network"),
        ("/8", "no address and no network"),
        ("10.0.0.0/", "no number from 0 to 32"),
        ("10.0.0.0/33", "no number from 0 to 32"),
        ("10.0.0.0/+8", "no number from 0 to 32"),
        ("10.0.0.0/255.0.0.0", "no number from 0 to 32"),
        ("10.0.0.0/8/8", "no number from 0 to 32"),
        ("::/129", "no number from 0 to 128"),
        ("::/256", "no number from 0 to 128"),
    ] {
        let error = text.parse::<TrustedNetwork>().expect_err(text).to_string();
        assert!(error.contains(sentence), "{text}: {error}");
    }
    assert_eq!("10.0.0.0/8".parse::<TrustedNetwork>().unwrap().to_string(), "10.0.0.0/8");
    assert_eq!("::1".parse::<TrustedNetwork>().unwrap().to_string(), "::1/128");
}
