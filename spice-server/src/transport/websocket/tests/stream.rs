use std::io::IoSlice;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, duplex, split};

use super::super::stream::MAX_WRITE;
use super::*;

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

#[tokio::test]
async fn writes_are_binary_messages_of_at_most_16_kib() {
    let (mut peer, server) = duplex(1 << 20);
    let mut server = WebSocket::new(server).await;
    let all = bytes(MAX_WRITE * 2 + 5);
    server.write_all(&all).await.unwrap();
    let pieces = [IoSlice::new(b"one "), IoSlice::new(b""), IoSlice::new(b"two")];
    assert!(server.is_write_vectored());
    assert_eq!(server.write_vectored(&pieces).await.unwrap(), 7);
    let large = [IoSlice::new(&all[..9000]), IoSlice::new(&all[9000..])];
    assert_eq!(server.write_vectored(&large).await.unwrap(), MAX_WRITE);
    assert_eq!(server.write(b"").await.unwrap(), 0);
    server.shutdown().await.unwrap();
    assert_eq!(server.write(b"more").await.unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    drop(server);

    let mut sent = Vec::new();
    peer.read_to_end(&mut sent).await.unwrap();
    let sent = frames(&sent);
    let lens: Vec<_> = sent.iter().map(|frame| (frame.first, frame.payload.len())).collect();
    let binary = FIN | BINARY;
    let expected = [MAX_WRITE, MAX_WRITE, 5, 7, MAX_WRITE].map(|len| (binary, len));
    assert_eq!(lens, [&expected[..], &[(FIN | CLOSE, 2)]].concat());
    assert_eq!(sent[..3].iter().flat_map(|frame| frame.payload.clone()).collect::<Vec<_>>(), all);
    assert_eq!(sent[3].payload, b"one two");
    assert_eq!(sent[4].payload, all[..MAX_WRITE]);
    assert_eq!(sent[5].payload, close(1000, ""));
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_given_no_more_than_one_message() {
    let (mut peer, server) = duplex(1000);
    let mut server = pin!(WebSocket::new(server).await);
    let mut cx = Context::from_waker(Waker::noop());
    let message = bytes(MAX_WRITE);
    let Poll::Ready(Ok(MAX_WRITE)) = server.as_mut().poll_write(&mut cx, &message) else { panic!("no room") };
    for _ in 0..10 {
        assert!(server.as_mut().poll_write(&mut cx, &message).is_pending());
        assert!(server.as_mut().poll_flush(&mut cx).is_pending());
    }
    let mut got = vec![0; MAX_WRITE + 4];
    let reader = async { peer.read_exact(&mut got).await.unwrap() };
    let (_, flushed) = tokio::join!(reader, server.flush());
    flushed.unwrap();
    assert_eq!(frames(&got)[0].payload, message);
    assert!(server.as_mut().poll_write(&mut cx, &message).is_ready());
}

#[tokio::test]
async fn pings_of_a_peer_that_does_not_read_take_no_memory() {
    let (peer, server) = duplex(4096);
    let mut server = pin!(WebSocket::new(server).await);
    let (mut from_server, mut to_server) = split(peer);
    let mut cx = Context::from_waker(Waker::noop());
    // A message that gets stuck, and then pings with 125 bytes each.
    assert!(server.as_mut().poll_write(&mut cx, &bytes(MAX_WRITE)).is_ready());
    let mut piece = [0; 64];
    let mut last = Vec::new();
    let pings = 20_000_u32;
    for number in 0..pings {
        last = [&number.to_be_bytes()[..], &[7; 121]].concat();
        to_server.write_all(&frame(FIN | PING, &last)).await.unwrap();
        let mut piece = ReadBuf::new(&mut piece);
        assert!(server.as_mut().poll_read(&mut cx, &mut piece).is_pending());
    }
    to_server.write_all(&frame(FIN | BINARY, b"and data")).await.unwrap();
    let len = server.read(&mut piece).await.unwrap();
    assert_eq!(&piece[..len], b"and data");

    // What was kept are the message, some pongs (in the 4 KiB for them, and in the 4 KiB of the message that the pipe
    // has taken), and that of the last ping.
    drop(to_server);
    let reader = tokio::spawn(async move {
        let mut sent = Vec::new();
        from_server.read_to_end(&mut sent).await.unwrap();
        sent
    });
    server.flush().await.unwrap();
    server.shutdown().await.unwrap();
    let sent = frames(&reader.await.unwrap());
    let pongs: Vec<_> = sent.iter().filter(|frame| frame.first == FIN | PONG).collect();
    assert!(pongs.len() <= 2 * 4096 / 127 + 2, "{} pongs were kept", pongs.len());
    assert_eq!(pongs.last().unwrap().payload, last);
    assert_eq!(sent[0].payload.len(), MAX_WRITE);
}

#[tokio::test]
async fn both_sides_may_send_at_once_with_pings_in_between() {
    let (peer, server) = duplex(700);
    let server = WebSocket::new(server).await;
    let (mut server_reads, mut server_writes) = split(server);
    let (mut peer_reads, mut peer_writes) = split(peer);
    let (all_down, is_down) = tokio::sync::oneshot::channel();
    let (down, up) = (bytes(300_000), bytes(200_001));
    let sends_down = {
        let down = down.clone();
        async move {
            server_writes.write_all(&down).await.unwrap();
            server_writes.flush().await.unwrap();
            all_down.send(()).unwrap();
            server_writes
        }
    };
    let reads_up = async move {
        let mut got = Vec::new();
        server_reads.read_to_end(&mut got).await.unwrap();
        got
    };
    let sends_up = {
        let up = up.clone();
        async move {
            for (number, piece) in up.chunks(1717).enumerate() {
                peer_writes.write_all(&frame(FIN | PING, &number.to_be_bytes())).await.unwrap();
                peer_writes.write_all(&frame(FIN | BINARY, piece)).await.unwrap();
            }
            is_down.await.unwrap();
            peer_writes.write_all(&frame(FIN | CLOSE, &close(1000, ""))).await.unwrap();
            peer_writes
        }
    };
    let reads_down = async move {
        let mut got = Vec::new();
        peer_reads.read_to_end(&mut got).await.unwrap();
        got
    };
    let server = tokio::spawn(async move {
        let (writes, got) = tokio::join!(sends_down, reads_up);
        drop(writes);
        got
    });
    let peer = tokio::spawn(async move { tokio::join!(sends_up, reads_down).1 });
    let (got_up, sent_down) = (server.await.unwrap(), frames(&peer.await.unwrap()));
    assert!(got_up == up, "{} of {} bytes came up", got_up.len(), up.len());
    let data = sent_down.iter().filter(|frame| frame.first == FIN | BINARY);
    let got_down: Vec<u8> = data.flat_map(|frame| frame.payload.clone()).collect();
    assert!(got_down == down, "{} of {} bytes came down", got_down.len(), down.len());
    assert!(sent_down.iter().any(|frame| frame.first == FIN | PONG));
    assert_eq!(sent_down.last().unwrap().first, FIN | CLOSE);
}

#[tokio::test]
async fn what_a_peer_still_sends_after_our_close_is_read() {
    let (mut peer, server) = duplex(4096);
    let mut server = WebSocket::new(server).await;
    server.shutdown().await.unwrap();
    peer.write_all(&frame(FIN | BINARY, b"late")).await.unwrap();
    peer.write_all(&frame(FIN | CLOSE, &close(1000, ""))).await.unwrap();
    let mut got = Vec::new();
    server.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"late");
    let mut sent = Vec::new();
    peer.read_to_end(&mut sent).await.unwrap();
    assert_eq!(frames(&sent).len(), 1);
}

#[tokio::test]
async fn reads_of_any_size_give_the_same_bytes() {
    for size in [1, 2, 3, 7, 64, 4096] {
        let (mut peer, server) = duplex(64 << 10);
        let mut server = WebSocket::new(server).await;
        let all = bytes(5000);
        for piece in all.chunks(333) {
            peer.write_all(&frame(FIN | BINARY, piece)).await.unwrap();
        }
        peer.shutdown().await.unwrap();
        let (mut got, mut piece) = (Vec::new(), vec![0; size]);
        loop {
            match server.read(&mut piece).await.unwrap() {
                0 => break,
                len => got.extend_from_slice(&piece[..len]),
            }
        }
        assert_eq!(got, all, "reads of {size}");
    }
}
