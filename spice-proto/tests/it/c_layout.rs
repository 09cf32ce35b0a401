//! Bytes that a C compiler made of the structures in `vd_agent.h`, `stream-device.h` and `migration-protocol.h`, and
//! what an agent and a viewer have really said to each other: all of it decodes, and comes back to the byte.

use spice_proto::agent::{AgentLayout, Message, MessageType};
use spice_proto::migration::{DisplayData, LossyAreas, MainData, SmartcardData, SpiceVmcData};
use spice_proto::stream_device::{Frame, FrameDecoder, GuestMessage, Sender};

use crate::hex::hex;

#[test]
fn agent_structures_come_back_to_the_byte() {
    let layout = AgentLayout { selection: true, grab_serial: true };
    for (message_type, digits) in [
        (MessageType::MOUSE_STATE, "07000000090000008200000001"),
        (
            MessageType::MONITORS_CONFIG,
            concat!(
                "0200000003000000380400008007000020000000000000000000000000030000000400002000000080070000fbffffff",
                "2c01f40100000000"
            ),
        ),
        (
            MessageType::GRAPHICS_DEVICE_INFO,
            "010000000200000003000000040000000d0000007063692f303030302f30322e00",
        ),
        (MessageType::AUDIO_VOLUME_SYNC, "0100023412ffff"),
        (MessageType::FILE_XFER_STATUS, "05000000040000009a78563412000000"),
        (MessageType::FILE_XFER_STATUS, "0500000002000000001f000000"),
        (MessageType::ANNOUNCE_CAPABILITIES, "0100000040000200"),
    ] {
        let message = Message::decode(message_type, &hex(digits), layout).unwrap();
        assert_eq!(message.encode(layout).unwrap().to_bytes(), hex(digits), "{message:?}");
    }
}

#[test]
fn a_session_of_agent_and_viewer_comes_back_to_the_byte() {
    let caps = |digits| match Message::decode(
        MessageType::ANNOUNCE_CAPABILITIES,
        &hex(digits),
        AgentLayout::default(),
    ) {
        Ok(Message::AnnounceCapabilities(announced)) => announced.caps,
        other => panic!("{other:?}"),
    };
    let (viewer, agent) = ("0100000077500300", "00000000e78d0300");
    let layout = AgentLayout::agreed(&caps(viewer), &caps(agent));
    assert_eq!(layout, AgentLayout { selection: true, grab_serial: true });
    for (message_type, digits) in [
        (MessageType::ANNOUNCE_CAPABILITIES, viewer),
        (MessageType::ANNOUNCE_CAPABILITIES, agent),
        (MessageType::MAX_CLIPBOARD, "00004006"),
        (MessageType::AUDIO_VOLUME_SYNC, "012e0200000000"),
        (MessageType::CLIPBOARD_GRAB, "000000000000000001000000"),
        (MessageType::CLIPBOARD_GRAB, "000000000100000001000000"),
    ] {
        let message = Message::decode(message_type, &hex(digits), layout).unwrap();
        assert_eq!(message.encode(layout).unwrap().to_bytes(), hex(digits), "{message:?}");
    }
}

#[test]
fn stream_structures_come_back_to_the_byte() {
    for digits in [
        "010008001000000001000000020000000400000070636900",
        "010002000c00000080020000e001000003000000",
        "0100060013000000010002000300040005000000aaaaaaaaaaaaaa",
    ] {
        let mut bytes = hex(digits);
        let Frame { id, body } = FrameDecoder::new(Sender::Guest).read(&mut bytes).unwrap().unwrap();
        let message = GuestMessage::decode(id, &body).unwrap();
        assert_eq!(message.to_frame().to_bytes(), hex(digits), "{message:?}");
    }
}

#[test]
fn migration_structures_come_back_to_the_byte() {
    let main = hex(concat!(
        "4d4e4d440100000001000000",
        "0108000000ffffffff05000000020000004100000001080000000100000046000000000300000046000000",
        "0000000000",
        "09000000016162636465010000"
    ));
    assert_eq!(MainData::decode(&main).unwrap().encode().to_bytes(), main);
    let display = hex(concat!(
        "44434d4401000000",
        "08070605040302010103e80300000000000001",
        "0100000000000000020000000000000003000000000000000400000000000000",
        "0558020000040000004d0000000000000050000000",
        "02000000",
        "0000000001000000020000000300000004000000",
        "ff03000000000000000000000000000000000000"
    ));
    let data = DisplayData::decode(&display, LossyAreas::OnLowBandwidth).unwrap();
    assert_eq!(data.encode().to_bytes(), display);
    let smartcard =
        hex("53434d44010000000100000001ffffffffffffffff00000000000000000000000001020000002a0000006869");
    assert_eq!(SmartcardData::decode(&smartcard).unwrap().encode().to_bytes(), smartcard);
    let vmc = hex("53564d44010000000100000001ffffffffffffffff030000000000000021000000757362");
    assert_eq!(SpiceVmcData::decode(&vmc).unwrap().encode().to_bytes(), vmc);
}
