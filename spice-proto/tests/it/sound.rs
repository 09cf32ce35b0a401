//! Playback and record.

use bytes::Bytes;
use spice_proto::caps::{CapabilitySet, PlaybackCap, RecordCap};
use spice_proto::{DecodeErrorKind, playback, record};

use crate::layout::check_layout;

#[test]
fn playback_messages_lie_as_the_server_sends_them() {
    use playback::*;
    let sound = Bytes::from_static(&[0xf4, 0xff, 0xfe]);
    check_layout! { ServerMessage:
        101 "0a564500 f4fffe" => ServerMessage::Data(Packet { time: 0x0045_560a, data: sound });
        101 "0a564500" => ServerMessage::Data(Packet { time: 0x0045_560a, data: Bytes::new() });
        102 "82a44400 0300" => ServerMessage::Mode(Mode {
            time: 0x0044_a482,
            mode: AudioMode::OPUS,
            data: Bytes::new(),
        });
        102 "00000000 0200 01" => ServerMessage::Mode(Mode {
            time: 0,
            mode: AudioMode::CELT_0_5_1,
            data: Bytes::from_static(&[1]),
        });
        103 "02000000 0100 80bb0000 f6554500" => ServerMessage::Start(Start {
            channels: 2,
            format: AudioFormat::S16,
            frequency: 48_000,
            time: 0x0045_55f6,
        });
        104 "" => ServerMessage::Stop;
        105 "02 cbcb ffff" => ServerMessage::Volume(Volume(vec![0xcbcb, 0xffff]));
        105 "00" => ServerMessage::Volume(Volume::default());
        106 "01" => ServerMessage::Mute(Mute { mute: 1 });
        107 "40010000" => ServerMessage::Latency(Latency { latency_ms: 320 });
    }
}

#[test]
fn record_messages_lie_as_both_ends_send_them() {
    use record::*;
    check_layout! { ServerMessage:
        101 "02000000 0100 80bb0000" => ServerMessage::Start(Start {
            channels: 2,
            format: AudioFormat::S16,
            frequency: 48_000,
        });
        102 "" => ServerMessage::Stop;
        103 "01 3412" => ServerMessage::Volume(Volume(vec![0x1234]));
        104 "00" => ServerMessage::Mute(Mute { mute: 0 });
    }
    check_layout! { ClientMessage:
        101 "01000000 0203" => ClientMessage::Data(Packet { time: 1, data: Bytes::from_static(&[2, 3]) });
        102 "01000000 0100" => ClientMessage::Mode(Mode { time: 1, mode: AudioMode::RAW, data: Bytes::new() });
        103 "78563412" => ClientMessage::StartMark(StartMark { time: 0x1234_5678 });
    }
}

#[test]
fn volumes_are_as_many_as_there_are_bytes_for() {
    use playback::*;
    let error = ServerMessage::decode(105, &Bytes::from_static(&[255, 1, 2])).unwrap_err();
    assert_eq!((error.field, error.kind), ("volume", DecodeErrorKind::Truncated { missing: 508 }));
    let many = ServerMessage::Volume(Volume(vec![7; 300])).encode();
    assert_eq!(many.len(), 1 + 2 * 255, "the wire counts to 255");
    let Ok(ServerMessage::Volume(volume)) = ServerMessage::decode(105, &many.to_bytes()) else {
        unreachable!()
    };
    assert_eq!(volume.0, [7; 255]);
}

#[test]
fn modes_and_formats_without_a_name_survive() {
    use playback::*;
    let body = Bytes::from_static(&[0, 0, 0, 0, 99, 0, 0xaa]);
    let Ok(ServerMessage::Mode(mode)) = ServerMessage::decode(102, &body) else { unreachable!() };
    assert_eq!((mode.mode.to_string().as_str(), &mode.data[..]), ("99", &[0xaa][..]));
    assert!(body.as_ptr_range().contains(&mode.data.as_ptr()), "sound is not copied");
}

#[test]
fn opus_has_another_bit_on_each_channel() {
    let playback = CapabilitySet::new([PlaybackCap::OPUS, PlaybackCap::VOLUME].map(u32::from));
    assert_eq!(playback.words(), [0b1010]);
    let record = CapabilitySet::new([RecordCap::OPUS, RecordCap::VOLUME].map(u32::from));
    assert_eq!(record.words(), [0b110]);
}
