use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

/// A request with these lines in place of, or beside, those of a good one.
fn request(changes: &[(&str, &str)]) -> String {
    let mut lines = vec![
        ("Host", "127.0.0.1:5900"),
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for change in changes {
        match lines.iter_mut().find(|line| line.0 == change.0) {
            Some(line) => *line = *change,
            None => lines.push(*change),
        }
    }
    lines.retain(|line| line.1 != "-");
    let lines: String = lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET /any/path?x HTTP/1.1\r\n{lines}\r\n")
}

/// What a peer that says this and then no more is answered, and what the server makes of it.
async fn ask(request: &[u8], rules: &WebSocketRules) -> (String, Result<(), UpgradeError>) {
    let (mut peer, server) = duplex(64 << 10);
    let peer = async move {
        peer.write_all(request).await.unwrap();
        peer.shutdown().await.unwrap();
        let mut answer = String::new();
        peer.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let server = async { accept(server, rules).await.map(drop) };
    tokio::join!(peer, server)
}

#[tokio::test]
async fn a_request_is_answered_as_the_rfc_does() {
    let request = request(&[("Sec-WebSocket-Protocol", "chat, binary")]);
    let (answer, end) = ask(request.as_bytes(), &WebSocketRules::default()).await;
    end.unwrap();
    // The key and its answer are those of RFC 6455, section 1.3.
    assert_eq!(
        answer,
        "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nsec-websocket-protocol: binary\r\n\r\n"
    );
}

#[tokio::test]
async fn requests_are_let_in_or_told_why_not() {
    let rules = WebSocketRules {
        hosts: vec!["desk.example.org".into()],
        origins: vec!["https://portal.example.org".into()],
    };
    let long = "x".repeat(8000);
    type Changes<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(&str, Changes<'_>, &str)] = &[
        ("a plain one", &[], "101"),
        ("no subprotocol is asked for", &[("Sec-WebSocket-Protocol", "-")], "101"),
        ("a subprotocol of another", &[("Sec-WebSocket-Protocol", "base64")], "400"),
        ("a subprotocol in other letters", &[("Sec-WebSocket-Protocol", "Binary")], "400"),
        ("extensions are not taken", &[("Sec-WebSocket-Extensions", "permessage-deflate")], "101"),
        ("a page of the same host", &[("Origin", "http://127.0.0.1:8000")], "101"),
        ("a listed page", &[("Origin", "https://portal.example.org")], "101"),
        ("a page of another", &[("Origin", "http://evil.example")], "403"),
        ("a page without a name", &[("Origin", "null")], "403"),
        ("a name that is listed", &[("Host", "desk.example.org")], "101"),
        ("a name that is not listed", &[("Host", "evil.example:5900")], "403"),
        (
            "a page that gave its name our address",
            &[("Host", "evil.example:5900"), ("Origin", "http://evil.example:5900")],
            "403",
        ),
        ("no host", &[("Host", "-")], "400"),
        ("half a host", &[("Host", "[::1")], "400"),
        ("two hosts", &[("HOST", "127.0.0.1")], "400"),
        ("two origins", &[("Origin", "http://127.0.0.1"), ("ORIGIN", "http://127.0.0.1")], "400"),
        ("a browser that looks", &[("Connection", "keep-alive"), ("Upgrade", "-")], "426"),
        ("another upgrade", &[("Upgrade", "h2c")], "426"),
        ("version 8", &[("Sec-WebSocket-Version", "8")], "426"),
        ("no version", &[("Sec-WebSocket-Version", "-")], "426"),
        ("no key", &[("Sec-WebSocket-Key", "-")], "400"),
        ("a short key", &[("Sec-WebSocket-Key", "dGhl")], "400"),
        ("a key that is no base64", &[("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ!!")], "400"),
        ("a long head", &[("Cookie", &long)], "101"),
        ("too long a head", &[("Cookie", &long), ("X", &long)], "431"),
    ];
    for (name, changes, status) in cases {
        let (answer, end) = ask(request(changes).as_bytes(), &rules).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer}");
        assert_eq!(end.is_ok(), *status == "101", "{name}: {end:?}");
        assert!(!answer.contains("evil"), "{name}: {answer}");
        let extended = answer.contains("extensions");
        assert!(!extended, "{name}: {answer}");
        assert_eq!(answer.contains("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"), *status == "426");
        if *status != "101" {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(body.ends_with(".\n") && body.lines().count() == 1, "{name}: {body}");
            assert!(head.contains(&format!("Content-Length: {}", body.len())), "{name}: {head}");
        }
    }
}

#[tokio::test]
async fn what_is_no_request_at_all_is_refused() {
    let whole = request(&[]);
    let after = format!("{whole}\u{2}");
    let cases: &[(&str, &[u8], &str)] = &[
        ("no HTTP", b"GET \x01\x02\r\n\r\n", "HTTP/1.1 400 "),
        ("HTTP/1.0", b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", "HTTP/1.1 426 "),
        ("another method", b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 426 "),
        (
            "a name for a path",
            whole.replacen("/any", "http://127.0.0.1/any", 1).leak().as_bytes(),
            "HTTP/1.1 400 ",
        ),
        ("frames before the answer", after.as_bytes(), "HTTP/1.1 400 "),
        ("half a request", &whole.as_bytes()[..40], ""),
        ("nothing", b"", ""),
    ];
    for (name, said, begins) in cases {
        let (answer, end) = ask(said, &WebSocketRules::default()).await;
        assert!(answer.starts_with(begins) && answer.is_empty() == begins.is_empty(), "{name}: {answer}");
        assert_eq!(matches!(end, Err(UpgradeError::Io(_))), begins.is_empty(), "{name}: {end:?}");
        assert!(end.is_err(), "{name}");
    }
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte_and_no_longer_than_8_kib() {
    let pad = |len: usize| {
        let plain = request(&[("X", "")]).len();
        request(&[("X", &"x".repeat(len - plain))])
    };
    for (len, status) in [(200, "101"), (8191, "101"), (8192, "101"), (8193, "431")] {
        let request = pad(len);
        assert_eq!(request.len(), len);
        let (mut peer, server) = duplex(1 << 10);
        let server = tokio::spawn(async move { accept(server, &WebSocketRules::default()).await.map(drop) });
        for byte in request.as_bytes() {
            if peer.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
        peer.shutdown().await.unwrap();
        let mut answer = String::new();
        peer.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{len}: {answer}");
        assert_eq!(server.await.unwrap().is_ok(), status == "101");
    }
}

#[tokio::test]
async fn a_request_without_an_end_is_cut_off() {
    let (peer, server) = duplex(1 << 10);
    let (mut answers, mut requests) = tokio::io::split(peer);
    let flood = tokio::spawn(async move {
        let mut sent = 0;
        while requests.write_all(&[b'x'; 512]).await.is_ok() {
            sent += 512;
        }
        sent
    });
    let end = accept(server, &WebSocketRules::default()).await.map(drop);
    assert!(matches!(end, Err(UpgradeError::TooLong)), "{end:?}");
    let mut answer = String::new();
    answers.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let sent: usize = flood.await.unwrap();
    assert!(sent <= (8 << 10) + (64 << 10) + (2 << 10), "{sent} bytes were taken");
}
