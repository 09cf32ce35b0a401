//! The handshake, the stream, and the cases of RFC 6455, each over a pair of pipes.

mod cases;
mod handshake;
mod stream;

use super::*;

pub(super) const CONTINUATION: u8 = 0;
pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;
pub(super) const FIN: u8 = 0x80;

/// A frame of a server, or one before it is masked.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// FIN, the reserved bits and the opcode.
    first: u8,
    payload: Vec<u8>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = &self.payload[..self.payload.len().min(32)];
        write!(f, "{:#04x} of {} bytes: {shown:02x?}", self.first, self.payload.len())
    }
}

/// A frame of a client: masked, its length in as few bytes as do.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut out = header(first, payload.len(), 0x80);
    out.extend_from_slice(&mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

/// The header of a frame, up to its length.
pub(super) fn header(first: u8, len: usize, masked: u8) -> Vec<u8> {
    match len {
        0..=125 => vec![first, masked | u8::try_from(len).unwrap()],
        126..=0xffff => [&[first, masked | 126][..], &u16::try_from(len).unwrap().to_be_bytes()].concat(),
        _ => [&[first, masked | 127][..], &u64::try_from(len).unwrap().to_be_bytes()].concat(),
    }
}

/// Takes apart what a server sent: whole frames, unmasked.
pub(super) fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut out = Vec::new();
    while let [first, len, rest @ ..] = bytes {
        assert_eq!(len & 0x80, 0, "a server masks no frame");
        let (len, rest) = match len {
            126 => (u64::from(u16::from_be_bytes(rest[..2].try_into().unwrap())), &rest[2..]),
            127 => (u64::from_be_bytes(rest[..8].try_into().unwrap()), &rest[8..]),
            short => (u64::from(*short), rest),
        };
        let (payload, rest) = rest.split_at(usize::try_from(len).unwrap());
        out.push(Frame { first: *first, payload: payload.to_vec() });
        bytes = rest;
    }
    assert!(bytes.is_empty(), "half a frame: {bytes:?}");
    out
}

pub(super) fn close(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}
