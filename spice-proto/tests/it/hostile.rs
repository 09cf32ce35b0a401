//! Bytes that nobody meant.

use bytes::Bytes;
use proptest::prelude::*;
use spice_proto::link::{LinkMess, LinkReply};
use spice_proto::{
    DecodeErrorKind, base, cursor, display, inputs, main, playback, port, record, smartcard, vmc,
};

/// Decodes the body as every message there is: no panic, and what decodes comes back from its encoding.
fn decode_as_everything(body: &Bytes) {
    macro_rules! all {
        ($($module:ident),*) => {$(
            for id in 0..=u16::from(u8::MAX) + 100 {
                if let Ok(message) = $module::ServerMessage::decode(id, body) {
                    let again = $module::ServerMessage::decode(id, &message.encode().to_bytes());
                    assert_eq!(again.as_ref(), Ok(&message));
                }
            }
        )*};
    }
    all!(base, cursor, display, inputs, main, playback, port, record, smartcard, vmc);
    for id in 0..=u16::from(u8::MAX) {
        let _ = base::ClientMessage::decode(id, body);
        let _ = display::ClientMessage::decode(id, body);
        let _ = inputs::ClientMessage::decode(id, body);
        let _ = main::ClientMessage::decode(id, body);
        let _ = port::ClientMessage::decode(id, body);
        let _ = record::ClientMessage::decode(id, body);
        let _ = smartcard::ClientMessage::decode(id, body);
    }
    let _ = LinkMess::decode(body);
    let _ = LinkReply::decode(body);
}

proptest! {
    #[test]
    fn random_bodies_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        decode_as_everything(&body.into());
    }

    /// Small numbers make counts and offsets that almost fit.
    #[test]
    fn bodies_of_small_numbers_never_panic(words in prop::collection::vec(0..120_u32, 0..60)) {
        decode_as_everything(&words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>().into());
    }
}

#[test]
fn a_count_that_does_not_fit_is_refused_before_anything_is_allocated() {
    for count in [5, 1 << 20, 1 << 31, u32::MAX] {
        let error =
            main::ServerMessage::decode(104, &Bytes::copy_from_slice(&count.to_le_bytes())).unwrap_err();
        assert_eq!(error.field, "channels");
        assert!(matches!(error.kind, DecodeErrorKind::Truncated { .. }));
    }
}

#[test]
fn an_image_offset_into_the_fixed_part_or_beyond_the_end_is_refused() {
    let mut body = vec![0; 20];
    body.push(0);
    let at = body.len();
    body.extend_from_slice(&[0; 4 + 16 + 2 + 1 + 1 + 8 + 4 + 64]);
    for target in [1, 20, 24, 1 << 20, u32::MAX] {
        body[at..at + 4].copy_from_slice(&target.to_le_bytes());
        let error = display::ServerMessage::decode(304, &Bytes::copy_from_slice(&body)).unwrap_err();
        assert_eq!(
            (error.field, error.offset, error.kind),
            ("src_bitmap", at, DecodeErrorKind::Offset { target })
        );
    }
}

#[test]
fn errors_say_which_message_field_and_byte() {
    let error = inputs::ClientMessage::decode(111, &Bytes::from_static(&[0; 9])).unwrap_err();
    assert_eq!(error.to_string(), "inputs.MouseMotion.buttons_state at 8: 1 bytes missing");
    let error = inputs::ClientMessage::decode(99, &Bytes::new()).unwrap_err();
    assert_eq!(error.to_string(), "inputs.type at 0: unknown message 99");
}
