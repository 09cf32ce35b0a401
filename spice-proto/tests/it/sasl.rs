//! SASL, message by message.

use arbitrary::Unstructured;
use bytes::Bytes;
use proptest::prelude::*;
use spice_proto::link::sasl::*;
use spice_proto::{DecodeErrorKind, LinkError};

use crate::hex::hex;

/// These bytes are this message, however they are cut and whatever follows them.
macro_rules! check {
    ($($digits:literal => $message:ident $sample:expr;)*) => {$({
        let bytes = hex(&$digits.replace(' ', ""));
        let message: $message = $sample;
        assert_eq!(message.encode().to_bytes(), bytes);
        let longer = Bytes::from([&bytes[..], b"more"].concat());
        for end in 0..=longer.len() {
            let expected = (end >= bytes.len()).then(|| (message.clone(), bytes.len()));
            assert_eq!($message::decode(&longer.slice(..end)), Ok(expected), "{end} bytes");
        }
    })*};
}

#[test]
fn messages_lie_as_both_ends_send_them() {
    let text = |text: &'static str| Some(Bytes::from_static(text.as_bytes()));
    check! {
        "0d000000 2c504c41494e2c4c4f47494e2c" => Mechanisms Mechanisms::new(["PLAIN", "LOGIN"]);
        "05000000 504c41494e 04000000 00616200" =>
            Start Start { mechanism: Bytes::from_static(b"PLAIN"), data: text("\0ab") };
        "01000000 58 00000000" => Start Start { mechanism: Bytes::from_static(b"X"), data: None };
        "01000000 58 01000000 00" => Start Start { mechanism: Bytes::from_static(b"X"), data: text("") };
        "03000000 616200" => Step Step { data: text("ab") };
        "00000000" => Step Step { data: None };
        "03000000 616200 00" => Challenge Challenge { data: text("ab"), complete: false };
        "00000000 01" => Challenge Challenge { data: None, complete: true };
        "00000000" => Outcome Outcome::Accepted;
        "01000000 04000000 6e6f2100" =>
            Outcome Outcome::Refused { error: LinkError::ERROR, reason: Bytes::from_static(b"no!") };
    }
}

#[test]
fn what_is_too_long_is_refused_before_it_comes() {
    let kind = |error: spice_proto::DecodeError| (error.field, error.offset, error.kind);
    let too_many = |count, max: u32| DecodeErrorKind::TooMany { count, max: max.into() };
    let list = Mechanisms::decode(&hex("2d010000")).unwrap_err();
    assert_eq!(kind(list), ("mechlist", 0, too_many(301, MAX_MECHANISMS_LEN)));
    let name = Start::decode(&hex("65000000")).unwrap_err();
    assert_eq!(kind(name), ("mechname", 0, too_many(101, MAX_MECHANISM_LEN)));
    let nameless = Start::decode(&hex("00000000")).unwrap_err();
    assert_eq!(kind(nameless), ("mechname", 0, DecodeErrorKind::Value { value: 0 }));
    let data = Start::decode(&hex("010000005801001000")).unwrap_err();
    assert_eq!(kind(data), ("data", 5, too_many((1 << 20) + 1, MAX_DATA_LEN)));
    let data = Step::decode(&hex("ffffffff")).unwrap_err();
    assert_eq!(kind(data), ("data", 0, too_many(u32::MAX.into(), MAX_DATA_LEN)));
    let data = Challenge::decode(&hex("01001000")).unwrap_err();
    assert_eq!(kind(data), ("data", 0, too_many((1 << 20) + 1, MAX_DATA_LEN)));
    let reason = Outcome::decode(&hex("0100000001001000")).unwrap_err();
    assert_eq!(kind(reason), ("reason", 4, too_many((1 << 20) + 1, MAX_DATA_LEN)));
    assert_eq!(Step::decode(&hex("00001000")), Ok(None), "as much as is allowed");
}

#[test]
fn a_mechanism_is_offered_or_it_is_not() {
    let list = Mechanisms::new(["SCRAM-SHA-256", "GSSAPI"]);
    assert_eq!(&list.0[..], b",SCRAM-SHA-256,GSSAPI,");
    assert!(list.contains(b"GSSAPI") && !list.contains(b"SCRAM") && !list.contains(b"SCRAM-SHA-256,GSSAPI"));
    assert!(!list.contains(b"") && Mechanisms::new([]).names().next().is_none());
}

#[test]
fn data_ends_in_one_byte_whatever_it_is() {
    let step = Step { data: Some(Bytes::from_static(b"ab")) };
    assert_eq!(Step::decode(&hex("0300000061627a")), Ok(Some((step, 7))));
    let reason = Bytes::from_static(b"no");
    let refused = Outcome::Refused { error: LinkError(9), reason };
    assert_eq!(
        Outcome::decode(&hex("09000000020000006e6f")),
        Ok(Some((refused, 10))),
        "a text need not be ended"
    );
}

proptest! {
    #[test]
    fn every_message_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        macro_rules! comes_back {
            ($($message:ident),*) => {$(
                let message: $message = Unstructured::new(&bytes).arbitrary().unwrap();
                let encoded = message.encode().to_bytes();
                prop_assert_eq!($message::decode(&encoded), Ok(Some((message, encoded.len()))));
                let _ = $message::decode(&Bytes::copy_from_slice(&bytes));
            )*};
        }
        comes_back!(Mechanisms, Start, Step, Challenge, Outcome);
    }
}
