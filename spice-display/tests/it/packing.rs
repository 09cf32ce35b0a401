//! Pictures are packed once for all, elsewhere, and nobody waits for another's.

use std::sync::Arc;

use spice_channel::{Channel, PipeLimits};
use spice_display::qxl::{Bitmap, BitmapFormat, Clip, DrawCopy, DrawOp, GuestEvent, Image};
use spice_display::{DisplayConfig, WanCompression};
use spice_proto::display::{ImageCompression, ImageFlags, ImageType, Palette, PaletteId};
use spice_proto::{HeaderKind, Rect, SurfaceId};

use crate::lab::{Encoders, Lab};
use crate::scene::{self, fill, primary};

const SIDE: u32 = scene::SIDE;

/// Hard edges everywhere, and nothing in it that was there before.
fn noise(seed: u32) -> GuestEvent {
    noise_but(seed, 0)
}

/// The same, but for a pixel.
fn noise_but(seed: u32, pixel: u8) -> GuestEvent {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut data: Vec<u8> = (0..SIDE * SIDE * 4)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as u8
        })
        .collect();
    data[0] = pixel;
    let bitmap = Bitmap::new(BitmapFormat::RGB32, (SIDE, SIDE), SIDE * 4, true, data.into()).unwrap();
    let all = Rect::new(0, 0, SIDE, SIDE);
    let copy = DrawCopy::put(Image::bitmap(0, Arc::new(bitmap)), all);
    scene::draw(0, all, Clip::None, DrawOp::Copy(copy))
}

fn lab() -> Lab {
    let mut lab = Lab::new(PipeLimits { items: 64, bytes: 4 << 20 });
    lab.event(primary()).unwrap();
    lab
}

#[test]
fn a_viewer_refers_to_the_pictures_that_it_has_and_to_no_others() {
    let mut lab = lab();
    let first = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    let mut pictures = 0;
    let mut received = |lab: &mut Lab, id, seed| {
        let before = lab.viewer(id).transcript.len();
        pictures += 1;
        lab.event(noise_but(seed, pictures)).unwrap();
        lab.run_until_idle();
        assert_eq!(lab.difference(id), None);
        lab.viewer(id).transcript.len() - before
    };
    let whole = (SIDE * SIDE * 3) as usize;
    for seed in 0..4 {
        assert!(received(&mut lab, first, seed) > whole);
        assert!(received(&mut lab, first, seed) < 200, "almost the same again");
    }
    let late = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    assert!(received(&mut lab, late, 1) > whole, "it has not seen that one");
    assert!(received(&mut lab, late, 1) < 200, "and now it has");
    assert!(received(&mut lab, first, 0) < 200);
    assert!(received(&mut lab, late, 1) < 200, "the pictures in between were its own, too");
    assert_eq!(lab.viewer(first).model.images(ImageType::GLZ_RGB), 12);
    assert_eq!(lab.viewer(late).model.images(ImageType::GLZ_RGB), 4);
}

#[test]
fn a_viewer_that_missed_a_picture_goes_on_without_it() {
    let mut lab = lab();
    let fast = lab.join(HeaderKind::Mini, true, usize::MAX);
    let slow = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    lab.event(noise(1)).unwrap();
    lab.run_until_idle();
    lab.viewer(slow).rate = 0;
    // The pipe behind a stalled link keeps none of these; the newest picture stands for all.
    for seed in 2..40 {
        lab.event(noise(seed)).unwrap();
        lab.step();
    }
    lab.run_until_idle();
    for seed in [1, 38, 39, 1] {
        lab.event(noise(seed)).unwrap();
        lab.run_until_idle();
        assert_eq!((lab.difference(fast), lab.difference(slow)), (None, None));
    }
}

#[test]
fn a_viewer_waits_for_its_own_pictures_only() {
    let mut lab = lab();
    let waits = lab.join(HeaderKind::Mini, true, usize::MAX);
    let bare = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.prefer(bare, ImageCompression::OFF);
    lab.run_until_idle();
    lab.encoders = Encoders::Stuck;
    for seed in 1..200 {
        lab.event(noise(seed)).unwrap();
        lab.event(fill(0, Rect::new(3, 3, 9, 9), seed)).unwrap();
        lab.step();
    }
    assert!(lab.worker.display().is_current(bare), "it needs nothing packed");
    assert_eq!(lab.difference(bare), None);
    assert_eq!(lab.viewer(waits).model.images(ImageType::GLZ_RGB), 0);
    let joins = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.prefer(joins, ImageCompression::OFF);
    lab.step();
    lab.step();
    assert_eq!(lab.difference(joins), None);
    lab.encoders = Encoders::Prompt;
    lab.run_until_idle();
    assert_eq!(lab.difference(waits), None);
    // What was decided before it had to wait, and the newest.
    assert!(lab.viewer(waits).model.images(ImageType::GLZ_RGB) < 20);
}

#[test]
fn viewers_that_come_together_share_their_first_picture() {
    let mut lab = lab();
    lab.event(noise(5)).unwrap();
    let viewers: Vec<_> = (0..50).map(|_| lab.join(HeaderKind::Mini, true, usize::MAX)).collect();
    lab.run_until_idle();
    assert_eq!(lab.packed, 1);
    for seed in 0..10 {
        lab.event(noise(seed)).unwrap();
        lab.run_until_idle();
    }
    assert_eq!(lab.packed, 11, "each picture is packed once");
    for viewer in viewers {
        assert_eq!(lab.difference(viewer), None);
    }
}

#[test]
fn pictures_for_viewers_that_have_left_are_not_packed() {
    let mut lab = lab();
    lab.encoders = Encoders::Stuck;
    for seed in 0..100 {
        lab.event(noise(seed)).unwrap();
        let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
        lab.step();
        lab.step();
        lab.leave(viewer);
    }
    lab.encoders = Encoders::Prompt;
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    assert_eq!(lab.difference(viewer), None);
    assert!(lab.packed <= 4, "{} pictures", lab.packed);
}

#[test]
fn a_slow_link_gets_jpeg_and_zlib_and_at_rest_every_bit() {
    let mut lab = lab();
    lab.step();
    let slow = lab.join(HeaderKind::Mini, true, 200);
    let fast = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    lab.viewer(slow).rate = 200;
    let soft = |seed| {
        let all = Rect::new(0, 0, SIDE, SIDE);
        let copy = DrawCopy::put(Image::bitmap(0, scene::soft(SIDE, SIDE, seed << 1)), all);
        scene::draw(0, all, Clip::None, DrawOp::Copy(copy))
    };
    let before = lab.viewer(fast).model.images(ImageType::QUIC);
    for seed in 1..20_000 {
        lab.event(if seed % 8 == 0 { noise(seed) } else { soft(seed) }).unwrap();
        lab.step();
        let viewer = &lab.viewer(slow).model;
        if viewer.images(ImageType::JPEG) > 3 && viewer.images(ImageType::ZLIB_GLZ_RGB) > 0 {
            break;
        }
    }
    let model = &lab.viewer(slow).model;
    assert!(model.images(ImageType::JPEG) > 3, "{model:?}");
    let model = &lab.viewer(fast).model;
    assert_eq!((model.images(ImageType::JPEG), model.images(ImageType::ZLIB_GLZ_RGB)), (0, 0));
    assert!(model.images(ImageType::QUIC) > before);
    lab.run_until_idle();
    assert_eq!((lab.difference(slow), lab.difference(fast)), (None, None));
}

/// An owner that sleeps until it is asked for would not sleep at all.
#[test]
fn a_viewer_that_lags_with_something_to_repair_asks_for_no_time() {
    let config = DisplayConfig { jpeg: WanCompression::Always, ..DisplayConfig::default() };
    let mut lab = Lab::with(config);
    lab.event(primary()).unwrap();
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    let all = Rect::new(0, 0, SIDE, SIDE);
    let copy = DrawCopy::put(Image::bitmap(0, scene::soft(SIDE, SIDE, 0x7712_3400)), all);
    lab.event(scene::draw(0, all, Clip::None, DrawOp::Copy(copy))).unwrap();
    lab.viewer(viewer).rate = 0;
    for _ in 0..3000 {
        lab.step();
        let due = lab.worker.display().poll_timeout();
        assert!(due.is_none_or(|due| due > lab.now), "{due:?} at {:?}", lab.now);
    }
    lab.run_until_idle();
    assert_eq!(lab.difference(viewer), None);
}

#[test]
fn what_was_lost_is_sent_without_loss_once_it_is_left_alone() {
    let config = DisplayConfig { jpeg: WanCompression::Always, ..DisplayConfig::default() };
    let mut lab = Lab::with(config);
    lab.event(primary()).unwrap();
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    let all = Rect::new(0, 0, SIDE, SIDE);
    let copy = DrawCopy::put(Image::bitmap(0, scene::soft(SIDE, SIDE, 0x7712_3400)), all);
    lab.event(scene::draw(0, all, Clip::None, DrawOp::Copy(copy))).unwrap();
    lab.step();
    assert_eq!(lab.viewer(viewer).model.images(ImageType::JPEG), 1);
    assert!(lab.difference(viewer).is_some() && !lab.worker.display().is_current(viewer));
    // What compares pixels would show where they were lost: it is sent as a picture.
    let transparent = scene::transparent(0, 0x0101_0101);
    assert!(lab.event(scene::draw(0, Rect::new(4, 4, 8, 8), Clip::None, transparent)).is_ok());
    lab.step();
    assert_eq!(lab.viewer(viewer).model.count(312), 0);
    let steps = (0..2000).take_while(|_| {
        lab.step();
        !lab.worker.display().is_current(viewer)
    });
    assert!((900..1200).contains(&steps.count()));
    assert_eq!(lab.difference(viewer), None);
    assert!(lab.worker.display().surfaces().surface(SurfaceId(0)).is_some());
}

/// The C server and spice-gtk paint a kept image of indices on a surface with alpha as one with alpha, and others not.
#[test]
fn a_guests_wish_to_keep_an_image_changes_no_picture() {
    for flags in [ImageFlags::empty(), ImageFlags::CACHE_ME] {
        for compression in 1..8 {
            let mut lab = lab();
            lab.event(scene::create(1, None)).unwrap();
            let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
            lab.prefer(viewer, ImageCompression(compression));
            lab.run_until_idle();
            let palette = Palette { id: PaletteId(1), entries: (0..256).map(|entry| entry * 777).collect() };
            let pixels: Vec<u8> = (0..24 * 24).map(|at| (at / 3) as u8).collect();
            let bitmap = Bitmap::new(BitmapFormat::BIT8, (24, 24), 24, true, pixels.into()).unwrap();
            let bitmap = Arc::new(bitmap.with_palette(Some(Arc::new(palette))));
            let image = Image { flags, ..Image::bitmap(0, bitmap) };
            let copy = DrawOp::Copy(DrawCopy::put(image, Rect::new(0, 0, 24, 1)));
            for _ in 0..2 {
                lab.event(scene::draw(1, Rect::new(0, 0, 25, 1), Clip::None, copy.clone())).unwrap();
                lab.event(fill(1, Rect::new(0, 0, 1, 1), 7)).unwrap();
                lab.run_until_idle();
                assert_eq!(lab.difference(viewer), None, "{flags:?}, compression {compression}");
            }
        }
    }
}

#[test]
fn images_and_palettes_that_come_again_are_sent_once() {
    let mut lab = lab();
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    let palette =
        Arc::new(Palette { id: PaletteId(0), entries: (0..256).map(|entry| entry * 777).collect() });
    let image = |seed: u32, id| {
        let pixels: Vec<u8> = (0..24 * 24_u32).map(|at| (at * seed / 3) as u8).collect();
        let bitmap = Bitmap::new(BitmapFormat::BIT8, (24, 24), 24, true, pixels.into()).unwrap();
        let bitmap = Arc::new(bitmap.with_palette(Some(Arc::clone(&palette))));
        Image { flags: ImageFlags::CACHE_ME, ..Image::bitmap(id, bitmap) }
    };
    let mut received = Vec::new();
    // The second comes under the name of the first, the third is the first by another name.
    for (seed, id) in [(1, 5), (2, 5), (1, 6)] {
        let before = lab.viewer(viewer).transcript.len();
        let copy = DrawOp::Copy(DrawCopy::put(image(seed, id), Rect::new(0, 0, 24, 24)));
        lab.event(scene::draw(0, Rect::new(0, 0, 24, 24), Clip::None, copy)).unwrap();
        lab.run_until_idle();
        assert_eq!(lab.difference(viewer), None);
        received.push(lab.viewer(viewer).transcript.len() - before);
    }
    assert!(received[0] > 1024 && received[1] < received[0] - 1000, "{received:?}: one palette");
    assert!(received[2] < 100, "{received:?}: no pixel");
    assert_eq!(lab.viewer(viewer).model.images(ImageType::FROM_CACHE), 1);
}
