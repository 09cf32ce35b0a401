//! Many viewers of a busy guest: whoever does not read, errs or dies, the others go on.

use std::time::{Duration, Instant};

use spice_channel::Time;
use spice_display::qxl::{
    Brush, Clip, Command, DeviceEvent, DrawFill, DrawOp, Drawable, Effect, GuestEvent, PrimarySurface,
};
use spice_proto::display::{Ropd, SurfaceFormat};
use spice_proto::{ChannelType, Point, Rect, SurfaceId};
use spice_server::guest::bench::{BenchGuest, BenchSpec};
use spice_server::guest::{Guest, GuestInput};
use spice_server::{Auth, ChannelId, Peer, ViewerState};

use crate::support::{TestDisplay, TestServer, TestViewer, wait_for};

fn busy() -> Box<dyn Guest> {
    let spec: BenchSpec = "mixed?fps=60&size=640x480".parse().unwrap();
    Box::new(BenchGuest::new(spec))
}

/// Takes messages for a second and answers how many frames' markers were seen.
fn frames(display: &mut TestDisplay) -> usize {
    let start = Instant::now();
    let mut seen = Vec::new();
    while start.elapsed() < Duration::from_secs(1) {
        let (id, body) = display.channel.receive().unwrap();
        display.model.handle(id, &body).unwrap();
        let marker = display.model.surface(SurfaceId::PRIMARY).and_then(|it| it.pixel(Point::new(3, 3)));
        if seen.last() != Some(&marker) {
            seen.push(marker);
        }
    }
    seen.len()
}

#[test]
fn a_viewer_that_does_not_read_one_that_errs_and_one_that_dies_cost_the_others_nothing() {
    let server = TestServer::start(Auth::Open, busy());
    let viewer = TestViewer::join(&server, "").unwrap();
    let mut display = viewer.display(&server, "");
    display.until(spice_client::DisplayModel::is_marked);

    let others: Vec<_> = (0..4)
        .map(|_| {
            let viewer = TestViewer::join(&server, "").unwrap();
            let display = viewer.display(&server, "");
            (viewer, display)
        })
        .collect();
    let mut others = others.into_iter();
    let (_stalled, _unread) = others.next().unwrap();
    let (_erring, mut erring_display) = others.next().unwrap();
    erring_display.channel.send(999, b"nonsense");
    let (_oversized, mut oversized_display) = others.next().unwrap();
    oversized_display.channel.send(101, &[0; 5000]);
    drop(others.next());

    // Counts, not timings: with a guest at 60 a second, a viewer that were held up would see next to none.
    assert!(frames(&mut display) > 10);
    assert!(erring_display.channel.drains_to_its_end());
    assert!(oversized_display.channel.drains_to_its_end());
    wait_for("the dead viewer is forgotten", || (server.stats)().viewers == 4);
    assert!(frames(&mut display) > 10);
}

#[test]
fn a_viewer_that_stops_reading_is_squashed_and_holds_a_bounded_pipe() {
    let server = TestServer::start(Auth::Open, busy());
    let viewer = TestViewer::join(&server, "").unwrap();
    let mut display = viewer.display(&server, "");
    display.until(spice_client::DisplayModel::is_marked);
    let start = Instant::now();
    wait_for("it is squashed", || {
        assert!((server.stats)().queued <= 256);
        (server.stats)().squashes > 0 || start.elapsed() > Duration::from_secs(15)
    });
    assert!((server.stats)().squashes > 0);
    // It reads again, and sees the guest as it is.
    assert!(frames(&mut display) > 5);
}

/// Messages that cost the sender nothing and mean nothing, on the two owners' channels, without a pause.
#[test]
fn viewers_that_never_stop_talking_are_ended_and_keep_the_server_from_nothing() {
    let server = TestServer::start(Auth::Open, busy());
    let viewer = TestViewer::join(&server, "").unwrap();
    let mut display = viewer.display(&server, "");
    display.until(spice_client::DisplayModel::is_marked);
    let talkers: Vec<_> = (0..24)
        .map(|_| {
            let talker = TestViewer::join(&server, "").unwrap();
            let display = talker.display(&server, "");
            talker.main.flood();
            display.channel.flood();
            (talker, display)
        })
        .collect();
    assert!(frames(&mut display) > 10, "the display stood still");
    let mut late = TestViewer::join(&server, "").unwrap();
    assert_eq!(late.channels().0.len(), 3);
    late.display(&server, "").until(spice_client::DisplayModel::is_marked);
    wait_for("all talkers are ended", || (server.stats)().viewers == 2);
    for (talker, display) in talkers {
        assert!(talker.main.drains_to_its_end() && display.channel.drains_to_its_end());
    }
    assert!(frames(&mut display) > 10, "the display stood still");
}

/// What a viewer sends before the server has told it that it is in is not lost.
#[test]
fn viewers_in_a_hurry_are_shown_the_picture() {
    let server = TestServer::start(Auth::Open, busy());
    for _ in 0..100 {
        let viewer = TestViewer::join(&server, "").unwrap();
        viewer.display_in_a_hurry(&server).until(spice_client::DisplayModel::is_marked);
    }
}

#[test]
fn every_offered_channel_can_be_linked() {
    let server = TestServer::start(Auth::Open, busy());
    let mut viewer = TestViewer::join(&server, "").unwrap();
    let offered: Vec<_> = viewer.channels().0.iter().map(|channel| channel.channel_type).collect();
    assert_eq!(offered, [ChannelType::DISPLAY, ChannelType::INPUTS, ChannelType::CURSOR]);
    for kind in offered {
        crate::support::TestChannel::link(&server, viewer.connection, kind, "").unwrap();
    }
}

/// Covers its picture with another colour as often as it is asked, once two viewers watch, and waits for them.
struct Patient {
    colour: u32,
    viewers: usize,
}

const COLOURS: u32 = 3000;

impl Guest for Patient {
    fn takes_positions(&self) -> bool {
        true
    }

    fn poll(&mut self, _: Time) -> Option<GuestEvent> {
        if self.viewers < 2 || self.is_finished() {
            return None;
        }
        self.colour += 1;
        if self.colour == 1 {
            let primary =
                PrimarySurface { width: 64, height: 64, format: SurfaceFormat::RGB32, content: None };
            return Some(GuestEvent::Device(DeviceEvent::CreatePrimary(primary)));
        }
        let fill = DrawFill { brush: Brush::Solid(self.colour), rop: Ropd::OP_PUT, mask: None };
        Some(GuestEvent::Command(Command::Draw(Drawable {
            surface: SurfaceId::PRIMARY,
            bbox: Rect::new(0, 0, 64, 64),
            clip: Clip::None,
            effect: Effect::OPAQUE,
            mm_time: 0,
            op: DrawOp::Fill(fill),
        })))
    }

    fn poll_timeout(&self) -> Option<Time> {
        (self.viewers >= 2 && !self.is_finished()).then_some(Time::ZERO)
    }

    fn handle_input(&mut self, _: GuestInput, _: Time) {}

    fn handle_viewers(&mut self, displays: usize, _: Time) {
        self.viewers = displays;
    }

    fn waits_for_viewers(&self) -> bool {
        true
    }

    fn is_finished(&self) -> bool {
        self.colour > COLOURS
    }
}

#[test]
fn a_guest_that_waits_for_its_viewers_has_each_sent_every_command() {
    const DRAW_FILL: u16 = 302;
    let server = TestServer::start(Auth::Open, Box::new(Patient { colour: 0, viewers: 0 }));
    let watchers: Vec<_> = (0..2)
        .map(|_| {
            let viewer = TestViewer::join(&server, "").unwrap();
            let display = viewer.display(&server, "");
            std::thread::spawn(move || {
                let (_viewer, mut display) = (viewer, display);
                display.until(|model| model.count(DRAW_FILL) == u64::from(COLOURS));
            })
        })
        .collect();
    for watcher in watchers {
        watcher.join().unwrap();
    }
}

#[test]
fn the_owner_is_told_who_is_here_and_how_they_fare() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let server = TestServer::start(Auth::Open, busy());
    let viewers = server.viewers.clone();
    let list = || runtime.block_on(viewers.list());
    assert_eq!(list(), Some(Vec::new()));
    let first = TestViewer::join(&server, "").unwrap();
    let mut display = first.display(&server, "");
    display.until(spice_client::DisplayModel::is_marked);
    let second = TestViewer::join(&server, "").unwrap();

    let here = list().unwrap();
    let from: Vec<_> = here.iter().map(|viewer| (viewer.id.0, viewer.peer)).collect();
    assert_eq!(from, [(1, Peer::Ip(first.main.local_addr())), (2, Peer::Ip(second.main.local_addr()))]);
    assert!(here[0].connected >= here[1].connected);
    let (main, shown) = ((ChannelType::MAIN, ChannelId(0)), (ChannelType::DISPLAY, ChannelId(0)));
    assert_eq!((&here[0].channels[..], &here[1].channels[..]), (&[main, shown][..], &[main][..]));
    assert!(here[1].displays.is_empty());
    let [on] = &here[0].displays[..] else { panic!("{here:?}") };
    assert_eq!((on.id, on.stats.squashes), (ChannelId(0), 0));
    assert_ne!(on.stats.state, ViewerState::Waiting);
    assert!(on.stats.bytes > 0 && on.stats.updates > 0);

    drop((first, display));
    wait_for("the first is gone", || list().unwrap().len() == 1);
    drop(server);
    assert_eq!(list(), None);
}
