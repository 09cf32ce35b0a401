//! What is said of viewers that wait, follow, stand still, are squashed and have slow links.

use std::time::Duration;

use spice_channel::{ChannelConfig, ClientId, PipeLimits, RoomLimits};
use spice_display::qxl::{Clip, DrawCopy, DrawOp, Image};
use spice_display::{Compression, DisplayConfig, ViewerState, ViewerStats};
use spice_proto::{HeaderKind, Point, Rect};

use crate::lab::Lab;
use crate::scene::{self, copy_surface, create, fill, primary};

const PIXELS: u64 = (scene::SIDE * scene::SIDE) as u64;
const SMALL: PipeLimits = PipeLimits { items: 8, bytes: 64 << 10 };

fn all() -> Rect {
    Rect::new(0, 0, scene::SIDE, scene::SIDE)
}

/// Viewers whose connections hold little, so that what is drawn next waits in their pipes.
fn lab() -> Lab {
    let connections = ChannelConfig { room: RoomLimits::fixed(256), ..ChannelConfig::default() };
    Lab::with(DisplayConfig { pipe: SMALL, connections, ..DisplayConfig::default() })
}

fn stats(lab: &Lab, id: ClientId) -> ViewerStats {
    lab.worker.display().viewer_stats(lab.now).find(|(viewer, _)| *viewer == id).unwrap().1
}

/// What only grows stays what it is when time passes and nothing happens.
fn counted(stats: &ViewerStats) -> (u64, u64, u64) {
    (stats.bytes, stats.updates, stats.squashes)
}

#[test]
fn a_viewer_waits_for_its_first_word_and_then_follows() {
    let mut lab = lab();
    lab.event(primary()).unwrap();
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    let waiting = stats(&lab, viewer);
    assert_eq!((waiting.state, counted(&waiting)), (ViewerState::Waiting, (0, 0, 0)));
    lab.run_until_idle();
    let first = stats(&lab, viewer);
    let sent = lab.viewer(viewer).transcript.len() as u64;
    assert_eq!((first.state, counted(&first)), (ViewerState::Following, (sent, 1, 0)));
    assert_eq!((first.in_flight, first.queued, first.queued_bytes, first.damaged_pixels), (0, 0, 0, 0));

    // Frames of several commands, a second of them.
    for frame in 0..30 {
        lab.event(fill(0, all(), frame)).unwrap();
        lab.event(fill(0, Rect::new(0, 0, 9, 9), !frame)).unwrap();
        lab.now += Duration::from_millis(33);
        lab.step();
    }
    lab.run_until_idle();
    let second = stats(&lab, viewer);
    let sent = lab.viewer(viewer).transcript.len() as u64;
    assert_eq!((second.state, counted(&second)), (ViewerState::Following, (sent, 31, 0)));
    assert_eq!((second.throughput, second.has_slow_link), (None, false));
}

#[test]
fn a_round_trip_is_known_as_soon_as_the_first_ping_is_answered() {
    let mut lab = lab();
    lab.event(primary()).unwrap();
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    assert_eq!(stats(&lab, viewer).round_trip, None);
    lab.run_until_idle();
    assert_eq!(stats(&lab, viewer).round_trip, Some(Duration::ZERO));
}

#[test]
fn one_that_takes_nothing_has_a_growing_pipe_and_is_squashed() {
    let mut lab = lab();
    lab.event(primary()).unwrap();
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    let other = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    let before = stats(&lab, viewer);
    lab.viewer(viewer).rate = 0;
    let part = |column: u32| Rect::new(column.cast_signed(), 0, 1, 3);
    let mut queued = Vec::new();
    for column in 0..40 {
        lab.event(fill(0, part(column), column)).unwrap();
        lab.step();
        let now = stats(&lab, viewer);
        queued.push(now.queued);
        match now.state {
            ViewerState::Following => assert_eq!((now.squashes, now.damaged_pixels), (0, 0)),
            state => assert_eq!((state, now.squashes, now.queued), (ViewerState::Behind, 1, 0)),
        }
    }
    assert_eq!(queued.iter().max(), Some(&SMALL.items));
    let squashed = stats(&lab, viewer);
    assert_eq!(squashed.state, ViewerState::Behind);
    // Nothing has left, and what is drawn since the bytes that are on their way has yet to be shown.
    assert_eq!(squashed.bytes, before.bytes);
    assert!(squashed.in_flight > 0 && squashed.in_flight < 1024, "{}", squashed.in_flight);
    assert!(squashed.damaged_pixels >= 3 * 20 && squashed.damaged_pixels <= 3 * 40);
    assert_eq!((squashed.queued, squashed.queued_bytes), (0, 0));
    let other_stats = stats(&lab, other);
    assert_eq!((other_stats.state, other_stats.squashes), (ViewerState::Following, 0));
    assert!(other_stats.updates > squashed.updates);

    lab.run_until_idle();
    let after = stats(&lab, viewer);
    let sent = lab.viewer(viewer).transcript.len() as u64;
    assert_eq!((after.state, after.squashes, after.bytes), (ViewerState::Following, 1, sent));
    assert!(after.updates > squashed.updates);
    assert_eq!(lab.difference(viewer), None);
}

#[test]
fn what_a_viewer_cannot_be_told_in_commands_is_damage() {
    let mut lab = lab();
    lab.event(primary()).unwrap();
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    lab.viewer(viewer).rate = 0;
    // Room for nothing more, and a surface that comes with pixels.
    for colour in 0..30 {
        lab.event(fill(0, Rect::new(colour, 0, 1, 1), 7)).unwrap();
        lab.step();
        if stats(&lab, viewer).queued > 0 {
            break;
        }
    }
    lab.event(create(1, Some(scene::bitmap(scene::SIDE, scene::SIDE, 5)))).unwrap();
    let damaged = stats(&lab, viewer);
    assert_eq!((damaged.state, damaged.damaged_pixels), (ViewerState::Damaged, PIXELS));
    // And so is what reads it.
    lab.event(copy_surface(0, Rect::new(0, 0, 10, 10), 1, Point::default())).unwrap();
    let spread = stats(&lab, viewer);
    assert!(spread.damaged_pixels >= PIXELS + 100, "{}", spread.damaged_pixels);
    assert_eq!((spread.state, spread.squashes), (ViewerState::Damaged, 0));
    lab.run_until_idle();
    assert_eq!(stats(&lab, viewer).state, ViewerState::Following);
}

#[test]
fn a_link_that_is_kept_busy_is_measured_and_may_count_as_slow() {
    let mut lab = Lab::with(DisplayConfig { compression: Compression::Off, ..DisplayConfig::default() });
    lab.event(primary()).unwrap();
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    lab.viewer(viewer).rate = 1000;
    // Each is nine times what the link carries in a step.
    for seed in 0..1500 {
        let bitmap = scene::bitmap(scene::SIDE, scene::SIDE, seed);
        let put = DrawCopy::put(Image::bitmap(seed.into(), bitmap), all());
        let op = DrawOp::Copy(put);
        lab.event(scene::draw(0, all(), Clip::None, op)).unwrap();
        lab.step();
    }
    let stats = stats(&lab, viewer);
    let throughput = stats.throughput.unwrap();
    assert!((900_000..=1_100_000).contains(&throughput), "{throughput}");
    assert!(stats.has_slow_link);
    assert!(stats.bytes >= 1_400_000, "{}", stats.bytes);
}
