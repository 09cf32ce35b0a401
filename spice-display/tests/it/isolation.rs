//! Viewers that cannot keep up: what they show is new, what they cost is shared, and nothing of it is anybody else's.

use std::sync::Arc;
use std::time::Duration;

use spice_channel::{Channel, ChannelConfig, ChannelError, ChannelLink, ClientId, PipeLimits};
use spice_display::DisplayConfig;
use spice_display::qxl::{
    Bitmap, BitmapFormat, Clip, DeviceEvent, DrawCopy, DrawOp, GuestEvent, Image, PrimarySurface,
};
use spice_proto::display::SurfaceFormat;
use spice_proto::{HeaderKind, Point, Rect, SurfaceId};

use crate::lab::{Encoders, Lab, caps};
use crate::scene::{draw, fill};

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;

/// A screen of the size of a small desktop.
fn screen() -> Lab {
    let mut lab = Lab::with(DisplayConfig::default());
    let primary =
        PrimarySurface { width: WIDTH, height: HEIGHT, format: SurfaceFormat::RGB32, content: None };
    lab.event(GuestEvent::Device(DeviceEvent::CreatePrimary(primary))).unwrap();
    lab
}

/// Pixels that no codec makes much smaller.
fn noise(area: Rect, seed: u32) -> GuestEvent {
    let (width, height) = (area.width(), area.height());
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let pixels: Vec<u8> = (0..width * height).flat_map(|_| (next() & 0x00ff_ffff).to_le_bytes()).collect();
    let bitmap = Bitmap::new(BitmapFormat::RGB32, (width, height), width * 4, true, pixels.into()).unwrap();
    let image = Image::bitmap(u64::from(seed) << 32 | 1, Arc::new(bitmap));
    draw(0, area, Clip::None, DrawOp::Copy(DrawCopy::put(image, Rect::new(0, 0, width, height))))
}

const MARKER: Rect = Rect::from_edges(0, 0, 16, 16);

/// A frame: something large that changes everywhere, and a marker that says when.
fn frame(lab: &mut Lab, number: u32) {
    let row = number * 48 % (HEIGHT - 64);
    lab.event(noise(Rect::new(0, 16 + row.cast_signed(), WIDTH / 2, 48), number)).unwrap();
    let millis = u32::try_from(lab.now.as_millis()).unwrap();
    lab.event(fill(0, MARKER, millis)).unwrap();
}

/// How old what the viewer shows is, in milliseconds; none before it shows anything.
fn age(lab: &mut Lab, viewer: ClientId) -> Option<u64> {
    let now = lab.now.as_millis();
    let canvas = lab.viewer(viewer).model.surface(SurfaceId::PRIMARY)?;
    let marker = u64::from(canvas.pixel(Point::new(8, 8))?);
    (marker > 0).then(|| now - marker)
}

#[test]
fn a_viewer_behind_a_narrow_link_shows_what_is_new() {
    let mut lab = screen();
    let fast = lab.join(HeaderKind::Mini, true, usize::MAX);
    // 200 kB/s, for a guest that makes 2 MB/s.
    let slow = lab.join(HeaderKind::Mini, true, 200);
    let (mut oldest, mut oldest_fast) = (0, 0);
    for millis in 0..20_000 {
        if millis % 33 == 0 {
            frame(&mut lab, millis / 33);
        }
        lab.step();
        if millis > 8_000 {
            oldest = oldest.max(age(&mut lab, slow).unwrap());
            oldest_fast = oldest_fast.max(age(&mut lab, fast).unwrap());
        }
    }
    assert!(oldest_fast <= 36, "the fast one shows what is {oldest_fast} ms old");
    assert!(oldest < 500, "the slow one shows what is {oldest} ms old");
    lab.run_until_idle();
    assert_eq!((lab.difference(slow), lab.difference(fast)), (None, None));
}

/// Pictures that are packed for so many viewers at this pace while a guest draws for two seconds.
fn packed_for(viewers: usize, rate: usize, encoders: Encoders) -> usize {
    let mut lab = screen();
    lab.encoders = encoders;
    for _ in 0..viewers {
        lab.join(HeaderKind::Mini, true, rate);
    }
    for millis in 0..2000 {
        if millis % 33 == 0 {
            frame(&mut lab, millis / 33);
        }
        lab.step();
    }
    lab.packed
}

#[test]
fn pictures_are_packed_once_for_all_viewers_at_the_same_pace() {
    for rate in [300, 3000, usize::MAX] {
        let (one, many) = (packed_for(1, rate, Encoders::Prompt), packed_for(30, rate, Encoders::Prompt));
        assert_eq!(one, many, "at {rate} bytes a millisecond");
    }
}

#[test]
fn laggards_at_different_paces_share_the_tiles_that_stay_as_they_are() {
    let mut lab = screen();
    for number in 0..40 {
        lab.event(noise(Rect::new(0, number * 12, WIDTH, 12), number.unsigned_abs())).unwrap();
    }
    lab.join(HeaderKind::Mini, true, usize::MAX);
    let slow: Vec<_> = (1..=20).map(|pace| lab.join(HeaderKind::Mini, true, pace * 100)).collect();
    for id in &slow {
        lab.viewer(*id).rate = usize::MAX;
    }
    lab.run_until_idle();
    let joined = lab.packed;
    assert!(joined <= 2, "{joined} pictures for viewers that joined at once");
    // All fall behind, each in its own way, and catch up with a screen that has come to rest.
    for id in &slow {
        lab.viewer(*id).rate = 100 * (id.0 as usize);
    }
    for number in 0..300 {
        lab.event(noise(Rect::new(0, number * 16 % 464, WIDTH, 16), number.unsigned_abs())).unwrap();
        lab.step();
    }
    let before = lab.packed;
    for id in &slow {
        lab.viewer(*id).rate = 100 * (id.0 as usize);
    }
    for _ in 0..20_000 {
        lab.step();
    }
    let tiles = (WIDTH.div_ceil(256) * HEIGHT.div_ceil(64)) as usize;
    let packed = lab.packed - before;
    assert!(packed <= 3 * tiles, "{packed} pictures of {tiles} tiles for {} laggards", slow.len());
    lab.run_until_idle();
    for id in slow {
        assert_eq!(lab.difference(id), None);
    }
}

#[test]
fn a_hundred_that_join_within_a_second_share_what_they_are_shown_and_hold_up_nobody() {
    let mut lab = screen();
    let there = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    let mut oldest = 0;
    let mut joined = Vec::new();
    for millis in 0..1500 {
        if millis % 33 == 0 {
            frame(&mut lab, millis / 33);
        }
        if millis % 10 == 0 && millis < 1000 {
            joined.push(lab.join(HeaderKind::Mini, true, 20_000));
        }
        lab.step();
        oldest = oldest.max(age(&mut lab, there).unwrap_or(0));
    }
    assert!(oldest <= 36, "the one that was there shows what is {oldest} ms old");
    for id in joined {
        let age = age(&mut lab, id).unwrap();
        assert!(age <= 100, "{id} shows what is {age} ms old");
    }
    // A whole screen for each frame while they came, and what the guest drew.
    assert!(lab.packed <= 150, "{} pictures", lab.packed);
}

#[test]
fn a_pipe_that_is_not_full_is_squashed_once_what_waits_is_old() {
    let mut lab = Lab::new(PipeLimits { items: 100_000, bytes: 1 << 30 });
    lab.event(crate::scene::primary()).unwrap();
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    lab.viewer(viewer).rate = 0;
    for number in 0..40_000 {
        lab.event(fill(0, Rect::new(number % 40, number / 40 % 40, 8, 8), number.unsigned_abs())).unwrap();
        if number % 40 == 0 {
            lab.step();
        }
        // Forty a millisecond.
        assert!(lab.worker.display().stats().queued <= 40 * 302, "after {number} fills");
    }
    assert!(lab.worker.display().stats().squashes >= 1);
    lab.event(fill(0, Rect::new(0, 0, 40, 40), 7)).unwrap();
    lab.run_until_idle();
    assert_eq!(lab.difference(viewer), None);
}

#[test]
fn who_waits_for_the_packing_is_not_squashed() {
    let mut lab = screen();
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    lab.encoders = Encoders::Stuck;
    for number in 0..50 {
        lab.event(noise(Rect::new(0, number * 8, 320, 8), number.unsigned_abs())).unwrap();
        lab.now += Duration::from_millis(20);
        lab.step();
    }
    assert!(lab.worker.display().stats().queued > 0);
    lab.encoders = Encoders::Prompt;
    lab.run_until_idle();
    assert_eq!(lab.worker.display().stats().squashes, 0);
    assert_eq!(lab.viewer(viewer).model.count(304), 50 + 1);
    assert_eq!(lab.difference(viewer), None);
}

#[test]
fn a_viewer_that_does_not_say_what_it_can_keep_is_ended_alone() {
    let mut lab = screen();
    let there = lab.join(HeaderKind::Mini, true, usize::MAX);
    let silent = ClientId(77);
    let link = ChannelLink { caps: caps(HeaderKind::Mini, true) };
    lab.worker.display_mut().connect(silent, link, lab.now);
    let begun = lab.now;
    lab.run_until_idle();
    let limit = ChannelConfig::default().stall_limit;
    assert!(lab.worker.poll_timeout().unwrap() <= begun + limit);
    // What it says of pings is not what it has to say.
    let almost = begun + (limit - Duration::from_millis(1));
    assert_eq!(lab.worker.display_mut().handle_timeout(almost), []);
    let ended = lab.worker.display_mut().handle_timeout(begun + limit);
    assert_eq!(ended, [(silent, ChannelError::Unsaid { message: "display.Init", waited: limit })]);
    lab.worker.display_mut().disconnect(silent, lab.now);
    frame(&mut lab, 1);
    lab.run_until_idle();
    assert_eq!(lab.difference(there), None);
}
