//! Made-up messages of every number in every table: each comes back from its encoding, to the byte, and no truncation
//! of it panics or is taken for the same message.

use arbitrary::Unstructured;
use proptest::prelude::*;
use spice_proto::{
    base, cursor, display, inputs, main, playback, port, record, smartcard, stream_device, vmc,
};

/// For each table: every number, with contents made up from the same bytes.
macro_rules! check_tables {
    ($bytes:expr; $($message:ty),* $(,)?) => {$(
        for id in <$message>::IDS {
            let mut source = Unstructured::new($bytes);
            let message = <$message>::arbitrary_with_id(*id, &mut source).unwrap();
            prop_assert_eq!(message.id(), *id);
            let body = message.encode();
            let flat = body.to_bytes();
            prop_assert_eq!(body.len(), flat.len());
            let decoded = <$message>::decode(*id, &flat);
            prop_assert_eq!(decoded.as_ref(), Ok(&message));
            prop_assert_eq!(decoded.unwrap().encode().to_bytes(), &flat);
            // The NUL behind a notification's text may be missing.
            let optional = usize::from((message.id(), stringify!($message)) == (7, "base::ServerMessage"));
            for short in 0..flat.len() - optional {
                if let Ok(cut) = <$message>::decode(*id, &flat.slice(..short)) {
                    prop_assert_ne!(&cut, &message, "cut to {} of {}", short, flat.len());
                }
            }
        }
    )*};
}

proptest! {
    #[test]
    fn every_message_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check_tables! { &bytes;
            base::ServerMessage, base::ClientMessage,
            main::ServerMessage, main::ClientMessage,
            display::ServerMessage, display::ClientMessage,
            cursor::ServerMessage,
            inputs::ServerMessage, inputs::ClientMessage,
            playback::ServerMessage,
            record::ServerMessage, record::ClientMessage,
            vmc::ServerMessage, vmc::ClientMessage,
            port::ServerMessage, port::ClientMessage,
            smartcard::ServerMessage, smartcard::ClientMessage,
            stream_device::GuestMessage, stream_device::HostMessage,
        }
    }
}
