//! What there is besides the messages of a channel: connection files, SASL, lists of messages, a smartcard device.

use bytes::Bytes;
use spice_proto::base::SubMessageList;
use spice_proto::link::sasl::{Challenge, MAX_DATA_LEN, Mechanisms, Outcome, Start, Step};
use spice_proto::smartcard::VscMessage;
use spice_proto::vv::ConnectionFile;

/// A connection file: it is refused, with a line that it has, or it comes back from its own text.
pub fn connection_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match ConnectionFile::parse(&text) {
        Ok(file) => assert_eq!(ConnectionFile::parse(&file.write()).as_ref(), Ok(&file)),
        Err(error) => assert!((1..=text.split('\n').count()).contains(&error.line), "{error}"),
    }
}

/// Each SASL message from the front of a stream: the same from whatever it is cut out of, and never before it is whole.
pub fn sasl(data: &[u8]) {
    macro_rules! check {
        ($($message:ident),*) => {$(
            let stream = Bytes::copy_from_slice(data);
            if let Ok(Some((message, taken))) = $message::decode(&stream) {
                let alone = $message::decode(&stream.slice(..taken));
                assert_eq!(alone, Ok(Some((message.clone(), taken))));
                assert_eq!($message::decode(&stream.slice(..taken - 1)), Ok(None));
                // A reason as long as may be, without the NUL that it is sent with, is too long to send again.
                if taken < MAX_DATA_LEN as usize {
                    let again = message.encode().to_bytes();
                    assert_eq!($message::decode(&again), Ok(Some((message, again.len()))));
                }
            }
        )*};
    }
    check!(Mechanisms, Start, Step, Challenge, Outcome);
}

/// A list of messages, as a body and, from the place in the first byte on, behind another message.
pub fn sub_list(data: &[u8]) {
    let Some((start, body)) = data.split_first() else { return };
    let body = Bytes::copy_from_slice(body);
    if let Ok(list) = SubMessageList::decode(&body) {
        assert!(list.0.iter().map(|message| message.body.len()).sum::<usize>() <= body.len());
        assert_eq!(SubMessageList::decode(&list.encode().to_bytes()).as_ref(), Ok(&list));
    }
    if let Ok((content, list)) = SubMessageList::split(&body, u32::from(*start)) {
        let (again, start) = list.append_to(&content.clone().into());
        assert_eq!(SubMessageList::split(&again.to_bytes(), start), Ok((content, list)));
    }
}

/// A smartcard device: each of its messages comes back to the byte.
pub fn smartcard_device(data: &[u8]) {
    let mut device = Bytes::copy_from_slice(data);
    while let Ok(Some((message, taken))) = VscMessage::decode_from_device(&device) {
        let mut again = Vec::new();
        message.encode_for_device(&mut again);
        assert_eq!(again, device.split_to(taken));
    }
}
