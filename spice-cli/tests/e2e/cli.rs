//! The command line: what cannot start is one sentence and exit code 2, and what is told to end ends.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::needs::trial;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::server::{Server, cli};
use crate::viewer::Viewer;

/// How long a command may take that only has to say no.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a server may take to end when it is told to.
const PROMPT: Duration = Duration::from_secs(2);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("cli_errors", &[], errors),
        trial("cli_help", &[], help),
        trial("cli_interrupt", &[], || ends_with(Signal::INT)),
        trial("cli_terminate", &[], || ends_with(Signal::TERM)),
    ]
}

/// Each of these ends at once with exit code 2 and one line that says what is wrong.
fn errors() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let listening = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let taken = listening.local_addr().map_err(|error| error.to_string())?.to_string();
    let missing = format!("replay:{}", scratch.file("missing.rec").display());
    let folder = format!("replay:{}", scratch.path().display());
    let noise = format!("replay:{}", scratch.write("noise.rec", [7; 300])?.display());
    let empty_file = format!("replay:{}", scratch.write("empty.rec", "")?.display());
    let empty = scratch.write("empty.txt", "")?.display().to_string();
    let blank = scratch.write("blank.txt", "\nsecret\n")?.display().to_string();
    let long = scratch.write("long.txt", "x".repeat(61))?.display().to_string();
    let good = scratch.write("good.txt", "hunter2")?.display().to_string();
    let open = scratch.write("open.txt", "hunter2")?;
    fs::set_permissions(&open, Permissions::from_mode(0o644)).map_err(|error| error.to_string())?;
    let open = open.display().to_string();
    let nowhere = scratch.file("nowhere.txt").display().to_string();
    let cases: [(&[&str], &[&str]); 24] = [
        (&["--listen", &taken], &[&taken, "in use"]),
        (&["--guest", &missing], &["missing.rec", "No such file"]),
        (&["--guest", &folder], &[scratch.path().to_str().unwrap_or_default(), "directory"]),
        (&["--guest", &noise], &["noise.rec", "recording"]),
        (&["--guest", &empty_file], &["empty.rec", "recording"]),
        (&["--guest", "teapot"], &["teapot", "demo", "replay:FILE", "bench:SCENE"]),
        (&["--guest", "bench:ballet"], &["ballet", "mixed", "text", "photo"]),
        (&["--guest", "bench:mixed?fps=0"], &["fps", "0"]),
        (&["--guest", "bench:mixed?size=9x9"], &["9x9"]),
        (&["--guest", "bench:mixed?colour=red"], &["colour", "fps", "size"]),
        (&["--listen", "0.0.0.0:0"], &["0.0.0.0", "--ticket-file", "--no-ticket"]),
        (&["--listen", "[::]:0"], &["--ticket-file", "--no-ticket"]),
        (&["--ticket-file", &empty], &["empty.txt", "ticket is empty"]),
        (&["--ticket-file", &blank], &["blank.txt", "ticket is empty"]),
        (&["--ticket-file", &long], &["long.txt", "61 bytes", "60"]),
        (&["--ticket-file", &nowhere], &["nowhere.txt", "No such file"]),
        (&["--ticket-file", &open], &["open.txt", "chmod 600"]),
        (&["--tickets", &open], &["open.txt", "chmod 600"]),
        (
            &["--listen", "0.0.0.0:0", "--no-ticket"],
            &["0.0.0.0", "--tls-cert", "--tls-self-signed", "--insecure"],
        ),
        (&["--listen", "0.0.0.0:0", "--ticket-file", &good], &["0.0.0.0", "--insecure"]),
        (&["--admin", "0.0.0.0:8080"], &["--admin", "0.0.0.0", "loopback"]),
        (&["--listen", "nowhere"], &["--listen", "ADDR:PORT", "unix:PATH"]),
        (&["--image-compression", "zip"], &["--image-compression", "zip", "auto_glz", "lz4"]),
        (&["--speed", "2"], &["--speed", "replay"]),
    ];
    let mut failures = Vec::new();
    for (arguments, words) in cases {
        let listen = ["server", "--listen", "127.0.0.1:0"];
        let listen = if arguments.contains(&"--listen") { &listen[..1] } else { &listen[..] };
        let ended = Process::run(cli(listen).args(arguments), PATIENCE)
            .map_err(|error| format!("{arguments:?}: {error}"))?;
        let said = ended.stderr.join("\n");
        if ended.status.code() != Some(2) || ended.stderr.len() != 1 || !ended.stdout.is_empty() {
            failures.push(format!("{arguments:?}: {}, and says `{said}`", ended.status));
        }
        if said.contains("hunter2") {
            failures.push(format!("{arguments:?}: the ticket is in `{said}`"));
        }
        let lacks = words.iter().filter(|word| !said.contains(**word));
        failures.extend(lacks.map(|word| format!("{arguments:?}: no `{word}` in `{said}`")));
    }
    drop(listening);
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// The help names every guest and every option.
fn help() -> Result<(), String> {
    let overall = Process::succeed(&mut cli(&["--help"]), PATIENCE)?.stdout.join("\n");
    let server = Process::succeed(&mut cli(&["server", "--help"]), PATIENCE)?.stdout.join("\n");
    let words = [
        "demo",
        "replay:FILE",
        "bench:SCENE",
        "mixed",
        "text",
        "photo",
        "fullscreen-text",
        "--image-compression",
        "auto_glz",
        "--listen",
        "--tls-listen",
        "--tls-cert",
        "--tls-key",
        "--tls-self-signed",
        "--vv-file",
        "--insecure",
        "--channel-security",
        "--proxy-from",
        "--websocket-origin",
        "--websocket-host",
        "--ticket-file",
        "--tickets",
        "[[ticket]]",
        "--sasl-users",
        "--max-viewers",
        "--max-linking",
        "--max-linking-per-address",
        "--login-deadline",
        "--admin",
        "PUT /viewers/ID/role",
        "--audit-log",
        "--config",
        "--no-ticket",
        "--stats",
        "--stats-socket",
        "--stop-after",
        "--hold",
        "Exit codes",
    ];
    let mut lacks: Vec<_> = words.iter().filter(|word| !server.contains(**word)).collect();
    lacks.extend(["server", "top"].iter().filter(|word| !overall.contains(**word)));
    let top = Process::succeed(&mut cli(&["top", "--help"]), PATIENCE)?.stdout.join("\n");
    let words = ["--stats-socket", "--once", "--json", "round trip", "squashes", "behind", "Exit codes"];
    lacks.extend(words.iter().filter(|word| !top.contains(**word)));
    if lacks.is_empty() { Ok(()) } else { Err(format!("the help does not mention {lacks:?}")) }
}

/// A signal ends the server with exit code 0, at once, though viewers watch: one that reads and one that does not.
fn ends_with(signal: Signal) -> Result<(), String> {
    let server = Server::start(&["--guest", "bench:mixed"])?;
    let reading = Viewer::connect(server.addr(), "")?;
    let mut display = reading.display()?;
    display.paint_first()?;
    let stalled = Viewer::connect(server.addr(), "")?;
    let mute = stalled.stalled_display()?;
    display.paint_until("frames", PATIENCE, |model, _, _| model.count(302) > 30)?;
    let start = Instant::now();
    let ended = server.end_with(signal)?;
    let took = start.elapsed();
    drop(mute);
    if ended.status.code() != Some(0) {
        return Err(format!("it ended with {}: {}", ended.status, ended.stderr.join("\n")));
    }
    if took > PROMPT {
        return Err(format!("it took {took:?} to end"));
    }
    [&reading, &stalled].into_iter().try_for_each(|viewer| viewer.main.wait_closed())
}
