//! Viewers of every speed: at rest each one's picture is the server's, and none changes what another receives.

use std::sync::Arc;

use proptest::prelude::*;
use spice_channel::PipeLimits;
use spice_display::qxl::{Bitmap, BitmapFormat, Clip, DrawCopy, DrawOp, GuestEvent, Image};
use spice_display::{DisplayConfig, WanCompression};
use spice_proto::display::{AlphaFlags, ImageCompression};
use spice_proto::{HeaderKind, Point, Rect};

use crate::lab::{Encoders, Lab};
use crate::scene::{self, copy_surface, create, destroy, fill, primary};

const SMALL: PipeLimits = PipeLimits { items: 8, bytes: 64 << 10 };

/// What happens in a schedule.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there are few of them")]
enum Act {
    Guest(GuestEvent),
    Step,
    Join { mini: bool, able: bool, rate: usize, compression: u8 },
    Prefer(usize, u8),
    Leave(usize),
    Rate(usize, usize),
}

fn rate() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), 1..400_usize, 1000..20_000_usize, Just(usize::MAX)]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => scene::event().prop_map(Act::Guest),
        4 => Just(Act::Step),
        1 => (any::<bool>(), any::<bool>(), rate(), 1..8_u8)
            .prop_map(|(mini, able, rate, compression)| Act::Join { mini, able, rate, compression }),
        1 => (any::<prop::sample::Index>(), 0..9_u8)
            .prop_map(|(index, compression)| Act::Prefer(index.index(16), compression)),
        1 => any::<prop::sample::Index>().prop_map(|index| Act::Leave(index.index(16))),
        1 => (any::<prop::sample::Index>(), rate()).prop_map(|(index, rate)| Act::Rate(index.index(16), rate)),
    ]
}

/// How many random schedules are played: a thousand, or what `SPICE_SCHEDULES` says.
pub(crate) fn schedules() -> ProptestConfig {
    let cases = std::env::var("SPICE_SCHEDULES").ok().and_then(|number| number.parse().ok()).unwrap_or(1000);
    ProptestConfig { cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(schedules())]

    /// Whatever the guest draws, whoever joins, lags, is squashed or leaves: at rest all pictures are the server's.
    #[test]
    fn at_rest_every_viewer_has_the_servers_picture(
        acts in prop::collection::vec(act(), 1..160),
        encoders in prop_oneof![Just(Encoders::Prompt), Just(Encoders::Slow), Just(Encoders::Failing)],
        wan in any::<bool>(),
    ) {
        let wan = if wan { WanCompression::Always } else { WanCompression::Auto };
        let config = DisplayConfig { pipe: SMALL, jpeg: wan, zlib_glz: wan, ..DisplayConfig::default() };
        let mut lab = Lab::with(config);
        lab.encoders = encoders;
        lab.event(primary()).unwrap();
        lab.join(HeaderKind::Mini, true, usize::MAX);
        lab.join(HeaderKind::Full, false, 300);
        for act in acts {
            let ids = lab.ids();
            match act {
                Act::Guest(event) => drop(lab.event(event)),
                Act::Step => lab.step(),
                Act::Join { mini, able, rate, compression } => {
                    if ids.len() < 6 {
                        let header = if mini { HeaderKind::Mini } else { HeaderKind::Full };
                        let id = lab.join(header, able, rate);
                        lab.prefer(id, ImageCompression(compression));
                    }
                }
                Act::Prefer(at, compression) => {
                    if let Some(id) = ids.get(at) {
                        lab.prefer(*id, ImageCompression(compression));
                    }
                }
                Act::Leave(at) => {
                    if let Some(id) = ids.get(at) {
                        lab.leave(*id);
                    }
                }
                Act::Rate(at, rate) => {
                    if let Some(id) = ids.get(at) {
                        lab.viewer(*id).rate = rate;
                    }
                }
            }
            prop_assert!(lab.worker.display().stats().queued <= SMALL.items * lab.ids().len());
        }
        lab.run_until_idle();
        for id in lab.ids() {
            prop_assert_eq!(lab.difference(id), None, "{}", id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// A fast viewer receives the same bytes with a stalled and a slow one beside it as alone.
    #[test]
    fn a_fast_viewers_bytes_do_not_depend_on_the_others(
        events in prop::collection::vec(scene::event(), 1..150),
        others in prop::collection::vec(rate(), 1..4),
    ) {
        let transcript = |others: &[usize]| {
            let mut lab = Lab::new(SMALL);
            lab.event(primary()).unwrap();
            let fast = lab.join(HeaderKind::Mini, true, usize::MAX);
            for rate in others {
                lab.join(HeaderKind::Mini, true, *rate);
            }
            for chunk in events.chunks(5) {
                for event in chunk {
                    drop(lab.event(event.clone()));
                }
                lab.step();
            }
            std::mem::take(&mut lab.viewer(fast).transcript)
        };
        prop_assert_eq!(transcript(&[]), transcript(&others));
    }
}

#[test]
fn a_stalled_viewer_holds_a_region_and_no_command() {
    let mut lab = Lab::new(SMALL);
    lab.event(primary()).unwrap();
    let stalled = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.step();
    lab.step();
    lab.viewer(stalled).rate = 0;
    for number in 0..20_000 {
        lab.event(fill(0, Rect::new(number % 40, number / 40 % 40, 8, 8), number.unsigned_abs())).unwrap();
        if number % 10 == 0 {
            lab.step();
        }
        assert!(lab.worker.display().stats().queued <= SMALL.items);
    }
    assert!(lab.worker.display().stats().squashes >= 1);
    lab.run_until_idle();
    assert_eq!(lab.difference(stalled), None);
    // The newest state, never the history: what the socket took before it stalled, and a few images.
    let draws = lab.viewer(stalled).model.count(302);
    assert!(draws < 14_000, "{draws} fills of 20000");
}

#[test]
fn a_draw_that_reads_a_damaged_surface_is_shown_with_what_was_meant() {
    let mut lab = Lab::new(PipeLimits { items: 3, bytes: 1 << 20 });
    lab.event(primary()).unwrap();
    lab.event(create(1, None)).unwrap();
    let viewer = lab.join(HeaderKind::Mini, false, usize::MAX);
    lab.run_until_idle();
    lab.viewer(viewer).rate = 0;
    let all = Rect::new(0, 0, scene::SIDE, scene::SIDE);
    for colour in 0..5000 {
        lab.event(fill(1, all, colour)).unwrap();
        lab.event(copy_surface(0, all, 1, Point::default())).unwrap();
        lab.event(fill(1, all, !colour)).unwrap();
        lab.step();
    }
    lab.run_until_idle();
    assert_eq!(lab.difference(viewer), None);
}

/// Found by a random schedule: a draw on a surface that is gone waits, and what it reads becomes damaged.
#[test]
fn damage_does_not_outlive_its_surface() {
    let mut lab = Lab::new(SMALL);
    lab.event(primary()).unwrap();
    let viewer = lab.join(HeaderKind::Mini, false, usize::MAX);
    lab.run_until_idle();
    let all = Rect::new(0, 0, scene::SIDE, scene::SIDE);
    for event in [
        create(1, None),
        create(2, None),
        copy_surface(1, all, 2, Point::default()),
        destroy(1),
        create(3, Some(scene::bitmap(scene::SIDE, scene::SIDE, 5))),
        copy_surface(2, all, 3, Point::default()),
    ] {
        lab.event(event).unwrap();
    }
    lab.run_until_idle();
    assert_eq!(lab.difference(viewer), None);
}

/// What has become bytes and has not left is not with the viewer yet: a server that ends there would lose it.
#[test]
fn a_viewer_is_current_only_once_its_socket_has_taken_everything() {
    let mut lab = Lab::new(SMALL);
    lab.event(primary()).unwrap();
    let viewer = lab.join(HeaderKind::Mini, false, usize::MAX);
    lab.run_until_idle();
    lab.viewer(viewer).rate = 1;
    lab.event(fill(0, Rect::new(0, 0, 8, 8), 7)).unwrap();
    lab.step();
    assert!(!lab.worker.display().is_current(viewer));
    lab.run_until_idle();
    assert!(lab.worker.display().is_current(viewer));
    assert_eq!(lab.difference(viewer), None);
}

#[test]
fn a_viewer_that_joins_is_shown_the_picture_in_one_image_and_told_to_show_it() {
    let mut lab = Lab::new(SMALL);
    lab.event(primary()).unwrap();
    lab.event(fill(0, Rect::new(5, 5, 10, 10), 0xff_0000)).unwrap();
    let viewer = lab.join(HeaderKind::Mini, false, usize::MAX);
    lab.run_until_idle();
    let model = &lab.viewer(viewer).model;
    assert_eq!((model.count(314), model.count(304), model.count(302)), (1, 1, 0));
    assert!(model.is_marked());
    assert_eq!(model.monitors().len(), 1);
    assert_eq!(lab.difference(viewer), None);
}

/// Most packings drop the bits of pixels that mean nothing, and some operations look at them on a surface.
#[test]
fn what_is_not_sent_of_a_surface_is_not_seen_in_what_is_drawn_from_it() {
    let all = Rect::new(0, 0, scene::SIDE, scene::SIDE);
    let high = |red, top| {
        let pixels: Vec<u8> = (0..scene::SIDE * scene::SIDE).flat_map(|_| [3, 4, red, top]).collect();
        let size = (scene::SIDE, scene::SIDE);
        Arc::new(Bitmap::new(BitmapFormat::RGB32, size, scene::SIDE * 4, true, pixels.into()).unwrap())
    };
    let top_bit = |bit: u16| {
        let pixels: Vec<u8> = (0..scene::SIDE * scene::SIDE).flat_map(|_| bit.to_le_bytes()).collect();
        let size = (scene::SIDE, scene::SIDE);
        Arc::new(Bitmap::new(BitmapFormat::RGB16, size, scene::SIDE * 2, true, pixels.into()).unwrap())
    };
    let keep = |bitmap| DrawOp::Copy(DrawCopy::put(Image::bitmap(9, bitmap), all));
    let has_alpha = u32::from(AlphaFlags::SRC_SURFACE_HAS_ALPHA.bits()) << 8 | 0xff;
    for compression in 0..9 {
        for able in [false, true] {
            for (source, content, target, op) in [
                (2, high(200, 0x80), 0, scene::blend(2, has_alpha)),
                (3, top_bit(0x8000), 7, scene::transparent(3, 0)),
                (3, top_bit(0x8000), 0, scene::transparent(3, 0)),
                (2, high(0, 0x80), 1, scene::transparent(2, 0)),
            ] {
                let mut lab = Lab::new(PipeLimits::default());
                lab.event(primary()).unwrap();
                let viewer = lab.join(HeaderKind::Mini, able, usize::MAX);
                lab.prefer(viewer, ImageCompression(compression));
                for surface in 1..scene::SURFACES {
                    lab.event(create(surface, None)).unwrap();
                }
                lab.event(fill(target, all, 0x0055_6677)).unwrap();
                lab.event(scene::draw(source, all, Clip::None, keep(content))).unwrap();
                lab.step();
                lab.step();
                lab.event(scene::draw(target, all, Clip::None, op)).unwrap();
                lab.run_until_idle();
                assert_eq!(
                    lab.difference(viewer),
                    None,
                    "{source} on {target}, compression {compression}, {able}"
                );
            }
        }
    }
}
