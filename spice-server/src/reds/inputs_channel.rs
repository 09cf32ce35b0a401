//! The inputs channel: every viewer's keyboard and mouse, into one guest.

use core::time::Duration;

use spice_channel::{
    BudgetLimits, Channel, ChannelConfig, ChannelError, ChannelLink, ClientId, Rate, RedChannel,
    RedChannelClient, RoomLimits, Time, Transmit,
};
use spice_proto::caps::{CapabilitySet, InputsCap};
use spice_proto::inputs::{
    ClientMessage, KeyModifiers, KeyModifiersState, MOTION_ACK_BUNCH, MouseButton, MouseButtons,
    ServerMessage,
};
use spice_proto::main::MouseModes;
use spice_proto::{ChannelId, ChannelType};

use super::keyboard::{HeldKeys, Key};
use crate::access::Permissions;
use crate::guest::GuestInput;

/// The inputs of every viewer; what they do comes out of [`InputsChannel::take_inputs`].
#[derive(Debug)]
pub(crate) struct InputsChannel {
    channel: RedChannel<InputsClient>,
    config: ChannelConfig,
    mode: MouseModes,
    leds: KeyModifiers,
    inputs: Vec<GuestInput>,
}

#[derive(Debug)]
struct InputsClient {
    red: RedChannelClient,
    /// Whether what it does reaches the guest.
    may_act: bool,
    /// The beginning of a scan code whose end has not come.
    begun: Vec<u8>,
    keys: HeldKeys,
    buttons: MouseButtons,
    unacknowledged: u32,
    /// Acknowledgements that wait for room; a viewer that moves its mouse and does not read costs a number.
    acks_due: u32,
    /// The lights as the viewer has them: as it was told last, or as it has said since.
    leds: KeyModifiers,
    /// It is to be told of the guest's.
    leds_due: bool,
}

impl AsRef<RedChannelClient> for InputsClient {
    fn as_ref(&self) -> &RedChannelClient {
        &self.red
    }
}

impl AsMut<RedChannelClient> for InputsClient {
    fn as_mut(&mut self) -> &mut RedChannelClient {
        &mut self.red
    }
}

impl InputsClient {
    fn send(&mut self, message: &ServerMessage) {
        self.red.send(message.id(), &message.encode());
    }

    /// Hands a scan code on once it is whole: what one viewer has begun is not to be ended by another, or by what is let
    /// go for one that leaves.
    fn handle_scan_code(&mut self, byte: u8, inputs: &mut Vec<GuestInput>) {
        if matches!(byte, 0xe0 | 0xe1) {
            self.begun.clear();
        }
        self.begun.push(byte);
        let whole = match self.begun.first() {
            Some(0xe0) => 2,
            Some(0xe1) => 3,
            _ => 1,
        };
        if self.begun.len() < whole {
            return;
        }
        // No key has these codes: letting go of one would be the prefix of the next.
        if self.begun.iter().any(|byte| matches!(byte, 0x60 | 0x61)) {
            self.begun.clear();
        }
        for byte in self.begun.drain(..) {
            self.keys.handle_scan_code(byte);
            inputs.push(GuestInput::ScanCode(byte));
        }
    }
}

/// The buttons, with their masks; each click of the wheel is one, too.
const BUTTONS: [(MouseButton, MouseButtons); 7] = [
    (MouseButton::LEFT, MouseButtons::LEFT),
    (MouseButton::MIDDLE, MouseButtons::MIDDLE),
    (MouseButton::RIGHT, MouseButtons::RIGHT),
    (MouseButton::UP, MouseButtons::UP),
    (MouseButton::DOWN, MouseButtons::DOWN),
    (MouseButton::SIDE, MouseButtons::SIDE),
    (MouseButton::EXTRA, MouseButtons::EXTRA),
];

/// What a viewer says is held down, without bits that are no button.
fn known(said: MouseButtons) -> MouseButtons {
    BUTTONS.iter().fold(MouseButtons::empty(), |known, (_, mask)| known | (said & *mask))
}

/// The mask of a button; none for one that there is not.
fn mask(button: MouseButton) -> MouseButtons {
    BUTTONS.iter().find(|known| known.0 == button).map_or(MouseButtons::empty(), |known| known.1)
}

/// What a viewer may send: mice say where they are up to 8,000 times a second.
const BUDGET: BudgetLimits = BudgetLimits {
    messages: Rate { per_second: 10_000, burst: 20_000 },
    bytes: Rate { per_second: 1 << 20, burst: 4 << 20 },
};

impl InputsChannel {
    pub(crate) fn new(mode: MouseModes, viewer_timeout: Duration) -> Self {
        Self {
            channel: RedChannel::new(ChannelType::INPUTS, ChannelId(0)),
            config: ChannelConfig {
                room: RoomLimits::fixed(16 << 10),
                budget: BUDGET,
                ..ChannelConfig::default()
            }
            .with_stall_limit(viewer_timeout),
            mode,
            leds: KeyModifiers::empty(),
            inputs: Vec::new(),
        }
    }

    /// What a viewer may do from now on. A viewer that has joined may do nothing until this says so; what one that may not
    /// act any more holds down is released.
    pub(crate) fn set_permissions(&mut self, client: ClientId, permissions: Permissions) {
        let Some(viewer) = self.channel.client_mut(client) else { return };
        viewer.may_act = permissions.contains(Permissions::INPUTS);
        if !viewer.may_act {
            viewer.begun.clear();
            let keys = std::mem::take(&mut viewer.keys);
            let buttons = std::mem::replace(&mut viewer.buttons, MouseButtons::empty());
            self.release(&keys, buttons);
        }
    }

    /// What viewers have done since the last call, in the order in which it came.
    pub(crate) fn take_inputs(&mut self) -> Vec<GuestInput> {
        std::mem::take(&mut self.inputs)
    }

    /// Which kind of mouse message counts from now on.
    pub(crate) fn set_mouse_mode(&mut self, mode: MouseModes) {
        self.mode = mode;
    }

    /// The guest's keyboard lights are so now: viewers are told if they have changed, and those that have them otherwise
    /// in any case.
    pub(crate) fn set_leds(&mut self, leds: KeyModifiers) {
        let changed = std::mem::replace(&mut self.leds, leds) != leds;
        for (_, client) in self.channel.iter_mut() {
            client.leds_due |= changed || client.leds != leds;
        }
    }

    fn handle_message(&mut self, id: ClientId, message: ClientMessage) {
        let Some(client) = self.channel.client_mut(id) else { return };
        let inputs = &mut self.inputs;
        match message {
            // Acknowledged, so that a viewer that is let act again is not waiting for it.
            ClientMessage::MouseMotion(_) | ClientMessage::MousePosition(_) if !client.may_act => {
                acknowledge_motion(client);
            }
            _ if !client.may_act => {}
            ClientMessage::KeyDown(key) | ClientMessage::KeyUp(key) => {
                key.bytes().for_each(|byte| client.handle_scan_code(byte, inputs));
            }
            ClientMessage::KeyScancode(bytes) => {
                bytes.into_iter().for_each(|byte| client.handle_scan_code(byte, inputs));
            }
            ClientMessage::KeyModifiers(state) => {
                client.leds = state.modifiers;
                inputs.push(GuestInput::Modifiers(state.modifiers));
            }
            ClientMessage::MouseMotion(motion) => {
                // In the other mode the guest does not hear of it, nor of the buttons.
                if self.mode == MouseModes::SERVER {
                    let buttons = known(motion.buttons_state);
                    client.buttons = buttons;
                    inputs.push(GuestInput::Motion { dx: motion.dx, dy: motion.dy, buttons });
                }
                acknowledge_motion(client);
            }
            ClientMessage::MousePosition(position) => {
                if self.mode == MouseModes::CLIENT {
                    let buttons = known(position.buttons_state);
                    client.buttons = buttons;
                    let spice_proto::inputs::MousePosition { x, y, display_id: display, .. } = position;
                    inputs.push(GuestInput::Position { x, y, display, buttons });
                }
                acknowledge_motion(client);
            }
            ClientMessage::MousePress(click) => {
                let buttons = known(click.buttons_state) | mask(click.button);
                client.buttons = buttons;
                inputs.push(GuestInput::Press { button: click.button, buttons });
            }
            ClientMessage::MouseRelease(click) => {
                let buttons = known(click.buttons_state).difference(mask(click.button));
                client.buttons = buttons;
                inputs.push(GuestInput::Release { button: click.button, buttons });
            }
            _ => {}
        }
    }

    /// Lets go of what a viewer held down and nobody else does.
    fn release(&mut self, keys: &HeldKeys, buttons: MouseButtons) {
        for key in keys.iter() {
            if !self.channel.iter().any(|(_, client)| client.keys.contains(key)) {
                self.inputs.extend(Key::release(key).map(GuestInput::ScanCode));
            }
        }
        let mut left =
            self.channel.iter().fold(MouseButtons::empty(), |held, (_, client)| held | client.buttons);
        left |= buttons;
        for (button, mask) in BUTTONS {
            let others = self.channel.iter().any(|(_, client)| client.buttons.contains(mask));
            if buttons.contains(mask) && !others {
                left.remove(mask);
                self.inputs.push(GuestInput::Release { button, buttons: left });
            }
        }
    }
}

fn acknowledge_motion(client: &mut InputsClient) {
    client.unacknowledged += 1;
    if client.unacknowledged == MOTION_ACK_BUNCH {
        client.unacknowledged = 0;
        client.acks_due = client.acks_due.saturating_add(1);
    }
}

impl Channel for InputsChannel {
    fn caps(&self) -> CapabilitySet {
        CapabilitySet::new([InputsCap::KEY_SCANCODE.0])
    }

    fn connect(&mut self, client: ClientId, link: ChannelLink, now: Time) {
        let mut joined = InputsClient {
            red: RedChannelClient::new(link.header(), self.config, now),
            may_act: false,
            begun: Vec::new(),
            keys: HeldKeys::default(),
            buttons: MouseButtons::empty(),
            unacknowledged: 0,
            acks_due: 0,
            leds: self.leds,
            leds_due: false,
        };
        joined.send(&ServerMessage::Init(KeyModifiersState { modifiers: self.leds }));
        self.channel.attach(client, joined);
    }

    fn disconnect(&mut self, client: ClientId, _: Time) {
        if let Some(gone) = self.channel.detach(client) {
            self.release(&gone.keys, gone.buttons);
        }
    }

    fn handle_bytes(&mut self, id: ClientId, bytes: &[u8], now: Time) -> Result<(), ChannelError> {
        let Some(client) = self.channel.client_mut(id) else { return Ok(()) };
        client.red.handle_bytes(bytes, now);
        while let Some(client) = self.channel.client_mut(id)
            && let Some(message) = client.red.poll_message(now)?
        {
            self.handle_message(id, ClientMessage::decode(message.id, &message.body)?);
        }
        Ok(())
    }

    fn handle_written(&mut self, client: ClientId, len: usize, now: Time) {
        self.channel.handle_written(client, len, now);
    }

    fn handle_timeout(&mut self, now: Time) -> Vec<(ClientId, ChannelError)> {
        self.channel.handle_timeout(now)
    }

    fn poll_transmit(&mut self, client: ClientId, now: Time) -> Option<Transmit> {
        let client = self.channel.client_mut(client)?;
        if client.red.has_room() && std::mem::take(&mut client.leds_due) {
            client.leds = self.leds;
            client.send(&ServerMessage::KeyModifiers(KeyModifiersState { modifiers: self.leds }));
        }
        while client.acks_due > 0 && client.red.has_room() {
            client.acks_due -= 1;
            client.send(&ServerMessage::MouseMotionAck);
        }
        client.red.poll_transmit(now)
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.channel.poll_timeout()
    }
}

#[cfg(test)]
mod tests {
    use spice_proto::HeaderKind;
    use spice_proto::base::{self, Pong};
    use spice_proto::caps::Capabilities;
    use spice_proto::inputs::{KeyCode, MouseClick, MouseMotion, MousePosition};

    use super::*;

    fn framed(id: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        HeaderKind::Full.encode(1, id, u32::try_from(body.len()).unwrap(), &mut bytes);
        bytes.extend_from_slice(body);
        bytes
    }

    fn message(message: &ClientMessage) -> Vec<u8> {
        framed(message.id(), &message.encode().to_bytes())
    }

    fn channel(viewers: u64) -> InputsChannel {
        let mut channel = InputsChannel::new(MouseModes::CLIENT, Duration::from_secs(30));
        for id in 0..viewers {
            channel.connect(ClientId(id), ChannelLink { caps: Capabilities::default() }, Time::ZERO);
            channel.set_permissions(ClientId(id), Permissions::all());
        }
        channel
    }

    fn send(channel: &mut InputsChannel, client: u64, what: &ClientMessage) {
        channel.handle_bytes(ClientId(client), &message(what), Time::ZERO).unwrap();
    }

    #[test]
    fn keys_of_a_viewer_that_leaves_are_released_unless_another_holds_them() {
        let mut channel = channel(2);
        send(&mut channel, 0, &ClientMessage::KeyDown(KeyCode { code: 0x1e }));
        send(&mut channel, 0, &ClientMessage::KeyDown(KeyCode { code: 0x48e0 }));
        send(&mut channel, 1, &ClientMessage::KeyDown(KeyCode { code: 0x1e }));
        channel.take_inputs();
        channel.disconnect(ClientId(0), Time::ZERO);
        assert_eq!(channel.take_inputs(), [GuestInput::ScanCode(0xe0), GuestInput::ScanCode(0xc8)]);
        channel.disconnect(ClientId(1), Time::ZERO);
        assert_eq!(channel.take_inputs(), [GuestInput::ScanCode(0x9e)]);
    }

    #[test]
    fn buttons_of_a_viewer_that_leaves_are_released() {
        let mut channel = channel(1);
        let click = MouseClick { button: MouseButton::LEFT, buttons_state: MouseButtons::LEFT };
        send(&mut channel, 0, &ClientMessage::MousePress(click));
        channel.take_inputs();
        channel.disconnect(ClientId(0), Time::ZERO);
        let release = GuestInput::Release { button: MouseButton::LEFT, buttons: MouseButtons::empty() };
        assert_eq!(channel.take_inputs(), [release]);
    }

    #[test]
    fn a_viewer_that_may_not_act_reaches_no_guest_and_lets_go_of_what_it_held() {
        let mut channel = channel(1);
        let id = ClientId(0);
        let click = MouseClick { button: MouseButton::LEFT, buttons_state: MouseButtons::LEFT };
        let acts = [
            ClientMessage::KeyDown(KeyCode { code: 0x1e }),
            ClientMessage::MousePress(click),
            ClientMessage::KeyModifiers(KeyModifiersState { modifiers: KeyModifiers::CAPS_LOCK }),
        ];
        acts.iter().for_each(|act| send(&mut channel, 0, act));
        assert_eq!(channel.take_inputs().len(), 3);
        channel.set_permissions(id, Permissions::all() - Permissions::INPUTS);
        let release = GuestInput::Release { button: MouseButton::LEFT, buttons: MouseButtons::empty() };
        assert_eq!(channel.take_inputs(), [GuestInput::ScanCode(0x9e), release]);
        acts.iter().for_each(|act| send(&mut channel, 0, act));
        channel.disconnect(id, Time::ZERO);
        assert_eq!(channel.take_inputs(), []);
    }

    #[test]
    fn what_one_viewer_begins_of_a_scan_code_no_other_ends() {
        let mut channel = channel(2);
        let codes = |bytes: &'static [u8]| ClientMessage::KeyScancode(bytes.into());
        send(&mut channel, 0, &codes(&[0x1e, 0xe0]));
        send(&mut channel, 1, &codes(&[0x48, 0xe1, 0x1d]));
        send(&mut channel, 0, &codes(&[0x48]));
        send(&mut channel, 1, &codes(&[0x45, 0xe0]));
        let bytes = |inputs: Vec<GuestInput>| -> Vec<u8> {
            let byte =
                |input| if let GuestInput::ScanCode(byte) = input { byte } else { panic!("{input:?}") };
            inputs.into_iter().map(byte).collect()
        };
        assert_eq!(bytes(channel.take_inputs()), [0x1e, 0x48, 0xe0, 0x48, 0xe1, 0x1d, 0x45]);
        // Not a key: what lets go of it would be a prefix.
        send(&mut channel, 0, &codes(&[0x60, 0x61, 0xe0, 0x60, 0xe0]));
        channel.disconnect(ClientId(0), Time::ZERO);
        assert_eq!(bytes(channel.take_inputs()), [0x9e, 0xe0, 0xc8]);
    }

    #[test]
    fn a_viewer_that_lies_about_its_buttons_leaves_none_down() {
        let all = MouseButtons::from_bits_retain(0xffff);
        for button in 0..=9 {
            let mut channel = channel(1);
            let button = MouseButton(button);
            let click = MouseClick { button, buttons_state: MouseButtons::empty() };
            send(&mut channel, 0, &ClientMessage::MousePress(click));
            send(&mut channel, 0, &ClientMessage::MouseRelease(MouseClick { button, buttons_state: all }));
            send(&mut channel, 0, &ClientMessage::MousePress(MouseClick { button, buttons_state: all }));
            channel.disconnect(ClientId(0), Time::ZERO);
            let last = channel.take_inputs().pop();
            assert!(
                matches!(last, Some(GuestInput::Release { buttons, .. }) if buttons.is_empty()),
                "{last:?}"
            );
        }
    }

    #[test]
    fn a_motion_in_the_wrong_mode_lets_go_of_no_button() {
        let mut channel = channel(1);
        let click = MouseClick { button: MouseButton::LEFT, buttons_state: MouseButtons::LEFT };
        send(&mut channel, 0, &ClientMessage::MousePress(click));
        let motion = MouseMotion { dx: 1, dy: 1, buttons_state: MouseButtons::empty() };
        send(&mut channel, 0, &ClientMessage::MouseMotion(motion));
        channel.take_inputs();
        channel.disconnect(ClientId(0), Time::ZERO);
        let release = GuestInput::Release { button: MouseButton::LEFT, buttons: MouseButtons::empty() };
        assert_eq!(channel.take_inputs(), [release]);
    }

    #[test]
    fn every_fourth_motion_is_acknowledged() {
        let mut channel = channel(1);
        let init = channel.poll_transmit(ClientId(0), Time::ZERO).unwrap();
        assert_eq!(init.len, 18 + 2);
        let position = MousePosition { x: 1, y: 2, buttons_state: MouseButtons::empty(), display_id: 0 };
        for number in 1..=8 {
            send(&mut channel, 0, &ClientMessage::MousePosition(position));
            let acknowledged = channel.poll_transmit(ClientId(0), Time::ZERO).is_some();
            assert_eq!(acknowledged, number % 4 == 0);
        }
        assert_eq!(channel.take_inputs().len(), 8);
    }

    #[test]
    fn a_viewer_that_moves_its_mouse_and_does_not_read_costs_a_number() {
        let mut channel = channel(1);
        let position = MousePosition { x: 1, y: 2, buttons_state: MouseButtons::empty(), display_id: 0 };
        let (mut sent, mut pings) = (0, Vec::new());
        for millis in 0..40_000 {
            let now = Time::from_millis(millis);
            channel
                .handle_bytes(ClientId(0), &message(&ClientMessage::MousePosition(position)), now)
                .unwrap();
            if let Some(transmit) = channel.poll_transmit(ClientId(0), now) {
                sent += transmit.len;
                pings.extend(pings_in(&transmit));
            }
            channel.take_inputs();
        }
        assert!(sent < 17 << 10, "{sent} bytes");
        channel.handle_written(ClientId(0), sent, Time::ZERO);
        assert!(channel.poll_transmit(ClientId(0), Time::ZERO).is_none(), "it is written, and not read");
        for id in pings {
            let pong = base::ClientMessage::Pong(Pong { id, timestamp: 0 });
            let pong = framed(pong.id(), &pong.encode().to_bytes());
            channel.handle_bytes(ClientId(0), &pong, Time::ZERO).unwrap();
        }
        assert!(channel.poll_transmit(ClientId(0), Time::ZERO).is_some());
    }

    /// The pings among what is transmitted.
    fn pings_in(transmit: &Transmit) -> Vec<u32> {
        let bytes = transmit.to_bytes();
        let (mut rest, mut ids) = (&bytes[..], Vec::new());
        while let Some(header) = HeaderKind::Full.decode(rest) {
            let (body, next) = rest[HeaderKind::Full.len()..].split_at(header.size as usize);
            if let Ok(base::ServerMessage::Ping(ping)) =
                base::ServerMessage::decode(header.id, &body.to_vec().into())
            {
                ids.push(ping.id);
            }
            rest = next;
        }
        ids
    }

    #[test]
    fn lights_that_have_not_changed_are_told_to_viewers_that_have_them_otherwise() {
        let mut desk = InputsChannel::new(MouseModes::SERVER, Duration::from_secs(30));
        for id in [1, 2] {
            desk.connect(ClientId(id), ChannelLink { caps: Capabilities::default() }, Time::ZERO);
            desk.set_permissions(ClientId(id), Permissions::all());
            let _ = desk.poll_transmit(ClientId(id), Time::ZERO);
        }
        let told = |desk: &mut InputsChannel| {
            [1, 2].map(|id| {
                let transmit = desk.poll_transmit(ClientId(id), Time::ZERO)?;
                desk.handle_written(ClientId(id), transmit.len, Time::ZERO);
                Some(transmit.len)
            })
        };
        assert_eq!(told(&mut desk), [None, None]);
        let locks = KeyModifiersState { modifiers: KeyModifiers::CAPS_LOCK };
        desk.handle_message(ClientId(1), ClientMessage::KeyModifiers(locks));
        // The guest has not followed.
        desk.set_leds(KeyModifiers::empty());
        assert!(matches!(told(&mut desk), [Some(_), None]));
        desk.set_leds(KeyModifiers::empty());
        assert_eq!(told(&mut desk), [None, None]);
        // It has, by the other's key.
        desk.set_leds(KeyModifiers::CAPS_LOCK);
        assert!(matches!(told(&mut desk), [Some(_), Some(_)]));
    }
}
