use core::sync::atomic::{AtomicUsize, Ordering};
use std::path::Path;
use std::thread;
use std::time::Instant;

use spice_display::qxl::{Command, CursorCommand, DeviceEvent};

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// A file that is gone with its test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(bytes: &[u8]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("replay-test-{}-{number}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn options(&self) -> ReplayOptions {
        ReplayOptions::new(&self.0)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A primary surface at 1 s, pointers hidden at these times after it, and each time a command that is refused.
fn recording(millis: &[u64]) -> Vec<u8> {
    let mut text = String::from("SPICE_REPLAY 1\nevent 0 1 2 5\nevent 1 1 20 1000000000\n");
    text += "8 8 -32 32\n0 1 0 0\nbinary 0 data 0:\n";
    for (index, millis) in millis.iter().enumerate() {
        let nanos = 1_000_000_000 + millis * 1_000_000;
        text += &format!("event {} 0 3 {nanos}\ncursor_cmd\ntype 2\n", index * 2 + 2);
        text += &format!("event {} 0 9 {nanos}\n", index * 2 + 3);
    }
    text.into_bytes()
}

/// Polls until the guest has something, is finished, or waits for anything but its reader.
fn next(guest: &mut ReplayGuest, now: Time) -> Option<GuestEvent> {
    let begin = Instant::now();
    loop {
        if let Some(event) = guest.poll(now) {
            return Some(event);
        }
        let waits_for_reader = guest.starved && !guest.finished && guest.next.is_none();
        let not_done = guest.next.is_none() && !guest.finished && guest.start.is_some();
        if !waits_for_reader && !not_done {
            return None;
        }
        assert!(begin.elapsed() < PATIENCE, "the reader is stuck");
        thread::yield_now();
    }
}

fn is_hidden_cursor(event: Option<&GuestEvent>) -> bool {
    matches!(event, Some(GuestEvent::Command(Command::Cursor(CursorCommand::Hide))))
}

fn is_primary(event: Option<&GuestEvent>) -> bool {
    matches!(event, Some(GuestEvent::Device(DeviceEvent::CreatePrimary(_))))
}

fn play(options: ReplayOptions) -> ReplayGuest {
    let mut guest = ReplayGuest::new(options).unwrap();
    while next(&mut guest, Time::ZERO).is_some() {}
    guest
}

#[test]
fn stored_recordings_are_played_to_their_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spice-display/tests/data");
    for (name, commands) in [
        ("xspice-move", 4000),
        ("xspice-term", 4000),
        ("qemu-kms-term", 100),
        ("qemu-qxl-move", 2500),
        ("qemu-stdvga-term", 5000),
        ("qemu-qxlums-move", 2000),
    ] {
        let path = folder.join(name).with_extension("rec.zst");
        let guest = play(ReplayOptions { speed: f64::INFINITY, ..ReplayOptions::new(path) });
        assert_eq!((guest.commands(), guest.refused()), (commands, 0), "{name}");
        assert!(guest.is_finished());
    }
}

#[test]
fn events_are_due_at_the_recorded_pace_or_a_multiple() {
    let file = Scratch::new(&recording(&[10, 30]));
    let mut guest = ReplayGuest::new(ReplayOptions { speed: 2.0, ..file.options() }).unwrap();
    assert_eq!(guest.poll_timeout(), Some(Time::ZERO));
    let start = Time::from_millis(500);
    assert!(is_primary(next(&mut guest, start).as_ref()));
    assert!(next(&mut guest, start).is_none());
    assert_eq!(guest.poll_timeout(), Some(Time::from_millis(505)));
    assert!(is_hidden_cursor(next(&mut guest, Time::from_millis(505)).as_ref()));
    assert_eq!(guest.commands(), 1);
    assert!(next(&mut guest, Time::from_millis(514)).is_none());
    assert_eq!((guest.commands(), guest.refused()), (2, 1));
    assert_eq!(guest.poll_timeout(), Some(Time::from_millis(515)));
    assert!(!guest.is_finished());
    assert!(is_hidden_cursor(next(&mut guest, Time::from_millis(600)).as_ref()));
    assert!(next(&mut guest, Time::from_millis(600)).is_none());
    assert!(guest.is_finished());
    assert_eq!((guest.commands(), guest.refused()), (4, 2));
    assert_eq!(guest.poll_timeout(), None);
}

#[test]
fn a_guest_that_waits_starts_with_as_many_viewers_as_it_waits_for() {
    let file = Scratch::new(&recording(&[10]));
    let mut guest = ReplayGuest::new(ReplayOptions { wait: 2, ..file.options() }).unwrap();
    let (waker, woken) = counting_waker();
    assert!(guest.poll(Time::from_millis(3)).is_none());
    guest.handle_viewers(1, Time::from_millis(4));
    assert!(guest.poll(Time::from_millis(5)).is_none());
    assert_eq!(guest.poll_timeout(), None);
    guest.attach(waker);
    let before = woken.load(Ordering::SeqCst);
    guest.handle_viewers(2, Time::from_millis(7));
    assert_eq!(woken.load(Ordering::SeqCst), before + 1);
    assert_eq!(guest.poll_timeout(), Some(Time::from_millis(7)));
    assert!(is_primary(next(&mut guest, Time::from_millis(7)).as_ref()));
    assert!(next(&mut guest, Time::from_millis(7)).is_none());
    assert_eq!(guest.poll_timeout(), Some(Time::from_millis(17)));
}

#[test]
fn a_guest_stops_after_as_many_commands_as_it_is_told() {
    let file = Scratch::new(&recording(&[0; 100]));
    for limit in [0, 1, 2, 150] {
        let guest = play(ReplayOptions { stop_after: Some(limit), ..file.options() });
        assert_eq!(guest.commands(), limit);
        assert!(guest.is_finished());
    }
}

#[test]
fn a_looped_recording_begins_again_with_a_clean_device() {
    let file = Scratch::new(&recording(&[0, 8]));
    let options = ReplayOptions { looped: true, stop_after: Some(10), ..file.options() };
    let mut guest = ReplayGuest::new(options).unwrap();
    let now = Time::from_millis(16);
    assert!(is_primary(next(&mut guest, Time::ZERO).as_ref()));
    for _ in 0..2 {
        assert!(is_hidden_cursor(next(&mut guest, now).as_ref()));
        assert!(is_hidden_cursor(next(&mut guest, now).as_ref()));
        let seam = next(&mut guest, now);
        assert!(matches!(seam, Some(GuestEvent::Device(DeviceEvent::DestroySurfaces))), "{seam:?}");
        assert!(is_primary(next(&mut guest, now).as_ref()));
    }
    assert!(is_hidden_cursor(next(&mut guest, now).as_ref()));
    assert!(next(&mut guest, now).is_none());
    assert!(guest.is_finished());
    assert_eq!(guest.commands(), 10);
}

#[test]
fn a_looped_recording_of_nothing_ends() {
    let file = Scratch::new(b"SPICE_REPLAY 1\nevent 0 1 2 5\n");
    assert!(play(ReplayOptions { looped: true, ..file.options() }).is_finished());
}

#[test]
fn a_looped_recording_of_refused_commands_gives_its_owner_time() {
    let file = Scratch::new(b"SPICE_REPLAY 1\nevent 0 0 9 5\n");
    let options = ReplayOptions { looped: true, stop_after: Some(1000), ..file.options() };
    let mut guest = ReplayGuest::new(options).unwrap();
    let begin = Instant::now();
    while !guest.is_finished() {
        let before = guest.commands();
        guest.poll(Time::ZERO);
        assert!(guest.commands() - before <= 64);
        assert!(begin.elapsed() < PATIENCE);
    }
    assert_eq!(guest.refused(), 1000);
}

#[test]
fn compressed_files_are_told_by_their_first_bytes() {
    const XZ: &[u8] = &[
        0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x1c,
        0x00, 0x00, 0x00, 0x10, 0xcf, 0x58, 0xcc, 0x01, 0x00, 0x2e, 0x53, 0x50, 0x49, 0x43, 0x45, 0x5f, 0x52,
        0x45, 0x50, 0x4c, 0x41, 0x59, 0x20, 0x31, 0x0a, 0x65, 0x76, 0x65, 0x6e, 0x74, 0x20, 0x30, 0x20, 0x30,
        0x20, 0x33, 0x20, 0x35, 0x0a, 0x63, 0x75, 0x72, 0x73, 0x6f, 0x72, 0x5f, 0x63, 0x6d, 0x64, 0x0a, 0x74,
        0x79, 0x70, 0x65, 0x20, 0x32, 0x0a, 0x00, 0x00, 0xe1, 0xc9, 0x13, 0x64, 0xe1, 0x26, 0xcc, 0xdc, 0x00,
        0x01, 0x47, 0x2f, 0xb0, 0x51, 0x6f, 0x34, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04,
        0x59, 0x5a,
    ];
    let plain = b"SPICE_REPLAY 1\nevent 0 0 3 5\ncursor_cmd\ntype 2\n";
    for bytes in [plain.to_vec(), zstd::encode_all(&plain[..], 3).unwrap(), XZ.to_vec()] {
        let file = Scratch::new(&bytes);
        let mut guest = ReplayGuest::new(file.options()).unwrap();
        assert!(is_hidden_cursor(next(&mut guest, Time::ZERO).as_ref()));
        assert!(next(&mut guest, Time::ZERO).is_none());
    }
}

#[test]
fn errors_before_the_start_name_the_file() {
    let missing = ReplayGuest::new(ReplayOptions::new("/nowhere/at/all.rec")).unwrap_err().to_string();
    assert!(missing.starts_with("cannot open the recording /nowhere/at/all.rec: "), "{missing}");
    let file = Scratch::new(b"something else\n");
    let wrong = ReplayGuest::new(file.options()).unwrap_err().to_string();
    assert!(wrong.contains(&file.0.display().to_string()) && wrong.contains("no recording"), "{wrong}");
    for speed in [0.0, -1.0, f64::NAN] {
        let error = ReplayGuest::new(ReplayOptions { speed, ..file.options() }).unwrap_err();
        assert!(matches!(error, ReplayError::Speed(_)));
    }
}

#[test]
fn a_file_that_breaks_off_ends_the_replay_where_it_breaks() {
    let mut bytes = recording(&[0, 0, 0]);
    bytes.truncate(bytes.len() - 30);
    let plain = Scratch::new(&bytes);
    assert_eq!(play(plain.options()).commands(), 4);
    let mut compressed = zstd::encode_all(&recording(&[0; 100_000])[..], 3).unwrap();
    compressed.truncate(compressed.len() / 2);
    let file = Scratch::new(&compressed);
    let guest = play(file.options());
    assert!(guest.is_finished());
    assert!(guest.commands() > 0 && guest.commands() < 200_000);
}

#[test]
fn the_reader_ends_with_its_guest() {
    let file = Scratch::new(&recording(&[0; 100]));
    let mut guest = ReplayGuest::new(ReplayOptions { looped: true, ..file.options() }).unwrap();
    assert!(next(&mut guest, Time::ZERO).is_some());
    let queue = Arc::downgrade(&guest.queue);
    drop(guest);
    let begin = Instant::now();
    while queue.strong_count() > 0 {
        assert!(begin.elapsed() < PATIENCE, "the reader lives on");
        thread::yield_now();
    }
}

fn counting_waker() -> (GuestWaker, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let waker = {
        let count = Arc::clone(&count);
        GuestWaker::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        })
    };
    (waker, count)
}

fn played() -> Played {
    let what = What::Event(GuestEvent::Command(Command::Cursor(CursorCommand::Hide)));
    Played { at: Duration::ZERO, is_command: true, what }
}

#[test]
fn the_owner_is_woken_once_each_time_the_queue_ran_empty() {
    let (waker, count) = counting_waker();
    let queue = Queue::default();
    queue.attach(waker);
    assert_eq!(count.load(Ordering::SeqCst), 0);
    queue.push(played(), 1).unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 0);
    assert!(matches!(queue.pop(), Popped::Event(_)));
    assert!(matches!(queue.pop(), Popped::Empty));
    queue.push(played(), 1).unwrap();
    queue.push(played(), 1).unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert!(matches!(queue.pop(), Popped::Event(_)));
    assert!(matches!(queue.pop(), Popped::Event(_)));
    assert!(matches!(queue.pop(), Popped::Empty));
    queue.end();
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert!(matches!(queue.pop(), Popped::Ended));
}

#[test]
fn an_owner_that_comes_late_is_woken_for_what_it_missed() {
    let (waker, count) = counting_waker();
    let queue = Queue::default();
    assert!(matches!(queue.pop(), Popped::Empty));
    queue.push(played(), 1).unwrap();
    queue.attach(waker);
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

struct CloseAtEnd<'a>(&'a Queue);

impl Drop for CloseAtEnd<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[test]
fn the_queue_holds_back_a_reader_that_is_ahead_by_events_or_bytes() {
    for (fits, bytes) in [(64, 1), (1, 300 << 20), (4, 2 << 20)] {
        let queue = Queue::default();
        let pushed = AtomicUsize::new(0);
        thread::scope(|scope| {
            // A failure ends the reader too, which the scope waits for.
            let _close = CloseAtEnd(&queue);
            scope.spawn(|| {
                while queue.push(played(), bytes).is_ok() {
                    pushed.fetch_add(1, Ordering::SeqCst);
                }
            });
            let begin = Instant::now();
            while pushed.load(Ordering::SeqCst) < fits {
                assert!(begin.elapsed() < PATIENCE);
                thread::yield_now();
            }
            thread::sleep(Duration::from_millis(20));
            assert_eq!(pushed.load(Ordering::SeqCst), fits);
            for _ in 0..fits {
                assert!(matches!(queue.pop(), Popped::Event(_)));
            }
            while pushed.load(Ordering::SeqCst) < 2 * fits {
                assert!(begin.elapsed() < PATIENCE);
                thread::yield_now();
            }
        });
    }
}
