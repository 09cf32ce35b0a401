//! Recordings of real desktops, cut short: a viewer that was there from the start, one that lagged and one that comes
//! late all end with the server's picture.

use std::io::BufReader;
use std::path::Path;

use spice_channel::PipeLimits;
use spice_display::qxl::recording::{Event, Recording};
use spice_proto::HeaderKind;

use crate::lab::Lab;

#[test]
fn every_recording_ends_with_one_picture_for_all() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zst"))
        .collect();
    names.sort();
    assert!(names.len() >= 3, "only {names:?}");
    for name in names {
        play(&name);
    }
}

fn play(path: &Path) {
    let file = std::fs::read(path).unwrap();
    let mut recording = Recording::new(BufReader::new(zstd::Decoder::new(&file[..]).unwrap())).unwrap();
    let mut lab = Lab::new(PipeLimits { items: 64, bytes: 1 << 20 });
    let fast = lab.join(HeaderKind::Mini, true, usize::MAX);
    let slow = lab.join(HeaderKind::Full, false, 20_000);
    let mut drawn = 0;
    while let Some(recorded) = recording.next_event().unwrap() {
        if let Event::Guest(event) = recorded.event {
            drawn += u32::from(lab.event(event).is_ok());
            if recorded.number % 16 == 0 {
                lab.step();
            }
        }
    }
    assert!(drawn > 100, "{path:?}: only {drawn} events were taken");
    let late = lab.join(HeaderKind::Mini, false, usize::MAX);
    lab.run_until_idle();
    for viewer in [fast, slow, late] {
        assert_eq!(lab.difference(viewer), None, "{path:?}, {viewer}");
    }
}
