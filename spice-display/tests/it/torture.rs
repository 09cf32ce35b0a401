//! Every drawing operation with every kind of operand.

use std::io::BufReader;
use std::iter;
use std::time::Duration;

use proptest::prelude::*;
use spice_display::qxl::GuestEvent;
use spice_display::qxl::recording::{Event, Recording, RecordingWriter};
use spice_display::{DisplayConfig, RedWorker, SurfaceLimits, WorkerConfig};
use spice_proto::{Rect, SurfaceId};
use testkit::torture::{Part, events};

use crate::scene;

fn written(events: &[GuestEvent]) -> Vec<u8> {
    let mut writer = RecordingWriter::new(Vec::new()).unwrap();
    for (number, event) in (0..).zip(events) {
        writer.event(event, Duration::from_millis(number)).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn what_is_recorded_comes_back_whole() {
    for part in Part::ALL {
        let recording = written(&events(part));
        let mut reader = Recording::new(BufReader::new(recording.as_slice())).unwrap();
        let mut read = Vec::new();
        while let Some(recorded) = reader.next_event().unwrap() {
            match recorded.event {
                Event::Guest(event) => read.push(event),
                other => panic!("{part:?}, event {}: {other:?}", recorded.number),
            }
        }
        assert!(written(&read) == recording, "{part:?}");
    }
}

proptest! {
    #![proptest_config(crate::viewers::schedules())]

    /// Painting what the tree kept, when somebody looks, is painting every command at once.
    #[test]
    fn painting_late_is_painting_at_once(
        events in prop::collection::vec((scene::event(), 0..20_u32), 1..200),
        pending in prop_oneof![Just(4_usize), Just(512)],
    ) {
        let worker = |pending| {
            let surfaces = SurfaceLimits { pending, ..SurfaceLimits::default() };
            let display = DisplayConfig { surfaces, ..DisplayConfig::default() };
            RedWorker::new(&WorkerConfig { display, ..WorkerConfig::default() })
        };
        let (mut at_once, mut late) = (worker(0), worker(pending));
        let all = Rect::new(0, 0, scene::SIDE, scene::SIDE);
        for (event, look) in iter::once((scene::primary(), 99)).chain(events) {
            let id = SurfaceId(look % scene::SURFACES);
            prop_assert_eq!(at_once.handle_event(event.clone()).is_ok(), late.handle_event(event).is_ok());
            if look < scene::SURFACES {
                let canvas = late.display_mut().canvas(id, all);
                prop_assert_eq!(canvas, at_once.display_mut().canvas(id, all));
            }
        }
        for id in (0..scene::SURFACES).map(SurfaceId) {
            prop_assert_eq!(late.display_mut().canvas(id, all), at_once.display_mut().canvas(id, all), "{}", id);
        }
        let painted = |worker: &RedWorker| worker.display().surfaces().painted();
        prop_assert!(painted(&late) <= painted(&at_once));
        prop_assert_eq!(late.display_mut().poll_failure(), None);
    }
}
