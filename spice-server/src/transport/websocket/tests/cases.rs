//! The cases of the Autobahn suite, by its numbers, as they apply to who takes binary messages only, echoes nothing,
//! and speaks no compression. Each is sent whole, byte by byte and in pieces, and must end the same.

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::super::stream::MAX_MESSAGE;
use super::*;

/// How the stream ends for who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// As a stream does.
    Eof,
    /// With an error, after the peer was told this code.
    Failed(u16),
}

struct Case {
    name: String,
    sent: Vec<u8>,
    /// What is read.
    read: Vec<u8>,
    /// Frames that the peer gets, without the close frame of a failure.
    answers: Vec<Frame>,
    end: End,
}

fn case(name: impl Into<String>, sent: &[Vec<u8>]) -> Case {
    Case { name: name.into(), sent: sent.concat(), read: Vec::new(), answers: Vec::new(), end: End::Eof }
}

impl Case {
    fn reads(mut self, read: impl Into<Vec<u8>>) -> Self {
        self.read = read.into();
        self
    }

    fn answered(mut self, first: u8, payload: impl Into<Vec<u8>>) -> Self {
        self.answers.push(Frame { first, payload: payload.into() });
        self
    }

    fn fails(mut self, code: u16) -> Self {
        self.end = End::Failed(code);
        self
    }

    /// Runs it, with what is sent cut in pieces of `piece` bytes.
    async fn run(&self, piece: usize) {
        let (peer, server) = duplex(1 << 20);
        let (mut from_server, mut to_server) = tokio::io::split(peer);
        let mut server = WebSocket::new(server).await;
        let server = tokio::spawn(async move {
            let mut read = Vec::new();
            let end = server.read_to_end(&mut read).await;
            let again = server.read(&mut [0; 8]).await.unwrap();
            assert_eq!(again, 0, "nothing is read after the end");
            if end.is_err() {
                let after = server.write(b"x").await.map_err(|error| error.kind());
                assert_eq!(after, Err(std::io::ErrorKind::BrokenPipe), "nothing is written after a failure");
            }
            (read, end.is_err())
        });
        for piece in self.sent.chunks(piece) {
            // Who has failed reads no more.
            let _ = to_server.write_all(piece).await;
            tokio::task::yield_now().await;
        }
        let _ = to_server.shutdown().await;
        let (read, failed) = server.await.unwrap();
        let mut sent = Vec::new();
        from_server.read_to_end(&mut sent).await.unwrap();
        let mut answers = frames(&sent);

        let name = format!("{}, in pieces of {piece}", self.name);
        assert!(read == self.read, "{name}: {} bytes read instead of {}", read.len(), self.read.len());
        if let End::Failed(code) = self.end {
            let told = answers.pop();
            assert_eq!(told, Some(Frame { first: FIN | CLOSE, payload: close(code, "") }), "{name}");
        }
        assert_eq!(failed, self.end != End::Eof, "{name}");
        assert_eq!(answers, self.answers, "{name}");
    }
}

async fn run(cases: impl IntoIterator<Item = Case>) {
    for case in cases {
        case.run(usize::MAX).await;
        case.run(997).await;
        if case.sent.len() < 4096 {
            case.run(1).await;
        }
    }
}

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at % 253).unwrap()).collect()
}

#[tokio::test]
async fn autobahn_1_messages_of_every_size_of_length() {
    let sizes = [0, 1, 125, 126, 127, 128, 65_535, 65_536, MAX_MESSAGE];
    run(sizes.map(|len| {
        let payload = payload(len);
        case(format!("1.2 binary of {len}"), &[frame(FIN | BINARY, &payload)]).reads(payload)
    }))
    .await;
    run([0, 125, 126, 65_536].map(|len| {
        let text = "*".repeat(len);
        case(format!("1.1 text of {len}"), &[frame(FIN | TEXT, text.as_bytes())]).fails(1003)
    }))
    .await;
    let twice = [frame(FIN | BINARY, b"one"), frame(FIN | BINARY, b""), frame(FIN | BINARY, b"two")];
    run([case("1.2 messages without a boundary", &twice).reads(*b"onetwo")]).await;
}

#[tokio::test]
async fn autobahn_2_pings_are_answered_and_pongs_are_not() {
    let ping = |payload: &[u8]| frame(FIN | PING, payload);
    let ten: Vec<_> = (0..10).map(|number| ping(&[number; 9])).collect();
    run([
        case("2.1 without payload", &[ping(b"")]).answered(FIN | PONG, *b""),
        case("2.2 with payload", &[ping(b"Hello")]).answered(FIN | PONG, *b"Hello"),
        case("2.3 binary", &[ping(&[0, 0xff, 0xfe, 0])]).answered(FIN | PONG, [0, 0xff, 0xfe, 0]),
        case("2.4 of 125 bytes", &[ping(&[0xfe; 125])]).answered(FIN | PONG, [0xfe; 125]),
        case("2.5 of 126 bytes", &[ping(&[0xfe; 126])]).fails(1002),
        case("2.7 a pong of nobody's", &[frame(FIN | PONG, b"")]),
        case("2.8 a pong of nobody's with payload", &[frame(FIN | PONG, b"x"), frame(FIN | BINARY, b"y")])
            .reads(*b"y"),
        case("2.9 a pong, then a ping", &[frame(FIN | PONG, b"x"), ping(b"y")]).answered(FIN | PONG, *b"y"),
        (0..10).fold(case("2.10 ten pings", &ten), |case, number| case.answered(FIN | PONG, [number; 9])),
    ])
    .await;
}

#[tokio::test]
async fn autobahn_3_reserved_bits_end_the_connection() {
    let hello = || frame(FIN | BINARY, b"Hello");
    for reserved in [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70] {
        let bits = reserved >> 4;
        run([BINARY, TEXT, PING, PONG, CLOSE].map(|opcode| {
            case(
                format!("3.{bits} with opcode {opcode}"),
                &[hello(), frame(FIN | reserved | opcode, b"\x03\xe8"), hello()],
            )
            .reads(*b"Hello")
            .fails(1002)
        }))
        .await;
    }
}

#[tokio::test]
async fn autobahn_4_reserved_opcodes_end_the_connection() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        run([&b""[..], b"payload"].map(|payload| {
            let sent = [frame(FIN | BINARY, b"Hello"), frame(FIN | opcode, payload), frame(FIN | PING, b"")];
            case(format!("4 opcode {opcode} with {payload:?}"), &sent).reads(*b"Hello").fails(1002)
        }))
        .await;
    }
}

#[tokio::test]
async fn autobahn_5_fragments_are_joined_and_checked() {
    let (first, middle, last) =
        (frame(BINARY, b"one "), frame(CONTINUATION, b"two "), frame(FIN | CONTINUATION, b"three"));
    let ping = || frame(FIN | PING, b"ping");
    let all = *b"one two three";
    let [first, middle, last] = [first, middle, last].map(|frame| move || frame.clone());
    run([
        case("5.1 a ping in two fragments", &[frame(PING, b"a"), frame(FIN | CONTINUATION, b"b")])
            .fails(1002),
        case("5.2 a pong in two fragments", &[frame(PONG, b"a"), frame(FIN | CONTINUATION, b"b")])
            .fails(1002),
        case("5.3 three fragments", &[first(), middle(), last()]).reads(all),
        case("5.6 a ping between fragments", &[first(), ping(), middle(), last()])
            .reads(all)
            .answered(FIN | PONG, *b"ping"),
        case("5.8 pings between all of them", &[first(), ping(), middle(), ping(), last(), ping()])
            .reads(all)
            .answered(FIN | PONG, *b"ping")
            .answered(FIN | PONG, *b"ping")
            .answered(FIN | PONG, *b"ping"),
        case("5.9 a continuation of nothing", &[last(), frame(FIN | BINARY, b"x")]).fails(1002),
        case("5.12 an unfinished continuation of nothing", &[middle(), frame(FIN | BINARY, b"x")])
            .fails(1002),
        case("5.15 a continuation after the end", &[first(), last(), middle()])
            .reads(*b"one three")
            .fails(1002),
        case("5.18 a message within another", &[first(), frame(FIN | BINARY, b"x")]).fails(1002),
        case("5.18 text within a message", &[first(), frame(FIN | TEXT, b"x")]).fails(1002),
        case("5.19 empty fragments", &[frame(BINARY, b""), frame(CONTINUATION, b""), middle(), last()])
            .reads(*b"two three"),
        case("5.20 nothing in two fragments", &[frame(BINARY, b""), frame(FIN | CONTINUATION, b"")]),
        case("5 text in fragments", &[frame(TEXT, b"one "), last()]).fails(1003),
        case("5 an unfinished message at the end", &[first(), middle()]),
        case("5 a close in two fragments", &[frame(CLOSE, b"\x03\xe8")]).fails(1002),
    ])
    .await;
}

#[tokio::test]
async fn autobahn_6_text_is_refused_whether_it_is_utf_8_or_not() {
    run([
        case("6.2 UTF-8", &[frame(FIN | TEXT, "Hello-µ@ßöäüàá-UTF-8!!".as_bytes())]).fails(1003),
        case("6.3 no UTF-8", &[frame(FIN | TEXT, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80")]).fails(1007),
        case("6.3 in fragments", &[frame(TEXT, b"\xce\xba"), frame(FIN | CONTINUATION, b"\xed\xa0")])
            .fails(1007),
        case("6.6 half a character", &[frame(FIN | TEXT, b"\xce")]).fails(1007),
        case("6 any bytes are binary", &[frame(FIN | BINARY, b"\xed\xa0\x80")]).reads(*b"\xed\xa0\x80"),
    ])
    .await;
}

#[tokio::test]
async fn autobahn_7_a_close_answered_and_nothing_follows_it() {
    let closing = |payload: &[u8]| frame(FIN | CLOSE, payload);
    let data = || frame(FIN | BINARY, b"x");
    run([
        case("7.1.1 after a message", &[data(), closing(&close(1000, ""))])
            .reads(*b"x")
            .answered(FIN | CLOSE, close(1000, "")),
        case("7.1.2 two of them", &[closing(&close(1000, "")), closing(&close(1000, ""))])
            .answered(FIN | CLOSE, close(1000, "")),
        case("7.1.3 a ping after it", &[closing(&close(1000, "")), frame(FIN | PING, b"")])
            .answered(FIN | CLOSE, close(1000, "")),
        case("7.1.4 data after it", &[closing(&close(1000, "")), data()])
            .answered(FIN | CLOSE, close(1000, "")),
        case("7.1.5 within a message", &[frame(BINARY, b"x"), closing(&close(1000, ""))])
            .answered(FIN | CLOSE, close(1000, "")),
        case("7.3.1 without a code", &[closing(b"")]).answered(FIN | CLOSE, *b""),
        case("7.3.2 half a code", &[closing(&[3])]).fails(1002),
        case("7.3.4 with a reason", &[closing(&close(1000, "Hello World!"))])
            .answered(FIN | CLOSE, close(1000, "Hello World!")),
        case("7.3.5 of 125 bytes", &[closing(&close(1000, &"*".repeat(123)))])
            .answered(FIN | CLOSE, close(1000, &"*".repeat(123))),
        case("7.3.6 of 126 bytes", &[closing(&close(1000, &"*".repeat(124)))]).fails(1002),
        case("7.5.1 a reason that is no UTF-8", &[closing(b"\x03\xe8\xce\xba\xed\xa0\x80")]).fails(1007),
    ])
    .await;
    run([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map(|code| {
        case(format!("7.7 code {code}"), &[closing(&close(code, ""))]).answered(FIN | CLOSE, close(code, ""))
    }))
    .await;
    for code in [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535] {
        let case = case(format!("7.9 code {code}"), &[closing(&close(code, ""))]);
        run([case.answered(FIN | CLOSE, close(1002, "Protocol violation"))]).await;
    }
}

#[tokio::test]
async fn autobahn_9_messages_beyond_the_limit_are_refused_before_they_are_read() {
    let half = payload(MAX_MESSAGE / 2);
    let announced = |len: usize| [header(FIN | BINARY, len, 0x80), vec![1, 2, 3, 4]].concat();
    run([
        case("9.2 a byte too much", &[frame(FIN | BINARY, &payload(MAX_MESSAGE + 1))]).fails(1009),
        case("9.2 announced only", &[announced(MAX_MESSAGE + 1)]).fails(1009),
        case("9.2 as much as can be announced", &[announced(usize::MAX)]).fails(1009),
        case("9.2 a ping of a gigabyte", &[[header(FIN | PING, 1 << 30, 0x80), vec![0; 4]].concat()])
            .fails(1009),
        case("9.4 two halves", &[frame(BINARY, &half), frame(FIN | CONTINUATION, &half)])
            .reads([&half[..], &half].concat()),
        case(
            "9.4 two halves and a byte",
            &[frame(BINARY, &half), frame(CONTINUATION, &half), frame(CONTINUATION, b"x")],
        )
        .fails(1009),
    ])
    .await;
    // Many small fragments, and many small messages: they cost what they have in them.
    let fragments: Vec<_> = std::iter::once(frame(BINARY, b"a"))
        .chain((0..5000).map(|_| frame(CONTINUATION, b"bc")))
        .chain([frame(FIN | CONTINUATION, b"d")])
        .collect();
    run([case("9.3 5002 fragments", &fragments).reads(["a", &"bc".repeat(5000), "d"].concat())]).await;
    let messages: Vec<_> = (0..5000).map(|_| frame(FIN | BINARY, b"xyz")).collect();
    run([case("9.8 5000 messages", &messages).reads("xyz".repeat(5000))]).await;
    let empty: Vec<_> = (0..5000).map(|_| frame(FIN | BINARY, b"")).collect();
    run([case("9.8 5000 messages of nothing", &empty)]).await;
}

#[tokio::test]
async fn frames_of_a_client_are_masked_and_may_be_masked_with_nothing() {
    let unmasked = [header(FIN | BINARY, 5, 0), b"Hello".to_vec()].concat();
    let zeros = [header(FIN | BINARY, 5, 0x80), vec![0; 4], b"Hello".to_vec()].concat();
    run([
        case("5.1 of the RFC: not masked", &[frame(FIN | BINARY, b"x"), unmasked]).reads(*b"x").fails(1002),
        case("a mask of zeros", &[zeros]).reads(*b"Hello"),
        case("a connection that ends", &[]),
        case("a connection that ends within a header", &[vec![FIN | BINARY]]),
        case("a connection that ends within a message", &[frame(FIN | BINARY, b"Hello")[..8].to_vec()]),
    ])
    .await;
}
