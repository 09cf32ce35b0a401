//! What the graphics processor shows, for viewers on the same machine, and how long a host waits for them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use spice_channel::{Channel, ChannelError, ChannelLink, ClientId, DescriptorId, Time, Transmit};
use spice_client::{ChannelPeer, DisplayModel};
use spice_display::qxl::{DeviceEvent, GlScanout, GuestEvent};
use spice_display::{DisplayChannel, RedWorker, WorkerConfig};
use spice_proto::caps::{Capabilities, CapabilitySet, CommonCap, DisplayCap};
use spice_proto::display::{
    ClientMessage, GlDraw, GlScanoutFlags, GlScanoutUnix, Head, MonitorsConfig, ServerMessage,
};
use spice_proto::{HeaderKind, Rect, SurfaceId};

use crate::scene::{SIDE, fill, primary};

const LIMIT: Duration = Duration::from_millis(100);
const MILLI: Duration = Duration::from_millis(1);

struct Desk {
    worker: RedWorker,
    now: Time,
    viewers: BTreeMap<ClientId, Viewer>,
    next_id: u64,
}

/// Who sits before it.
struct Viewer {
    peer: ChannelPeer,
    model: DisplayModel,
    /// What is on its way, and which of these bytes carry a descriptor.
    link: VecDeque<(Bytes, Option<DescriptorId>)>,
    reads: bool,
    /// How long it takes to show a draw, if it ever does.
    shows_in: Option<Duration>,
    /// When it answers.
    answers: VecDeque<Time>,
    /// What it has been sent, but for surfaces.
    got: Vec<ServerMessage>,
    descriptors: Vec<DescriptorId>,
}

impl Desk {
    fn new() -> Self {
        let mut config = WorkerConfig::default();
        config.display.gl_draw_limit = LIMIT;
        let worker = RedWorker::new(&config);
        Self { worker, now: Time::from_millis(5), viewers: BTreeMap::new(), next_id: 1 }
    }

    /// A viewer on a Unix socket or not, that takes a scanout or not.
    fn join(&mut self, unix: bool, takes: bool) -> ClientId {
        let id = ClientId(self.next_id);
        self.next_id += 1;
        let skills = [DisplayCap::MONITORS_CONFIG.0, DisplayCap::GL_SCANOUT.0];
        let caps = Capabilities {
            common: CapabilitySet::new([CommonCap::MINI_HEADER.0]),
            channel: CapabilitySet::new(skills.into_iter().take(1 + usize::from(takes))),
        };
        let display = self.worker.display_mut();
        display.connect(id, ChannelLink { caps }, self.now);
        if unix {
            display.allow_descriptors(id);
        }
        let mut peer = ChannelPeer::new(HeaderKind::Mini);
        let model = DisplayModel::new(1 << 14);
        let init = model.init();
        peer.send_message(init.id(), &init.encode().to_bytes());
        let viewer = Viewer {
            peer,
            model,
            link: VecDeque::new(),
            reads: true,
            shows_in: Some(MILLI),
            answers: VecDeque::new(),
            got: Vec::new(),
            descriptors: Vec::new(),
        };
        self.viewers.insert(id, viewer);
        id
    }

    /// A viewer that is shown the scanout and has answered a draw in time.
    fn local(&mut self) -> ClientId {
        let id = self.join(true, true);
        self.draw(0, 0, 1, 1);
        self.run(20);
        assert!(self.worker.display_mut().poll_gl_drawn());
        self.viewer(id).got.clear();
        id
    }

    fn viewer(&mut self, id: ClientId) -> &mut Viewer {
        self.viewers.get_mut(&id).unwrap()
    }

    fn scanout(&mut self, descriptor: u64) {
        self.worker
            .handle_event(GuestEvent::Device(DeviceEvent::GlScanout(Some(buffer(descriptor)))))
            .unwrap();
    }

    fn draw(&mut self, x: u32, y: u32, width: u32, height: u32) {
        let draw = GlDraw { x, y, width, height };
        self.worker.handle_event(GuestEvent::Device(DeviceEvent::GlDraw(draw))).unwrap();
    }

    fn is_drawn(&mut self) -> bool {
        self.worker.display_mut().poll_gl_drawn()
    }

    /// Milliseconds until the host is told that its draw is complete.
    fn wait(&mut self) -> u32 {
        for waited in 0..1000 {
            if self.is_drawn() {
                return waited;
            }
            self.step();
        }
        panic!("the host waits for ever");
    }

    fn run(&mut self, millis: u32) {
        (0..millis).for_each(|_| self.step());
    }

    /// A millisecond passes.
    fn step(&mut self) {
        self.now += MILLI;
        let (display, now) = (self.worker.display_mut(), self.now);
        for (id, viewer) in &mut self.viewers {
            while let Some(transmit) = transmit(display, *id, now) {
                assert_eq!(transmit.len, transmit.to_bytes().len());
                let mut descriptors = transmit.descriptors.iter().peekable();
                for (at, piece) in transmit.pieces.into_iter().enumerate() {
                    let descriptor = descriptors.next_if(|(piece, _)| *piece == at).map(|(_, id)| *id);
                    viewer.link.push_back((piece, descriptor));
                }
                assert_eq!(descriptors.next(), None);
            }
            while viewer.reads
                && let Some((piece, descriptor)) = viewer.link.pop_front()
            {
                display.handle_written(*id, piece.len(), now);
                viewer.take(&piece, descriptor, now);
            }
            while viewer.answers.front().is_some_and(|at| *at <= now) {
                viewer.answers.pop_front();
                let done = ClientMessage::GlDrawDone;
                viewer.peer.send_message(done.id(), &done.encode().to_bytes());
            }
            display.handle_bytes(*id, &viewer.peer.take_answers(), now).unwrap();
        }
        if display.poll_timeout().is_some_and(|at| at <= now) {
            assert_eq!(display.handle_timeout(now), []);
        }
    }
}

/// What a viewer is sent, with the pictures that it waits for.
fn transmit(display: &mut DisplayChannel, id: ClientId, now: Time) -> Option<Transmit> {
    loop {
        if let Some(transmit) = display.poll_transmit(id, now) {
            return Some(transmit);
        }
        let job = display.poll_encode(true).or_else(|| display.poll_encode(false))?;
        display.handle_encoded(job.run());
    }
}

impl Viewer {
    fn take(&mut self, piece: &Bytes, descriptor: Option<DescriptorId>, now: Time) {
        if let Some(descriptor) = descriptor {
            assert_eq!(piece, &b"@"[..]);
            assert!(matches!(self.got.last(), Some(ServerMessage::GlScanoutUnix(_))), "{:?}", self.got);
            self.descriptors.push(descriptor);
            return;
        }
        self.peer.handle_bytes(piece);
        while let Some((id, body)) = self.peer.poll_message().unwrap() {
            let message = ServerMessage::decode(id, &body).unwrap();
            match &message {
                // A model wants a surface for every monitor.
                ServerMessage::GlScanoutUnix(_) | ServerMessage::MonitorsConfig(_) => {}
                ServerMessage::GlDraw(_) => self.answers.extend(self.shows_in.map(|time| now + time)),
                _ => self.model.handle(id, &body).unwrap(),
            }
            self.got.push(message);
        }
    }

    /// What it has been sent of the graphics processor, and forgets.
    fn shown(&mut self) -> Vec<ServerMessage> {
        let gl = |message: &ServerMessage| {
            matches!(message, ServerMessage::GlScanoutUnix(_) | ServerMessage::GlDraw(_))
        };
        std::mem::take(&mut self.got).into_iter().filter(gl).collect()
    }
}

fn buffer(descriptor: u64) -> GlScanout {
    let descriptor = DescriptorId(descriptor);
    GlScanout { width: 640, height: 480, stride: 2560, format: 0x3432_5258, top_first: true, descriptor }
}

fn scanout() -> ServerMessage {
    ServerMessage::GlScanoutUnix(GlScanoutUnix {
        width: 640,
        height: 480,
        stride: 2560,
        drm_fourcc_format: 0x3432_5258,
        flags: GlScanoutFlags::Y0TOP,
    })
}

fn drawn(x: u32, y: u32, width: u32, height: u32) -> ServerMessage {
    ServerMessage::GlDraw(GlDraw { x, y, width, height })
}

#[test]
fn a_local_viewer_is_sent_the_buffer_and_what_is_drawn_in_it() {
    let mut desk = Desk::new();
    let id = desk.join(true, true);
    desk.run(5);
    desk.scanout(42);
    desk.draw(10, 20, 30, 40);
    desk.run(5);
    assert_eq!(desk.viewer(id).shown(), [scanout(), drawn(10, 20, 30, 40)]);
    desk.scanout(43);
    desk.run(5);
    desk.draw(600, 470, 100, 100);
    desk.run(5);
    assert_eq!(desk.viewer(id).shown(), [scanout(), drawn(600, 470, 40, 10)]);
    assert_eq!(desk.viewer(id).descriptors, [DescriptorId(42), DescriptorId(43)]);
}

#[test]
fn a_draw_is_complete_once_all_who_keep_up_have_shown_it() {
    let mut desk = Desk::new();
    desk.scanout(1);
    let (one, other) = (desk.local(), desk.local());
    desk.viewer(one).shows_in = Some(MILLI * 10);
    desk.viewer(other).shows_in = Some(MILLI * 30);
    for _ in 0..5 {
        desk.draw(0, 0, 5, 5);
        let waited = desk.wait();
        assert!((30..=32).contains(&waited), "{waited}");
        assert!(!desk.is_drawn(), "it is said once");
    }
}

#[test]
fn who_is_far_away_or_does_not_take_buffers_sees_the_surfaces_and_is_not_waited_for() {
    let mut desk = Desk::new();
    desk.worker.handle_event(primary()).unwrap();
    let others = [desk.join(false, true), desk.join(true, false), desk.join(false, false)];
    desk.run(50);
    desk.scanout(1);
    for number in 0..10 {
        desk.draw(0, 0, 640, 480);
        assert_eq!(desk.wait(), 0);
        desk.worker.handle_event(fill(0, Rect::new(0, 0, SIDE, SIDE), number)).unwrap();
        desk.run(20);
    }
    let all = Rect::new(0, 0, SIDE, SIDE);
    let canvas = desk.worker.display_mut().canvas(SurfaceId::PRIMARY, all).unwrap().read(all);
    for id in others {
        assert_eq!(desk.viewer(id).shown(), []);
        assert!(desk.viewer(id).model.surface(SurfaceId::PRIMARY).unwrap().read(all) == canvas);
    }
    assert_eq!(desk.worker.display().viewers().count(), 3);
}

#[test]
fn who_stops_showing_is_waited_for_once_and_then_shown_the_newest() {
    let mut desk = Desk::new();
    desk.scanout(1);
    let (stalled, prompt) = (desk.local(), desk.local());
    desk.viewer(stalled).got.clear();
    desk.viewer(stalled).shows_in = None;
    desk.draw(0, 0, 1, 1);
    let waited = desk.wait();
    assert!((100..=102).contains(&waited), "{waited}");
    for at in 1..50 {
        desk.draw(at, at, 1, 1);
        assert!(desk.wait() <= 2);
    }
    assert_eq!(desk.viewer(stalled).shown(), [drawn(0, 0, 1, 1)], "it has one to answer");
    assert_eq!(desk.viewer(prompt).shown().len(), 50);
    // It comes back.
    desk.viewer(stalled).shows_in = Some(MILLI * 20);
    let now = desk.now;
    desk.viewer(stalled).answers.push_back(now);
    desk.run(60);
    assert_eq!(desk.viewer(stalled).shown(), [drawn(1, 1, 49, 49)]);
    // The answer to that came late: it was due for long. The next one does not.
    desk.draw(0, 0, 1, 1);
    assert!(desk.wait() <= 2);
    desk.run(60);
    desk.draw(0, 0, 1, 1);
    assert!((20..=22).contains(&desk.wait()));
}

#[test]
fn who_is_always_too_slow_holds_up_one_draw_at_most() {
    let mut desk = Desk::new();
    desk.scanout(1);
    let slow = desk.local();
    desk.viewer(slow).shows_in = Some(LIMIT + MILLI * 20);
    let waits: Vec<u32> = (0..50)
        .map(|_| {
            desk.draw(0, 0, 640, 480);
            let waited = desk.wait();
            desk.run(16);
            waited
        })
        .collect();
    assert!((100..=102).contains(&waits[0]), "{waits:?}");
    assert!(waits[1..].iter().all(|waited| *waited == 0), "{waits:?}");
    // It is shown what it can show.
    assert!((5..=10).contains(&desk.viewer(slow).shown().len()));
}

#[test]
fn what_a_viewer_does_not_read_does_not_pile_up() {
    let mut desk = Desk::new();
    desk.worker.handle_event(primary()).unwrap();
    desk.scanout(0);
    let id = desk.local();
    desk.run(20);
    // Its connection is full.
    desk.viewer(id).reads = false;
    for number in 0..3000 {
        desk.worker.handle_event(fill(0, Rect::new(0, 0, SIDE, SIDE), number)).unwrap();
        desk.worker.handle_event(fill(0, Rect::new(0, 0, 1, 1), number)).unwrap();
        desk.step();
    }
    desk.viewer(id).descriptors.clear();
    let mut waited = 0;
    for number in 1..=10_000 {
        desk.scanout(number);
        desk.draw(number as u32 % 600, 0, 1, 1);
        desk.draw(7, 7, 1, 1);
        waited += desk.wait();
    }
    assert!(waited <= 102, "{waited}");
    desk.viewer(id).reads = true;
    desk.run(200);
    assert_eq!(desk.viewer(id).descriptors, [DescriptorId(10_000)]);
    assert_eq!(desk.viewer(id).shown(), [scanout(), drawn(7, 0, 394, 8)]);
}

#[test]
fn who_comes_later_is_shown_all_of_it_and_is_not_waited_for_before_it_has_shown_something() {
    let mut desk = Desk::new();
    desk.scanout(1);
    let early = desk.join(true, true);
    desk.run(5);
    assert_eq!(desk.viewer(early).shown(), [scanout()], "nothing has been drawn yet");
    desk.draw(5, 5, 5, 5);
    desk.run(5);
    assert!(desk.is_drawn());
    let late = desk.join(true, true);
    desk.viewer(late).shows_in = None;
    desk.draw(6, 6, 1, 1);
    assert!(desk.wait() <= 2);
    desk.run(5);
    assert_eq!(desk.viewer(late).shown(), [scanout(), drawn(0, 0, 640, 480)]);
    assert_eq!(desk.viewer(late).descriptors, [DescriptorId(1)]);
}

#[test]
fn who_leaves_is_not_waited_for() {
    let mut desk = Desk::new();
    desk.scanout(1);
    let id = desk.local();
    desk.viewer(id).shows_in = None;
    desk.draw(0, 0, 1, 1);
    desk.run(5);
    assert!(!desk.is_drawn());
    desk.worker.display_mut().disconnect(id, desk.now);
    assert!(desk.is_drawn());
}

#[test]
fn a_draw_on_nothing_is_complete_at_once() {
    let mut desk = Desk::new();
    desk.scanout(1);
    let id = desk.local();
    let events = [
        None,
        Some(GlScanout { format: 0, ..buffer(2) }),
        Some(GlScanout { width: 0, ..buffer(2) }),
        Some(GlScanout { height: 0, ..buffer(2) }),
    ];
    for scanout in events {
        desk.worker.handle_event(GuestEvent::Device(DeviceEvent::GlScanout(scanout))).unwrap();
        desk.draw(0, 0, 5, 5);
        assert!(desk.is_drawn());
        desk.run(5);
        assert_eq!(desk.viewer(id).shown(), []);
    }
    desk.scanout(3);
    desk.run(5);
    assert_eq!(desk.viewer(id).shown(), [scanout()]);
    for (x, y, width, height) in [(640, 0, 5, 5), (0, 480, 5, 5), (0, 0, 0, 5), (u32::MAX, 0, u32::MAX, 1)] {
        desk.draw(x, y, width, height);
        assert!(desk.is_drawn());
    }
    desk.draw(0, 0, u32::MAX, u32::MAX);
    assert!((1..=3).contains(&desk.wait()));
    assert_eq!(desk.viewer(id).shown(), [drawn(0, 0, 640, 480)]);
}

#[test]
fn a_draw_during_another_is_complete_with_it() {
    let mut desk = Desk::new();
    desk.scanout(1);
    let id = desk.local();
    desk.viewer(id).shows_in = Some(MILLI * 10);
    desk.draw(0, 0, 1, 1);
    desk.run(5);
    desk.draw(3, 3, 1, 1);
    desk.draw(1000, 1000, 1, 1);
    assert!(!desk.is_drawn());
    let waited = desk.wait();
    assert!((15..=17).contains(&waited), "{waited}");
    assert_eq!(desk.viewer(id).shown(), [drawn(0, 0, 1, 1), drawn(3, 3, 1, 1)]);
    desk.run(200);
    assert!(!desk.is_drawn());
}

#[test]
fn another_buffer_ends_the_wait_for_the_one_before() {
    let mut desk = Desk::new();
    desk.scanout(1);
    let id = desk.local();
    desk.viewer(id).reads = false;
    desk.draw(0, 0, 1, 1);
    desk.scanout(2);
    assert!(desk.is_drawn());
    desk.viewer(id).reads = true;
    desk.run(5);
    assert_eq!(desk.viewer(id).shown(), [scanout()]);
}

#[test]
fn what_was_drawn_on_surfaces_before_is_shown_before() {
    let mut desk = Desk::new();
    desk.worker.handle_event(primary()).unwrap();
    let id = desk.join(true, true);
    desk.run(20);
    desk.viewer(id).got.clear();
    desk.scanout(1);
    desk.draw(0, 0, 1, 1);
    for number in 0..5 {
        desk.worker.handle_event(fill(0, Rect::new(number, 0, 1, 1), 7)).unwrap();
    }
    desk.run(20);
    let got = &desk.viewer(id).got;
    let at = got.iter().position(|message| *message == scanout()).unwrap();
    assert_eq!(at, 5, "{got:?}");
    assert_eq!(got[at + 1..], [drawn(0, 0, 1, 1)]);
}

#[test]
fn monitors_are_told_of_a_buffer_where_there_is_no_surface() {
    let mut desk = Desk::new();
    let (early, far) = (desk.join(true, true), desk.join(false, true));
    desk.run(5);
    let head =
        Head { monitor_id: 0, surface_id: SurfaceId::PRIMARY, width: 640, height: 480, x: 0, y: 0, flags: 0 };
    let config = MonitorsConfig { max_allowed: 1, heads: vec![head] };
    desk.worker.handle_event(GuestEvent::Device(DeviceEvent::Monitors(config.clone()))).unwrap();
    desk.run(5);
    desk.scanout(1);
    desk.draw(0, 0, 1, 1);
    desk.run(5);
    let late = desk.join(true, true);
    desk.run(5);
    let monitors = ServerMessage::MonitorsConfig(config);
    for (id, draw) in [(early, drawn(0, 0, 1, 1)), (late, drawn(0, 0, 640, 480))] {
        let got = std::mem::take(&mut desk.viewer(id).got);
        let got: Vec<_> =
            got.into_iter().filter(|message| *message != ServerMessage::InvalAllPalettes).collect();
        assert_eq!(got, [scanout(), monitors.clone(), draw]);
    }
    assert!(!desk.viewer(far).got.contains(&monitors));
}

#[test]
fn answers_that_nobody_asked_for_count_for_nothing_once_there_was_a_buffer() {
    let mut desk = Desk::new();
    desk.scanout(1);
    let id = desk.local();
    let now = desk.now;
    desk.viewer(id).answers.extend([now; 10]);
    desk.run(5);
    desk.viewer(id).shows_in = Some(MILLI * 10);
    desk.draw(0, 0, 1, 1);
    assert!((10..=12).contains(&desk.wait()));

    let far = desk.join(false, true);
    desk.run(5);
    let done = [104, 0, 0, 0, 0, 0];
    let error = desk.worker.display_mut().handle_bytes(far, &done, desk.now).unwrap_err();
    assert_eq!(error, ChannelError::OutOfTurn { message: "display.GlDrawDone" });
}
