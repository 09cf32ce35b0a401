//! One viewer's connection to one channel.

use core::time::Duration;

use bytes::Bytes;
use spice_proto::base::{ClientMessage, ServerMessage};
use spice_proto::{Body, HeaderKind, LAST_BASE_ID};

use crate::budget::{Budget, BudgetLimits};
use crate::delivery::{Delivery, RoomLimits};
use crate::incoming::{Incoming, IncomingMessage};
use crate::liveness::Liveness;
use crate::{AckWindow, ChannelError, Time};

/// How a channel treats its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelConfig {
    /// The largest body that a viewer may send, in bytes.
    pub max_incoming: u32,
    /// How much a viewer may send, in messages and in bytes.
    pub budget: BudgetLimits,
    /// Messages from one acknowledgement to the next; 0 for a channel without them.
    pub ack_window: u32,
    /// Bytes that may be on their way to the viewer. Beyond it nothing becomes bytes: what waits, waits in a pipe,
    /// where it can still be replaced.
    pub room: RoomLimits,
    /// From one ping to the next while nothing is sent.
    pub ping_interval: Duration,
    /// How long a viewer may take nothing of what waits for it, or not answer.
    pub stall_limit: Duration,
}

impl ChannelConfig {
    /// The same, with viewers that take or answer nothing for `limit` ended; the idle ones are pinged often enough to
    /// notice.
    #[must_use]
    pub fn with_stall_limit(self, limit: Duration) -> Self {
        Self { stall_limit: limit, ping_interval: self.ping_interval.min(limit / 2), ..self }
    }
}

impl Default for ChannelConfig {
    fn default() -> Self {
        Self {
            max_incoming: 4096,
            budget: BudgetLimits::default(),
            ack_window: 0,
            room: RoomLimits::default(),
            ping_interval: Duration::from_secs(15),
            stall_limit: Duration::from_secs(30),
        }
    }
}

/// A descriptor of the owner's, by a number that is its own: a core says that it goes to a viewer, and knows no more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DescriptorId(pub u64);

/// Bytes for the socket, in pieces, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transmit {
    /// The pieces; none is empty.
    pub pieces: Vec<Bytes>,
    /// Descriptors for the viewer, each with the piece that it goes beside, in their order. Such a piece is one byte, in
    /// a `sendmsg` of its own with the descriptor as `SCM_RIGHTS`; the byte is written even where there is no descriptor
    /// any more. There is none but where a channel knows that the connection is a Unix socket with nothing around it.
    pub descriptors: Vec<(usize, DescriptorId)>,
    /// Bytes in all of them.
    pub len: usize,
}

/// A connection: frames, acknowledgements, pings and liveness of one viewer on one channel.
///
/// Base messages are handled inside; the channel's own come out of [`Self::poll_message`] and go in through
/// [`Self::send`], which the owner calls while [`Self::has_room`].
#[derive(Debug)]
pub struct RedChannelClient {
    header: HeaderKind,
    incoming: Incoming,
    budget: Budget,
    ack: AckWindow,
    liveness: Liveness,
    delivery: Delivery,
    serial: u64,
    out: Transmit,
    in_flight: usize,
    written: u64,
}

impl RedChannelClient {
    /// A connection that begins now. A channel with acknowledgements asks for them in its first message. Where the room
    /// depends on the viewer, a ping follows, which finds the way still empty.
    #[must_use]
    pub fn new(header: HeaderKind, config: ChannelConfig, now: Time) -> Self {
        let mut client = Self {
            header,
            incoming: Incoming::new(header, config.max_incoming),
            budget: Budget::new(config.budget, now),
            ack: AckWindow::new(config.ack_window),
            liveness: Liveness::new(config.ping_interval, config.stall_limit, now),
            delivery: Delivery::new(config.room),
            serial: 0,
            out: Transmit::default(),
            in_flight: 0,
            written: 0,
        };
        if let Some(request) = client.ack.request() {
            client.send_base(&ServerMessage::SetAck(request));
        }
        if config.room.least < config.room.most {
            client.ping();
        }
        client
    }

    /// Takes bytes that the viewer sent. [`Self::poll_message`] has to be drained before the next call; faults in
    /// the bytes come out of it.
    ///
    /// They are a sign of life only while nothing waits for the viewer: one that talks and does not listen is stalled.
    pub fn handle_bytes(&mut self, bytes: impl AsRef<[u8]>, now: Time) {
        let bytes = bytes.as_ref();
        if !self.budget.take_bytes(bytes.len(), now) {
            return;
        }
        self.incoming.handle_bytes(bytes);
        if self.in_flight == 0 && !self.delivery.is_owed() {
            self.liveness.handle_progress(false, now);
        }
    }

    /// The next of the channel's own messages, if one is whole.
    ///
    /// # Errors
    /// A message above the cap, more than the budget, a base message that means nothing, the viewer's word that it
    /// leaves. The connection ends with the error.
    pub fn poll_message(&mut self, now: Time) -> Result<Option<IncomingMessage>, ChannelError> {
        self.budget.check()?;
        while let Some(message) = self.incoming.poll_message()? {
            self.budget.take_message(now)?;
            if message.id > LAST_BASE_ID {
                return Ok(Some(message));
            }
            match ClientMessage::decode(message.id, &message.body)? {
                ClientMessage::Ack => self.ack.handle_ack(),
                ClientMessage::AckSync(sync) => self.ack.handle_sync(sync.generation),
                ClientMessage::Disconnecting(last) => {
                    return Err(ChannelError::Closed { reason: last.reason });
                }
                ClientMessage::MigrateData(_) => {
                    return Err(ChannelError::OutOfTurn { message: "base.MigrateData" });
                }
                ClientMessage::MigrateFlushMark => {
                    return Err(ChannelError::OutOfTurn { message: "base.MigrateFlushMark" });
                }
                ClientMessage::Pong(pong) => {
                    let answers = self.delivery.handle_pong(pong, now);
                    if answers {
                        self.budget.invite(1, 0);
                    }
                    self.ping_if_wanted();
                    // While bytes wait for the socket, only what it takes is a sign of life: an answer may be made up.
                    if answers && self.in_flight == 0 {
                        self.liveness.handle_progress(self.owes(), now);
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// The viewer has been asked for so many messages, of so many bytes in all with their headers: they do not count
    /// against its budget. So it is with the pieces that it gets tokens for.
    pub fn invite(&mut self, messages: u32, bytes: u64) {
        self.budget.invite(messages.into(), bytes);
    }

    /// The socket has taken `len` bytes of what [`Self::poll_transmit`] gave out.
    pub fn handle_written(&mut self, len: usize, now: Time) {
        self.in_flight = self.in_flight.saturating_sub(len);
        self.written += len as u64;
        self.liveness.handle_progress(self.owes(), now);
    }

    /// Whether the viewer has to take or to answer something.
    fn owes(&self) -> bool {
        self.in_flight > 0 || self.delivery.is_owed()
    }

    /// Time has passed: a ping may be due.
    ///
    /// # Errors
    /// [`ChannelError::Stalled`] when the viewer has taken nothing for too long.
    pub fn handle_timeout(&mut self, now: Time) -> Result<(), ChannelError> {
        self.liveness.check(now)?;
        if !self.delivery.is_owed() && self.liveness.poll_ping(now) {
            self.ping();
        }
        Ok(())
    }

    /// Whether a message may become bytes now. A viewer that has stopped reading or acknowledging has no room.
    #[must_use]
    pub fn has_room(&self) -> bool {
        // The socket has the last word: an answer may have been given to a ping that was not read.
        self.delivery.has_room() && self.in_flight() < self.delivery.room() && !self.ack.is_closed()
    }

    /// Bytes that may be on their way: what the viewer reads in a round trip and a frame, as far as it is known.
    #[must_use]
    pub fn room(&self) -> usize {
        self.delivery.room()
    }

    /// Bytes that the viewer is not known to have read, those about to be given out among them.
    #[must_use]
    pub fn unread(&self) -> u64 {
        self.delivery.unread()
    }

    /// Bytes given out and not yet taken by the socket, and bytes about to be given out.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight + self.out.len
    }

    /// Bytes that the socket has taken so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The number of the last message sent, the first being 1; both ends count alike.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// The round trip on a link with nothing else on it, as pings have shown it.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.delivery.round_trip()
    }

    /// Bytes a second that the viewer has read while there was always something to read; none for one that read
    /// everything at once, or has not been busy for a minute.
    #[must_use]
    pub fn throughput(&self, now: Time) -> Option<u64> {
        self.delivery.rate(now)
    }

    /// Turns a message into bytes, whether there is room or not. Now and then a ping follows it.
    pub fn send(&mut self, id: u16, body: &Body) {
        self.append(id, body);
        self.ping_if_wanted();
    }

    /// The same with a descriptor: a byte of no message (`@`, as the C server has it) follows the message and carries it.
    pub fn send_with_descriptor(&mut self, id: u16, body: &Body, descriptor: DescriptorId) {
        self.append(id, body);
        self.out.descriptors.push((self.out.pieces.len(), descriptor));
        self.out.pieces.push(Bytes::from_static(b"@"));
        self.out.len += 1;
        self.delivery.handle_sent(1);
        self.ping_if_wanted();
    }

    fn ping_if_wanted(&mut self) {
        if self.delivery.wants_ping() {
            self.ping();
        }
    }

    fn append(&mut self, id: u16, body: &Body) {
        let before = self.out.len;
        self.serial += 1;
        self.ack.handle_sent();
        let size = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let mut head =
            Vec::with_capacity(self.header.len() + body.pieces().first().map_or(0, Bytes::len).min(INLINE));
        self.header.encode(self.serial, id, size, &mut head);
        let mut pieces = body.pieces().iter().peekable();
        while let Some(small) = pieces.next_if(|piece| piece.len() <= INLINE) {
            head.extend_from_slice(small);
        }
        self.out.len += head.len();
        self.out.pieces.push(head.into());
        for piece in pieces {
            self.out.len += piece.len();
            self.out.pieces.push(piece.clone());
        }
        self.delivery.handle_sent(self.out.len - before);
    }

    fn ping(&mut self) {
        let ping = self.delivery.ping();
        self.send_base(&ServerMessage::Ping(ping));
    }

    fn send_base(&mut self, message: &ServerMessage) {
        self.append(message.id(), &message.encode());
    }

    /// What is to be written to the socket since the last call, if anything.
    pub fn poll_transmit(&mut self, now: Time) -> Option<Transmit> {
        if self.out.pieces.is_empty() {
            return None;
        }
        self.in_flight += self.out.len;
        self.delivery.handle_given_out(now);
        self.liveness.handle_waiting(now);
        Some(std::mem::take(&mut self.out))
    }

    /// When [`Self::handle_timeout`] should be called, if nothing else happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Time {
        self.liveness.poll_timeout(self.delivery.is_owed())
    }
}

/// Pieces up to this many bytes are copied behind their header: one piece for the socket instead of two.
const INLINE: usize = 1024;

#[cfg(test)]
mod tests {
    use spice_proto::base::Pong;

    use super::*;

    const START: Time = Time::from_millis(1000);

    fn client(config: ChannelConfig) -> RedChannelClient {
        RedChannelClient::new(HeaderKind::Mini, config, START)
    }

    fn frame(id: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        HeaderKind::Mini.encode(0, id, u32::try_from(body.len()).unwrap(), &mut bytes);
        bytes.extend_from_slice(body);
        bytes
    }

    /// Everything is written and read, pings are answered.
    fn settle(client: &mut RedChannelClient, now: Time) {
        while let Some(transmit) = client.poll_transmit(now) {
            client.handle_written(transmit.len, now);
            answer(client, &transmit.to_bytes(), now);
        }
    }

    /// Answers the pings among the bytes.
    fn answer(client: &mut RedChannelClient, mut bytes: &[u8], now: Time) {
        while let Some(header) = HeaderKind::Mini.decode(bytes) {
            let (body, rest) = bytes[HeaderKind::Mini.len()..].split_at(header.size as usize);
            bytes = rest;
            if let Ok(ServerMessage::Ping(ping)) = ServerMessage::decode(header.id, &body.to_vec().into()) {
                let pong = Pong { id: ping.id, timestamp: ping.timestamp };
                client.handle_bytes(frame(3, &ClientMessage::Pong(pong).encode().to_bytes()), now);
                assert_eq!(client.poll_message(now), Ok(None));
            }
        }
    }

    fn body(len: usize) -> Body {
        Body::from(Bytes::from(vec![0; len]))
    }

    #[test]
    fn room_ends_with_the_bytes_that_are_not_read_and_comes_back_as_they_are() {
        let room = RoomLimits::fixed(1000);
        let mut client = client(ChannelConfig { room, ..ChannelConfig::default() });
        settle(&mut client, START);
        client.send(200, &body(900));
        assert!(client.has_room());
        client.send(200, &body(90));
        assert!(!client.has_room());
        let transmit = client.poll_transmit(START).unwrap();
        assert_eq!(transmit.len, client.in_flight());
        client.handle_written(transmit.len, START);
        assert!(!client.has_room(), "it is written, and nobody has read it");
        answer(&mut client, &transmit.to_bytes(), START);
        assert!(client.has_room());
    }

    #[test]
    fn who_answers_pings_that_it_has_not_read_gains_no_more_than_the_most() {
        let room = RoomLimits { least: 1000, first: 1000, most: 5000 };
        let mut client = client(ChannelConfig { room, ..ChannelConfig::default() });
        for _ in 0..1000 {
            if client.has_room() {
                client.send(200, &body(100));
            }
            let transmit = client.poll_transmit(START).unwrap_or_default();
            answer(&mut client, &transmit.to_bytes(), START);
        }
        assert!((1000..5200).contains(&client.in_flight()), "{}", client.in_flight());
    }

    #[test]
    fn a_viewer_that_takes_nothing_is_stalled_after_the_limit_and_one_that_takes_a_byte_is_not() {
        let mut client = client(ChannelConfig::default());
        settle(&mut client, START);
        client.send(200, &Body::from(Bytes::from_static(b"xyz")));
        client.poll_transmit(START).unwrap();
        assert_eq!(client.handle_timeout(START + Duration::from_secs(10)), Ok(()));
        client.handle_written(1, START + Duration::from_secs(29));
        assert_eq!(client.handle_timeout(START + Duration::from_secs(58)), Ok(()));
        let end = START + Duration::from_secs(59);
        assert_eq!(client.handle_timeout(end), Err(ChannelError::Stalled(Duration::from_secs(30))));
    }

    #[test]
    fn an_idle_viewer_is_pinged_and_one_that_does_not_answer_is_stalled() {
        let mut client = client(ChannelConfig::default());
        settle(&mut client, START);
        let ping_at = client.poll_timeout();
        assert_eq!(ping_at, START + Duration::from_secs(15));
        client.handle_timeout(ping_at).unwrap();
        settle(&mut client, ping_at);
        let second = client.poll_timeout();
        assert_eq!(second, ping_at + Duration::from_secs(15));
        client.handle_timeout(second).unwrap();
        let transmit = client.poll_transmit(second).unwrap();
        client.handle_written(transmit.len, second);
        // What it says meanwhile is no answer.
        client.handle_bytes(frame(1, &[0; 4]), second + Duration::from_secs(20));
        assert_eq!(client.poll_message(second + Duration::from_secs(20)), Ok(None));
        assert!(client.handle_timeout(second + Duration::from_secs(30)).is_err());
    }

    #[test]
    fn who_answers_and_takes_nothing_is_stalled() {
        let mut client = client(ChannelConfig::default());
        settle(&mut client, START);
        client.send(200, &body(900));
        client.poll_transmit(START).unwrap();
        let mut now = START;
        let ended = (0..60).find_map(|_| {
            now += Duration::from_secs(1);
            // Every ping that there may be is answered, though the socket has taken none.
            for id in 0..20 {
                let pong = ClientMessage::Pong(Pong { id, timestamp: 0 });
                client.handle_bytes(frame(3, &pong.encode().to_bytes()), now);
                assert_eq!(client.poll_message(now), Ok(None));
            }
            let ended = client.handle_timeout(now).err();
            client.poll_transmit(now);
            ended
        });
        assert_eq!(ended, Some(ChannelError::Stalled(Duration::from_secs(30))));
    }

    /// Acknowledgements, which mean nothing here, in one call.
    fn say(client: &mut RedChannelClient, messages: usize, now: Time) -> Result<(), ChannelError> {
        client.handle_bytes(frame(2, b"").repeat(messages), now);
        client.poll_message(now).map(|message| assert_eq!(message, None))
    }

    #[test]
    fn who_says_more_than_its_budget_is_ended_and_who_keeps_within_it_is_not() {
        let mut client = client(ChannelConfig::default());
        let mut now = START;
        assert_eq!(say(&mut client, 20_000, now), Ok(()));
        for _ in 0..10_000 {
            now += Duration::from_millis(5);
            assert_eq!(say(&mut client, 20, now), Ok(()));
        }
        let over = ChannelError::OverBudget { what: "messages", per_second: 4000, burst: 20_000 };
        assert_eq!(over.scope(), crate::Scope::Client);
        assert_eq!(say(&mut client, 1, now), Err(over.clone()));
        assert_eq!(say(&mut client, 1, now + Duration::from_secs(60)), Err(over));
    }

    #[test]
    fn bytes_of_a_message_that_never_ends_count_as_they_come() {
        let config = ChannelConfig { max_incoming: u32::MAX, ..ChannelConfig::default() };
        let mut client = client(config);
        client.handle_bytes([101, 0, 0xff, 0xff, 0xff, 0xff], START);
        let ended = (0..2000).find_map(|_| {
            client.handle_bytes([0; 16 << 10], START);
            client.poll_message(START).err()
        });
        let over = ChannelError::OverBudget { what: "bytes", per_second: 4 << 20, burst: 16 << 20 };
        assert_eq!(ended, Some(over));
    }

    #[test]
    fn what_is_invited_and_answers_to_pings_cost_nothing() {
        let mut client = client(ChannelConfig::default());
        settle(&mut client, START);
        assert_eq!(say(&mut client, 20_000, START), Ok(()));
        client.invite(100, 600);
        assert_eq!(say(&mut client, 100, START), Ok(()));
        // The last token is for a message that turns out to be an answer.
        client.invite(1, 6);
        for _ in 0..1000 {
            client.send(200, &body(64 << 10));
            settle(&mut client, START);
        }
        assert_eq!(say(&mut client, 1, START), Ok(()));
        assert!(say(&mut client, 1, START).is_err());
    }

    #[test]
    fn a_descriptor_goes_beside_a_byte_of_its_own_behind_its_message() {
        for len in [0, 20, 5000] {
            let room = RoomLimits::fixed(1 << 20);
            let mut client = client(ChannelConfig { room, ..ChannelConfig::default() });
            settle(&mut client, START);
            let (serial, written) = (client.serial(), client.written());
            client.send(200, &body(3));
            client.send_with_descriptor(320, &body(len), DescriptorId(7));
            client.send(201, &body(3));
            let transmit = client.poll_transmit(START).unwrap();
            let &[(piece, DescriptorId(7))] = transmit.descriptors.as_slice() else { panic!("{transmit:?}") };
            assert_eq!(transmit.pieces[piece], &b"@"[..]);
            let before: Vec<u8> = transmit.pieces[..piece].concat();
            assert_eq!(before, [frame(200, &[0; 3]), frame(320, &vec![0; len])].concat());
            assert_eq!(transmit.pieces[piece + 1..].concat(), frame(201, &[0; 3]));
            // The byte is on its way as all others are, and no message.
            assert_eq!(transmit.len, transmit.to_bytes().len());
            assert_eq!(client.serial(), serial + 3);
            client.handle_written(transmit.len, START);
            assert_eq!(client.written(), written + transmit.len as u64);
            client.send(200, &body(1));
            assert_eq!(client.poll_transmit(START).unwrap().descriptors, []);
        }
    }

    #[test]
    fn serials_count_every_message_in_both_headers() {
        for header in [HeaderKind::Full, HeaderKind::Mini] {
            let config = ChannelConfig { ack_window: 20, ..ChannelConfig::default() };
            let mut client = RedChannelClient::new(header, config, START);
            client.send(101, &Body::default());
            assert_eq!(client.serial(), 3);
        }
    }

    #[test]
    fn migration_that_nobody_asked_for_is_out_of_turn() {
        for id in [4, 5] {
            let mut client = client(ChannelConfig::default());
            client.handle_bytes(frame(id, b""), START);
            assert!(matches!(client.poll_message(START), Err(ChannelError::OutOfTurn { .. })));
        }
    }
}
