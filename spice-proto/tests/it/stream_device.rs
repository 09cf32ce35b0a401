//! The stream device: messages and frames, both ways.

use arbitrary::Unstructured;
use bytes::Bytes;
use proptest::prelude::*;
use spice_proto::cursor::CursorType;
use spice_proto::display::VideoCodec;
use spice_proto::stream_device::*;
use spice_proto::{DecodeErrorKind, DeviceAddress};

fn header(id: u16, size: u32) -> Vec<u8> {
    [&[1, 0][..], &id.to_le_bytes(), &size.to_le_bytes()].concat()
}

/// All frames of a stream that comes in pieces of this length.
fn frames(sender: Sender, stream: &[u8], piece: usize) -> Vec<Frame> {
    let mut decoder = FrameDecoder::new(sender);
    let mut out = Vec::new();
    for piece in stream.chunks(piece) {
        let mut input = Bytes::copy_from_slice(piece);
        while let Some(frame) = decoder.read(&mut input).unwrap() {
            out.push(frame);
        }
        assert!(input.is_empty());
    }
    out
}

fn guest_messages() -> Vec<(&'static [u8], GuestMessage)> {
    let address = DeviceAddress(Bytes::from_static(b"pci/0000/02.0"));
    let cursor = CursorSet {
        width: 2,
        height: 1,
        hot_spot_x: 1,
        hot_spot_y: 0,
        kind: CursorType::ALPHA,
        data: Bytes::from_static(b"12345678"),
    };
    vec![
        (
            b"\x01\0\x01\0\x01\0\0\0\x01",
            GuestMessage::Capabilities(StreamCapabilities::new([StreamCap::QUALITY_INDICATOR])),
        ),
        (
            b"\x01\0\x02\0\x0c\0\0\0\x80\x02\0\0\xe0\x01\0\0\x03\0\0\0",
            GuestMessage::Format(StreamFormat { width: 640, height: 480, codec: VideoCodec(3) }),
        ),
        (b"\x01\0\x03\0\x05\0\0\0video", GuestMessage::Data(Bytes::from_static(b"video"))),
        (b"\x01\0\x06\0\x14\0\0\0\x02\0\x01\0\x01\0\0\0\0\0\0\x0012345678", GuestMessage::CursorSet(cursor)),
        (
            b"\x01\0\x07\0\x08\0\0\0\x03\0\0\0\xff\xff\xff\xff",
            GuestMessage::CursorMove(StreamMove { x: 3, y: -1 }),
        ),
        (
            b"\x01\0\x08\0\x1a\0\0\0\x01\0\0\0\x02\0\0\0\x0e\0\0\0pci/0000/02.0\0",
            GuestMessage::DeviceDisplayInfo(StreamDisplayInfo {
                stream_id: 1,
                device_display_id: 2,
                device_address: address,
            }),
        ),
        (b"\x01\0\x09\0\x03\0\0\x0050\0", GuestMessage::QualityIndicator(Bytes::from_static(b"50\0"))),
    ]
}

fn host_messages() -> Vec<(&'static [u8], HostMessage)> {
    let error = NotifyError { error_code: 0, msg: Bytes::from_static(b"no\0") };
    vec![
        (b"\x01\0\x01\0\0\0\0\0", HostMessage::Capabilities(StreamCapabilities::default())),
        (
            b"\x01\0\x04\0\x03\0\0\0\x02\x01\x03",
            HostMessage::StartStop(StartStop(vec![VideoCodec(1), VideoCodec(3)])),
        ),
        (b"\x01\0\x04\0\x01\0\0\0\0", HostMessage::StartStop(StartStop::default())),
        (b"\x01\0\x05\0\x07\0\0\0\0\0\0\0no\0", HostMessage::NotifyError(error)),
    ]
}

macro_rules! check_frames {
    ($sender:expr, $message:ident, $samples:expr) => {{
        let samples = $samples;
        for (bytes, message) in &samples {
            assert_eq!(message.to_frame().to_bytes(), bytes);
        }
        let stream: Vec<u8> = samples.iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect();
        let whole = frames($sender, &stream, stream.len());
        let found: Vec<_> =
            whole.iter().map(|frame| $message::decode(frame.id, &frame.body).unwrap()).collect();
        assert_eq!(found, samples.into_iter().map(|(_, message)| message).collect::<Vec<_>>());
        for piece in [1, 2, 7, 8, 9, 20] {
            assert_eq!(frames($sender, &stream, piece), whole, "in pieces of {piece}");
        }
    }};
}

#[test]
fn frames_lie_as_their_structures_and_come_whole_from_one_byte_at_a_time() {
    check_frames!(Sender::Guest, GuestMessage, guest_messages());
    check_frames!(Sender::Host, HostMessage, host_messages());
}

#[test]
fn capabilities_are_bits_lowest_first() {
    let caps = StreamCapabilities::new([StreamCap(0), StreamCap(9), StreamCap(8191), StreamCap(8192)]);
    assert_eq!((caps.0.len(), &caps.0[..2]), (StreamCapabilities::MAX_LEN, &[1, 2][..]));
    for (cap, there) in [(0, true), (1, false), (9, true), (8191, true), (8192, false), (u32::MAX, false)] {
        assert_eq!(caps.contains(StreamCap(cap)), there, "{cap}");
    }
}

#[test]
fn a_size_that_a_message_cannot_have_ends_the_stream_at_its_header() {
    let read = |sender, bytes: Vec<u8>| FrameDecoder::new(sender).read(&mut bytes.into());
    let cursor = 12 + (1024 * 4 + 128) * 1024;
    for (sender, id, most) in [
        (Sender::Guest, 1, 1024),
        (Sender::Guest, 2, 12),
        (Sender::Guest, 3, 32 << 20),
        (Sender::Guest, 6, cursor),
        (Sender::Guest, 7, 8),
        (Sender::Guest, 8, 12 + 256),
        (Sender::Guest, 9, 1024),
        (Sender::Host, 1, 1024),
        (Sender::Host, 4, 256),
        (Sender::Host, 5, 1028),
    ] {
        assert_eq!(read(sender, header(id, most)), Ok(None), "{id}");
        for size in [most + 1, u32::MAX] {
            let error = read(sender, header(id, size)).unwrap_err();
            let kind = DecodeErrorKind::TooMany { count: size.into(), max: most.into() };
            assert_eq!((error.field, error.offset, error.kind), ("size", 4, kind));
        }
    }
    for (sender, id, least) in [
        (Sender::Guest, 2, 12),
        (Sender::Guest, 6, 12),
        (Sender::Guest, 7, 8),
        (Sender::Guest, 8, 12),
        (Sender::Host, 4, 1),
        (Sender::Host, 5, 4),
    ] {
        let error = read(sender, header(id, least - 1)).unwrap_err();
        assert_eq!((error.field, error.kind), ("size", DecodeErrorKind::Truncated { missing: 1 }));
    }
    for (sender, ids) in
        [(Sender::Guest, &[0, 4, 5, 10, u16::MAX][..]), (Sender::Host, &[0, 2, 3, 6, 7, 8, 9, 10])]
    {
        for id in ids {
            let error = read(sender, header(*id, 0)).unwrap_err();
            assert_eq!((error.field, error.kind), ("type", DecodeErrorKind::Unknown { id: *id }));
        }
    }
}

#[test]
fn a_decoder_that_has_failed_says_so_again() {
    for version in [0, 2, 255] {
        let mut decoder = FrameDecoder::new(Sender::Guest);
        let error = decoder.read(&mut vec![version, 0, 3, 0, 0, 0, 0, 0].into()).unwrap_err();
        let kind = DecodeErrorKind::Value { value: version.into() };
        assert_eq!((error.field, error.kind), ("protocol_version", kind));
        assert_eq!(decoder.read(&mut header(3, 0).into()), Err(error));
    }
}

#[test]
fn a_frame_that_is_only_announced_takes_no_memory() {
    let used = allocation_counter::measure(|| {
        let mut decoder = FrameDecoder::new(Sender::Guest);
        assert_eq!(decoder.read(&mut header(3, 32 << 20).into()), Ok(None));
        assert_eq!(decoder.read(&mut Bytes::from_static(b"abc")), Ok(None));
    });
    assert!(used.bytes_max < 1024, "{used:?}");
}

#[test]
fn a_frame_that_comes_at_once_is_not_copied() {
    let bytes = GuestMessage::Data(vec![7; 100_000].into()).to_frame();
    assert_eq!(bytes.pieces().len(), 2);
    let bytes = bytes.to_bytes();
    let frame = FrameDecoder::new(Sender::Guest).read(&mut bytes.clone()).unwrap().unwrap();
    let GuestMessage::Data(data) = GuestMessage::decode(frame.id, &frame.body).unwrap() else {
        unreachable!()
    };
    assert_eq!(data.as_ptr(), bytes[FrameHeader::LEN..].as_ptr());
}

#[test]
fn a_pointer_shape_is_as_large_as_its_kind_and_sides_say() {
    let shape = |width: u16, height: u16, kind: u8, len: usize| {
        let sides = [width, height, 0, 0].map(u16::to_le_bytes).concat();
        GuestMessage::decode(6, &[&sides[..], &[kind, 0, 0, 0], &vec![1; len]].concat().into())
    };
    let (alpha, color24, color32) = (CursorType::ALPHA.0, CursorType::COLOR24.0, CursorType::COLOR32.0);
    for (width, height, kind, len) in [
        (3, 3, alpha, 36),
        (3, 3, color24, 29),
        (3, 3, color32, 38),
        (0, 7, alpha, 0),
        (1024, 1024, color32, 1024 * 1024 * 33 / 8),
    ] {
        let Ok(GuestMessage::CursorSet(cursor)) = shape(width, height, kind, len) else { unreachable!() };
        assert_eq!(CursorSet::data_len(cursor.kind, width, height), Some(len));
        assert_eq!(cursor.data.len(), len);
        assert_eq!(shape(width, height, kind, len + 5), Ok(GuestMessage::CursorSet(cursor)));
        if let Some(short) = len.checked_sub(1) {
            let error = shape(width, height, kind, short).unwrap_err();
            assert_eq!((error.field, error.kind), ("data", DecodeErrorKind::Truncated { missing: 1 }));
        }
    }
    for (width, height, field) in [(1025, 0, "width"), (0, 1025, "height"), (u16::MAX, u16::MAX, "width")] {
        let error = shape(width, height, alpha, 0).unwrap_err();
        assert_eq!(error.field, field);
        assert!(matches!(error.kind, DecodeErrorKind::TooMany { max: 1024, .. }));
    }
    for kind in (0..=u8::MAX).filter(|kind| ![alpha, color24, color32].contains(kind)) {
        let error = shape(1, 1, kind, 8).unwrap_err();
        assert_eq!((error.field, error.kind), ("type", DecodeErrorKind::Value { value: kind.into() }));
    }
}

#[test]
fn counts_and_lengths_that_do_not_fit_are_refused() {
    let error = HostMessage::decode(4, &Bytes::from_static(&[255, 1, 2])).unwrap_err();
    assert_eq!((error.field, error.kind), ("codecs", DecodeErrorKind::Truncated { missing: 253 }));
    let error = HostMessage::decode(4, &Bytes::from_static(&[1, 1, 2])).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::Trailing { left: 1 });
    let error = GuestMessage::decode(1, &vec![0; 1025].into()).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooMany { count: 1025, max: 1024 });
    let info = |len: u32| {
        let body = [0, 0, len, 0].map(u32::to_le_bytes).concat();
        GuestMessage::decode(8, &body.into()).unwrap_err().field
    };
    assert_eq!(info(0), "device_address_len");
    assert_eq!(
        (info(5), info(1 << 31), info(u32::MAX)),
        ("device_address", "device_address", "device_address")
    );
}

/// For each table: every number comes back, in a frame of possible size, and no truncation is taken for the whole.
macro_rules! check_tables {
    ($bytes:expr; $($sender:expr => $message:ty),* $(,)?) => {$(
        for id in <$message>::IDS {
            let message = <$message>::arbitrary_with_id(*id, &mut Unstructured::new($bytes)).unwrap();
            let frame = message.to_frame().to_bytes();
            for short in 0..frame.len() {
                let cut = FrameDecoder::new($sender).read(&mut frame.slice(..short));
                prop_assert_eq!(cut, Ok(None));
            }
            let whole = FrameDecoder::new($sender).read(&mut frame.clone()).unwrap().unwrap();
            prop_assert_eq!((whole.id, whole.body.len()), (*id, frame.len() - FrameHeader::LEN));
            let decoded = <$message>::decode(*id, &whole.body);
            prop_assert_eq!(decoded.as_ref(), Ok(&message));
            for short in 0..whole.body.len() {
                if let Ok(cut) = <$message>::decode(*id, &whole.body.slice(..short)) {
                    prop_assert_ne!(&cut, &message, "cut to {} of {}", short, whole.body.len());
                }
            }
        }
    )*};
}

proptest! {
    #[test]
    fn every_message_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check_tables! { &bytes; Sender::Guest => GuestMessage, Sender::Host => HostMessage }
    }

    #[test]
    fn random_messages_never_panic_and_what_decodes_comes_back(
        bytes in prop::collection::vec(prop_oneof![0..4_u8, any::<u8>()], 0..80),
    ) {
        let body = Bytes::from(bytes);
        for id in 0..=12 {
            if let Ok(message) = GuestMessage::decode(id, &body) {
                prop_assert_eq!(GuestMessage::decode(id, &message.encode().to_bytes()), Ok(message));
            }
            if let Ok(message) = HostMessage::decode(id, &body) {
                prop_assert_eq!(HostMessage::decode(id, &message.encode().to_bytes()), Ok(message));
            }
        }
    }

    #[test]
    fn random_streams_end_or_fail_the_same_in_any_cut(
        bytes in prop::collection::vec(0..10_u8, 0..200),
        piece in 1..20_usize,
    ) {
        let read = |piece| {
            let mut decoder = FrameDecoder::new(Sender::Guest);
            let mut out = Vec::new();
            for piece in bytes.chunks(piece) {
                let mut input = Bytes::copy_from_slice(piece);
                loop {
                    match decoder.read(&mut input) {
                        Ok(Some(frame)) => out.push(frame),
                        Ok(None) => break,
                        Err(error) => return (out, Some(error)),
                    }
                }
            }
            (out, None)
        };
        prop_assert_eq!(read(piece), read(bytes.len().max(1)));
    }
}
