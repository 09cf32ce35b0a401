//! Hostile viewers of the main and the inputs channel, with a virtual clock, beside one that behaves: part of the suite in
//! `tests/hostile`, which says what they say.

#[path = "../../tests/hostile/steps.rs"]
mod steps;

use std::collections::VecDeque;
use std::time::Duration;

use spice_channel::{Channel, ChannelLink, ClientId, Time};
use spice_client::ChannelPeer;
use spice_proto::caps::{Capabilities, CapabilitySet, CommonCap};
use spice_proto::inputs::{ClientMessage, MouseButtons, MousePosition};
use spice_proto::main::MouseModes;
use spice_proto::{ChannelId, ChannelType, ConnectionId, HeaderKind};

use super::keyboard::HeldKeys;
use super::{InputsChannel, MainChannel};
use crate::access::Permissions;
use crate::guest::GuestInput;
use steps::{Ending, Random, Sequence, Step, Witness, seed_of, share};

const HONEST: ClientId = ClientId(1 << 40);
const TIMEOUT: Duration = Duration::from_secs(30);
/// Where the well-behaved viewer's mouse is, and nobody else's.
const PLACE: (u32, u32) = (0x1234_5678, 0x2345_6789);

fn link(header: HeaderKind) -> ChannelLink {
    let mini = (header == HeaderKind::Mini).then_some(CommonCap::MINI_HEADER.0);
    ChannelLink { caps: Capabilities { common: CapabilitySet::new(mini), channel: CapabilitySet::default() } }
}

/// What a guest makes of its input.
#[derive(Default)]
struct Guest {
    keys: HeldKeys,
    buttons: MouseButtons,
    /// How often the well-behaved viewer's mouse has been heard of.
    places: u64,
}

impl Guest {
    fn handle(&mut self, input: &GuestInput) {
        match input {
            GuestInput::ScanCode(byte) => self.keys.handle_scan_code(*byte),
            GuestInput::Modifiers(_) => {}
            GuestInput::Position { x, y, buttons, .. } => {
                self.places += u64::from((*x, *y) == PLACE);
                self.buttons = *buttons;
            }
            GuestInput::Motion { buttons, .. }
            | GuestInput::Press { buttons, .. }
            | GuestInput::Release { buttons, .. } => self.buttons = *buttons,
        }
    }
}

/// A viewer's end of a channel, and what it has not taken.
struct End {
    peer: ChannelPeer,
    unread: Vec<u8>,
    listens: bool,
}

impl End {
    fn new(header: HeaderKind) -> Self {
        Self { peer: ChannelPeer::new(header), unread: Vec::new(), listens: true }
    }

    /// Takes what there is and answers it; answers the numbers of the channel's own messages, and whether the
    /// connection is still one.
    fn take(&mut self, channel: &mut impl Channel, id: ClientId, now: Time) -> (Vec<u16>, bool) {
        let mut seen = Vec::new();
        loop {
            while let Some(transmit) = channel.poll_transmit(id, now) {
                self.unread.extend_from_slice(&transmit.to_bytes());
            }
            if !self.listens || self.unread.is_empty() {
                return (seen, true);
            }
            channel.handle_written(id, self.unread.len(), now);
            self.peer.handle_bytes(&std::mem::take(&mut self.unread));
            while let Some((id, _)) = self.peer.poll_message().unwrap() {
                seen.push(id);
            }
            if channel.handle_bytes(id, &self.peer.take_answers(), now).is_err() {
                return (seen, false);
            }
        }
    }
}

struct Hostile {
    id: ClientId,
    sequence: Sequence,
    left: VecDeque<Step>,
    end: End,
    over: bool,
}

struct World {
    main: MainChannel,
    inputs: InputsChannel,
    guest: Guest,
    now: Time,
    honest_main: End,
    honest_inputs: End,
    /// What the well-behaved viewer has been told, by number.
    main_told: Vec<u16>,
    acknowledged: u64,
    moved: u64,
    /// Of these, how many were made while positions counted.
    counted: u64,
    hostiles: Vec<Hostile>,
    /// How many have come to the end of what they had to say.
    said_all: u64,
}

impl World {
    fn new() -> Self {
        let now = Time::from_millis(1);
        let mut main = MainChannel::new(TIMEOUT);
        main.offer(ChannelType::INPUTS, ChannelId(0));
        main.set_positions(true);
        let mut inputs = InputsChannel::new(MouseModes::CLIENT, TIMEOUT);
        main.connect(HONEST, link(HeaderKind::Mini), now);
        main.greet(HONEST, ConnectionId(1), now);
        inputs.connect(HONEST, link(HeaderKind::Mini), now);
        main.set_permissions(HONEST, Permissions::all());
        inputs.set_permissions(HONEST, Permissions::all());
        let (honest_main, honest_inputs) = (End::new(HeaderKind::Mini), End::new(HeaderKind::Mini));
        let (main_told, hostiles, guest) = (Vec::new(), Vec::new(), Guest::default());
        let (acknowledged, moved, counted) = (0, 0, 0);
        Self {
            main,
            inputs,
            guest,
            now,
            honest_main,
            honest_inputs,
            main_told,
            acknowledged,
            moved,
            counted,
            hostiles,
            said_all: 0,
        }
    }

    fn begin(&mut self, id: ClientId, sequence: Sequence) {
        let link = link(sequence.header);
        if sequence.channel == ChannelType::MAIN {
            self.main.connect(id, link, self.now);
            self.main.greet(id, ConnectionId(2), self.now);
        } else {
            self.inputs.connect(id, link, self.now);
        }
        // Some may only look, and say all the same.
        let may = if id.0.is_multiple_of(4) { Permissions::AUDIO } else { Permissions::all() };
        self.main.set_permissions(id, may);
        self.inputs.set_permissions(id, may);
        let (left, end) = (sequence.steps.clone().into(), End::new(sequence.header));
        self.hostiles.push(Hostile { id, sequence, left, end, over: false });
    }

    /// So many milliseconds pass; the well-behaved viewer moves its mouse.
    fn pass(&mut self, millis: u32) {
        // Long waits go by in steps of a second.
        let step = if millis > 1000 { 1000 } else { 8 };
        let mut left = millis;
        loop {
            self.exchange();
            if left == 0 {
                return;
            }
            self.now += Duration::from_millis(left.min(step).into());
            left = left.saturating_sub(step);
        }
    }

    fn exchange(&mut self) {
        let now = self.now;
        let (x, y) = PLACE;
        let here = MousePosition { x, y, buttons_state: MouseButtons::empty(), display_id: 0 };
        let message = ClientMessage::MousePosition(here);
        self.honest_inputs.peer.send_message(message.id(), &message.encode().to_bytes());
        self.inputs.handle_bytes(HONEST, &self.honest_inputs.peer.take_answers(), now).unwrap();
        self.moved += 1;
        self.counted += u64::from(self.main.mouse_mode() == MouseModes::CLIENT);
        self.drain();

        let (told, stays) = self.honest_main.take(&mut self.main, HONEST, now);
        let modes = told.iter().filter(|id| **id == MODE).count();
        assert!(stays && modes <= 1, "{told:?}");
        self.main_told.extend(told.into_iter().filter(|id| *id != MODE));
        let (told, stays) = self.honest_inputs.take(&mut self.inputs, HONEST, now);
        assert!(stays);
        self.acknowledged += told.iter().filter(|id| **id == MOTION_ACK).count() as u64;
        for which in 0..self.hostiles.len() {
            let Hostile { id, sequence, end, over, .. } = &mut self.hostiles[which];
            let id = *id;
            if *over {
                continue;
            }
            let (_, stays) = match sequence.channel {
                ChannelType::MAIN => end.take(&mut self.main, id, now),
                _ => end.take(&mut self.inputs, id, now),
            };
            if !stays {
                self.end(id);
            }
        }
        let ended = self.main.handle_timeout(now).into_iter().chain(self.inputs.handle_timeout(now));
        for (id, error) in ended.collect::<Vec<_>>() {
            assert_ne!(id, HONEST, "{error}");
            self.end(id);
        }
    }

    fn drain(&mut self) {
        self.inputs.take_inputs().iter().for_each(|input| self.guest.handle(input));
    }

    fn end(&mut self, id: ClientId) {
        self.main.disconnect(id, self.now);
        self.inputs.disconnect(id, self.now);
        self.drain();
        self.hostiles.iter_mut().filter(|hostile| hostile.id == id).for_each(|hostile| hostile.over = true);
    }

    /// One of the hostile viewers does the next thing.
    fn act(&mut self, which: usize) {
        let Hostile { id, sequence, left, end, .. } = &mut self.hostiles[which];
        let (id, channel, ending) = (*id, sequence.channel, sequence.ending);
        match left.pop_front() {
            Some(Step::Wait(millis)) => self.pass(millis),
            Some(Step::Listen(listens)) => end.listens = listens,
            Some(step) => {
                // As sockets cut them.
                for piece in step.bytes(sequence.header).chunks(16 << 10) {
                    let taken = match channel {
                        ChannelType::MAIN => self.main.handle_bytes(id, piece, self.now),
                        _ => self.inputs.handle_bytes(id, piece, self.now),
                    };
                    if taken.is_err() {
                        return self.end(id);
                    }
                }
                let mode = self.main.mouse_mode();
                assert!(mode == MouseModes::SERVER || mode == MouseModes::CLIENT, "{mode:?}");
                self.inputs.set_mouse_mode(mode);
                self.drain();
            }
            None => {
                if ending == Ending::HalfClose {
                    end.listens = true;
                    self.pass(1);
                }
                self.said_all += 1;
                self.end(id);
            }
        }
    }
}

/// Numbers of messages: what the main channel says of the mouse, the inputs channel of motions, a session's first one.
const MODE: u16 = 105;
const MOTION_ACK: u16 = 111;
const INIT: u16 = 103;

fn play(part: u64, channel: ChannelType, sequences: u64) {
    let mut world = World::new();
    let mut random = Random::new(seed_of(part, u64::MAX >> 24));
    let mut begun = 0;
    while begun < sequences || !world.hostiles.is_empty() {
        // Some at a time, until all of them are gone.
        let at_a_time = if world.hostiles.is_empty() { 1 + random.below(4) as u64 } else { 0 };
        for _ in 0..at_a_time.min(sequences - begun) {
            let sequence = Sequence::new(seed_of(part, begun), channel);
            begun += 1;
            // Before the well-behaved one in every list, or behind it.
            world.begin(ClientId(begun + if begun.is_multiple_of(2) { HONEST.0 } else { 0 }), sequence);
        }
        let going_on: Vec<Sequence> = world.hostiles.iter().map(|hostile| hostile.sequence.clone()).collect();
        let going_on: Vec<&Sequence> = going_on.iter().collect();
        let _witness = Witness(&going_on);
        let which = random.below(world.hostiles.len());
        world.act(which);
        if random.one_in(4) {
            world.pass(random.below(8) as u32);
        }
        world.hostiles.retain(|hostile| !hostile.over);
        if world.hostiles.is_empty() {
            // Nothing of theirs is held down.
            assert_eq!(world.guest.keys.iter().count(), 0);
            assert_eq!(world.guest.buttons, MouseButtons::empty());
        }
    }
    world.pass(1000);
    // Some are heard out, and some are ended.
    assert!((begun / 10..=begun * 9 / 10).contains(&world.said_all), "{} of {begun}", world.said_all);
    // What the well-behaved viewer did has come to the guest, and what it was told is what it would have been.
    assert_eq!(world.guest.places, world.counted);
    assert_eq!(world.main_told, [INIT]);
    assert!(world.acknowledged.abs_diff(world.moved / 4) <= 1, "{} of {}", world.acknowledged, world.moved);
}

#[test]
fn requirement_main_channels_in_wrong_orders_change_nothing_for_another_viewer() {
    play(5, ChannelType::MAIN, share(15_000));
}

#[test]
fn requirement_inputs_in_wrong_orders_change_nothing_for_another_viewer() {
    play(6, ChannelType::INPUTS, share(10_000));
}
