use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;

use proptest::prelude::*;
use spice_proto::ChannelId;
use spice_proto::display::SurfaceFormat;

use super::*;
use crate::image::digest::ImageKeys;
use crate::qxl::recording::{Event, Recording};
use crate::qxl::{Command, GuestEvent};

/// A viewer that counts what it was told to keep, as spice-gtk does.
#[derive(Debug, Default)]
struct Viewer(BTreeMap<u64, Kept>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    key: ImageKey,
    fidelity: Fidelity,
    times: u32,
}

impl Viewer {
    fn inval(&mut self, list: Option<InvalList>) {
        let Some(InvalList(list)) = list else { return };
        assert!(!list.is_empty());
        for Resource { kind, id } in list {
            assert_eq!(kind, ResourceType::PIXMAP);
            let kept = self.0.get_mut(&id).expect("it goes, and is not there");
            kept.times -= 1;
            assert_eq!(kept.times, 0, "it goes and stays");
            self.0.remove(&id);
        }
    }

    fn keep(&mut self, (id, flags): (u64, ImageFlags), key: ImageKey, fidelity: Fidelity) {
        let kept = Kept { key, fidelity, times: 1 };
        match (self.0.insert(id, kept), flags) {
            (None, ImageFlags::CACHE_ME) => {}
            (Some(worse), ImageFlags::CACHE_REPLACE_ME) => {
                assert!(worse.key == key && worse.fidelity < fidelity && fidelity > Fidelity::Lossy);
            }
            other => panic!("{other:?}"),
        }
    }

    fn pixels(&self) -> u64 {
        self.0.values().map(|kept| kept.key.pixels).sum()
    }
}

/// Some have one id.
fn key(content: u8) -> ImageKey {
    let pixels = [1, 5, 10, 30, 60, 101][usize::from(content) % 6];
    ImageKey { id: u64::from(content % 13), digest: content.into(), pixels }
}

fn small(pixels: i64) -> PixmapCache {
    PixmapCache::new(pixels, 1)
}

#[derive(Clone, Debug)]
enum Act {
    /// Images, what is needed of each and what its packing leaves; whether the message is sent.
    Message(Vec<(u8, Fidelity, Fidelity)>, bool),
    EvictAll,
    ForgetAll,
}

fn act() -> impl Strategy<Value = Act> {
    let fidelity = || prop_oneof![Just(Fidelity::Lossy), Just(Fidelity::Shown), Just(Fidelity::Exact)];
    let image = (0..18_u8, fidelity(), fidelity())
        .prop_map(|(content, one, other)| (content, one.min(other), one.max(other)));
    let images = prop::collection::vec(image, 1..5);
    prop_oneof![
        40 => (images, prop::bool::weighted(0.8)).prop_map(|(images, sent)| Act::Message(images, sent)),
        1 => Just(Act::EvictAll),
        1 => Just(Act::ForgetAll),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Whatever order the viewer looks at a message's images in, and whatever is given up.
    #[test]
    fn no_message_refers_to_what_the_viewer_does_not_have(
        acts in prop::collection::vec(act(), 1..150),
        tell_late in any::<bool>(),
    ) {
        let mut cache = small(100);
        let mut viewer = Viewer::default();
        for act in acts {
            match act {
                Act::EvictAll => cache.evict_all(),
                Act::ForgetAll => {
                    cache.forget_all();
                    viewer.0.clear();
                }
                Act::Message(images, sent) => {
                    let before = viewer.0.clone();
                    let mut message = cache.begin();
                    let (mut referred, mut brought) = (Vec::new(), Vec::new());
                    for (content, need, packed) in images {
                        let key = key(content);
                        if let Some((id, data)) = message.refer(&key, need) {
                            prop_assert_eq!(data, ImageData::FromCache);
                            referred.push((id, key, need));
                        } else if let Some(mark) = message.bring(&key, packed) {
                            brought.push((mark, key, packed));
                        }
                    }
                    if sent {
                        message.commit();
                        viewer.inval(cache.take_inval_list());
                        for (id, key, need) in referred {
                            let kept = viewer.0.get(&id).expect("it is referred to, and not there");
                            prop_assert!(kept.key == key && kept.fidelity >= need);
                        }
                        for (mark, key, fidelity) in brought {
                            // Nothing is brought that could have been referred to.
                            prop_assert!(before.get(&key.id).is_none_or(|kept| kept.key != key
                                || kept.fidelity < fidelity || !viewer.0.contains_key(&key.id)));
                            viewer.keep(mark, key, fidelity);
                        }
                    } else {
                        drop(message);
                        if !tell_late {
                            viewer.inval(cache.take_inval_list());
                        }
                    }
                    prop_assert!(viewer.pixels() <= 100, "{} pixels", viewer.pixels());
                }
            }
        }
        cache.evict_all();
        viewer.inval(cache.take_inval_list());
        prop_assert_eq!(viewer.0, BTreeMap::new());
        prop_assert_eq!(cache.take_inval_list(), None);
    }
}

fn show(cache: &mut PixmapCache, key: &ImageKey) -> &'static str {
    let mut message = cache.begin();
    let how = if message.refer(key, Fidelity::Exact).is_some() {
        "kept"
    } else if message.bring(key, Fidelity::Exact).is_some() {
        "new"
    } else {
        "once"
    };
    message.commit();
    how
}

#[test]
fn what_the_viewer_says_is_bounded_and_split() {
    let sized = |pixels| ImageKey { id: 1, digest: 1, pixels };
    for (stated, displays, most) in [
        (i64::MIN, 1, 0),
        (-1, 1, 0),
        (0, 1, 0),
        (100, 0, 100),
        (100, 1, 100),
        (100, 3, 33),
        (1, 255, 0),
        (i64::MAX, 1, MOST_PIXELS),
        (i64::MAX, 4, MOST_PIXELS / 4),
    ] {
        let mut cache = PixmapCache::new(stated, displays);
        assert_eq!(show(&mut cache, &sized(most + 1)), "once", "{stated} for {displays}");
        assert_eq!(show(&mut cache, &sized(u64::MAX)), "once");
        if most > 0 {
            assert_eq!(show(&mut cache, &sized(most)), "new", "{stated} for {displays}");
        }
    }
}

#[test]
fn tiny_images_are_bounded_in_number() {
    let mut cache = small(i64::MAX);
    let mut viewer = Viewer::default();
    for content in 0..100_000_u32 {
        let key = ImageKey { id: content.into(), digest: content.into(), pixels: 1 };
        let mut message = cache.begin();
        let mark = message.bring(&key, Fidelity::Exact).unwrap();
        message.commit();
        viewer.inval(cache.take_inval_list());
        viewer.keep(mark, key, Fidelity::Exact);
        assert!(viewer.0.len() <= MOST_IMAGES);
    }
}

#[test]
fn an_image_of_the_message_does_not_go_for_another() {
    let mut cache = small(100);
    let [half, most] = [ImageKey { pixels: 50, ..key(1) }, ImageKey { pixels: 60, ..key(2) }];
    assert_eq!(show(&mut cache, &half), "new");
    let mut message = cache.begin();
    assert!(message.refer(&half, Fidelity::Exact).is_some());
    assert_eq!(message.bring(&most, Fidelity::Exact), None);
    message.commit();
    assert_eq!(cache.take_inval_list(), None);
    assert_eq!(show(&mut cache, &most), "new");
    assert_eq!(cache.take_inval_list().unwrap().0.len(), 1);
}

#[test]
fn a_worse_image_is_replaced_once_the_better_one_is_needed() {
    let mut cache = small(100);
    let lossy = key(1);
    let mut message = cache.begin();
    assert_eq!(message.bring(&lossy, Fidelity::Lossy), Some((1, ImageFlags::CACHE_ME)));
    message.commit();
    for sent in [false, true] {
        let mut message = cache.begin();
        assert!(message.refer(&lossy, Fidelity::Lossy).is_some());
        assert!(message.refer(&lossy, Fidelity::Shown).is_none());
        assert_eq!(message.bring(&lossy, Fidelity::Shown), Some((1, ImageFlags::CACHE_REPLACE_ME)));
        if sent {
            message.commit();
        }
    }
    let mut message = cache.begin();
    assert!(message.refer(&lossy, Fidelity::Shown).is_some());
    assert!(message.refer(&lossy, Fidelity::Exact).is_none());
}

/// A driver of Linux, whose ids are a hash of the pixels: what it means to be kept is found without them.
#[test]
fn a_recorded_desktops_images_are_kept_as_its_ids_would_have_it() {
    let file = include_bytes!("../../../tests/data/xspice-term.rec.zst");
    let mut recording = Recording::new(BufReader::new(zstd::Decoder::new(&file[..]).unwrap())).unwrap();
    let keys = ImageKeys::new(ChannelId(0), 0);
    let mut cache = small(20 << 20);
    let mut ids = BTreeSet::new();
    let (mut kept, mut again) = (0, 0);
    while let Some(recorded) = recording.next_event().unwrap() {
        let Event::Guest(GuestEvent::Command(Command::Draw(drawable))) = recorded.event else { continue };
        for image in drawable.op.images().filter(|image| image.flags.contains(ImageFlags::CACHE_ME)) {
            // Some are surfaces, and the flag means nothing.
            let Some(key) = keys.key(image, SurfaceFormat::RGB32) else { continue };
            kept += u32::from(show(&mut cache, &key) == "kept");
            again += u32::from(!ids.insert(image.id));
        }
    }
    assert_eq!((kept, ids.len()), (again, 1425));
    assert_eq!(again, 496);
}
