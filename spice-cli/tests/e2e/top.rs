//! The stats socket, and what `spice-cli top` shows of it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;
use rustix::process::Signal;
use serde_json::Value;

use crate::needs::trial;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::server::{Server, cli};
use crate::viewer::Viewer;
use crate::wait;

/// How long a command may take that has a line to wait for.
const PATIENCE: Duration = Duration::from_secs(20);
/// Readers that a server takes.
const MOST_READERS: usize = 16;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("top_two_viewers", &[], two_viewers),
        trial("top_readers_disturb_nothing", &[], readers_disturb_nothing),
        trial("top_socket_is_its_own", &[], socket_is_its_own),
        trial("top_errors", &[], errors),
    ]
}

fn top(socket: &Path, arguments: &[&str]) -> Command {
    let mut command = cli(&["top", "--stats-socket"]);
    command.arg(socket).args(arguments);
    command
}

fn start(socket: &Path) -> Result<Server, String> {
    Server::start(&["--guest", "bench:mixed?fps=30", "--stats-socket", &socket.display().to_string()])
}

/// What `spice-cli top --once --json` says.
pub(crate) fn once(socket: &Path) -> Result<Value, String> {
    let ended = Process::succeed(&mut top(socket, &["--once", "--json"]), PATIENCE)?;
    let [line] = &ended.stdout[..] else { return Err(format!("not one line: {:?}", ended.stdout)) };
    serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))
}

/// One that reads follows at the guest's pace; one that never does is behind, and was squashed.
fn two_viewers() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let socket = scratch.file("stats");
    let server = start(&socket)?;
    let mode = fs::symlink_metadata(&socket).map_err(|error| error.to_string())?.permissions().mode();
    if mode & 0o777 != 0o600 {
        return Err(format!("the socket has the mode {mode:o}"));
    }
    let reading = Viewer::connect(server.addr(), "")?;
    let mut display = reading.display()?;
    display.paint_first()?;
    let stalled = Viewer::connect(server.addr(), "")?;
    let mute = stalled.stalled_display()?;
    let third = Viewer::connect(server.addr(), "")?;

    let report = wait::until("a viewer that is behind", PATIENCE, || {
        let report = once(&socket)?;
        display.paint_pending()?;
        // It was squashed a while ago.
        let second = &report["viewers"][1];
        let still = second["updates_per_s"].as_f64() == Some(0.0);
        Ok((second["squashes"].as_u64() > Some(0) && still).then_some(report))
    })?;
    let viewers = report["viewers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [first, second, last] = viewers else { return Err(format!("not three viewers: {report}")) };
    let number = |viewer: &Value, key: &str| viewer[key].as_f64().unwrap_or(-1.0);
    let loopback =
        |viewer: &Value| viewer["peer"].as_str().is_some_and(|peer| peer.starts_with("127.0.0.1:"));
    let holds = [
        ("three viewers", report["server"]["viewers"] == 3),
        ("commands", number(&report["server"], "commands") > 0.0),
        ("the time", number(&report, "time") > 1.7e9),
        ("peers", viewers.iter().all(loopback)),
        ("ids", viewers.iter().map(|viewer| &viewer["id"]).eq([1, 2, 3])),
        ("channels", first["channels"] == serde_json::json!(["main", "display"])),
        ("the first follows", first["state"] == "following"),
        ("the first has updates", number(first, "updates_per_s") > 0.0),
        ("the first has bytes", number(first, "bytes_per_s") > 0.0),
        ("the first was never squashed", number(first, "squashes") == 0.0),
        ("the second is behind", second["state"] == "behind"),
        ("the second has no updates", number(second, "updates_per_s") == 0.0),
        ("the second takes nothing", number(second, "in_flight") > 0.0),
        ("the second has to be shown something", number(second, "damaged_pixels") > 0.0),
        ("the third has no display", last["state"] == "no-display" && last["display"].is_null()),
    ];
    let fails: Vec<_> = holds.iter().filter(|(_, holds)| !holds).map(|(what, _)| *what).collect();
    if !fails.is_empty() {
        return Err(format!("not so: {fails:?} in {report}"));
    }
    shows(&Process::succeed(&mut top(&socket, &["--once"]), PATIENCE)?.stdout)?;
    let positional = Process::succeed(cli(&["top", "--once"]).arg(&socket), PATIENCE)?;
    shows(&positional.stdout)?;
    drop((mute, third));

    // One that watches sees table after table, and ends with the server.
    let watching = Process::start(&mut top(&socket, &[]))?;
    wait::until("two tables", PATIENCE, || {
        let tables = watching.stdout().iter().filter(|line| line.starts_with("viewer")).count();
        Ok((tables >= 2).then_some(()))
    })?;
    server.end_with(Signal::TERM)?;
    if socket.symlink_metadata().is_ok() {
        return Err("the socket is still there after the server's end".into());
    }
    let ended = watching.wait(PATIENCE)?;
    if !ended.status.success() || ended.stdout.iter().any(|line| line.contains('\x1b')) {
        return Err(format!("watching ended with {}: {:?}", ended.status, ended.stdout));
    }
    Ok(())
}

/// A table has a heading and a row for each viewer.
fn shows(table: &[String]) -> Result<(), String> {
    let (headings, rows) = table.split_at(table.len().min(3));
    let heading = headings.last().map(String::as_str).unwrap_or_default();
    let columns =
        ["viewer", "peer", "up", "fps", "kB/s", "round trip", "link kB/s", "in flight", "pipe", "squashes"];
    let lacks: Vec<_> = columns.iter().filter(|column| !heading.contains(**column)).collect();
    let states = ["following", "behind", "no display"];
    let right = rows.len() == states.len() && rows.iter().zip(states).all(|(row, state)| row.contains(state));
    if lacks.is_empty() && right { Ok(()) } else { Err(format!("lacks {lacks:?}: {}", table.join("\n"))) }
}

/// Readers that never read, more of them than there are places, and a viewer that goes on.
fn readers_disturb_nothing() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let socket = scratch.file("stats");
    let server = start(&socket)?;
    let viewer = Viewer::connect(server.addr(), "")?;
    let mut display = viewer.display()?;
    display.paint_first()?;
    let dial = || UnixStream::connect(&socket).map_err(|error| format!("the stats socket: {error}"));
    let read = dial()?;
    read.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    let mut lines = BufReader::new(read).lines();
    let mute: Vec<_> = (1..MOST_READERS).map(|_| dial()).collect::<Result<_, _>>()?;
    for _ in 0..3 {
        let line = lines.next().ok_or("the socket is closed")?.map_err(|error| error.to_string())?;
        let report: Value = serde_json::from_str(&line).map_err(|error| format!("{error}: {line}"))?;
        if report["viewers"][0]["state"] != "following" {
            return Err(format!("the viewer does not follow: {line}"));
        }
        display.paint_until("frames", PATIENCE, |model, _, _| model.count(302) > 10)?;
    }
    // There is no place for another, and there is one again when somebody leaves.
    let mut late = dial()?;
    late.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    let len = late.read(&mut [0; 16]).map_err(|error| error.to_string())?;
    if len != 0 {
        return Err("a reader too many is told something".into());
    }
    let refused = Process::run(&mut top(&socket, &["--once"]), PATIENCE)?;
    if refused.status.code() != Some(2) {
        return Err(format!("a reader too many ended with {}", refused.status));
    }
    drop(mute);
    wait::until("a place", PATIENCE, || Ok(once(&socket).ok()))?;
    server.end_with(Signal::INT)?;
    if socket.symlink_metadata().is_ok() { Err("the socket is still there".into()) } else { Ok(()) }
}

/// A socket that nobody listens on is replaced; nothing else is.
fn socket_is_its_own() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let refuses = |path: &Path, word: &str| {
        let mut command = cli(&["server", "--listen", "127.0.0.1:0", "--stats-socket"]);
        let ended = Process::run(command.arg(path), PATIENCE)?;
        let said = ended.stderr.join("\n");
        if ended.status.code() == Some(2) && ended.stderr.len() == 1 && said.contains(word) {
            return Ok(());
        }
        Err(format!("{}: {}: {said}", path.display(), ended.status))
    };
    let file = scratch.write("file", "precious")?;
    refuses(&file, "no socket")?;
    if fs::read(&file).is_ok_and(|content| content != b"precious") {
        return Err("the file is another".into());
    }
    refuses(&scratch.file("missing/socket"), "No such file")?;
    refuses(&scratch.file(&"x".repeat(200)), "cannot make stats socket")?;

    let taken = scratch.file("taken");
    let listener = UnixListener::bind(&taken).map_err(|error| error.to_string())?;
    refuses(&taken, "listens there")?;
    drop(listener);
    let server = start(&taken)?;
    once(&taken)?;
    refuses(&taken, "listens there")?;

    // What somebody has put in its place is not the server's to remove.
    fs::remove_file(&taken).and_then(|()| fs::write(&taken, "new")).map_err(|error| error.to_string())?;
    server.end_with(Signal::TERM)?;
    fs::read(&taken).map(drop).map_err(|error| format!("what took the socket's place: {error}"))
}

/// Each of these is one sentence and exit code 2.
fn errors() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let stale = scratch.file("stale");
    drop(UnixListener::bind(&stale).map_err(|error| error.to_string())?);
    let cases = [
        (scratch.file("nowhere"), "No such file"),
        (stale, "refused"),
        (scratch.write("file", "")?, "refused"),
    ];
    for (path, word) in cases {
        let ended = Process::run(&mut top(&path, &["--once"]), PATIENCE)?;
        let said = ended.stderr.join("\n");
        if ended.status.code() != Some(2) || ended.stderr.len() != 1 || !said.contains(word) {
            return Err(format!("{}: {}: {said}", path.display(), ended.status));
        }
    }
    let neither = Process::run(&mut cli(&["top"]), PATIENCE)?;
    let both = Process::run(&mut cli(&["top", "--stats-socket", "a", "b"]), PATIENCE)?;
    let codes = [neither.status.code(), both.status.code()];
    if codes == [Some(2); 2] { Ok(()) } else { Err(format!("no path and two paths: {codes:?}")) }
}
