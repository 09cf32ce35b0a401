//! What viewers have done to the C server's main and inputs channels, and what its agent and its guest's were made to do.

use std::time::Duration;

use spice_channel::{Channel, ChannelError, ChannelLink, ClientId, Time};
use spice_client::ChannelPeer;
use spice_proto::agent::{
    AgentLayout, ChunkSplitter, FileXferStart, MAX_CHUNK, Message, MessageType, MonitorsConfig,
};
use spice_proto::caps::{Capabilities, CapabilitySet, CommonCap};
use spice_proto::inputs::KeyModifiers;
use spice_proto::main::{AgentTokens, ClientMessage, MouseModeRequest, MouseModes};
use spice_proto::{ChannelId, ChannelType, ConnectionId, HeaderKind};

use super::{InputsChannel, MainChannel};
use crate::access::Permissions;

const VIEWERS: u64 = 5;
const TIMEOUT: Duration = Duration::from_secs(30);

fn link(header: HeaderKind) -> ChannelLink {
    let mini = (header == HeaderKind::Mini).then_some(CommonCap::MINI_HEADER.0);
    ChannelLink { caps: Capabilities { common: CapabilitySet::new(mini), channel: CapabilitySet::default() } }
}

fn main_channel(viewers: u64) -> MainChannel {
    let mut main = MainChannel::new(TIMEOUT);
    main.set_positions(true);
    main.offer(ChannelType::INPUTS, ChannelId(0));
    for id in 0..viewers {
        main.connect(ClientId(id), link(HeaderKind::Mini), Time::ZERO);
        main.greet(ClientId(id), ConnectionId(7), Time::ZERO);
        main.set_permissions(ClientId(id), Permissions::all());
    }
    main
}

fn frame(header: HeaderKind, id: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    header.encode(1, id, u32::try_from(body.len()).unwrap(), &mut bytes);
    bytes.extend_from_slice(body);
    bytes
}

fn say(main: &mut MainChannel, id: u64, message: &ClientMessage) -> Result<(), ChannelError> {
    let bytes = frame(HeaderKind::Mini, message.id(), &message.encode().to_bytes());
    main.handle_bytes(ClientId(id), &bytes, Time::ZERO)
}

/// The numbers of the messages that a viewer is sent.
fn told(channel: &mut impl Channel, id: u64) -> Vec<u16> {
    let mut peer = ChannelPeer::new(HeaderKind::Mini);
    while let Some(transmit) = channel.poll_transmit(ClientId(id), Time::ZERO) {
        peer.handle_bytes(&transmit.to_bytes());
    }
    core::iter::from_fn(|| peer.poll_message().unwrap()).map(|(id, _)| id).collect()
}

/// Viewers were walked through while one of them was removed.
#[test]
fn cve_2013_4130_a_viewer_that_is_gone_while_the_mouse_mode_changes_is_told_nothing() {
    for gone in 0..VIEWERS {
        for after in 0..VIEWERS {
            let mut main = main_channel(VIEWERS);
            (0..VIEWERS).for_each(|id| assert_eq!(told(&mut main, id), [103]));
            let mode = MouseModes::SERVER;
            let request = ClientMessage::MouseModeRequest(MouseModeRequest { mode });
            say(&mut main, after, &request).unwrap();
            // Some have been told when it goes, by its own word or another's.
            (0..after).filter(|id| *id != gone).for_each(|id| assert_eq!(told(&mut main, id), [105]));
            if gone == after {
                assert!(main.handle_bytes(ClientId(gone), &[9; 64], Time::ZERO).is_err());
            }
            main.disconnect(ClientId(gone), Time::ZERO);
            (after..VIEWERS).filter(|id| *id != gone).for_each(|id| assert_eq!(told(&mut main, id), [105]));
            assert!(told(&mut main, gone).is_empty());
        }
    }
}

#[test]
fn cve_2013_4130_a_viewer_that_is_gone_while_the_lights_change_is_told_nothing() {
    for gone in 0..VIEWERS {
        for after in 0..VIEWERS {
            let mut inputs = InputsChannel::new(MouseModes::CLIENT, TIMEOUT);
            for id in 0..VIEWERS {
                inputs.connect(ClientId(id), link(HeaderKind::Mini), Time::ZERO);
                assert_eq!(told(&mut inputs, id), [101]);
            }
            inputs.set_leds(KeyModifiers::CAPS_LOCK);
            (0..after).filter(|id| *id != gone).for_each(|id| assert_eq!(told(&mut inputs, id), [102]));
            inputs.disconnect(ClientId(gone), Time::ZERO);
            (after..VIEWERS).filter(|id| *id != gone).for_each(|id| assert_eq!(told(&mut inputs, id), [102]));
            assert!(told(&mut inputs, gone).is_empty());
        }
    }
}

/// A message was read into a buffer that was as large as most messages are.
#[test]
fn cve_2016_9577_messages_of_main_and_inputs_are_measured_at_their_header() {
    let sizes = [4097, 65_537, (1 << 31) - 1, 1 << 31, (1 << 31) + 1, u32::MAX - 18, u32::MAX - 6, u32::MAX];
    for header in [HeaderKind::Full, HeaderKind::Mini] {
        for size in sizes {
            for id in (0..130).chain([u16::MAX]) {
                let mut head = Vec::new();
                header.encode(1, id, size, &mut head);
                let mut main = MainChannel::new(TIMEOUT);
                main.set_positions(true);
                let mut inputs = InputsChannel::new(MouseModes::CLIENT, TIMEOUT);
                main.connect(ClientId(1), link(header), Time::ZERO);
                inputs.connect(ClientId(1), link(header), Time::ZERO);
                let too_large = Err(ChannelError::TooLarge { id, size, max: 4096 });
                assert_eq!(main.handle_bytes(ClientId(1), &head, Time::ZERO), too_large);
                assert_eq!(inputs.handle_bytes(ClientId(1), &head, Time::ZERO), too_large);
            }
        }
    }
}

/// A viewer's piece for the agent has a cap of its own.
#[test]
fn requirement_a_piece_for_the_agent_has_2_kib_at_most() {
    let mut main = main_channel(1);
    for len in [0, 1, MAX_CHUNK - 1, MAX_CHUNK] {
        assert_eq!(say(&mut main, 0, &ClientMessage::AgentData(vec![0; len].into())), Ok(()));
    }
    let size = u32::try_from(MAX_CHUNK).unwrap() + 1;
    let error = say(&mut main, 0, &ClientMessage::AgentData(vec![0; MAX_CHUNK + 1].into())).unwrap_err();
    assert_eq!(error, ChannelError::TooLarge { id: 107, size, max: size - 1 });
}

/// Says all of a message to the agent, and that the viewer is told nothing and stays.
fn goes_nowhere(main: &mut MainChannel, message: &Message) {
    let content = message.encode(AgentLayout::default()).unwrap();
    for piece in ChunkSplitter::new(message.message_type(), 0, &content) {
        assert_eq!(say(main, 0, &ClientMessage::AgentData(piece)), Ok(()));
    }
    assert!(told(main, 0).is_empty());
}

/// The server looked into what was meant for the agent, before it was whole, and with or without one.
#[test]
fn cve_2017_7506_monitors_for_an_agent_that_is_not_there_go_nowhere() {
    let mut main = main_channel(1);
    assert_eq!(told(&mut main, 0), [103]);
    for monitors in [0, 1, 64, 256, 5000] {
        let config = MonitorsConfig { monitors: vec![Default::default(); monitors], ..Default::default() };
        goes_nowhere(&mut main, &Message::MonitorsConfig(config));
    }
    // A count that lies, in pieces of a byte, with no token for any of them.
    let mut lie = Vec::new();
    for word in [1, MessageType::MONITORS_CONFIG.0, 0, 0, 8, u32::MAX, 0] {
        lie.extend_from_slice(&word.to_le_bytes());
    }
    for byte in lie {
        assert_eq!(say(&mut main, 0, &ClientMessage::AgentData(vec![byte].into())), Ok(()));
    }
    for num_tokens in [0, 1, 10, 1 << 31, u32::MAX, u32::MAX] {
        assert_eq!(say(&mut main, 0, &ClientMessage::AgentStart(AgentTokens { num_tokens })), Ok(()));
        assert_eq!(say(&mut main, 0, &ClientMessage::AgentToken(AgentTokens { num_tokens })), Ok(()));
    }
    assert!(told(&mut main, 0).is_empty());
}

/// Agents in guests were made to open files without end, and to write them where they should not. There is none here: what
/// is meant for one is dropped as it comes, and costs its sender's budget.
#[test]
fn cve_2017_15108_and_2020_25650_to_25653_files_for_an_agent_that_is_not_there_go_nowhere() {
    let mut main = main_channel(1);
    assert_eq!(told(&mut main, 0), [103]);
    let start = |id: u32| {
        let name = format!("[vdagent-file-xfer]\nname=../../$(reboot){id}\nsize=1099511627776\n\0");
        Message::FileXferStart(FileXferStart { id, data: name.into() })
    };
    for id in 0..10_000 {
        goes_nowhere(&mut main, &start(id));
    }
    let ended = (0..40_000).find_map(|_| {
        let piece = ClientMessage::AgentData(vec![0; MAX_CHUNK].into());
        say(&mut main, 0, &piece).err()
    });
    assert!(matches!(ended, Some(ChannelError::OverBudget { .. })), "{ended:?}");
}
