//! Whole recordings.

use std::fs::File;
use std::io::{BufReader, Read};

use spice_display::qxl::recording::{Event, Recording, RecordingWriter};
use spice_display::qxl::{Command, DeviceEvent, GuestEvent, SurfaceCommand};
use testkit::torture::{self, Part};

use super::{Told, read, recordings};
use crate::replay::Replay;

/// Surfaces of the recorded devices are fewer.
const SURFACES: u32 = 10_000;

/// Events as a recording.
pub(super) fn record(events: &[GuestEvent]) -> Vec<u8> {
    let mut writer = RecordingWriter::new(Vec::new()).unwrap();
    for event in events {
        writer.event(event, std::time::Duration::ZERO).unwrap();
    }
    writer.finish().unwrap()
}

/// What a device would be told of an event.
fn told(event: &DeviceEvent) -> &'static str {
    match event {
        DeviceEvent::CreatePrimary(_) => "create",
        DeviceEvent::DestroyPrimary => "destroy",
        _ => "destroy all",
    }
}

/// A command without the ids of its surfaces, and without the pixels that go with it elsewhere.
fn without_ids(command: &Command) -> String {
    let text = format!("{command:?}");
    let mut parts = text.split("SurfaceId(");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + part.split_once(')').unwrap().1)
}

#[test]
fn a_recording_is_played_to_its_end_and_all_surfaces_are_known() {
    for path in recordings() {
        let open = || {
            let file = BufReader::new(File::open(&path).unwrap());
            BufReader::new(zstd::stream::read::Decoder::with_buffer(file).unwrap())
        };
        let mut recording = Recording::new(open()).unwrap();
        let replay = Replay::new(open(), SURFACES).unwrap();
        let mut device = Told::default();
        let mut events = Vec::new();
        let mut recorded_commands = std::iter::from_fn(|| {
            loop {
                match recording.next_event().unwrap()?.event {
                    Event::Guest(GuestEvent::Command(command)) => return Some(command),
                    Event::Guest(GuestEvent::Device(event)) => events.push(told(&event)),
                    _ => {}
                }
            }
        });
        while let Some(command) = replay.next(&mut device) {
            let parsed = read(&command).unwrap().command;
            let recorded = recorded_commands.next().unwrap();
            assert_eq!(without_ids(&parsed), without_ids(&recorded), "{}", path.display());
            let unknown = format!("{parsed:?}").contains("SurfaceId(4294967295)");
            assert!(!unknown, "{}: {parsed:?} was {recorded:?}", path.display());
            replay.free(command);
        }
        assert!(recorded_commands.next().is_none());
        let first_words: Vec<_> = device.0.iter().map(String::as_str).collect();
        // A primary surface that takes another's place has that destroyed first.
        let mut played = first_words.iter();
        for event in events {
            assert!(played.any(|told| told.starts_with(event)), "{}: {first_words:?}", path.display());
        }
        assert!(replay.next(&mut device).is_none());
    }
}

#[test]
fn what_is_written_as_a_recording_is_played_as_it_was() {
    let events = torture::events(Part::Surfaces);
    let recorded = record(&events);
    let replay = Replay::new(&recorded[..], SURFACES).unwrap();
    let mut device = Told::default();
    let mut commands = events.iter().filter_map(|event| match event {
        GuestEvent::Command(command) => Some(command),
        _ => None,
    });
    while let Some(command) = replay.next(&mut device) {
        let meant = commands.next().unwrap();
        assert_eq!(without_ids(&read(&command).unwrap().command), without_ids(meant));
        replay.free(command);
    }
    assert!(commands.next().is_none());
    assert_eq!(device.0.len(), 1);
    assert!(device.0[0].starts_with("create 1280x1024 5120 32 "), "{:?}", device.0);
}

#[test]
fn the_device_is_told_at_once_and_in_order() {
    let mut events = vec![GuestEvent::Device(DeviceEvent::DestroySurfaces)];
    let torture = torture::events(Part::Fill);
    let primary = torture.iter().find(|event| matches!(event, GuestEvent::Device(_))).unwrap().clone();
    let update = torture.iter().find(|event| matches!(event, GuestEvent::Command(Command::Draw(_))));
    let draw = update.unwrap().clone();
    events.extend([primary.clone(), draw.clone(), primary, draw.clone()]);
    events.extend([GuestEvent::Device(DeviceEvent::DestroyPrimary), draw]);
    let recorded = record(&events);
    let replay = Replay::new(&recorded[..], SURFACES).unwrap();
    let mut device = Told::default();
    let mut counts = Vec::new();
    while let Some(command) = replay.next(&mut device) {
        counts.push(device.0.len());
        replay.free(command);
    }
    assert_eq!(counts, [2, 4, 5]);
    let words: Vec<_> = device.0.iter().map(|told| told.split(" 1280").next().unwrap()).collect();
    assert_eq!(words, ["destroy all", "create", "destroy", "create", "destroy"]);
}

#[test]
fn what_is_no_recording_is_refused_and_a_cut_one_ends_where_it_is_cut() {
    for wrong in [&b""[..], b"SPICE_REPLAY 2\n", b"SPICE_REPLAY", b"event 1 0 1 5\n", &[0; 100]] {
        assert!(Replay::new(wrong, SURFACES).is_err());
    }
    let recorded = record(&torture::events(Part::Fill));
    let cut = &recorded[..recorded.len() - 100];
    let count = |mut bytes: &[u8]| {
        let replay = Replay::new(BufReader::new(bytes.by_ref()), SURFACES).unwrap();
        let mut device = Told::default();
        let mut count = 0;
        while let Some(command) = replay.next(&mut device) {
            replay.free(command);
            count += 1;
        }
        assert!(replay.next(&mut device).is_none());
        count
    };
    let (all, some) = (count(&recorded), count(cut));
    assert!(0 < some && some < all, "{some} of {all}");
}

#[test]
fn a_refused_command_counts_and_does_nothing() {
    let update = "update\nrect area 0 0 1 1\nupdate_id 5\nsurface_id 0\n";
    let text = format!(
        "SPICE_REPLAY 1\nevent 1 0 77 0\nwhatever\nevent 2 1 20 0\n{}event 3 0 2 0\n{update}",
        "1 1 4 99\n0 1 1 0\nbinary 0 data 4:xxxx\n"
    );
    let replay = Replay::new(text.as_bytes(), SURFACES).unwrap();
    let mut device = Told::default();
    let nothing = replay.next(&mut device).unwrap();
    assert_eq!(read(&nothing).unwrap().command, crate::replay::write::nothing());
    let update = replay.next(&mut device).unwrap();
    assert!(matches!(read(&update).unwrap().command, Command::Update(update) if update.update_id == 5));
    assert!(replay.next(&mut device).is_none());
    assert!(device.0.is_empty(), "a surface of format 99 is none: {:?}", device.0);
}

#[test]
fn a_surface_too_large_for_memory_is_laid_out_and_refused() {
    let surface = spice_proto::SurfaceId(1);
    let format = spice_proto::display::SurfaceFormat::RGB32;
    let (width, height) = (u32::MAX, u32::MAX);
    let command = Command::Surface(SurfaceCommand::Create { surface, width, height, format, content: None });
    let laid_out = crate::replay::command::ReplayCommand::new(&command, &|surface| surface);
    assert!(read(&laid_out).unwrap_err().release.is_some());
}
