//! Every drawing operation with every kind of operand.

use std::io::BufReader;
use std::time::Duration;

use spice_display::qxl::GuestEvent;
use spice_display::qxl::recording::{Event, Recording, RecordingWriter};
use testkit::torture::{Part, events};

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
