//! Ids of surfaces.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use spice_display::qxl::{Command, DeviceEvent, GuestEvent, SurfaceCommand};
use spice_proto::SurfaceId;
use spice_proto::display::SurfaceFormat;

use super::played::record;
use super::{Told, read};
use crate::replay::Replay;
use crate::replay::command::ReplayCommand;

fn create(surface: u32) -> GuestEvent {
    let (surface, format) = (SurfaceId(surface), SurfaceFormat::ARGB32);
    GuestEvent::Command(Command::Surface(SurfaceCommand::Create {
        surface,
        width: 4,
        height: 4,
        format,
        content: None,
    }))
}

fn destroy(surface: u32) -> GuestEvent {
    GuestEvent::Command(Command::Surface(SurfaceCommand::Destroy { surface: SurfaceId(surface) }))
}

fn replay(events: &[GuestEvent], surfaces: u32) -> Replay<std::io::Cursor<Vec<u8>>> {
    Replay::new(std::io::Cursor::new(record(events)), surfaces).unwrap()
}

/// The surface that a command creates or destroys.
fn surface(command: &ReplayCommand) -> u32 {
    match read(command).unwrap().command {
        Command::Surface(SurfaceCommand::Create { surface, .. } | SurfaceCommand::Destroy { surface }) => {
            surface.0
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_id_is_used_again_when_its_end_has_come_back() {
    let replay = replay(&[create(9_999), destroy(9_999), create(9_999), destroy(9_999), create(7)], 3);
    let mut device = Told::default();
    let mut next = || replay.next(&mut device).unwrap();
    let (created, destroyed) = (next(), next());
    assert_eq!((surface(&created), surface(&destroyed)), (1, 1));
    let again = next();
    assert_eq!(surface(&again), 2, "the host has not taken the end of 1 yet");
    replay.free(created);
    replay.free(destroyed);
    let destroyed = next();
    assert_eq!(surface(&destroyed), 2);
    assert_eq!(surface(&next()), 1);
}

#[test]
fn without_a_free_id_a_recording_waits_for_one_and_ends_where_none_will_come() {
    let replay = Arc::new(replay(&[create(5), destroy(5), create(6), create(7)], 2));
    let mut device = Told::default();
    let created = replay.next(&mut device).unwrap();
    let destroyed = replay.next(&mut device).unwrap();
    let (sent, received) = channel();
    let waiting = {
        let replay = Arc::clone(&replay);
        std::thread::spawn(move || {
            let mut device = Told::default();
            let next = replay.next(&mut device).unwrap();
            sent.send(surface(&next)).unwrap();
            assert!(replay.next(&mut device).is_none());
            assert!(replay.next(&mut device).is_none());
        })
    };
    replay.free(created);
    assert!(received.recv_timeout(Duration::from_millis(50)).is_err(), "no id is free yet");
    replay.free(destroyed);
    assert_eq!(received.recv_timeout(Duration::from_secs(60)), Ok(1));
    waiting.join().unwrap();
}

#[test]
fn the_end_of_all_surfaces_frees_their_ids_but_those_whose_end_is_still_on_its_way() {
    let all = GuestEvent::Device(DeviceEvent::DestroySurfaces);
    let replay = replay(&[create(5), create(6), destroy(5), all, create(8), create(9)], 4);
    let mut device = Told::default();
    let mut next = || replay.next(&mut device).unwrap();
    let (first, second, ended) = (next(), next(), next());
    assert_eq!([surface(&first), surface(&second), surface(&ended)], [1, 2, 1]);
    assert_eq!([surface(&next()), surface(&next())], [2, 3]);
    replay.free(ended);
}

#[test]
fn a_surface_that_the_recording_never_created_is_none_of_the_host_s() {
    let replay = replay(&[create(2), destroy(3), destroy(2)], 4);
    let mut device = Told::default();
    let ids: Vec<_> = std::iter::from_fn(|| replay.next(&mut device)).map(|next| surface(&next)).collect();
    assert_eq!(ids, [1, u32::MAX, 1]);
}
