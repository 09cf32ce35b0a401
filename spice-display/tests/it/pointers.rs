//! Viewers of the cursor channel: joining, lagging, forgetting shapes. At rest each shows the server's pointer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use spice_channel::{Channel, ChannelConfig, ChannelLink, ClientId, RoomLimits, Time};
use spice_client::{ChannelPeer, CursorModel};
use spice_display::CursorChannel;
use spice_display::qxl::{CursorCommand, CursorShape};
use spice_proto::cursor::CursorType;
use spice_proto::{ChannelId, HeaderKind, Point16};

use crate::lab::caps;

struct Pointers {
    channel: CursorChannel,
    now: Time,
    viewers: BTreeMap<ClientId, Viewer>,
    next_id: u64,
    local: bool,
    meant: Meant,
}

struct Viewer {
    peer: ChannelPeer,
    model: CursorModel,
    link: VecDeque<u8>,
    /// Bytes that the link carries in one step.
    rate: usize,
}

/// The pointer as the guest means it.
struct Meant {
    position: Point16,
    visible: bool,
    shape: Option<Arc<CursorShape>>,
    trail: (u16, u16),
}

impl Default for Meant {
    fn default() -> Self {
        Self { position: Point16::default(), visible: true, shape: None, trail: (0, 0) }
    }
}

impl Pointers {
    fn new() -> Self {
        let config =
            ChannelConfig { ack_window: 64, room: RoomLimits::fixed(4096), ..ChannelConfig::default() };
        Self {
            channel: CursorChannel::new(ChannelId(0), config),
            now: Time::from_millis(1),
            viewers: BTreeMap::new(),
            next_id: 1,
            local: false,
            meant: Meant::default(),
        }
    }

    fn join(&mut self, rate: usize) -> ClientId {
        let id = ClientId(self.next_id);
        self.next_id += 1;
        let link = ChannelLink { caps: caps(HeaderKind::Mini, true) };
        self.channel.connect(id, link, self.now);
        let peer = ChannelPeer::new(HeaderKind::Mini);
        self.viewers.insert(id, Viewer { peer, model: CursorModel::default(), link: VecDeque::new(), rate });
        id
    }

    fn command(&mut self, command: CursorCommand) {
        self.channel.handle_command(&command);
        match command {
            CursorCommand::Hide => self.meant.visible = false,
            CursorCommand::Move(position) => (self.meant.position, self.meant.visible) = (position, true),
            CursorCommand::Set { position, visible, shape } => {
                (self.meant.position, self.meant.visible) = (position, visible);
                self.meant.shape = Some(shape);
            }
            CursorCommand::Trail { length, frequency } => self.meant.trail = (length, frequency),
        }
    }

    fn show(&mut self, shape: Arc<CursorShape>) {
        self.command(CursorCommand::Set { position: Point16::default(), visible: true, shape });
    }

    fn reset(&mut self) {
        self.channel.reset();
        self.meant = Meant::default();
    }

    fn set_local(&mut self, local: bool) {
        self.channel.set_local(local);
        self.local = local;
    }

    fn step(&mut self) {
        self.now += Duration::from_millis(1);
        for (id, viewer) in &mut self.viewers {
            while let Some(transmit) = self.channel.poll_transmit(*id, self.now) {
                viewer.link.extend(transmit.pieces.iter().flatten());
            }
            let len = viewer.rate.min(viewer.link.len());
            let bytes: Vec<u8> = viewer.link.drain(..len).collect();
            if len > 0 {
                self.channel.handle_written(*id, len, self.now);
            }
            viewer.peer.handle_bytes(&bytes);
            while let Some((message, body)) = viewer.peer.poll_message().unwrap() {
                viewer.model.handle(message, &body).unwrap();
            }
            self.channel.handle_bytes(*id, &viewer.peer.take_answers(), self.now).unwrap();
            assert!(viewer.model.kept_bytes() <= 16 << 20);
        }
    }

    fn run_until_idle(&mut self) {
        for viewer in self.viewers.values_mut() {
            viewer.rate = usize::MAX;
        }
        let received = |pointers: &Self| {
            pointers.viewers.values().map(|viewer| viewer.peer.received()).collect::<Vec<_>>()
        };
        // A closed acknowledgement window takes a step to open, and then there is more.
        for _ in 0..10_000 {
            let before = received(self);
            self.step();
            self.step();
            if received(self) == before {
                return;
            }
        }
        panic!("viewers do not come to rest");
    }

    /// What a viewer shows differs from what the guest means: how, or nothing.
    fn difference(&self, id: ClientId) -> Option<String> {
        let Self { meant, local, .. } = self;
        let model = &self.viewers[&id].model;
        if model.trail() != meant.trail {
            return Some(format!("trail {:?}, not {:?}", model.trail(), meant.trail));
        }
        let (Some((header, data)), Some(shape)) = (model.shape(), &meant.shape) else {
            return (model.shape().is_some() != meant.shape.is_some())
                .then(|| format!("shape {:?}, not {:?}", model.shape(), meant.shape));
        };
        let theirs = CursorShape {
            unique: shape.unique,
            kind: header.kind,
            width: header.width,
            height: header.height,
            hot_spot_x: header.hot_spot_x,
            hot_spot_y: header.hot_spot_y,
            data: data.clone(),
        };
        let clear = CursorShape { data: vec![0; 4].into(), ..sized(shape.unique, (1, 1), 0) };
        let empty = shape.width == 0 || shape.height == 0 || shape.data.is_empty();
        let ours = if empty { &clear } else { &**shape };
        if theirs != *ours {
            return Some(format!("{theirs:?}, not {ours:?}"));
        }
        if *local {
            let shown = model.is_shown();
            return (shown != Ok(meant.visible)).then(|| format!("{shown:?}, not {}", meant.visible));
        }
        let place = meant.visible.then_some(meant.position);
        (model.place() != Ok(place)).then(|| format!("{:?}, not {place:?}", model.place()))
    }

    fn check(&mut self) {
        self.run_until_idle();
        for id in self.viewers.keys() {
            assert_eq!(self.difference(*id), None, "{id}");
        }
    }
}

/// Its data is no longer than a number, so that tests are fast; nobody looks how long it would have to be.
fn sized(unique: u64, (width, height): (u16, u16), look: u32) -> CursorShape {
    CursorShape {
        unique,
        kind: CursorType::ALPHA,
        width,
        height,
        hot_spot_x: 0,
        hot_spot_y: 0,
        data: look.to_le_bytes().to_vec().into(),
    }
}

fn look(look: u32) -> Arc<CursorShape> {
    Arc::new(sized(1, (16, 16), look))
}

#[derive(Clone, Debug)]
enum Act {
    Command(CursorCommand),
    Reset,
    Local(bool),
    Join(usize),
    Leave(usize),
    Rate(usize, usize),
    Steps(usize),
}

fn position() -> impl Strategy<Value = Point16> {
    (0..4_i16, 0..4_i16).prop_map(|(x, y)| Point16 { x, y })
}

/// Few, so that they come again; under few names, so that those lie.
fn shape() -> impl Strategy<Value = Arc<CursorShape>> {
    let side = prop_oneof![20 => Just(16_u16), 2 => Just(400), 1 => Just(1000), 1 => Just(0)];
    let data = prop_oneof![30 => Just(true), 1 => Just(false)];
    (0..3_u64, side, prop_oneof![0..5_u32, 0..400_u32], 0..3_u16, data).prop_map(
        |(unique, side, look, hot_spot_x, data)| {
            let shape = sized(unique, (side, side), look);
            let data = if data { shape.data.clone() } else { bytes::Bytes::new() };
            Arc::new(CursorShape { hot_spot_x, data, ..shape })
        },
    )
}

fn act() -> impl Strategy<Value = Act> {
    let set = (position(), prop::bool::weighted(0.8), shape())
        .prop_map(|(position, visible, shape)| CursorCommand::Set { position, visible, shape });
    let trail =
        (0..2_u16, 0..2_u16).prop_map(|(length, frequency)| CursorCommand::Trail { length, frequency });
    let command = prop_oneof![
        8 => set,
        4 => position().prop_map(CursorCommand::Move),
        1 => Just(CursorCommand::Hide),
        1 => trail,
    ];
    let rate = || prop_oneof![Just(0), Just(20), Just(200), Just(usize::MAX)];
    prop_oneof![
        30 => command.prop_map(Act::Command),
        1 => Just(Act::Reset),
        1 => any::<bool>().prop_map(Act::Local),
        1 => rate().prop_map(Act::Join),
        1 => (0..3_usize).prop_map(Act::Leave),
        2 => (0..3_usize, rate()).prop_map(|(at, rate)| Act::Rate(at, rate)),
        4 => (1..4_usize).prop_map(Act::Steps),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// And no message names a shape that its viewer does not have, at any speed and whenever it joins.
    #[test]
    fn at_rest_every_viewer_shows_the_pointer(acts in prop::collection::vec(act(), 1..400)) {
        let mut pointers = Pointers::new();
        pointers.join(usize::MAX);
        for act in acts {
            let ids: Vec<_> = pointers.viewers.keys().copied().collect();
            match act {
                Act::Command(command) => pointers.command(command),
                Act::Reset => pointers.reset(),
                Act::Local(local) => pointers.set_local(local),
                Act::Join(rate) if ids.len() < 4 => drop(pointers.join(rate)),
                Act::Join(_) => pointers.run_until_idle(),
                Act::Leave(at) => {
                    if let Some(id) = ids.get(at) {
                        pointers.channel.disconnect(*id, pointers.now);
                        pointers.viewers.remove(id);
                    }
                }
                Act::Rate(at, rate) => {
                    if let Some(viewer) = ids.get(at).and_then(|id| pointers.viewers.get_mut(id)) {
                        viewer.rate = rate;
                    }
                }
                Act::Steps(steps) => (0..steps).for_each(|_| pointers.step()),
            }
        }
        pointers.check();
    }
}

#[test]
fn a_shape_that_comes_again_is_not_sent_again() {
    let mut pointers = Pointers::new();
    let viewer = pointers.join(usize::MAX);
    let large = |look: u8| {
        let data = vec![look; 64 * 64 * 4].into();
        Arc::new(CursorShape { data, ..sized(0, (64, 64), 0) })
    };
    for round in 0..100 {
        pointers.show(large(round % 4));
        pointers.check();
    }
    let model = &pointers.viewers[&viewer].model;
    assert_eq!(model.count(103), 100);
    assert!((4 * 16_384..4 * 16_384 + 10_000).contains(&model.bytes()), "{}", model.bytes());
}

/// The guest names every shape alike.
#[test]
fn more_shapes_than_a_viewer_keeps_push_out_the_oldest() {
    let mut pointers = Pointers::new();
    let viewer = pointers.join(usize::MAX);
    for round in 0..3_000 {
        // Each third comes back from ever farther.
        pointers.show(look(if round % 3 == 0 { round / 2 } else { round }));
        pointers.step();
    }
    pointers.check();
    let model = &pointers.viewers[&viewer].model;
    assert!(model.count(107) > 1_500, "{}", model.count(107));
}

#[test]
fn large_shapes_are_kept_within_bounds_and_the_largest_not_at_all() {
    let mut pointers = Pointers::new();
    let viewer = pointers.join(usize::MAX);
    for round in 0..4_000 {
        let side = if round % 2 == 0 { 512 } else { u16::MAX };
        pointers.show(Arc::new(sized(u64::from(round % 2), (side, side), round)));
        pointers.step();
    }
    pointers.check();
    let model = &pointers.viewers[&viewer].model;
    assert_eq!(model.kept_bytes(), 16 << 20);
    assert_eq!(model.count(107), 2_000 - 16);
}

/// spice-gtk takes nothing but a new beginning after a reset.
#[test]
fn after_a_reset_a_viewer_begins_anew() {
    let mut pointers = Pointers::new();
    let viewer = pointers.join(usize::MAX);
    pointers.show(look(1));
    pointers.check();
    pointers.reset();
    pointers.check();
    pointers.show(look(1));
    pointers.check();
    let model = &pointers.viewers[&viewer].model;
    assert_eq!((model.count(101), model.count(102), model.count(103)), (2, 1, 2));
}

/// Whoever joins is shown the pointer where it is, without its next motion; one that is behind, and what was hidden.
#[test]
fn a_viewer_that_joins_or_lags_is_told_the_place_and_whether_it_is_shown() {
    let mut pointers = Pointers::new();
    let lagging = pointers.join(usize::MAX);
    let set = |x, visible| CursorCommand::Set { position: Point16 { x, y: 1 }, visible, shape: look(1) };
    pointers.command(set(5, true));
    pointers.join(usize::MAX);
    pointers.check();
    pointers.command(CursorCommand::Hide);
    pointers.join(usize::MAX);
    pointers.check();
    pointers.viewers.get_mut(&lagging).unwrap().rate = 0;
    for x in 0..1_000 {
        pointers.command(set(x, x % 2 == 0));
        pointers.step();
    }
    pointers.check();
    pointers.command(CursorCommand::Move(Point16 { x: 9, y: 9 }));
    pointers.set_local(true);
    pointers.command(CursorCommand::Move(Point16 { x: 10, y: 9 }));
    pointers.check();
    pointers.set_local(false);
    pointers.check();
}
