//! Sessions that move.

use bytes::Bytes;
use spice_proto::{DecodeError, DecodeErrorKind, main, port};

use crate::hex::hex;
use crate::layout::check_layout;

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[test]
fn a_migration_target_has_its_texts_behind_the_fixed_part() {
    use main::*;
    let target = DstInfo { port: 5900, sport: 0xffff, host: text("ab"), cert_subject: Some(text("C=x")) };
    let bare = DstInfo { port: 0, sport: 1, host: Bytes::new(), cert_subject: None };
    check_layout! { ServerMessage:
        101 "0c17 ffff 03000000 14000000 04000000 17000000 616200 433d7800" =>
            ServerMessage::MigrateBegin(target.clone()), front;
        101 "0000 0100 01000000 14000000 00000000 00000000 00" => ServerMessage::MigrateBegin(bare), front;
        111 "0000 0100 00000000 00000000 02000000 14000000 7800" =>
            ServerMessage::MigrateSwitchHost(MigrateSwitchHost {
                port: 0,
                sport: 1,
                host: None,
                cert_subject: Some(text("x")),
            }), front;
        116 "0c17 ffff 03000000 18000000 04000000 1b000000 01000000 616200 433d7800" =>
            ServerMessage::MigrateBeginSeamless(MigrateBeginSeamless { dst_info: target, src_mig_version: 1 }), front;
        117 "" => ServerMessage::MigrateDstSeamlessAck;
        118 "" => ServerMessage::MigrateDstSeamlessNack;
    }
    check_layout! { ClientMessage:
        110 "01000000" => ClientMessage::MigrateDstDoSeamless(MigrateDstDoSeamless { src_version: 1 });
        111 "" => ClientMessage::MigrateConnectedSeamless;
        112 "0102" => ClientMessage::QualityIndicator(Bytes::from_static(&[1, 2]));
    }
}

#[test]
fn a_text_lies_behind_its_offset_and_in_the_body_and_its_nul_may_be_missing() {
    let begin = |host_size: u32, host: u32, subject_size: u32, subject: u32| {
        let mut body = vec![0; 4];
        for number in [host_size, host, subject_size, subject] {
            body.extend_from_slice(&number.to_le_bytes());
        }
        body.extend_from_slice(b"host\0");
        main::ServerMessage::decode(101, &body.into())
    };
    let host = |host: &'static str, cert_subject| {
        Ok(main::ServerMessage::MigrateBegin(main::DstInfo {
            port: 0,
            sport: 0,
            host: text(host),
            cert_subject,
        }))
    };
    assert_eq!(begin(5, 20, 0, 0), host("host", None));
    assert_eq!(begin(4, 20, 0, 0), host("host", None));
    assert_eq!(begin(0, 25, 0, 0), host("", None));
    assert_eq!(begin(5, 20, 99, 0), host("host", None), "an offset of 0 is no text, whatever its length");
    assert_eq!(begin(5, 20, 3, 22), host("host", Some(text("st"))), "texts may share their bytes");
    let fault = |result: Result<_, DecodeError>| {
        let error = result.map(|message: main::ServerMessage| format!("{message:?}")).unwrap_err();
        (error.field, error.offset, error.kind)
    };
    for target in [0, 1, 11, 26, u32::MAX] {
        assert_eq!(fault(begin(0, target, 0, 0)), ("host_data", 8, DecodeErrorKind::Offset { target }));
    }
    for target in [1, 19, 26, u32::MAX] {
        let expected = ("cert_subject_data", 16, DecodeErrorKind::Offset { target });
        assert_eq!(fault(begin(5, 20, 0, target)), expected);
    }
    let missing = |missing| DecodeErrorKind::Truncated { missing };
    assert_eq!(fault(begin(6, 20, 0, 0)), ("host_data", 20, missing(1)));
    assert_eq!(fault(begin(5, 20, u32::MAX, 20)), ("cert_subject_data", 20, missing(u32::MAX as usize - 5)));
}

/// Made with the marshallers that the C project generates from `spice.proto`.
#[test]
fn what_the_c_server_marshals_comes_back_to_the_byte() {
    for (id, digits) in [
        (101, "0c170d17060000001400000000000000000000006d616b616900"),
        (101, "0c170d170600000014000000060000001a0000006d616b616900434e3d686900"),
        (111, "010002000600000014000000060000001a0000006d616b616900434e3d686900"),
        (116, "0c17ffff0600000018000000060000001e000000010000006d616b616900434e3d686900"),
    ] {
        let message = main::ServerMessage::decode(id, &hex(digits)).unwrap();
        assert!(format!("{message:?}").contains("makai"), "{message:?}");
        assert_eq!(message.encode().to_bytes(), hex(digits), "{message:?}");
    }
    let digits = "050000000900000001706f727400";
    let message = port::ServerMessage::decode(201, &hex(digits)).unwrap();
    assert_eq!(message, port::ServerMessage::Init(port::Init { name: text("port"), opened: 1 }));
    assert_eq!(message.encode().to_bytes(), hex(digits));
}
