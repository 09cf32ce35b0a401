//! The viewer's end of a channel for who reads little of what comes.

use bytes::{Bytes, BytesMut};
use spice_proto::{DataHeader, HeaderKind, LAST_BASE_ID};

use crate::answers::Answers;
use crate::error::PeerError;

/// A [`ChannelPeer`](crate::ChannelPeer) that looks at the beginning of each message, and keeps nothing of one that is
/// not wanted: what passes costs neither memory nor copies. It acknowledges and answers all the same.
#[derive(Debug)]
pub struct Skimmer {
    answers: Answers,
    /// A message that has begun: its header and what is there of its body.
    begun: BytesMut,
    /// Whether the message that has begun is wanted, once that is known.
    wanted: bool,
    /// A message that is not wanted: its number, and the bytes that are still to come.
    passing: Option<(u16, usize)>,
}

impl Skimmer {
    /// As much of a body as is looked at before it is wanted or not; or all of it, where it is shorter.
    pub const FRONT: usize = 32;

    /// The end of a channel that has been linked with this header.
    #[must_use]
    pub fn new(header: HeaderKind) -> Self {
        Self { answers: Answers::new(header), begun: BytesMut::new(), wanted: false, passing: None }
    }

    /// Takes bytes off the front of `bytes` until a message of the channel's own has gone by, and says which: its number,
    /// and its body where `wanted` has said so, by the number and the [front](Self::FRONT) of the body. `None` when all
    /// bytes are taken.
    ///
    /// # Errors
    /// A base message that does not decode; a serial that is not the next one.
    pub fn poll_message(
        &mut self,
        bytes: &mut &[u8],
        mut wanted: impl FnMut(u16, &[u8]) -> bool,
    ) -> Result<Option<(u16, Option<Bytes>)>, PeerError> {
        let kind = self.answers.header;
        loop {
            if let Some((id, left)) = self.passing {
                let passed = left.min(bytes.len());
                *bytes = bytes.get(passed..).unwrap_or_default();
                if passed < left {
                    self.passing = Some((id, left - passed));
                    return Ok(None);
                }
                self.passing = None;
                self.answers.count();
                return Ok(Some((id, None)));
            }
            if self.begun.is_empty()
                && let Some(header) = kind.decode(bytes)
            {
                // Where it lies, without a copy.
                let body = bytes.get(kind.len()..).unwrap_or_default();
                if let Some(front) = body.get(..front_len(&header))
                    && !self.wants(&header, front, &mut wanted)?
                {
                    self.passing = Some((header.id, kind.len() + header.size as usize));
                    continue;
                }
                if let Some(body) = body.get(..header.size as usize) {
                    *bytes = bytes.get(kind.len() + body.len()..).unwrap_or_default();
                    if let Some(message) = self.whole(header.id, Bytes::copy_from_slice(body))? {
                        return Ok(Some(message));
                    }
                    continue;
                }
            }
            let header = kind.decode(&self.begun);
            let needed = kind.len()
                + header
                    .map_or(0, |header| if self.wanted { header.size as usize } else { front_len(&header) });
            let missing = needed.saturating_sub(self.begun.len());
            if let Some((now, later)) = bytes.split_at_checked(missing) {
                self.begun.extend_from_slice(now);
                *bytes = later;
            } else {
                self.begun.extend_from_slice(bytes);
                *bytes = &[];
                return Ok(None);
            }
            let Some(header) = header else { continue };
            if !self.wanted {
                let front = self.begun.split_off(kind.len());
                if self.wants(&header, &front, &mut wanted)? {
                    self.begun.unsplit(front);
                } else {
                    self.begun.clear();
                    self.passing = Some((header.id, header.size as usize - front.len()));
                }
                continue;
            }
            self.wanted = false;
            let body = self.begun.split().freeze().slice(kind.len()..);
            if let Some(message) = self.whole(header.id, body)? {
                return Ok(Some(message));
            }
        }
    }

    fn wants(
        &mut self,
        header: &DataHeader,
        front: &[u8],
        wanted: &mut impl FnMut(u16, &[u8]) -> bool,
    ) -> Result<bool, PeerError> {
        self.answers.check(header)?;
        self.wanted = header.id <= LAST_BASE_ID || wanted(header.id, front);
        Ok(self.wanted)
    }

    /// A wanted message is there as a whole.
    fn whole(&mut self, id: u16, body: Bytes) -> Result<Option<(u16, Option<Bytes>)>, PeerError> {
        self.wanted = false;
        self.answers.count();
        if id > LAST_BASE_ID {
            return Ok(Some((id, Some(body))));
        }
        self.answers.handle(id, &body)?;
        Ok(None)
    }

    /// Queues a message of the channel's own.
    pub fn send_message(&mut self, id: u16, body: &[u8]) {
        self.answers.send(id, body);
    }

    /// What is to be sent to the server.
    pub fn take_answers(&mut self) -> Vec<u8> {
        self.answers.take()
    }
}

fn front_len(header: &DataHeader) -> usize {
    (header.size as usize).min(Skimmer::FRONT)
}

#[cfg(test)]
mod tests {
    use spice_proto::base::{Ping, ServerMessage, SetAck};

    use super::*;
    use crate::ChannelPeer;

    /// Messages of all lengths around the front's, and some that any channel has.
    fn stream(kind: HeaderKind) -> Vec<u8> {
        let mut out = Vec::new();
        let mut serial = 0;
        let mut put = |id, body: &[u8]| {
            serial += 1;
            kind.encode(serial, id, body.len() as u32, &mut out);
            out.extend_from_slice(body);
        };
        let ack = ServerMessage::SetAck(SetAck { generation: 5, window: 7 });
        put(ack.id(), &ack.encode().to_bytes());
        for len in (0..80).chain([31, 32, 33, 4000, 0, 1]) {
            let id = 302 + len as u16 % 3;
            put(id, &vec![len as u8; len]);
            let ping = ServerMessage::Ping(Ping { id: len as u32, timestamp: 9, data: vec![0; len].into() });
            put(ping.id(), &ping.encode().to_bytes());
        }
        out
    }

    #[test]
    fn it_says_and_answers_what_a_peer_does_however_the_bytes_come() {
        for kind in [HeaderKind::Mini, HeaderKind::Full] {
            let stream = stream(kind);
            let mut peer = ChannelPeer::new(kind);
            peer.handle_bytes(&stream);
            let mut expected = Vec::new();
            while let Some((id, body)) = peer.poll_message().unwrap() {
                expected.push((id, (id != 303).then_some(body)));
            }
            assert_eq!(expected.len(), 86);
            let answers = peer.take_answers();
            for size in [1, 2, 3, 17, 19, 31, 32, 33, 100, 5000, stream.len()] {
                let mut skimmer = Skimmer::new(kind);
                let mut seen = Vec::new();
                for mut bytes in stream.chunks(size) {
                    let front = |id: u16, front: &[u8]| {
                        assert!(front.len() <= Skimmer::FRONT);
                        id != 303
                    };
                    while let Some(message) = skimmer.poll_message(&mut bytes, front).unwrap() {
                        seen.push(message);
                    }
                    assert!(bytes.is_empty());
                }
                assert_eq!(seen, expected, "{kind:?} in pieces of {size}");
                assert_eq!(skimmer.take_answers(), answers);
            }
        }
    }

    #[test]
    fn a_serial_out_of_turn_is_told() {
        let mut out = Vec::new();
        HeaderKind::Full.encode(2, 302, 0, &mut out);
        let expected = Err(PeerError::Serial { serial: 2, expected: 1 });
        assert_eq!(Skimmer::new(HeaderKind::Full).poll_message(&mut &out[..], |_, _| false), expected);
    }
}
