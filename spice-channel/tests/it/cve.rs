//! What viewers have done to the C server before a channel looked at their messages.

use spice_channel::{ChannelConfig, ChannelError, RedChannelClient, Scope, Time};
use spice_proto::base::{AckSync, ClientMessage, Pong};
use spice_proto::{DataHeader, HeaderKind};

const HEADERS: [HeaderKind; 2] = [HeaderKind::Full, HeaderKind::Mini];
/// The caps of the kinds of channels: what viewers send, a packed stream's pieces, and everything else.
const CAPS: [u32; 3] = [4 << 10, 64 << 10, 16 << 20];

fn client(header: HeaderKind, max_incoming: u32) -> RedChannelClient {
    let config = ChannelConfig { max_incoming, ..ChannelConfig::default() };
    RedChannelClient::new(header, config, Time::ZERO)
}

fn head(header: HeaderKind, id: u16, size: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    DataHeader { serial: Some(u64::MAX), id, size, sub_list: u32::MAX }.encode(header, &mut bytes);
    bytes
}

/// A message was read into a buffer that was as large as most messages are.
#[test]
fn cve_2016_9577_every_message_is_measured_at_its_header_whatever_its_number_and_size() {
    let edges = [0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 1 << 24, (1 << 24) + 1];
    let edges = edges.into_iter().chain([
        (1 << 31) - 1,
        1 << 31,
        (1 << 31) + 1,
        u32::MAX - 18,
        u32::MAX - 6,
        u32::MAX - 1,
        u32::MAX,
    ]);
    for size in edges {
        for (header, max) in HEADERS.into_iter().flat_map(|header| CAPS.map(|max| (header, max))) {
            for id in (0..130).chain([0x7fff, 0x8000, u16::MAX]) {
                let mut client = client(header, max);
                // Byte by byte: nothing is known before the header is whole.
                let head = head(header, id, size);
                let (last, first) = head.split_last().unwrap();
                for byte in first {
                    client.handle_bytes([*byte], Time::ZERO);
                    assert_eq!(client.poll_message(Time::ZERO), Ok(None));
                }
                client.handle_bytes([*last], Time::ZERO);
                let polled = client.poll_message(Time::ZERO);
                if size > max {
                    assert_eq!(polled, Err(ChannelError::TooLarge { id, size, max }));
                    // And nothing of what follows is taken for anything else.
                    client.handle_bytes([0; 4096], Time::ZERO);
                    assert!(client.poll_message(Time::ZERO).is_err());
                } else if size > 0 {
                    assert_eq!(polled, Ok(None), "message {id} of {size} bytes is not there yet");
                }
            }
        }
    }
}

/// The server took a migrating viewer's word whenever it came.
#[test]
fn requirement_migration_data_is_taken_from_nobody_whose_migration_was_not_announced() {
    for header in HEADERS {
        for (id, body) in [(4, 0), (5, 0), (5, 1), (5, 4096)] {
            let mut client = client(header, 4096);
            client.handle_bytes(head(header, id, body), Time::ZERO);
            client.handle_bytes(vec![0xff; body as usize], Time::ZERO);
            let error = client.poll_message(Time::ZERO).unwrap_err();
            assert!(matches!(error, ChannelError::OutOfTurn { .. }), "{error}");
            assert_eq!(error.scope(), Scope::ChannelClient);
        }
    }
}

/// Assertions stood where a viewer acknowledged what it had not been sent.
#[test]
fn requirement_acknowledgements_and_answers_out_of_turn_mean_nothing() {
    for header in HEADERS {
        let config = ChannelConfig { ack_window: 20, ..ChannelConfig::default() };
        let mut client = RedChannelClient::new(header, config, Time::ZERO);
        let (room, unread) = (client.has_room(), client.unread());
        for number in [0, 1, 2, 3, 1 << 31, u32::MAX] {
            let said = [
                ClientMessage::Ack,
                ClientMessage::AckSync(AckSync { generation: number }),
                ClientMessage::Ack,
                ClientMessage::Pong(Pong { id: number, timestamp: u64::MAX }),
            ];
            for message in said {
                let body = message.encode().to_bytes();
                client
                    .handle_bytes(head(header, message.id(), u32::try_from(body.len()).unwrap()), Time::ZERO);
                client.handle_bytes(body, Time::ZERO);
                assert_eq!(client.poll_message(Time::ZERO), Ok(None));
            }
        }
        // Nothing has been given out yet, so that no answer can be one.
        assert_eq!((client.has_room(), client.round_trip()), (room, None));
        assert!(client.unread() <= unread);
    }
}
