//! Link messages.

use bytes::Bytes;
use spice_proto::caps::{Capabilities, CapabilitySet};
use spice_proto::link::{LinkHeader, LinkMess, LinkReply, MAGIC, PUBLIC_KEY_LEN};
use spice_proto::{ChannelId, ChannelType, ConnectionId, DecodeErrorKind, LinkError};

fn mess(common: &[u32], channel: &[u32]) -> LinkMess {
    LinkMess {
        connection_id: ConnectionId(7),
        channel_type: ChannelType::INPUTS,
        channel_id: ChannelId(1),
        caps: Capabilities {
            common: CapabilitySet::from_words(common.to_vec()),
            channel: CapabilitySet::from_words(channel.to_vec()),
        },
    }
}

#[test]
fn a_mess_comes_back_and_every_truncation_is_an_error() {
    for mess in [mess(&[], &[]), mess(&[9], &[]), mess(&[1, 2], &[3; 64])] {
        let mut bytes = Vec::new();
        mess.encode(&mut bytes);
        let header = LinkHeader::decode(*bytes.first_chunk().unwrap());
        assert_eq!((header.magic, header.size as usize), (MAGIC, bytes.len() - LinkHeader::LEN));
        let body = Bytes::from(bytes).slice(LinkHeader::LEN..);
        assert_eq!(LinkMess::decode(&body).unwrap(), mess);
        for short in 0..body.len() {
            assert!(LinkMess::decode(&body.slice(..short)).is_err());
        }
    }
}

#[test]
fn a_reply_comes_back_and_every_truncation_is_an_error() {
    let accepted =
        LinkReply { error: LinkError::OK, public_key: [5; PUBLIC_KEY_LEN], caps: mess(&[11], &[2]).caps };
    for reply in [accepted, LinkReply::refusal(LinkError::NEED_SECURED)] {
        let mut bytes = Vec::new();
        reply.encode(&mut bytes);
        let body = Bytes::from(bytes).slice(LinkHeader::LEN..);
        assert_eq!(LinkReply::decode(&body).unwrap(), reply);
        for short in 0..body.len() {
            assert!(LinkReply::decode(&body.slice(..short)).is_err());
        }
    }
}

/// Counts and offsets that wrap, point outside or into the message's own fixed part (CVE-2016-9578).
#[test]
fn capabilities_that_do_not_lie_in_the_message_are_refused() {
    let with = |common: u32, channel: u32, offset: u32| {
        let mut body = vec![7, 0, 0, 0, 2, 0];
        for number in [common, channel, offset] {
            body.extend_from_slice(&number.to_le_bytes());
        }
        body.extend_from_slice(&[0; 8]);
        LinkMess::decode(&body.into())
    };
    assert!(with(1, 1, 18).is_ok());
    for (common, channel) in [(65, 0), (0, 65), (u32::MAX, 1), (1 << 30, 0), (0x8000_0001, 0x7fff_ffff)] {
        let error = with(common, channel, 18).unwrap_err();
        assert!(matches!(error.kind, DecodeErrorKind::TooMany { .. }), "{error}");
    }
    for offset in [0, 17, 27, 1000, u32::MAX] {
        let error = with(1, 0, offset).unwrap_err();
        assert_eq!((error.field, error.kind), ("caps_offset", DecodeErrorKind::Offset { target: offset }));
    }
    assert!(matches!(with(2, 1, 18).unwrap_err().kind, DecodeErrorKind::Truncated { missing: 4 }));
    assert!(matches!(with(1, 0, 26).unwrap_err().kind, DecodeErrorKind::Truncated { missing: 4 }));
}
