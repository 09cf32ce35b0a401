//! How much memory decoding takes: a constant times its input, whatever the input claims.

use arbitrary::Unstructured;
use bytes::Bytes;
use proptest::prelude::*;
use spice_proto::{base, cursor, display, inputs, main, playback, port, record, smartcard, vmc};

/// Bytes for each byte of input: the widest growth is that of a path's empty segments, from 5 bytes to a vector.
const FACTOR: u64 = 16;
/// Bytes on top, for boxes and error messages.
const BASE: u64 = 1024;

/// Decodes the body as every message there is, each within the bound.
fn check(body: &Bytes) -> Result<(), TestCaseError> {
    let bound = FACTOR * body.len() as u64 + BASE;
    macro_rules! tables {
        ($($message:ty),* $(,)?) => {$(
            for id in <$message>::IDS {
                let mut result = None;
                let used = allocation_counter::measure(|| result = Some(<$message>::decode(*id, body)));
                prop_assert!(
                    used.bytes_max <= bound,
                    "{} took {} bytes for {}: {:?}", stringify!($message), used.bytes_max, body.len(), result
                );
            }
        )*};
    }
    tables! {
        base::ServerMessage, base::ClientMessage, main::ServerMessage, main::ClientMessage,
        display::ServerMessage, display::ClientMessage, cursor::ServerMessage,
        inputs::ServerMessage, inputs::ClientMessage, playback::ServerMessage,
        record::ServerMessage, record::ClientMessage, smartcard::ServerMessage, smartcard::ClientMessage,
        vmc::ServerMessage, vmc::ClientMessage, port::ServerMessage, port::ClientMessage,
    }
    Ok(())
}

proptest! {
    #[test]
    fn random_bodies(body in prop::collection::vec(any::<u8>(), 0..600)) {
        check(&body.into())?;
    }

    /// Small numbers make counts and offsets that fit.
    #[test]
    fn bodies_of_small_numbers(words in prop::collection::vec(0..200_u32, 0..150)) {
        check(&words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>().into())?;
    }

    /// What was a message, with a few bytes changed.
    #[test]
    fn bodies_that_were_messages(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        for id in display::ServerMessage::IDS {
            let message = display::ServerMessage::arbitrary_with_id(*id, &mut Unstructured::new(&bytes)).unwrap();
            let mut body = message.encode().to_bytes().to_vec();
            for (at, value) in &changes {
                if !body.is_empty() {
                    let at = at.index(body.len());
                    body[at] = *value;
                }
            }
            check(&body.into())?;
        }
    }
}

/// A path of 100,000 segments without a point.
#[test]
fn the_widest_growth_stays_within_the_factor() {
    let mut body = vec![0; 21];
    let fixed = body.len() + 4 + 1 + 1 + 2 + 2;
    body.extend_from_slice(&u32::try_from(fixed).unwrap().to_le_bytes());
    body.extend_from_slice(&[0; 6]);
    let segments = 100_000_u32;
    body.extend_from_slice(&segments.to_le_bytes());
    body.resize(body.len() + segments as usize * 5, 0);
    let body = Bytes::from(body);
    let mut stroke = None;
    let used = allocation_counter::measure(|| stroke = Some(display::ServerMessage::decode(310, &body)));
    assert!(matches!(stroke, Some(Ok(_))), "{stroke:?}");
    assert!(used.bytes_max <= FACTOR * body.len() as u64 + BASE, "{used:?}");
}
