//! The agent's protocol: messages in every layout, chunks in every cut.

use arbitrary::Unstructured;
use bytes::Bytes;
use proptest::prelude::*;
use spice_proto::agent::*;
use spice_proto::caps::{CapabilitySet, MAX_CAPABILITY_WORDS};
use spice_proto::{DecodeErrorKind, DeviceAddress};

const LAYOUTS: [AgentLayout; 4] = [
    AgentLayout { selection: false, grab_serial: false },
    AgentLayout { selection: true, grab_serial: false },
    AgentLayout { selection: false, grab_serial: true },
    AgentLayout { selection: true, grab_serial: true },
];

const PLAIN: AgentLayout = LAYOUTS[0];

/// Decodes the content, and checks that it goes back to the same bytes.
fn decode(message_type: MessageType, layout: AgentLayout, bytes: &'static [u8]) -> Message {
    let message = Message::decode(message_type, &Bytes::from_static(bytes), layout).unwrap();
    assert_eq!(message.message_type(), message_type);
    assert_eq!(message.encode(layout).unwrap().to_bytes(), bytes);
    message
}

fn refusal(message_type: MessageType, bytes: &[u8]) -> (&'static str, usize, DecodeErrorKind) {
    let error = Message::decode(message_type, &Bytes::copy_from_slice(bytes), PLAIN).unwrap_err();
    (error.field, error.offset, error.kind)
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The device's bytes of these messages, whole chunks of each port taking turns.
fn on_device(messages: &[(Port, MessageType, Bytes)]) -> Vec<u8> {
    let mut turns: Vec<_> = messages
        .iter()
        .map(|(port, message_type, data)| {
            ChunkSplitter::new(*message_type, 7, &data.clone().into()).on_port(*port)
        })
        .collect();
    let mut out = Vec::new();
    loop {
        let before = out.len();
        for turn in &mut turns {
            if let Some(chunk) = turn.next() {
                out.extend_from_slice(&chunk.to_bytes());
            }
        }
        if out.len() == before {
            return out;
        }
    }
}

/// What comes off the device when its bytes come in pieces of this length, in the order in which it becomes whole.
fn off_device(stream: &[u8], piece: usize) -> Vec<(Port, RawMessage)> {
    let mut reader = ChunkReader::default();
    let (mut client, mut server) = (Reassembler::new(1 << 20), Reassembler::new(1 << 20));
    let mut out = Vec::new();
    for piece in stream.chunks(piece) {
        let mut input = Bytes::copy_from_slice(piece);
        while let Some(mut chunk) = reader.read(&mut input).unwrap() {
            assert!((1..=MAX_CHUNK).contains(&chunk.data.len()));
            let of_port = if chunk.port == Port::CLIENT { &mut client } else { &mut server };
            while let Some(message) = of_port.read(&mut chunk.data).unwrap() {
                out.push((chunk.port, message));
            }
        }
        assert!(input.is_empty());
    }
    assert_eq!(reader.pending(), Pending::Header(&[]));
    assert_eq!((client.missing(), server.missing()), (None, None));
    out
}

#[test]
fn clipboard_messages_lie_as_the_capabilities_say() {
    use ClipboardSelection as Selection;
    let kinds = vec![ClipboardType::UTF8_TEXT, ClipboardType(0x100)];
    let grab =
        |selection, serial| Message::ClipboardGrab(ClipboardGrab { selection, serial, kinds: kinds.clone() });
    for (layout, bytes, expected) in [
        (LAYOUTS[0], &b"\x01\0\0\0\0\x01\0\0"[..], grab(Selection::CLIPBOARD, 0)),
        (LAYOUTS[1], b"\x01\0\0\0\x01\0\0\0\0\x01\0\0", grab(Selection::PRIMARY, 0)),
        (LAYOUTS[2], b"\x05\0\0\0\x01\0\0\0\0\x01\0\0", grab(Selection::CLIPBOARD, 5)),
        (LAYOUTS[3], b"\x02\0\0\0\x05\0\0\0\x01\0\0\0\0\x01\0\0", grab(Selection::SECONDARY, 5)),
    ] {
        assert_eq!(decode(MessageType::CLIPBOARD_GRAB, layout, bytes), expected);
    }
    let content = Clipboard {
        selection: Selection::PRIMARY,
        kind: ClipboardType::IMAGE_PNG,
        data: Bytes::from_static(b"png"),
    };
    let content = Message::Clipboard(content);
    assert_eq!(decode(MessageType::CLIPBOARD, LAYOUTS[1], b"\x01\0\0\0\x02\0\0\0png"), content);
    assert_eq!(content.encode(PLAIN), None);
    let request = ClipboardRequest { selection: Selection::CLIPBOARD, kind: ClipboardType::FILE_LIST };
    assert_eq!(
        decode(MessageType::CLIPBOARD_REQUEST, PLAIN, b"\x06\0\0\0"),
        Message::ClipboardRequest(request)
    );
    let release = |selection| Message::ClipboardRelease(ClipboardRelease { selection });
    assert_eq!(decode(MessageType::CLIPBOARD_RELEASE, PLAIN, b""), release(Selection::CLIPBOARD));
    assert_eq!(
        decode(MessageType::CLIPBOARD_RELEASE, LAYOUTS[3], b"\x09\0\0\0"),
        release(ClipboardSelection(9))
    );
    assert_eq!(release(Selection::SECONDARY).encode(LAYOUTS[2]), None);
}

#[test]
fn a_layout_is_what_both_ends_have_announced() {
    let all = CapabilitySet::new([AgentCap::CLIPBOARD_SELECTION.0, AgentCap::CLIPBOARD_GRAB_SERIAL.0]);
    let one = CapabilitySet::new([AgentCap::CLIPBOARD_SELECTION.0]);
    assert_eq!(AgentLayout::agreed(&all, &all), LAYOUTS[3]);
    assert_eq!(AgentLayout::agreed(&all, &one), LAYOUTS[1]);
    assert_eq!(AgentLayout::agreed(&one, &all), LAYOUTS[1]);
    assert_eq!(AgentLayout::agreed(&CapabilitySet::default(), &all), PLAIN);
}

#[test]
fn the_other_messages_lie_as_their_structures() {
    let mouse = MouseState { x: 1, y: 2, buttons: AgentButtons::LEFT | AgentButtons::EXTRA, display_id: 3 };
    assert_eq!(
        decode(MessageType::MOUSE_STATE, PLAIN, b"\x01\0\0\0\x02\0\0\0\x82\0\0\0\x03"),
        Message::MouseState(mouse)
    );
    let monitor = Monitor {
        height: 600,
        width: 800,
        depth: 32,
        x: -1,
        y: 2,
        physical_size: PhysicalSize { height: 3, width: 4 },
    };
    let flags = MonitorsFlags::USE_POS | MonitorsFlags::PHYSICAL_SIZE;
    let bytes = b"\x02\0\0\0\x03\0\0\0\
        \x58\x02\0\0\x20\x03\0\0\x20\0\0\0\xff\xff\xff\xff\x02\0\0\0\
        \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
        \x03\0\x04\0\0\0\0\0";
    assert_eq!(
        decode(MessageType::MONITORS_CONFIG, PLAIN, bytes),
        Message::MonitorsConfig(MonitorsConfig { flags, monitors: vec![monitor, Monitor::default()] })
    );
    assert_eq!(
        decode(MessageType::REPLY, PLAIN, b"\x02\0\0\0\x01\0\0\0"),
        Message::Reply(Reply { message_type: MessageType::MONITORS_CONFIG, error: ReplyError::SUCCESS })
    );
    assert_eq!(
        decode(MessageType::DISPLAY_CONFIG, PLAIN, b"\x09\0\0\0\x10\0\0\0"),
        Message::DisplayConfig(DisplayConfig {
            flags: DisplayConfigFlags::DISABLE_WALLPAPER | DisplayConfigFlags::SET_COLOR_DEPTH,
            depth: 16
        })
    );
    let announced = decode(MessageType::ANNOUNCE_CAPABILITIES, PLAIN, b"\x01\0\0\0\x60\0\x02\0");
    let Message::AnnounceCapabilities(announced) = announced else { unreachable!() };
    assert_eq!(announced.request, 1);
    for cap in [AgentCap::CLIPBOARD_BY_DEMAND, AgentCap::CLIPBOARD_SELECTION, AgentCap::CLIPBOARD_GRAB_SERIAL]
    {
        assert!(announced.caps.contains(cap), "{cap}");
    }
    assert!(!announced.caps.contains(AgentCap::CLIPBOARD));
    assert_eq!(
        decode(MessageType::MAX_CLIPBOARD, PLAIN, b"\xff\xff\xff\xff"),
        Message::MaxClipboard(MaxClipboard { max: -1 })
    );
    assert_eq!(
        decode(MessageType::AUDIO_VOLUME_SYNC, PLAIN, b"\x01\0\x02\x34\x12\xff\xff"),
        Message::AudioVolumeSync(AudioVolumeSync { is_playback: 1, mute: 0, volume: vec![0x1234, u16::MAX] })
    );
    assert_eq!(decode(MessageType::CLIENT_DISCONNECTED, PLAIN, b""), Message::ClientDisconnected);
    let info = DeviceDisplayInfo {
        channel_id: 1,
        monitor_id: 2,
        device_display_id: 3,
        device_address: DeviceAddress(Bytes::from_static(b"pci/0000/02.0")),
    };
    let bytes = b"\x01\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x0e\0\0\0pci/0000/02.0\0";
    assert_eq!(
        decode(MessageType::GRAPHICS_DEVICE_INFO, PLAIN, bytes),
        Message::GraphicsDeviceInfo(GraphicsDeviceInfo(vec![info]))
    );
}

#[test]
fn file_transfer_messages_lie_as_their_structures() {
    let data = Bytes::from_static(b"content");
    assert_eq!(
        decode(MessageType::FILE_XFER_START, PLAIN, b"\x04\0\0\0content"),
        Message::FileXferStart(FileXferStart { id: 4, data: data.clone() })
    );
    assert_eq!(
        decode(MessageType::FILE_XFER_DATA, PLAIN, b"\x04\0\0\0\x07\0\0\0\0\0\0\0content"),
        Message::FileXferData(FileXferData { id: 4, data })
    );
    let status = |result, detail| Message::FileXferStatus(FileXferStatus { id: 4, result, detail });
    for (bytes, expected) in [
        (&b"\x04\0\0\0\0\0\0\0"[..], status(FileXferResult::CAN_SEND_DATA, FileXferDetail::None)),
        (
            b"\x04\0\0\0\x02\0\0\0\0\x0d\0\0\0",
            status(
                FileXferResult::ERROR,
                FileXferDetail::Error { kind: FileXferErrorKind::GLIB_IO, code: 13 },
            ),
        ),
        (
            b"\x04\0\0\0\x04\0\0\0\0\0\0\0\x01\0\0\0",
            status(
                FileXferResult::NOT_ENOUGH_SPACE,
                FileXferDetail::NotEnoughSpace { disk_free_space: 1 << 32 },
            ),
        ),
        (
            b"\x04\0\0\0\x09\0\0\0??",
            status(FileXferResult(9), FileXferDetail::Other(Bytes::from_static(b"??"))),
        ),
    ] {
        assert_eq!(decode(MessageType::FILE_XFER_STATUS, PLAIN, bytes), expected);
    }
}

#[test]
fn numbers_without_a_name_survive_and_print() {
    assert_eq!(MessageType::FILE_XFER_DATA.to_string(), "FILE_XFER_DATA");
    assert_eq!(MessageType(99).to_string(), "99");
    assert_eq!(AgentCap(40).to_string(), "40");
    assert_eq!(format!("{:?}", FileXferResult(8)), "FileXferResult(8)");
    let error = Message::decode(MessageType(99), &Bytes::new(), PLAIN).unwrap_err();
    assert_eq!(error.to_string(), "agent.type at 0: value 99 is not allowed");
}

#[test]
fn counts_and_lengths_that_do_not_fit_are_refused_before_anything_is_allocated() {
    for count in [3, 1 << 20, 1 << 28, 1 << 31, u32::MAX] {
        for flags in [0, 2] {
            let body = [words(&[count, flags]), vec![0; 40]].concat();
            let (field, offset, kind) = refusal(MessageType::MONITORS_CONFIG, &body);
            assert_eq!((field, offset), ("monitors", 8));
            assert!(matches!(kind, DecodeErrorKind::Truncated { .. }));
        }
        let body = [words(&[count]), vec![0; 50]].concat();
        let (field, offset, _) = refusal(MessageType::GRAPHICS_DEVICE_INFO, &body);
        assert_eq!((field, offset), ("display_info", 4));
    }
    let (field, offset, kind) =
        refusal(MessageType::MONITORS_CONFIG, &[words(&[1, 2]), vec![0; 20]].concat());
    assert_eq!((field, offset, kind), ("physical_sizes", 28, DecodeErrorKind::Truncated { missing: 4 }));
    let (field, _, kind) = refusal(MessageType::AUDIO_VOLUME_SYNC, &[1, 0, 255, 0, 0]);
    assert_eq!((field, kind), ("volume", DecodeErrorKind::Truncated { missing: 508 }));

    let address = |len| refusal(MessageType::GRAPHICS_DEVICE_INFO, &words(&[1, 0, 0, 0, len, 0]));
    let value = DecodeErrorKind::Value { value: 0 };
    assert_eq!(address(0), ("device_address_len", 16, value));
    for len in [6, 1 << 20, u32::MAX] {
        assert!(matches!(address(len), ("device_address", _, DecodeErrorKind::Truncated { .. })));
    }

    let xfer = |size: u64| {
        let body = [&words(&[1])[..], &size.to_le_bytes(), b"abc"].concat();
        refusal(MessageType::FILE_XFER_DATA, &body)
    };
    assert_eq!(xfer(2), ("size", 4, DecodeErrorKind::Trailing { left: 1 }));
    assert_eq!(xfer(4), ("size", 4, DecodeErrorKind::Truncated { missing: 1 }));
    assert!(matches!(xfer(u64::MAX), ("size", 4, DecodeErrorKind::Truncated { .. })));

    let caps = |count: u32| vec![0; count as usize * 4 + 4];
    let most = Message::decode(MessageType::ANNOUNCE_CAPABILITIES, &caps(MAX_CAPABILITY_WORDS).into(), PLAIN);
    assert!(most.is_ok());
    let (field, _, kind) = refusal(MessageType::ANNOUNCE_CAPABILITIES, &caps(MAX_CAPABILITY_WORDS + 1));
    assert_eq!((field, kind), ("caps", DecodeErrorKind::TooMany { count: 65, max: 64 }));
}

#[test]
fn pieces_are_full_but_the_last_and_a_large_content_is_not_copied() {
    for len in [0, 1, 2027, 2028, 2029, 4076, 4077, 10_000] {
        let content = Bytes::from(vec![0x5a; len]);
        let splitter = ChunkSplitter::new(MessageType::FILE_XFER_DATA, 0, &content.clone().into());
        let count = splitter.len();
        let pieces: Vec<Bytes> = splitter.collect();
        assert_eq!(pieces.len(), count);
        assert_eq!(pieces.concat().len(), MessageHeader::LEN + len);
        let (last, full) = pieces.split_last().unwrap();
        assert!(full.iter().all(|piece| piece.len() == MAX_CHUNK));
        assert!((1..=MAX_CHUNK).contains(&last.len()));
        for piece in pieces.iter().skip(1) {
            assert!(content.as_ptr_range().contains(&piece.as_ptr()), "copied of {len}");
        }
        let header = MessageHeader::decode(&pieces[0]).unwrap();
        assert_eq!((header.protocol, header.size as usize), (PROTOCOL, len));
    }
}

#[test]
fn messages_come_whole_off_a_device_that_gives_one_byte_at_a_time() {
    let content = |len: usize, fill: u8| Bytes::from(vec![fill; len]);
    let messages = [
        (Port::CLIENT, MessageType::CLIPBOARD, content(5000, 1)),
        (Port::SERVER, MessageType::MOUSE_STATE, content(13, 2)),
        (Port::CLIENT, MessageType::CLIENT_DISCONNECTED, content(0, 3)),
    ];
    let stream = [on_device(&messages[..2]), on_device(&messages[2..])].concat();
    let whole = off_device(&stream, stream.len());
    let found: Vec<_> =
        whole.iter().map(|(port, message)| (*port, message.message_type, message.data.clone())).collect();
    assert_eq!(found, [messages[1].clone(), messages[0].clone(), messages[2].clone()]);
    assert!(whole.iter().all(|(_, message)| message.opaque == 7));
    for piece in [1, 2, 7, 8, 9, 2047, 2048, 2049] {
        assert_eq!(off_device(&stream, piece), whole, "in pieces of {piece}");
    }
}

#[test]
fn a_long_chunk_comes_in_pieces_and_an_empty_one_not_at_all() {
    let mut stream = words(&[Port::CLIENT.0, 0, Port::SERVER.0, 5000]);
    stream.extend((0..5000_u32).map(|byte| byte.to_le_bytes()[0]));
    let mut input = Bytes::from(stream.clone());
    let mut reader = ChunkReader::default();
    let mut pieces = Vec::new();
    while let Some(chunk) = reader.read(&mut input).unwrap() {
        assert_eq!(chunk.port, Port::SERVER);
        pieces.push(chunk.data);
    }
    assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [2048, 2048, 904]);
    assert_eq!(pieces.concat(), &stream[16..]);
}

#[test]
fn what_a_reader_has_kept_lets_another_go_on() {
    let stream = on_device(&[
        (Port::CLIENT, MessageType::CLIPBOARD, Bytes::from(vec![1; 3000])),
        (Port::SERVER, MessageType::REPLY, Bytes::from(vec![2; 8])),
    ]);
    let read = |reader: &mut ChunkReader, bytes: &[u8]| {
        let mut input = Bytes::copy_from_slice(bytes);
        let mut out = Vec::new();
        while let Some(chunk) = reader.read(&mut input).unwrap() {
            out.push(chunk);
        }
        out
    };
    let whole = read(&mut ChunkReader::default(), &stream);
    for cut in 0..stream.len() {
        let (first, second) = stream.split_at(cut);
        let mut before = ChunkReader::default();
        let mut out = read(&mut before, first);
        let mut after = ChunkReader::default();
        let moved = match before.pending() {
            Pending::Header(bytes) => bytes.to_vec(),
            Pending::Piece { port, left, data } => {
                assert!(data.len() < MAX_CHUNK && data.len() < left as usize);
                [&words(&[port.0, left]), data].concat()
            }
        };
        assert_eq!(read(&mut after, &moved), []);
        out.extend(read(&mut after, second));
        assert_eq!(out, whole, "handed over at {cut}");
    }
}

#[test]
fn a_reader_that_lost_its_synchronization_stays_lost() {
    for port in [0, 3, u32::MAX] {
        let mut reader = ChunkReader::default();
        let error = reader.read(&mut words(&[port, 1, 0]).into()).unwrap_err();
        assert_eq!((error.field, error.kind), ("port", DecodeErrorKind::Value { value: port.into() }));
        assert_eq!(reader.read(&mut words(&[1, 4, 0]).into()), Err(error));
    }
    let header = |protocol, size| words(&[protocol, 4, 0, 0, size]);
    for (protocol, size, field) in
        [(0, 0, "protocol"), (2, 0, "protocol"), (1, 101, "size"), (1, u32::MAX, "size")]
    {
        let mut reassembler = Reassembler::new(100);
        let error = reassembler.read(&mut header(protocol, size).into()).unwrap_err();
        assert_eq!(error.field, field);
        assert_eq!(reassembler.read(&mut header(1, 0).into()), Err(error));
    }
}

#[test]
fn a_message_that_is_only_announced_takes_no_memory() {
    let mut reassembler = Reassembler::new(u32::MAX);
    let mut reader = ChunkReader::default();
    let used = allocation_counter::measure(|| {
        let mut input = Bytes::from(words(&[1, 4, 0, 0, u32::MAX]));
        assert_eq!(reassembler.read(&mut input), Ok(None));
        assert_eq!(reassembler.missing(), Some(u32::MAX as usize));
        assert_eq!(reassembler.read(&mut Bytes::from_static(b"abc")), Ok(None));
        assert_eq!(reader.read(&mut [words(&[1, u32::MAX]), vec![1, 2, 3]].concat().into()), Ok(None));
    });
    assert!(used.bytes_max < 1024, "{used:?}");
    assert_eq!(reassembler.missing(), Some(u32::MAX as usize - 3));
}

#[test]
fn a_message_in_one_piece_is_not_copied() {
    let bytes = Bytes::from([words(&[1, 4, 0, 0, 2000]), vec![9; 2000]].concat());
    let message = Reassembler::new(2000).read(&mut bytes.clone()).unwrap().unwrap();
    assert!(bytes.as_ptr_range().contains(&message.data.as_ptr()));
}

proptest! {
    #[test]
    fn every_message_comes_back_in_every_layout(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for layout in LAYOUTS {
            for message_type in Message::TYPES {
                let mut source = Unstructured::new(&bytes);
                let message = Message::arbitrary_with_type(*message_type, layout, &mut source).unwrap();
                prop_assert_eq!(message.message_type(), *message_type);
                let body = message.encode(layout).unwrap().to_bytes();
                let decoded = Message::decode(*message_type, &body, layout);
                prop_assert_eq!(decoded.as_ref(), Ok(&message));
                for short in 0..body.len() {
                    if let Ok(cut) = Message::decode(*message_type, &body.slice(..short), layout) {
                        prop_assert_ne!(&cut, &message, "cut to {} of {}", short, body.len());
                    }
                }
            }
        }
    }

    #[test]
    fn random_content_never_panics_and_what_decodes_comes_back(
        bytes in prop::collection::vec(prop_oneof![0..4_u8, any::<u8>()], 0..100),
    ) {
        let body = Bytes::from(bytes);
        for layout in LAYOUTS {
            for message_type in (0..=20).map(MessageType) {
                if let Ok(message) = Message::decode(message_type, &body, layout) {
                    let again = Message::decode(message_type, &message.encode(layout).unwrap().to_bytes(), layout);
                    prop_assert_eq!(again, Ok(message));
                }
            }
        }
    }

    #[test]
    fn chunks_do_not_depend_on_the_cuts(
        lens in prop::collection::vec((1..=2_u32, 0..6000_usize), 0..4),
        piece in 1..3000_usize,
    ) {
        let messages: Vec<_> = lens
            .iter()
            .map(|(port, len)| (Port(*port), MessageType::CLIPBOARD, Bytes::from(vec![0xa5; *len])))
            .collect();
        let stream: Vec<u8> =
            messages.iter().flat_map(|message| on_device(std::slice::from_ref(message))).collect();
        let found: Vec<_> = off_device(&stream, piece)
            .into_iter()
            .map(|(port, message)| (port, message.message_type, message.data))
            .collect();
        prop_assert_eq!(found, messages);
    }
}
