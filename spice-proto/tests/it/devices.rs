//! Smartcards, USB and ports.

use bytes::Bytes;
use proptest::prelude::*;
use spice_proto::smartcard::{
    ErrorCode, MAX_DEVICE_PAYLOAD, Payload, ReaderId, VERSION, VscMessage, VscType,
};
use spice_proto::{DecodeErrorKind, port, smartcard, tunnel, vmc};

use crate::hex::hex;
use crate::layout::check_layout;

fn vsc(reader: u32, payload: Payload) -> VscMessage {
    VscMessage { reader_id: ReaderId(reader), payload }
}

#[test]
fn smartcard_messages_have_a_little_endian_header_on_the_channel() {
    use smartcard::{ClientMessage, ServerMessage};
    let init = smartcard::Init { version: VERSION, capabilities: vec![0] };
    let other = Payload::Other { kind: VscType(77), data: Bytes::from_static(&[1]) };
    check_layout! { ClientMessage:
        101 "03000000 ffffffff 03000000 616263" => ClientMessage::Data(VscMessage {
            reader_id: ReaderId::UNDEFINED,
            payload: Payload::ReaderAdd(Bytes::from_static(b"abc")),
        });
        101 "05000000 01000000 02000000 3b00" =>
            ClientMessage::Data(vsc(1, Payload::Atr(Bytes::from_static(&[0x3b, 0]))));
        101 "07000000 01000000 02000000 9000" =>
            ClientMessage::Data(vsc(1, Payload::Apdu(Bytes::from_static(&[0x90, 0]))));
        101 "06000000 01000000 00000000" => ClientMessage::Data(vsc(1, Payload::CardRemove));
        101 "04000000 01000000 00000000" => ClientMessage::Data(vsc(1, Payload::ReaderRemove));
        101 "09000000 01000000 00000000" => ClientMessage::Data(vsc(1, Payload::FlushComplete));
        101 "01000000 ffffffff 0c000000 56534344 00000002 00000000" =>
            ClientMessage::Data(VscMessage { reader_id: ReaderId::UNDEFINED, payload: Payload::Init(init) });
        101 "4d000000 00000000 01000000 01" => ClientMessage::Data(vsc(0, other));
    }
    check_layout! { ServerMessage:
        101 "02000000 00000000 04000000 02000000" =>
            ServerMessage::Data(vsc(0, Payload::Error(ErrorCode::CANNOT_ADD_MORE_READERS)));
        101 "08000000 00000000 00000000" => ServerMessage::Data(vsc(0, Payload::Flush));
    }
}

#[test]
fn smartcard_payloads_that_their_type_cannot_have_are_refused() {
    let decode =
        |digits: &str| smartcard::ClientMessage::decode(101, &hex(&digits.replace(' ', ""))).unwrap_err();
    for (digits, kind) in [
        ("04000000 00000000 01000000 00", DecodeErrorKind::Trailing { left: 1 }),
        ("02000000 00000000 03000000 000000", DecodeErrorKind::Truncated { missing: 1 }),
        ("02000000 00000000 05000000 0000000000", DecodeErrorKind::Trailing { left: 1 }),
        ("01000000 00000000 04000000 56534344", DecodeErrorKind::Truncated { missing: 4 }),
        ("01000000 00000000 08000000 44435356 00000002", DecodeErrorKind::Value { value: 0x5653_4344 }),
        ("01000000 00000000 09000000 56534344 00000002 00", DecodeErrorKind::Trailing { left: 1 }),
        ("07000000 00000000 ffffffff 00", DecodeErrorKind::Truncated { missing: 0xffff_fffe }),
    ] {
        let error = decode(digits);
        assert_eq!((error.field, error.kind), ("data", kind), "{digits}");
    }
}

#[test]
fn a_smartcard_device_has_a_big_endian_header_and_writes_in_pieces() {
    let command = vsc(0, Payload::Apdu(Bytes::from_static(&[0, 0xa4, 4, 0])));
    let answer = vsc(0, Payload::Error(ErrorCode(0x0100_0000)));
    let mut device = Vec::new();
    command.encode_for_device(&mut device);
    assert_eq!(device, hex("000000070000000000000004 00a40400".replace(' ', "").as_str()));
    let first = device.len();
    answer.encode_for_device(&mut device);
    let device = Bytes::from(device);
    for short in 0..first {
        assert_eq!(VscMessage::decode_from_device(&device.slice(..short)), Ok(None));
    }
    assert_eq!(VscMessage::decode_from_device(&device), Ok(Some((command, first))));
    let rest = device.slice(first..);
    assert_eq!(VscMessage::decode_from_device(&rest), Ok(Some((answer, 16))));

    let mut endless = hex("0000000700000000").to_vec();
    endless.extend_from_slice(&(MAX_DEVICE_PAYLOAD + 1).to_be_bytes());
    let error = VscMessage::decode_from_device(&endless.into()).unwrap_err();
    assert!(matches!(error.kind, DecodeErrorKind::TooMany { .. }), "{error}");
}

#[test]
fn stream_pieces_may_be_packed() {
    use vmc::{ClientMessage, CompressedData, DataCompression, ServerMessage};
    let packed = |compression, size, data| CompressedData {
        compression,
        uncompressed_size: size,
        data: Bytes::from_static(data),
    };
    check_layout! { ServerMessage:
        101 "010203" => ServerMessage::Data(Bytes::from_static(&[1, 2, 3]));
        101 "" => ServerMessage::Data(Bytes::new());
        102 "01 00010000 1f00" =>
            ServerMessage::CompressedData(packed(DataCompression::LZ4, 256, &[0x1f, 0]));
        102 "00 0102" => ServerMessage::CompressedData(packed(DataCompression::NONE, 2, &[1, 2]));
        102 "07 04000000" => ServerMessage::CompressedData(packed(DataCompression(7), 4, &[]));
    }
    check_layout! { ClientMessage:
        101 "ff" => ClientMessage::Data(Bytes::from_static(&[255]));
        102 "01 ffffffff 00" =>
            ClientMessage::CompressedData(packed(DataCompression::LZ4, u32::MAX, &[0]));
    }
}

#[test]
fn a_port_says_its_name_behind_the_fixed_part() {
    use port::{ClientMessage, Event, Init, PortEvent, ServerMessage};
    check_layout! { ServerMessage:
        201 "13000000 09000000 00 6f72672e6578616d706c652e746573742e3000" => ServerMessage::Init(Init {
            name: Bytes::from_static(b"org.example.test.0"),
            opened: 0,
        }), front;
        202 "00" => ServerMessage::Event(Event { event: PortEvent::OPENED });
        202 "01" => ServerMessage::Event(Event { event: PortEvent::CLOSED });
    }
    check_layout! { ClientMessage:
        201 "02" => ClientMessage::Event(Event { event: PortEvent::BREAK });
    }
    let init = |len: u32, at: u32| {
        let mut body = [len.to_le_bytes(), at.to_le_bytes()].concat();
        body.extend_from_slice(b"\x01name\0");
        ServerMessage::decode(201, &body.into())
    };
    let named = |name| Ok(ServerMessage::Init(Init { name: Bytes::from_static(name), opened: 1 }));
    assert_eq!(init(5, 9), named(b"name"));
    assert_eq!(init(4, 9), named(b"name"), "a text need not be ended");
    assert_eq!(init(0, 15), ServerMessage::decode(201, &hex("000000000f000000016e616d6500")));
    for (len, at, kind) in [
        (5, 0, DecodeErrorKind::Offset { target: 0 }),
        (5, 7, DecodeErrorKind::Offset { target: 7 }),
        (5, 16, DecodeErrorKind::Offset { target: 16 }),
        (5, u32::MAX, DecodeErrorKind::Offset { target: u32::MAX }),
        (6, 10, DecodeErrorKind::Truncated { missing: 2 }),
        (u32::MAX, 9, DecodeErrorKind::Truncated { missing: u32::MAX as usize - 5 }),
    ] {
        let error = init(len, at).unwrap_err();
        assert_eq!((error.field, error.kind), ("name", kind), "{len} bytes at {at}");
    }
}

#[test]
fn the_tunnel_has_numbers_only() {
    assert_eq!(tunnel::ServerMessageId(108).name(), Some("SOCKET_TOKEN"));
    assert_eq!(tunnel::ClientMessageId(109).name(), Some("SOCKET_TOKEN"));
    assert_eq!((tunnel::ServerMessageId(109).name(), tunnel::ClientMessageId(100).name()), (None, None));
}

proptest! {
    #[test]
    fn a_device_may_write_anything(device in prop::collection::vec(0..12_u8, 0..60)) {
        let device = Bytes::from(device);
        if let Ok(Some((message, taken))) = VscMessage::decode_from_device(&device) {
            let mut again = Vec::new();
            message.encode_for_device(&mut again);
            prop_assert_eq!(&again, &device[..taken]);
        }
    }
}
