//! The functions as a host calls them.

use std::fs::File;
use std::io::Write;
use std::os::fd::{FromRawFd, IntoRawFd};
use std::ptr::null_mut;

use libc::FILE;
use testkit::torture::{self, Part};

use super::played::record;
use crate::replay::exports::{
    _spice_replay_free, _spice_replay_free_cmd, _spice_replay_new, _spice_replay_next_cmd,
};

/// A file with this content, as the reading end of a pipe that is written in pieces of this size.
fn pipe(content: Vec<u8>, piece: usize) -> *mut FILE {
    let mut ends = [0; 2];
    // SAFETY: there is room for two.
    assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    // SAFETY: it is new, and nobody else's.
    let mut writer = unsafe { File::from_raw_fd(ends[1]) };
    std::thread::spawn(move || {
        // An error is a reader that has seen enough.
        let _ = content.chunks(piece).try_for_each(|piece| writer.write_all(piece));
    });
    // SAFETY: as above.
    let reader = unsafe { File::from_raw_fd(ends[0]) }.into_raw_fd();
    // SAFETY: a file descriptor that is open, and a string with its NUL.
    let file = unsafe { libc::fdopen(reader, c"rb".as_ptr()) };
    assert!(!file.is_null());
    file
}

#[test]
fn a_recording_is_played_from_a_pipe_and_commands_are_given_back_by_their_number() {
    let recorded = record(&torture::events(Part::Copy));
    let commands = recorded.windows(7).filter(|window| window == b"\nevent ").count() - 1;
    for piece in [1_000, 1 << 20] {
        let file = pipe(recorded.clone(), piece);
        // SAFETY: a file, then a replay and its commands, each freed once; no instance is told of anything.
        unsafe {
            let replay = _spice_replay_new(file, 64);
            assert!(!replay.is_null());
            let mut played = 0;
            loop {
                let command = _spice_replay_next_cmd(replay, null_mut());
                if command.is_null() {
                    break;
                }
                let data = std::ptr::with_exposed_provenance::<u64>(command.read().cmd.data as usize);
                let id = data.read_unaligned();
                assert_eq!(id, command.addr() as u64);
                _spice_replay_free_cmd(replay, std::ptr::with_exposed_provenance_mut(id as usize));
                played += 1;
            }
            assert_eq!(played, commands);
            assert!(_spice_replay_next_cmd(replay, null_mut()).is_null());
            _spice_replay_free(replay);
        }
    }
}

#[test]
fn what_is_no_recording_stays_the_host_s_file() {
    let file = pipe(b"SPICE_REPLAX 1\n".to_vec(), 100);
    // SAFETY: a file, which is still open after it was refused.
    unsafe {
        assert!(_spice_replay_new(file, 64).is_null());
        assert_eq!(libc::fclose(file), 0);
        assert!(_spice_replay_new(null_mut(), 64).is_null());
    }
}

#[test]
fn nothing_comes_of_nothing() {
    // SAFETY: null is no replay and no command.
    unsafe {
        assert!(_spice_replay_next_cmd(null_mut(), null_mut()).is_null());
        _spice_replay_free_cmd(null_mut(), null_mut());
        _spice_replay_free(null_mut());
    }
}
