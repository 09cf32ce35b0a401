//! Channels that carry a device's byte stream: USB redirection, ports, and ports for shared folders.

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use spice_channel::{Channel, ChannelError, ChannelLink, ClientId, Time, Transmit};
use spice_proto::caps::{CapabilitySet, VmcCap};
use spice_proto::port::{ClientMessage, CompressedData, DataCompression, Event, Init, ServerMessage};
use spice_proto::{DecodeError, DecodeErrorKind};

use super::DeviceChannel;
use super::seat::Seat;
use crate::devices::{DeviceEvent, DeviceKind, DeviceSink, Item, Mailbox};
use crate::io::ReadPermit;

/// The largest message of a viewer, packed or unpacked. A transfer of USB storage has 1 MiB at most, of which usbredir
/// makes one message.
const MAX_INCOMING: u32 = 4 << 20;

/// Pieces above so many bytes are packed for viewers that can unpack them (`spicevmc.cpp`).
const WORTH_PACKING: usize = 1000;

/// What a webdav port is called.
const WEBDAV: &str = "org.spice-space.webdav.0";

/// The channel of one such device.
#[derive(Debug)]
pub(crate) struct VmcChannel {
    seat: Seat,
    /// What the port is called, if it is one.
    name: Option<Bytes>,
    /// The viewer that comes next is on this machine.
    local: bool,
    /// The viewer that is here takes packed pieces, and they gain something.
    packs: bool,
}

impl VmcChannel {
    pub(crate) fn new(
        kind: DeviceKind,
        mailbox: Arc<Mailbox>,
        sink: DeviceSink,
        viewer_timeout: Duration,
    ) -> Self {
        let name = match kind {
            DeviceKind::Port { name } => {
                let len = name.find('\0').unwrap_or(name.len());
                Some(Bytes::from(name).slice(..len))
            }
            DeviceKind::WebDav => Some(Bytes::from_static(WEBDAV.as_bytes())),
            _ => None,
        };
        Self {
            seat: Seat::new(mailbox, sink, MAX_INCOMING, viewer_timeout),
            name,
            local: false,
            packs: false,
        }
    }

    fn handle_message(&self, id: u16, body: &Bytes) -> Result<(), ChannelError> {
        match ClientMessage::decode(id, body)? {
            ClientMessage::Data(data) => self.seat.tell_data(data),
            ClientMessage::CompressedData(packed) => self.seat.tell_data(unpack(&packed)?),
            ClientMessage::Event(Event { event }) if self.name.is_some() => {
                self.seat.tell(DeviceEvent::PortEvent(event.0));
            }
            _ => return Err(ChannelError::OutOfTurn { message: "port.Event" }),
        }
        Ok(())
    }

    fn message(&self, item: Item) -> ServerMessage {
        match item {
            Item::Init(opened) => ServerMessage::Init(Init {
                name: self.name.clone().unwrap_or_default(),
                opened: opened.into(),
            }),
            Item::Event(event) => ServerMessage::Event(Event { event }),
            Item::Data(data) | Item::Framed(_, data) => match self.packs.then(|| pack(&data)).flatten() {
                Some(packed) => ServerMessage::CompressedData(packed),
                None => ServerMessage::Data(data),
            },
        }
    }
}

/// A packed piece, if packing makes it smaller.
fn pack(data: &Bytes) -> Option<CompressedData> {
    if data.len() <= WORTH_PACKING {
        return None;
    }
    let packed = lz4_flex::block::compress(data);
    (packed.len() < data.len()).then(|| CompressedData {
        compression: DataCompression::LZ4,
        uncompressed_size: u32::try_from(data.len()).unwrap_or(u32::MAX),
        data: packed.into(),
    })
}

/// What is in a packed piece. Its size is checked before anything is allocated for it.
fn unpack(packed: &CompressedData) -> Result<Bytes, ChannelError> {
    let fault = |field, offset, kind| DecodeError { message: "vmc.CompressedData", field, offset, kind };
    let size = packed.uncompressed_size;
    if packed.compression != DataCompression::LZ4 {
        let kind = DecodeErrorKind::Value { value: packed.compression.0.into() };
        return Err(fault("type", 0, kind).into());
    }
    if size > MAX_INCOMING {
        let kind = DecodeErrorKind::TooMany { count: size.into(), max: MAX_INCOMING.into() };
        return Err(fault("uncompressed_size", 1, kind).into());
    }
    match lz4_flex::block::decompress(&packed.data, size as usize) {
        Ok(data) if data.len() == size as usize => Ok(data.into()),
        _ => Err(fault("compressed_data", 5, DecodeErrorKind::Value { value: size.into() }).into()),
    }
}

impl Channel for VmcChannel {
    fn caps(&self) -> CapabilitySet {
        CapabilitySet::new([VmcCap::DATA_COMPRESS_LZ4.0])
    }

    fn connect(&mut self, client: ClientId, link: ChannelLink, now: Time) {
        let can = link.caps.channel.contains(VmcCap::DATA_COMPRESS_LZ4.0);
        self.packs = can && !std::mem::take(&mut self.local);
        self.seat.connect(client, &link, self.name.is_some(), now);
    }

    fn disconnect(&mut self, client: ClientId, _: Time) {
        self.seat.disconnect(client);
    }

    fn handle_bytes(&mut self, client: ClientId, bytes: &[u8], now: Time) -> Result<(), ChannelError> {
        self.seat.handle_bytes(client, bytes, now);
        while let Some(message) = self.seat.poll_message(client, now)? {
            self.handle_message(message.id, &message.body)?;
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
        while self.seat.client_mut(client)?.has_room()
            && let Some(item) = self.seat.mailbox.pop()
        {
            let message = self.message(item);
            self.seat.client_mut(client)?.send(message.id(), &message.encode());
        }
        self.seat.poll_transmit(client, now)
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.seat.poll_timeout()
    }
}

impl DeviceChannel for VmcChannel {
    fn admits(&self) -> bool {
        self.seat.is_free()
    }

    fn handle_local(&mut self, local: bool) {
        self.local = local;
    }

    fn hold(&mut self, permit: Option<ReadPermit>) {
        self.seat.hold(permit);
    }

    fn poll_host(&mut self, _: Time) {
        self.seat.poll_host();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use spice_proto::caps::Capabilities;
    use spice_proto::port::PortEvent;
    use spice_proto::{ChannelId, HeaderKind};
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;
    use crate::devices::{Bell, DeviceLink, MAX_WAITING, RECEIPT_LIMIT, SendError};
    use crate::reds::{RedsEvent, RedsHandle};

    type Events = Arc<Mutex<Vec<DeviceEvent>>>;

    struct Bench {
        channel: VmcChannel,
        mailbox: Arc<Mailbox>,
        events: Events,
        _reds: (RedsHandle, UnboundedReceiver<RedsEvent>),
    }

    impl Bench {
        fn new(kind: DeviceKind) -> Self {
            let (reds, received) = unbounded_channel();
            let kind_of = kind.channel_type();
            let bell = Bell::new(reds.downgrade(), move || RedsEvent::Device(kind_of, ChannelId(0)));
            let mailbox = Arc::new(Mailbox::new(bell));
            let events = Events::default();
            let told = Arc::clone(&events);
            let sink = DeviceSink::new(move |event| told.lock().unwrap().push(event));
            let channel = VmcChannel::new(kind, Arc::clone(&mailbox), sink, Duration::from_secs(30));
            Self { channel, mailbox, events, _reds: (reds, received) }
        }

        fn connect(&mut self, client: u64, lz4: bool) -> DeviceLink {
            let channel = CapabilitySet::new(lz4.then_some(0));
            let link = ChannelLink { caps: Capabilities { channel, ..Capabilities::default() } };
            self.channel.connect(ClientId(client), link, Time::ZERO);
            let Some(DeviceEvent::Connected(link)) = self.events.lock().unwrap().pop() else { panic!() };
            link
        }

        fn say(&mut self, id: u16, body: &[u8]) -> Result<(), ChannelError> {
            let mut bytes = Vec::new();
            HeaderKind::Full.encode(1, id, u32::try_from(body.len()).unwrap(), &mut bytes);
            bytes.extend_from_slice(body);
            self.channel.handle_bytes(ClientId(1), &bytes, Time::ZERO)
        }

        /// The channel's own messages that the viewer is sent; it reads and answers nothing.
        fn hears(&mut self) -> Vec<ServerMessage> {
            let mut bytes = Vec::new();
            while let Some(transmit) = self.channel.poll_transmit(ClientId(1), Time::ZERO) {
                bytes.extend_from_slice(&transmit.to_bytes());
            }
            let mut messages = Vec::new();
            let mut left = &bytes[..];
            while let Some(header) = HeaderKind::Full.decode(left) {
                let end = HeaderKind::Full.len() + header.size as usize;
                let body = Bytes::copy_from_slice(&left[HeaderKind::Full.len()..end]);
                if header.id > 100 {
                    messages.push(ServerMessage::decode(header.id, &body).unwrap());
                }
                left = &left[end..];
            }
            messages
        }

        fn told(&self) -> Vec<DeviceEvent> {
            std::mem::take(&mut self.events.lock().unwrap())
        }
    }

    fn port() -> Bench {
        Bench::new(DeviceKind::Port { name: "org.example.port\0 and what C does not see".to_owned() })
    }

    #[test]
    fn a_port_says_its_name_first_and_then_what_comes_in_order() {
        let mut bench = port();
        bench.mailbox.port_event(PortEvent::OPENED);
        let link = bench.connect(1, false);
        link.send(Bytes::from_static(b"one")).unwrap();
        bench.mailbox.port_event(PortEvent::BREAK);
        link.send(Bytes::from_static(b"two")).unwrap();
        let expected = [
            ServerMessage::Init(Init { name: Bytes::from_static(b"org.example.port"), opened: 1 }),
            ServerMessage::Data(Bytes::from_static(b"one")),
            ServerMessage::Event(Event { event: PortEvent::BREAK }),
            ServerMessage::Data(Bytes::from_static(b"two")),
        ];
        assert_eq!(bench.hears(), expected);
    }

    #[test]
    fn usb_redirection_says_nothing_by_itself_and_knows_no_port_events() {
        let mut bench = Bench::new(DeviceKind::UsbRedir);
        let link = bench.connect(1, false);
        link.send(Bytes::from_static(b"hello")).unwrap();
        assert_eq!(bench.hears(), [ServerMessage::Data(Bytes::from_static(b"hello"))]);
        bench.say(101, b"hi").unwrap();
        assert!(matches!(&bench.told()[..], [DeviceEvent::Data(data)] if data[..] == *b"hi"));
        assert_eq!(bench.say(201, &[0]), Err(ChannelError::OutOfTurn { message: "port.Event" }));
    }

    #[test]
    fn who_has_it_is_the_only_one_until_it_leaves() {
        let mut bench = port();
        let link = bench.connect(1, false);
        assert!(!bench.channel.admits());
        bench.channel.disconnect(ClientId(2), Time::ZERO);
        assert!(!bench.channel.admits() && bench.told().is_empty());
        bench.channel.disconnect(ClientId(1), Time::ZERO);
        assert!(bench.channel.admits() && matches!(bench.told()[..], [DeviceEvent::Disconnected]));
        assert_eq!((link.room(), link.send(Bytes::new())), (0, Err(SendError::NoViewer)));
    }

    #[test]
    fn a_viewer_that_does_not_read_costs_what_may_be_on_its_way_and_a_mebibyte() {
        let mut bench = port();
        let link = bench.connect(1, false);
        let (mut sent, piece) = (0, Bytes::from(vec![7; 10_000]));
        loop {
            match link.send(piece.clone()) {
                Ok(()) => sent += piece.len(),
                Err(SendError::Full { .. }) if bench.hears().is_empty() => break,
                Err(SendError::Full { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert!(sent > MAX_WAITING && sent < MAX_WAITING + (256 << 10) + (64 << 10), "{sent}");
    }

    #[test]
    fn large_pieces_are_packed_for_who_can_unpack_them_and_cut() {
        let (large, small) = (Bytes::from(vec![7; 100_000]), Bytes::from(vec![7; WORTH_PACKING]));
        for (lz4, local) in [(true, false), (false, false), (true, true)] {
            let mut bench = Bench::new(DeviceKind::UsbRedir);
            bench.channel.handle_local(local);
            let link = bench.connect(1, lz4);
            link.send(large.clone()).unwrap();
            link.send(small.clone()).unwrap();
            let heard = bench.hears();
            let packed = heard.iter().filter(|said| matches!(said, ServerMessage::CompressedData(_))).count();
            assert_eq!((heard.len(), packed), (3, if lz4 && !local { 2 } else { 0 }));
            let all: Vec<u8> = heard
                .into_iter()
                .flat_map(|said| match said {
                    ServerMessage::Data(data) => data,
                    ServerMessage::CompressedData(packed) => unpack(&packed).unwrap(),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(all, [&large[..], &small[..]].concat());
        }
    }

    #[test]
    fn packed_pieces_that_lie_about_their_size_or_kind_end_the_connection_and_reach_nobody() {
        let data = Bytes::from(vec![7; 5000]);
        let good = pack(&data).unwrap();
        let lies = [
            CompressedData { uncompressed_size: 4999, ..good.clone() },
            CompressedData { uncompressed_size: 5001, ..good.clone() },
            CompressedData { uncompressed_size: u32::MAX, ..good.clone() },
            CompressedData { compression: DataCompression::NONE, ..good.clone() },
            CompressedData { compression: DataCompression(9), ..good.clone() },
            CompressedData { data: good.data.slice(..good.data.len() - 1), ..good.clone() },
        ];
        let mut bench = port();
        bench.connect(1, true);
        for lie in lies {
            let message = ClientMessage::CompressedData(lie);
            assert!(bench.say(102, &message.encode().to_bytes()).is_err(), "{message:?}");
        }
        assert!(bench.told().is_empty());
        bench.say(102, &ClientMessage::CompressedData(good).encode().to_bytes()).unwrap();
        assert!(matches!(&bench.told()[..], [DeviceEvent::Data(got)] if got[..] == data[..]));
    }

    #[test]
    fn what_a_slow_host_holds_counts_until_it_is_dropped() {
        let mut bench = port();
        bench.connect(1, false);
        for _ in 0..RECEIPT_LIMIT / 1000 {
            bench.say(101, &[7; 1000]).unwrap();
        }
        assert!(bench.channel.seat.is_held_back());
        let mut told = bench.told();
        told.truncate(told.len() / 3);
        assert!(!bench.channel.seat.is_held_back());
        drop(told);
    }

    #[test]
    fn a_device_that_is_removed_is_told_nothing_more() {
        let mut bench = port();
        let link = bench.connect(1, false);
        bench.mailbox.remove();
        assert_eq!((link.room(), link.send(Bytes::from_static(b"x"))), (0, Err(SendError::NoViewer)));
        bench.say(101, b"late").unwrap();
        bench.channel.disconnect(ClientId(1), Time::ZERO);
        assert!(bench.told().is_empty());
        assert_eq!(bench.channel.name.as_deref(), Some(&b"org.example.port"[..]));
    }
}
