//! What peers have done to the C server and to its viewers by lying about lengths: here it costs them an error, and no
//! memory.

use arbitrary::Unstructured;
use bytes::Bytes;
use spice_proto::agent::{
    AgentLayout, ChunkHeader, ChunkReader, MAX_CHUNK, Message, MessageType, Monitor, MonitorsConfig,
    MonitorsFlags, Port, Reassembler,
};
use spice_proto::link::{LinkHeader, LinkMess, LinkReply};
use spice_proto::smartcard::{ClientMessage, Payload, ReaderId, VscMessage};
use spice_proto::vmc::CompressedData;
use spice_proto::{
    base, cursor, display, inputs, main, playback, port, record, smartcard, stream_device, vmc,
};

/// Numbers around those where a length overflows in some width.
const EDGES: [u32; 14] = [
    0,
    1,
    2,
    127,
    255,
    256,
    0x7fff,
    0xffff,
    1 << 16,
    (1 << 31) - 1,
    1 << 31,
    (1 << 31) + 1,
    u32::MAX - 1,
    u32::MAX,
];

/// Does `decode`, which may take a constant times so many bytes of input.
fn within_bounds<T>(len: usize, what: impl std::fmt::Debug, decode: impl FnOnce() -> T) -> T {
    let mut decoded = None;
    let used = allocation_counter::measure(|| decoded = Some(decode()));
    assert!(used.bytes_max <= 16 * len as u64 + 1024, "{what:?}: {} bytes for {len}", used.bytes_max);
    decoded.unwrap()
}

/// A message of the virtual smartcard protocol with this header.
fn vsc(kind: u32, reader: u32, length: u32, data: &[u8]) -> Bytes {
    let words = [kind, reader, length].map(u32::to_le_bytes).concat();
    [&words, data].concat().into()
}

/// The buffer was as large as the message, and not as large as its header said.
#[test]
fn cve_2016_0749_a_smartcard_message_is_as_long_as_its_header_says() {
    for kind in 0..=11 {
        for actual in [0_u32, 1, 4, 8, 40, 1000] {
            let data = vec![0x41; actual as usize];
            let lengths = EDGES.into_iter().chain([actual.wrapping_sub(1), actual + 1, u32::MAX - 11]);
            for said in lengths.filter(|said| *said != actual) {
                let body = vsc(kind, 0, said, &data);
                let decoded = within_bounds(body.len(), said, || ClientMessage::decode(101, &body));
                assert!(decoded.is_err(), "type {kind}: {said} of {actual} bytes");
                let decoded =
                    within_bounds(body.len(), said, || smartcard::ServerMessage::decode(101, &body));
                assert!(decoded.is_err());
            }
        }
    }
    // From the guest's device, too, where a part of a message is only waited for.
    for said in EDGES {
        let mut bytes = [7, 0, said].map(u32::to_be_bytes).concat();
        bytes.extend_from_slice(&[0; 100]);
        let bytes = Bytes::from(bytes);
        let decoded = within_bounds(bytes.len(), said, || VscMessage::decode_from_device(&bytes));
        match said {
            0..=100 => assert_eq!(decoded.unwrap().unwrap().1, 12 + said as usize),
            101..=0x10000 => assert_eq!(decoded, Ok(None)),
            _ => assert!(decoded.is_err(), "{said}"),
        }
    }
}

#[test]
fn cve_2016_0749_readers_come_and_go_as_they_were_said() {
    for name in ["", "x", "a reader of a long name, as they are"] {
        let added = Payload::ReaderAdd(Bytes::from_static(name.as_bytes()));
        for payload in [added, Payload::ReaderRemove] {
            let message = ClientMessage::Data(VscMessage { reader_id: ReaderId::UNDEFINED, payload });
            let body = message.encode().to_bytes();
            assert_eq!(ClientMessage::decode(101, &body).as_ref(), Ok(&message));
            for short in 0..body.len() {
                assert!(
                    ClientMessage::decode(101, &body.slice(..short)).is_err(),
                    "{short} of {}",
                    body.len()
                );
            }
        }
    }
}

/// `num_caps * 4` was computed in 32 bits.
#[test]
fn cve_2016_9578_capabilities_lie_within_their_link_message() {
    // Connection, type and id, then the two counts and the offset.
    let head = [0, 0, 0, 0, 1, 0];
    let counts = EDGES.into_iter().chain([3, 4, 1 << 29, 1 << 30, (1 << 30) + 1, (1 << 30) | 2]);
    let counts: Vec<u32> = counts.collect();
    let mut taken = 0;
    for words in [0_u32, 1, 2, 4] {
        for common in &counts {
            for channel in &counts {
                for offset in counts.iter().copied().chain([17, 18, 19, 22, u32::MAX - 17, u32::MAX - 3]) {
                    let mut body = head.to_vec();
                    for number in [*common, *channel, offset] {
                        body.extend_from_slice(&number.to_le_bytes());
                    }
                    body.extend(std::iter::repeat_n(0x5a, 4 * words as usize));
                    let body = Bytes::from(body);
                    let decoded = within_bounds(body.len(), offset, || LinkMess::decode(&body));
                    let all = u64::from(*common) + u64::from(*channel);
                    // Where none are said to be, nothing is looked for.
                    let fits = u64::from(offset) + 4 * all <= body.len() as u64;
                    assert!(
                        fits || all == 0 || decoded.is_err(),
                        "{common} and {channel} words at {offset} of {words}"
                    );
                    taken += usize::from(decoded.is_ok());
                }
            }
        }
    }
    assert!(taken > 10, "{taken}");
}

#[test]
fn cve_2016_9578_a_link_header_is_a_number_and_allocates_nothing() {
    for size in EDGES {
        let mut bytes = Vec::new();
        LinkHeader { magic: *b"REDQ", major: 2, minor: 2, size }.encode(&mut bytes);
        let bytes = bytes.try_into().unwrap();
        assert_eq!(within_bounds(0, size, || LinkHeader::decode(bytes)).size, size);
    }
    let reply = Bytes::from(vec![0xff; 178]);
    assert!(within_bounds(reply.len(), "reply", || LinkReply::decode(&reply)).is_err());
}

/// An agent's message with this header and content.
fn agent_message(kind: MessageType, size: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [1, kind.0, 0, 0, size] {
        bytes.extend_from_slice(&u32::to_le_bytes(word));
    }
    bytes.extend_from_slice(content);
    bytes
}

/// What comes out of a message in pieces of so many bytes, if anything does.
fn reassembled(message: &[u8], piece: usize) -> Option<Bytes> {
    let mut reassembler = Reassembler::new(1 << 20);
    let mut whole = None;
    for piece in message.chunks(piece) {
        let mut piece = Bytes::copy_from_slice(piece);
        while let Ok(Some(raw)) = reassembler.read(&mut piece) {
            assert!(whole.replace(raw.data).is_none(), "two messages of one");
        }
    }
    whole
}

/// The monitors were counted by the message, and looked for behind it; pieces were put together without a bound.
#[test]
fn cve_2017_7506_as_many_monitors_as_there_are_however_the_bytes_come() {
    let monitor = Monitor { height: 768, width: 1024, depth: 32, ..Monitor::default() };
    for flags in [MonitorsFlags::empty(), MonitorsFlags::PHYSICAL_SIZE | MonitorsFlags::USE_POS] {
        for monitors in [0, 1, 2, 16] {
            let config = MonitorsConfig { flags, monitors: vec![monitor; monitors] };
            let layout = AgentLayout::default();
            let content = Message::MonitorsConfig(config.clone()).encode(layout).unwrap().to_bytes().to_vec();
            let counts = EDGES.into_iter().chain([monitors as u32 + 1, (monitors as u32).wrapping_sub(1)]);
            for count in counts.chain([monitors as u32, 0x0ccc_cccd, 0x1999_999a]) {
                let mut content = content.clone();
                content[..4].copy_from_slice(&count.to_le_bytes());
                let message = agent_message(
                    MessageType::MONITORS_CONFIG,
                    u32::try_from(content.len()).unwrap(),
                    &content,
                );
                for piece in [1, 3, 7, message.len()] {
                    let data = reassembled(&message, piece).unwrap();
                    let decoded = within_bounds(data.len(), count, || {
                        Message::decode(MessageType::MONITORS_CONFIG, &data, layout)
                    });
                    let expected = Ok(Message::MonitorsConfig(config.clone()));
                    assert_eq!(decoded.is_ok(), count as usize == monitors, "{count} of {monitors}");
                    assert!(decoded.is_err() || decoded == expected);
                }
            }
        }
    }
}

#[test]
fn cve_2017_7506_a_message_that_is_only_announced_takes_no_memory() {
    for size in EDGES {
        let message = agent_message(MessageType::MONITORS_CONFIG, size, &[0; 64]);
        let mut reassembler = Reassembler::new(1 << 20);
        let errs = within_bounds(message.len(), size, || {
            message.chunks(1).any(|piece| reassembler.read(&mut Bytes::copy_from_slice(piece)).is_err())
        });
        // What is behind a shorter message is the next one's header, and wrong, once it is whole.
        assert_eq!(errs, size > 1 << 20 || size <= 64 - 20, "{size}");
        // Off the device, a chunk that announces as much.
        let mut chunk = Vec::new();
        for word in [Port::CLIENT.0, size] {
            chunk.extend_from_slice(&word.to_le_bytes());
        }
        chunk.extend_from_slice(&[0; 100]);
        let mut reader = ChunkReader::default();
        within_bounds(chunk.len(), size, || {
            for piece in chunk.chunks(1) {
                if let Ok(Some(chunk)) = reader.read(&mut Bytes::copy_from_slice(piece)) {
                    assert!(chunk.data.len() <= MAX_CHUNK);
                }
            }
        });
    }
    assert_eq!(ChunkHeader::LEN, 8);
}

/// Calls `$check` with every message that there is, made up from these bytes: its table's decoder, its number, its body.
macro_rules! every_message {
    ($bytes:expr, $check:expr) => {
        every_message! { $bytes, $check;
            base::ServerMessage, base::ClientMessage, main::ServerMessage, main::ClientMessage,
            display::ServerMessage, display::ClientMessage, cursor::ServerMessage,
            inputs::ServerMessage, inputs::ClientMessage, playback::ServerMessage,
            record::ServerMessage, record::ClientMessage, smartcard::ServerMessage, smartcard::ClientMessage,
            vmc::ServerMessage, vmc::ClientMessage, port::ServerMessage, port::ClientMessage,
            stream_device::GuestMessage, stream_device::HostMessage,
        }
    };
    ($bytes:expr, $check:expr; $($message:ty,)*) => {$(
        for id in <$message>::IDS {
            let made_up = <$message>::arbitrary_with_id(*id, &mut Unstructured::new($bytes));
            let body = made_up.unwrap().encode().to_bytes();
            $check(stringify!($message), *id, &body, &|body: &Bytes| <$message>::decode(*id, body).is_ok());
        }
    )*};
}

/// Bytes that make up messages with short arrays and long ones.
fn sources() -> impl Iterator<Item = Vec<u8>> {
    (0..6_u32).map(|seed| {
        (0..160_u32)
            .map(|at| (at.wrapping_mul(2_654_435_761 ^ (seed * 77_777)) >> 24) as u8 & (0xff >> seed))
            .collect()
    })
}

/// Sizes of arrays were multiplied in 32 bits.
#[test]
fn cve_2017_12194_and_2018_10873_a_length_in_a_message_never_reaches_beyond_it() {
    let mut decoded = 0_u32;
    let mut check = |table: &str, id: u16, body: &Bytes, decode: &dyn Fn(&Bytes) -> bool| {
        for at in 0..body.len().min(160) {
            for edge in EDGES {
                for width in [1, 2, 4] {
                    let Some(field) = body.get(at..at + width) else { continue };
                    let edge = &edge.to_le_bytes()[..width];
                    if field == edge {
                        continue;
                    }
                    let mut body = body.to_vec();
                    body[at..at + width].copy_from_slice(edge);
                    let body = Bytes::from(body);
                    decoded += u32::from(within_bounds(body.len(), (table, id, at), || decode(&body)));
                }
            }
        }
    };
    for bytes in sources() {
        every_message!(&bytes, check);
    }
    assert!(decoded > 10_000, "{decoded}");
}

/// Arrays were read without a look at where the message ends.
#[test]
fn cve_2018_10873_a_message_that_is_cut_or_grown_is_no_message_or_another_one() {
    let check = |table: &str, id: u16, body: &Bytes, decode: &dyn Fn(&Bytes) -> bool| {
        assert!(decode(body), "{table} {id}");
        for short in 0..body.len() {
            within_bounds(body.len(), (table, id, short), || decode(&body.slice(..short)));
        }
        for more in [1, 2, 4, 8, 100] {
            let grown = Bytes::from([&body[..], &vec![0xff; more]].concat());
            within_bounds(grown.len(), (table, id, more), || decode(&grown));
        }
    };
    for bytes in sources() {
        every_message!(&bytes, check);
    }
}

/// What a packed piece says that it unpacks to is a number: nothing is made ready for it.
#[test]
fn requirement_the_unpacked_size_of_a_piece_allocates_nothing() {
    for size in EDGES {
        let body = Bytes::from([&[1][..], &size.to_le_bytes(), b"packed"].concat());
        let decoded = within_bounds(body.len(), size, || vmc::ClientMessage::decode(102, &body));
        let Ok(vmc::ClientMessage::CompressedData(CompressedData { uncompressed_size, data, .. })) = decoded
        else {
            panic!("{decoded:?}")
        };
        assert_eq!((uncompressed_size, &data[..]), (size, &b"packed"[..]));
    }
}
