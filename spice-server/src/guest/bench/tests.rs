use spice_display::qxl::{Brush, ImageSource};
use spice_proto::display::Ropd;

use super::pixels::{Random, photo, text};
use super::*;

/// FNV-1a.
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn numbers(&mut self, numbers: &[i32]) {
        for number in numbers {
            self.bytes(&number.to_le_bytes());
        }
    }

    fn draw(&mut self, drawable: &Drawable) {
        let Rect { top, left, bottom, right } = drawable.bbox;
        let kind = match drawable.op {
            DrawOp::Fill(_) => 1,
            DrawOp::Copy(_) => 3,
            _ => 4,
        };
        self.numbers(&[kind, left, top, right, bottom]);
        match &drawable.op {
            DrawOp::Fill(DrawFill { brush: Brush::Solid(colour), .. }) => self.bytes(&colour.to_le_bytes()),
            DrawOp::CopyBits(copy) => self.numbers(&[copy.source.x, copy.source.y]),
            DrawOp::Copy(copy) => {
                let ImageSource::Bitmap(bitmap) = &copy.source.source else { panic!("{copy:?}") };
                self.bytes(&copy.source.id.to_le_bytes());
                self.bytes(&bitmap.width().to_le_bytes());
                self.bytes(&bitmap.height().to_le_bytes());
                self.bytes(bitmap.data());
            }
            other => panic!("{other:?}"),
        }
    }
}

fn guest(spec: &str) -> BenchGuest {
    BenchGuest::new(spec.parse().unwrap())
}

fn poll(guest: &mut BenchGuest, now: Time) -> Option<Drawable> {
    match guest.poll(now)? {
        GuestEvent::Command(Command::Draw(drawable)) => Some(drawable),
        GuestEvent::Device(DeviceEvent::CreatePrimary(_)) => poll(guest, now),
        other => panic!("{other:?}"),
    }
}

/// Polls until nothing is left, and answers how many draws there were.
fn drain(guest: &mut BenchGuest, now: Time) -> usize {
    std::iter::from_fn(|| poll(guest, now)).count()
}

/// The numbers come from the reference program that draws the same scenes.
#[test]
fn pixels_are_those_of_the_reference() {
    let hash = |pixels: fn(usize, usize, u32, &mut Random) -> Vec<u8>, width, height, seed| {
        let mut random = Random::new(0);
        let mut hash = Hash::new();
        hash.bytes(&pixels(width, height, seed, &mut random));
        // The generator's state, seen through its next number.
        (hash.0, random.draw())
    };
    let after = |state: u32| Random::new(state).draw();
    assert_eq!(hash(text, 320, 16, 1), (0x859c_cd7d_c542_6d95, after(0x8bca_5880)));
    assert_eq!(hash(text, 203, 37, 5), (0x7243_2a44_8d82_55b5, after(0x9d86_3f18)));
    assert_eq!(hash(text, 640, 16, 70000), (0x82e4_e44b_35db_b095, after(0x3d91_9931)));
    assert_eq!(hash(photo, 320, 16, 1), (0x7f42_5991_19e5_7d30, after(0xda08_7d20)));
    assert_eq!(hash(photo, 203, 37, 5), (0xb2b6_10df_41e5_6f5c, after(0x2e52_ed11)));
    assert_eq!(hash(photo, 640, 16, 70000), (0x363f_8557_33c0_269f, after(0x3c24_cbf7)));
}

/// Six frames of each scene, drawn at one moment of the clock.
#[test]
fn frames_are_those_of_the_reference() {
    let frames = |spec: &str| {
        let mut guest = guest(spec);
        let mut hash = Hash::new();
        let mut draws = 0;
        while guest.frames() < 6 {
            guest.next_frame = guest.next_frame.map(|_| Time::ZERO);
            hash.draw(&poll(&mut guest, Time::from_micros(1_234_567_890)).unwrap());
            draws += 1;
        }
        (draws, hash.0)
    };
    assert_eq!(frames("mixed"), (61, 0xc79e_edf1_9529_c834));
    assert_eq!(frames("text"), (18, 0x6203_e486_b306_602e));
    assert_eq!(frames("photo"), (12, 0xe240_8728_8136_0a6d));
    assert_eq!(frames("fullscreen-text"), (12, 0x03f1_738e_2c07_e47e));
    assert_eq!(frames("mixed?size=642x403"), (61, 0x1c9f_221a_bbff_f5b6));
    assert_eq!(frames("text?size=642x403"), (18, 0x7def_13cb_dfbd_27f2));
    assert_eq!(frames("photo?size=642x403"), (12, 0x7ee4_ac12_f530_ec8b));
    assert_eq!(frames("fullscreen-text?size=642x403"), (12, 0xf340_fda7_2315_9d1e));
}

#[test]
fn the_primary_surface_comes_first() {
    let mut guest = guest("text?size=200x100");
    assert_eq!(guest.poll_timeout(), Some(Time::ZERO));
    let first = guest.poll(Time::from_millis(5));
    let Some(GuestEvent::Device(DeviceEvent::CreatePrimary(primary))) = first else { panic!("{first:?}") };
    assert_eq!((primary.width, primary.height, primary.format), (200, 100, SurfaceFormat::RGB32));
    assert!(primary.content.is_none());
}

#[test]
fn frames_follow_the_clock() {
    let mut guest = guest("text?fps=50");
    for millis in 1000..2000 {
        drain(&mut guest, Time::from_millis(millis));
    }
    assert_eq!(guest.frames(), 50);
    assert_eq!(guest.poll_timeout(), Some(Time::from_millis(2000)));
}

#[test]
fn a_guest_that_is_polled_late_leaves_frames_out() {
    let mut guest = guest("text?fps=10");
    drain(&mut guest, Time::from_millis(1000));
    // The frame of 1100 is drawn late, and the next one at once, from where the pace goes on.
    drain(&mut guest, Time::from_millis(1550));
    assert_eq!(guest.frames(), 3);
    assert_eq!(guest.poll_timeout(), Some(Time::from_millis(1650)));
    // Less than a frame late: the pace stays.
    drain(&mut guest, Time::from_millis(1690));
    assert_eq!(guest.poll_timeout(), Some(Time::from_millis(1750)));
}

#[test]
fn the_marker_shows_the_clock_of_its_own_poll() {
    let mut guest = guest("text?fps=1");
    poll(&mut guest, Time::from_millis(0x0112_3456)).unwrap();
    poll(&mut guest, Time::from_millis(0x0112_3457)).unwrap();
    assert_eq!(guest.frames(), 0);
    assert_eq!(guest.poll_timeout(), Some(Time::ZERO));
    let marker = poll(&mut guest, Time::from_micros(0x0112_3458 * 1000 + 999)).unwrap();
    assert_eq!(guest.frames(), 1);
    assert_eq!(marker.bbox, Rect::new(0, 0, 16, 16));
    assert_eq!(marker.mm_time, 0x0112_3458);
    let DrawOp::Fill(DrawFill { brush: Brush::Solid(colour), rop, .. }) = marker.op else { panic!() };
    assert_eq!((colour, rop), (0x0012_3458, Ropd::OP_PUT));
}

#[test]
fn specs_are_read_and_shown() {
    let spec: BenchSpec = "mixed".parse().unwrap();
    assert_eq!(spec.to_string(), "mixed?fps=30&size=1280x720");
    let spec: BenchSpec = "fullscreen-text?size=64x8192&fps=240".parse().unwrap();
    assert_eq!((spec.scene(), spec.fps(), spec.size()), (Scene::FullscreenText, 240, (64, 8192)));
    assert_eq!(spec.to_string().parse(), Ok(spec));
}

#[test]
fn wrong_specs_say_what_is_wrong() {
    let error = |spec: &str| spec.parse::<BenchSpec>().unwrap_err().to_string();
    assert_eq!(
        error("movie"),
        "no bench scene is named `movie`; there are mixed, text, photo and fullscreen-text"
    );
    assert_eq!(error("text?speed=3"), "a bench scene has no setting `speed`; there are fps and size");
    assert_eq!(error("text?fps"), "the bench setting `fps` needs a value, as in `fps=30`");
    assert_eq!(error("text?fps=0"), "`0` is no number of frames a second from 1 to 240");
    assert_eq!(error("text?fps=241"), "`241` is no number of frames a second from 1 to 240");
    assert_eq!(error("text?size=63x64"), "`63x64` is no size from 64x64 to 8192x8192");
    assert_eq!(error("text?size=64"), "`64` is no size from 64x64 to 8192x8192");
    assert_eq!(error("mixed?size=64x64"), "the mixed scene needs 320x240 pixels, not only 64x64");
}

#[test]
fn the_smallest_and_the_widest_screens_are_drawn() {
    for spec in ["mixed?size=320x240", "text?size=64x64", "photo?size=8192x64", "fullscreen-text?size=64x65"]
    {
        let mut guest = guest(spec);
        assert!(drain(&mut guest, Time::from_millis(7)) > 1);
        assert_eq!(guest.frames(), 1);
    }
}
