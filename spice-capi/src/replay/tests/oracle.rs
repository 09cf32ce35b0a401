//! What is read of a command is what was laid out.

use std::fs::File;
use std::io::BufReader;

use spice_display::qxl::recording::{Event, Recording};
use spice_display::qxl::{Command, CursorCommand, GuestEvent, SurfaceCommand};
use testkit::torture::{self, Part};

use super::{read, recordings};
use crate::replay::command::ReplayCommand;
use crate::replay::write;

/// Lays a command out, and has it read.
fn comes_back(command: &Command, what: &dyn Fn() -> String) {
    let laid_out = ReplayCommand::new(command, &|surface| surface);
    let parsed = read(&laid_out).unwrap_or_else(|refused| panic!("{}: {refused}: {command:?}", what()));
    assert!(parsed.command == *command, "{}: {:?} is not {command:?}", what(), parsed.command);
    assert_eq!(parsed.release.id, (&raw const *laid_out).addr() as u64, "{}", what());
    assert_eq!(parsed.release.address.0, { laid_out.ext.cmd.data });
    let creates = matches!(command, Command::Surface(SurfaceCommand::Create { .. }));
    assert_eq!(parsed.surface.is_some(), creates);
}

#[test]
fn every_recorded_command_is_read_as_it_was_recorded() {
    for path in recordings() {
        let file = BufReader::new(File::open(&path).unwrap());
        let unpacked = BufReader::new(zstd::stream::read::Decoder::with_buffer(file).unwrap());
        let mut recording = Recording::new(unpacked).unwrap();
        let mut commands = 0;
        while let Some(recorded) = recording.next_event().unwrap() {
            match recorded.event {
                Event::Guest(GuestEvent::Command(command)) => {
                    comes_back(&command, &|| format!("{}, event {}", path.display(), recorded.number));
                    commands += 1;
                }
                Event::Guest(_) | Event::Ignored => {}
                Event::Refused(why) => panic!("{}, event {}: {why}", path.display(), recorded.number),
            }
        }
        assert!(commands >= 100, "{}: {commands} commands", path.display());
    }
}

#[test]
fn every_operation_with_every_operand_is_read_as_it_was_meant() {
    for part in Part::ALL {
        for event in torture::events(part) {
            if let GuestEvent::Command(command) = event {
                comes_back(&command, &|| part.name());
            }
        }
    }
}

#[test]
fn what_no_desktop_records_is_read_as_it_was_meant() {
    let cursors = [CursorCommand::Hide, CursorCommand::Trail { length: 5, frequency: 700 }];
    let long = vec![b'x'; 100_000];
    let texts = [&b""[..], b"a line for the log", &long].map(|text| Command::Message(text.to_vec().into()));
    for command in cursors.map(Command::Cursor).into_iter().chain(texts).chain([write::nothing()]) {
        comes_back(&command, &|| "made up".to_owned());
    }
}
