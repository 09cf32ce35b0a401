//! The channel of a smartcard reader in the guest, for the reader of one viewer.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use spice_channel::{Channel, ChannelError, ChannelLink, ClientId, Time, Transmit};
use spice_proto::caps::CapabilitySet;
use spice_proto::smartcard::{
    ClientMessage, ErrorCode, MAX_DEVICE_PAYLOAD, Payload, ReaderId, ServerMessage, VscMessage,
};

use super::DeviceChannel;
use super::seat::Seat;
use crate::devices::{DeviceSink, Item, Mailbox};
use crate::io::ReadPermit;

/// A device is one reader, and so is what a viewer may have on this channel.
const READER: ReaderId = ReaderId(0);

/// Bytes of a message's header: type, reader, length of the payload.
const HEADER: usize = 12;

/// The largest message of a viewer: what the device can hold.
const MAX_INCOMING: u32 = HEADER as u32 + MAX_DEVICE_PAYLOAD;

/// Answers that may wait for a viewer that asks and does not read; who asks for more goes without.
const MAX_ANSWERS: usize = 64;

/// The channel of one such device.
#[derive(Debug)]
pub(crate) struct SmartcardChannel {
    seat: Seat,
    /// Which of the device's viewers is here, in the mailbox's count.
    session: u64,
    /// The device knows of a reader of this viewer.
    reader: bool,
    framing: Framing,
    /// Messages for the viewer that is here.
    ready: VecDeque<VscMessage>,
    /// Of these, the server's own.
    answers: usize,
}

impl SmartcardChannel {
    pub(crate) fn new(mailbox: Arc<Mailbox>, sink: DeviceSink, viewer_timeout: Duration) -> Self {
        Self {
            seat: Seat::new(mailbox, sink, MAX_INCOMING, viewer_timeout),
            session: 0,
            reader: false,
            framing: Framing::default(),
            ready: VecDeque::new(),
            answers: 0,
        }
    }

    fn handle_message(&mut self, VscMessage { reader_id, payload }: VscMessage) -> Result<(), ChannelError> {
        match payload {
            Payload::ReaderAdd(_) if self.reader => {
                self.answer(ReaderId::UNDEFINED, ErrorCode::CANNOT_ADD_MORE_READERS);
            }
            Payload::ReaderAdd(_) => {
                self.reader = true;
                // The device answers, with a number that is put right on the way. It has no use for the name.
                self.tell_device(Payload::ReaderAdd(Bytes::new()));
            }
            Payload::ReaderRemove if self.reader && reader_id == READER => {
                self.reader = false;
                self.tell_device(Payload::ReaderRemove);
            }
            Payload::ReaderRemove => self.answer(reader_id, ErrorCode::GENERAL_ERROR),
            Payload::Error(_) | Payload::Atr(_) | Payload::CardRemove | Payload::Apdu(_) => {
                if reader_id != READER {
                    return Err(ChannelError::OutOfTurn { message: "smartcard.Data of no reader" });
                }
                // What comes before its reader is there, or after it, is of no card that the guest knows.
                if self.reader {
                    self.tell_device(payload);
                }
            }
            other => tracing::debug!("a smartcard message that is not a viewer's: {}", other.kind().0),
        }
        Ok(())
    }

    fn tell_device(&self, payload: Payload) {
        let mut bytes = Vec::new();
        VscMessage { reader_id: READER, payload }.encode_for_device(&mut bytes);
        self.seat.tell_data(bytes.into());
    }

    fn answer(&mut self, reader_id: ReaderId, code: ErrorCode) {
        if self.answers < MAX_ANSWERS {
            self.answers += 1;
            self.ready.push_back(VscMessage { reader_id, payload: Payload::Error(code) });
        }
    }

    /// Reads something of what the device has written; answers whether there was something.
    fn read(&mut self) -> bool {
        let Some(item) = self.seat.mailbox.pop() else { return false };
        if let Item::Framed(session, data) = item {
            self.framing.handle_bytes(&data);
            while let Some(message) = self.framing.poll_message() {
                // Of a viewer that has left, or not from a card at all.
                if session == self.session && !matches!(message.payload, Payload::Init(_)) {
                    self.ready.push_back(VscMessage { reader_id: READER, ..message });
                }
            }
        }
        true
    }

    /// What is said to nobody has to be read nevertheless, to know where the next message begins.
    fn discard(&mut self) {
        while self.read() {}
        self.ready.clear();
        self.answers = 0;
    }
}

/// Messages out of what the device writes, over all viewers: what one has left unread does not cut another's.
#[derive(Debug, Default)]
struct Framing {
    bytes: BytesMut,
    /// A message has come whose end cannot be found.
    lost: bool,
}

impl Framing {
    fn handle_bytes(&mut self, bytes: &[u8]) {
        if !self.lost {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn poll_message(&mut self) -> Option<VscMessage> {
        loop {
            let [_, _, length] = *self.bytes.as_chunks::<4>().0.first_chunk::<3>()?;
            let length = u32::from_be_bytes(length);
            if length > MAX_DEVICE_PAYLOAD {
                tracing::warn!("a smartcard device is lost: it announces {length} bytes");
                self.lost = true;
                self.bytes = BytesMut::new();
                return None;
            }
            let end = HEADER + length as usize;
            if self.bytes.remaining() < end {
                return None;
            }
            match VscMessage::decode_from_device(&self.bytes.split_to(end).freeze()) {
                Ok(message) => return message.map(|(message, _)| message),
                Err(error) => tracing::info!("a smartcard device says what means nothing: {error}"),
            }
        }
    }
}

impl Channel for SmartcardChannel {
    fn caps(&self) -> CapabilitySet {
        CapabilitySet::default()
    }

    fn connect(&mut self, client: ClientId, link: ChannelLink, now: Time) {
        self.discard();
        self.session = self.seat.connect(client, &link, false, now);
    }

    fn disconnect(&mut self, client: ClientId, _: Time) {
        if self.seat.disconnect(client) {
            if std::mem::take(&mut self.reader) {
                self.tell_device(Payload::ReaderRemove);
            }
            self.discard();
        }
    }

    fn handle_bytes(&mut self, client: ClientId, bytes: &[u8], now: Time) -> Result<(), ChannelError> {
        self.seat.handle_bytes(client, bytes, now);
        while let Some(message) = self.seat.poll_message(client, now)? {
            match ClientMessage::decode(message.id, &message.body)? {
                ClientMessage::Data(message) => self.handle_message(message)?,
                _ => return Err(ChannelError::OutOfTurn { message: "smartcard" }),
            }
        }
        Ok(())
    }

    fn handle_written(&mut self, client: ClientId, len: usize, now: Time) {
        self.seat.handle_written(client, len, now);
    }

    fn handle_timeout(&mut self, now: Time) -> Vec<(ClientId, ChannelError)> {
        self.seat.handle_timeout(now)
    }

    fn poll_transmit(&mut self, client: ClientId, now: Time) -> Option<Transmit> {
        while self.seat.client_mut(client)?.has_room() {
            let Some(message) = self.ready.pop_front() else {
                self.answers = 0;
                if self.read() { continue } else { break }
            };
            let message = ServerMessage::Data(message);
            self.seat.client_mut(client)?.send(message.id(), &message.encode());
        }
        self.seat.poll_transmit(client, now)
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.seat.poll_timeout()
    }
}

impl DeviceChannel for SmartcardChannel {
    fn admits(&self) -> bool {
        self.seat.is_free()
    }

    fn hold(&mut self, permit: Option<ReadPermit>) {
        self.seat.hold(permit);
    }

    fn poll_host(&mut self, _: Time) {
        self.seat.poll_host();
        if self.seat.is_free() {
            self.discard();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use spice_proto::caps::Capabilities;
    use spice_proto::smartcard::{Init, VscType};
    use spice_proto::{ChannelId, ChannelType, HeaderKind};
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;
    use crate::devices::{Bell, DeviceEvent, DeviceLink, SendError};
    use crate::reds::{RedsEvent, RedsHandle};

    struct Bench {
        channel: SmartcardChannel,
        events: Arc<Mutex<Vec<DeviceEvent>>>,
        _reds: (RedsHandle, UnboundedReceiver<RedsEvent>),
    }

    impl Bench {
        fn new() -> Self {
            let (reds, received) = unbounded_channel();
            let bell =
                Bell::new(reds.downgrade(), || RedsEvent::Device(ChannelType::SMARTCARD, ChannelId(0)));
            let mailbox = Arc::new(Mailbox::framed(bell));
            let events = Arc::new(Mutex::new(Vec::new()));
            let told = Arc::clone(&events);
            let sink = DeviceSink::new(move |event| told.lock().unwrap().push(event));
            let channel = SmartcardChannel::new(mailbox, sink, Duration::from_secs(30));
            Self { channel, events, _reds: (reds, received) }
        }

        fn connect(&mut self, client: u64) -> DeviceLink {
            let link = ChannelLink { caps: Capabilities::default() };
            self.channel.connect(ClientId(client), link, Time::ZERO);
            let Some(DeviceEvent::Connected(link)) = self.events.lock().unwrap().pop() else { panic!() };
            link
        }

        fn say_raw(&mut self, client: u64, body: &[u8]) -> Result<(), ChannelError> {
            let mut bytes = Vec::new();
            HeaderKind::Full.encode(1, 101, u32::try_from(body.len()).unwrap(), &mut bytes);
            bytes.extend_from_slice(body);
            self.channel.handle_bytes(ClientId(client), &bytes, Time::ZERO)
        }

        fn say(&mut self, client: u64, reader: u32, payload: Payload) -> Result<(), ChannelError> {
            let message = ClientMessage::Data(VscMessage { reader_id: ReaderId(reader), payload });
            self.say_raw(client, &message.encode().to_bytes())
        }

        /// What the device has been told since.
        fn device_reads(&self) -> Vec<(u32, Payload)> {
            let events = std::mem::take(&mut *self.events.lock().unwrap());
            let written = events.iter().filter_map(|event| match event {
                DeviceEvent::Data(data) => Some(data.bytes()),
                _ => None,
            });
            let read = written.map(|bytes| {
                let (message, len) = VscMessage::decode_from_device(&bytes).unwrap().unwrap();
                assert_eq!(len, bytes.len(), "a message is one write");
                (message.reader_id.0, message.payload)
            });
            read.collect()
        }

        fn hears(&mut self, client: u64) -> Vec<(u32, Payload)> {
            let mut bytes = Vec::new();
            while let Some(transmit) = self.channel.poll_transmit(ClientId(client), Time::ZERO) {
                bytes.extend_from_slice(&transmit.to_bytes());
            }
            let (mut heard, mut left) = (Vec::new(), &bytes[..]);
            while let Some(header) = HeaderKind::Full.decode(left) {
                let end = HeaderKind::Full.len() + header.size as usize;
                let body = Bytes::copy_from_slice(&left[HeaderKind::Full.len()..end]);
                if header.id == 101
                    && let ServerMessage::Data(message) = ServerMessage::decode(header.id, &body).unwrap()
                {
                    heard.push((message.reader_id.0, message.payload));
                }
                left = &left[end..];
            }
            heard
        }
    }

    fn from_device(reader: u32, payload: Payload) -> Bytes {
        let mut bytes = Vec::new();
        VscMessage { reader_id: ReaderId(reader), payload }.encode_for_device(&mut bytes);
        bytes.into()
    }

    fn name() -> Payload {
        Payload::ReaderAdd(Bytes::from_static(b"a reader"))
    }

    fn apdu(len: usize) -> Payload {
        Payload::Apdu(vec![7; len].into())
    }

    #[test]
    fn a_card_is_put_in_asked_and_taken_out() {
        let mut bench = Bench::new();
        let device = bench.connect(1);
        bench.say(1, u32::MAX, name()).unwrap();
        assert_eq!(bench.device_reads(), [(0, Payload::ReaderAdd(Bytes::new()))]);
        device.send(from_device(9, Payload::Error(ErrorCode::SUCCESS))).unwrap();
        assert_eq!(
            bench.hears(1),
            [(0, Payload::Error(ErrorCode::SUCCESS))],
            "the server's number, not the device's"
        );
        bench.say(1, 0, Payload::Atr(Bytes::from_static(b"\x3b\x00"))).unwrap();
        device.send(from_device(0, apdu(5))).unwrap();
        assert_eq!(bench.hears(1), [(0, apdu(5))]);
        bench.say(1, 0, apdu(2)).unwrap();
        bench.say(1, 0, Payload::CardRemove).unwrap();
        bench.say(1, 0, Payload::ReaderRemove).unwrap();
        let expected = [
            (0, Payload::Atr(Bytes::from_static(b"\x3b\x00"))),
            (0, apdu(2)),
            (0, Payload::CardRemove),
            (0, Payload::ReaderRemove),
        ];
        assert_eq!(bench.device_reads(), expected);
    }

    #[test]
    fn what_makes_no_sense_is_answered_or_dropped_and_never_reaches_the_device() {
        let mut bench = Bench::new();
        bench.connect(1);
        bench.say(1, 0, Payload::ReaderRemove).unwrap();
        bench.say(1, 0, apdu(4)).unwrap();
        bench.say(1, 0, Payload::Init(Init { version: 2, capabilities: vec![0] })).unwrap();
        bench.say(1, 0, Payload::Flush).unwrap();
        bench.say(1, 0, Payload::Other { kind: VscType(77), data: Bytes::new() }).unwrap();
        assert!(bench.device_reads().is_empty());
        assert_eq!(bench.hears(1), [(0, Payload::Error(ErrorCode::GENERAL_ERROR))]);
        bench.say(1, 0, name()).unwrap();
        bench.say(1, 0, name()).unwrap();
        bench.say(1, 5, Payload::ReaderRemove).unwrap();
        assert_eq!(bench.device_reads().len(), 1);
        let expected = [
            (u32::MAX, Payload::Error(ErrorCode::CANNOT_ADD_MORE_READERS)),
            (5, Payload::Error(ErrorCode::GENERAL_ERROR)),
        ];
        assert_eq!(bench.hears(1), expected);
        assert!(bench.say(1, 1, apdu(4)).is_err(), "there is no second reader");
    }

    /// A message was copied into memory of the size that its own header said.
    #[test]
    fn a_header_that_says_another_length_than_its_message_has_is_refused() {
        for said in [0, 3, 5, 100, u32::MAX] {
            let mut bench = Bench::new();
            bench.connect(1);
            bench.say(1, 0, name()).unwrap();
            bench.device_reads();
            let mut body: Vec<u8> =
                [VscType::APDU.0, 0, said].iter().flat_map(|word| word.to_le_bytes()).collect();
            body.extend_from_slice(&[7; 4]);
            assert!(bench.say_raw(1, &body).is_err(), "{said}");
            assert!(bench.device_reads().is_empty());
        }
        let mut bench = Bench::new();
        bench.connect(1);
        bench.say(1, 0, name()).unwrap();
        bench.say(1, 0, apdu(MAX_DEVICE_PAYLOAD as usize)).unwrap();
        let error = bench.say(1, 0, apdu(MAX_DEVICE_PAYLOAD as usize + 1)).unwrap_err();
        assert!(matches!(error, ChannelError::TooLarge { .. }));
    }

    #[test]
    fn one_that_leaves_takes_its_reader_along_and_the_next_hears_nothing_of_it() {
        let mut bench = Bench::new();
        let first = bench.connect(1);
        bench.say(1, 0, name()).unwrap();
        bench.device_reads();
        let secret = from_device(0, apdu(1000));
        first.send(secret.slice(..500)).unwrap();
        assert!(bench.hears(1).is_empty(), "half a message");
        bench.channel.disconnect(ClientId(1), Time::ZERO);
        {
            let events = bench.events.lock().unwrap();
            assert!(matches!(&events[..], [DeviceEvent::Disconnected, DeviceEvent::Data(_)]), "{events:?}");
        }
        assert_eq!(bench.device_reads(), [(0, Payload::ReaderRemove)]);
        assert_eq!(first.room(), 0);
        // The host had it in its hands already.
        first.send(secret.slice(500..900)).unwrap();
        let second = bench.connect(2);
        first.send(secret.slice(900..)).unwrap();
        second.send(from_device(0, Payload::Error(ErrorCode::SUCCESS))).unwrap();
        assert_eq!(bench.hears(2), [(0, Payload::Error(ErrorCode::SUCCESS))]);
    }

    #[test]
    fn a_device_is_read_however_its_bytes_are_cut_and_past_what_means_nothing() {
        let stream = [
            from_device(0, apdu(3)),
            // A code of five bytes.
            Bytes::from_static(&[0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4, 5]),
            from_device(0, Payload::Init(Init { version: 2, capabilities: vec![0] })),
            from_device(3, Payload::CardRemove),
        ]
        .concat();
        for cut in 1..=stream.len() {
            let mut bench = Bench::new();
            let device = bench.connect(1);
            for piece in stream.chunks(cut) {
                device.send(Bytes::copy_from_slice(piece)).unwrap();
            }
            assert_eq!(bench.hears(1), [(0, apdu(3)), (0, Payload::CardRemove)], "cut at {cut}");
        }
    }

    #[test]
    fn a_device_that_is_lost_costs_nothing_more_and_its_viewer_stays() {
        let mut bench = Bench::new();
        let device = bench.connect(1);
        device.send(Bytes::from_static(&[0xff; 12])).unwrap();
        assert!(bench.hears(1).is_empty());
        for _ in 0..100 {
            device.send(vec![0; 100_000].into()).unwrap();
            assert!(bench.hears(1).is_empty());
        }
        assert_eq!(bench.channel.framing.bytes.len(), 0);
        assert_eq!(bench.say(1, u32::MAX, name()), Ok(()));
    }

    #[test]
    fn one_that_asks_for_ever_and_does_not_read_is_answered_so_often() {
        let mut bench = Bench::new();
        let device = bench.connect(1);
        // The way to it is full.
        while device.send(from_device(0, apdu(60_000))).is_ok() {
            bench.hears(1);
        }
        for _ in 0..10_000 {
            bench.say(1, 9, Payload::ReaderRemove).unwrap();
        }
        assert!(bench.channel.ready.len() <= MAX_ANSWERS + 1, "{}", bench.channel.ready.len());
        assert!(matches!(device.send(from_device(0, apdu(60_000))), Err(SendError::Full { .. })));
    }
}
