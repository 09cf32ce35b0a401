//! Lists of messages in the body of one.

use arbitrary::Unstructured;
use bytes::Bytes;
use proptest::prelude::*;
use spice_proto::base::{SubMessage, SubMessageList, WaitForChannels};
use spice_proto::{DecodeErrorKind, base};

use crate::hex::hex;

fn sub(id: u16, body: &'static str) -> SubMessage {
    SubMessage { id, body: Bytes::from_static(body.as_bytes()) }
}

/// A list as the C server sends it: first in order is what channels to wait for, which lies behind what to forget.
#[test]
fn a_list_of_the_c_server_is_taken_apart_in_its_order() {
    let body =
        hex("02001b0000000a00000069000b000000010001221100000000000005000b0000000102010900000000000000");
    let SubMessageList(messages) = SubMessageList::decode(&body).unwrap();
    assert_eq!(messages.iter().map(|message| message.id).collect::<Vec<_>>(), [5, 105]);
    let wait = base::ServerMessage::decode(messages[0].id, &messages[0].body).unwrap();
    assert!(matches!(wait, base::ServerMessage::WaitForChannels(WaitForChannels(list)) if list.len() == 1));
    assert_eq!(messages[1].body, hex("0100012211000000000000"));
    assert!(body.as_ptr_range().contains(&messages[1].body.as_ptr()));
}

#[test]
fn a_list_behind_a_message_of_the_c_server_is_taken_off() {
    let body = hex("0700000069000b0000000100012211000000000000010004000000");
    let (content, list) = SubMessageList::split(&body, 21).unwrap();
    assert_eq!(content, hex("07000000"));
    let expected = SubMessage { id: 105, body: hex("0100012211000000000000") };
    assert_eq!(list, SubMessageList(vec![expected]));
    let (again, sub_list) = list.append_to(&content.into());
    assert_eq!((again.to_bytes(), sub_list), (body, 21));
}

#[test]
fn a_list_comes_back_and_no_truncation_of_it_passes() {
    for list in [vec![], vec![sub(101, "")], vec![sub(1, "first"), sub(400, ""), sub(7, "third")]] {
        let list = SubMessageList(list);
        let body = list.encode().to_bytes();
        assert_eq!(SubMessageList::decode(&body).as_ref(), Ok(&list));
        for short in 0..body.len() {
            assert!(SubMessageList::decode(&body.slice(..short)).is_err());
        }
        let content = Bytes::from_static(b"content");
        let (body, sub_list) = list.append_to(&content.clone().into());
        let split = SubMessageList::split(&body.to_bytes(), sub_list);
        assert_eq!(split, Ok((content, list)));
    }
}

#[test]
fn lists_that_reach_outside_repeat_or_nest_are_refused() {
    use DecodeErrorKind::{Offset, TooMany, Truncated, Value};
    for (digits, field, offset, kind) in [
        ("0100", "sub_messages", 2, Truncated { missing: 4 }),
        ("ffff 00000000", "sub_messages", 2, Truncated { missing: 0xffff * 4 - 4 }),
        ("0100 00000000 6500 00000000", "sub_messages", 2, Offset { target: 0 }),
        ("0100 05000000 6500 00000000", "sub_messages", 2, Offset { target: 5 }),
        ("0100 0d000000 6500 00000000", "sub_messages", 2, Offset { target: 13 }),
        ("0100 ffffffff 6500 00000000", "sub_messages", 2, Offset { target: u32::MAX }),
        ("0100 0b000000 6500 00000000", "sub_message.type", 11, Truncated { missing: 1 }),
        ("0100 06000000 0800 00000000", "sub_message.type", 6, Value { value: 8 }),
        ("0100 06000000 6500 01000000", "sub_message.data", 12, Truncated { missing: 1 }),
        ("0100 06000000 6500 ffffffff", "sub_message.data", 12, Truncated { missing: u32::MAX as usize }),
        (
            "0200 0a000000 0a000000 6500 05000000 0000000000",
            "sub_messages",
            6,
            TooMany { count: 22, max: 21 },
        ),
    ] {
        let error = SubMessageList::decode(&hex(&digits.replace(' ', ""))).unwrap_err();
        assert_eq!((error.field, error.offset, error.kind), (field, offset, kind), "{digits}");
    }
    // Behind other content: a message that reaches into the list, and a list that is not there.
    let error = SubMessageList::split(&hex("650001000000010000000000"), 6).unwrap_err();
    assert_eq!(error.kind, Offset { target: 0 });
    assert_eq!(SubMessageList::split(&hex("0000"), 3).unwrap_err().kind, Offset { target: 3 });
}

proptest! {
    #[test]
    fn every_list_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let list: SubMessageList = Unstructured::new(&bytes).arbitrary().unwrap();
        let body = list.encode().to_bytes();
        let decoded = SubMessageList::decode(&body);
        prop_assert_eq!(decoded.as_ref(), Ok(&list));
        let content = Bytes::from(bytes);
        let (body, sub_list) = list.append_to(&content.clone().into());
        prop_assert_eq!(SubMessageList::split(&body.to_bytes(), sub_list), Ok((content, list)));
    }

    /// Whatever decodes is no larger than its body, and comes back.
    #[test]
    fn random_lists_never_panic(words in prop::collection::vec(0..60_u16, 0..60), start in 0..40_u32) {
        let body: Bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        for list in [SubMessageList::decode(&body), SubMessageList::split(&body, start).map(|(_, list)| list)] {
            let Ok(list) = list else { continue };
            prop_assert!(list.0.iter().map(|message| 6 + message.body.len()).sum::<usize>() <= body.len());
            let again = SubMessageList::decode(&list.encode().to_bytes());
            prop_assert_eq!(again, Ok(list));
        }
    }
}
