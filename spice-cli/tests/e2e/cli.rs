//! The command line: what cannot start is one sentence and exit code 2, and what is told to end ends.

use std::time::Duration;

use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::needs::trial;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::server::{Server, cli};
use crate::viewer::Viewer;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("cli_what_cannot_start_is_one_sentence", &[], one_sentence),
        trial("cli_help_names_every_guest", &[], help),
        trial("cli_ends_when_interrupted", &[], || ends_with(Signal::INT)),
        trial("cli_ends_when_terminated", &[], || ends_with(Signal::TERM)),
        trial("cli_ends_with_its_recording", &[], ends_with_its_recording),
    ]
}

fn one_sentence() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let holder = Server::start(&[])?;
    let held = holder.addr().to_string();
    let text =
        |name: &str, content: &[u8]| Ok::<_, String>(scratch.write(name, content)?.display().to_string());
    let missing = scratch.file("missing").display().to_string();
    let (empty, long) = (text("empty", b"\n")?, text("long", &[b'x'; 61])?);
    let (nonsense, good) = (text("nonsense.rec", b"no recording\n")?, text("ticket", b"secret\n")?);

    let cases: [(&[&str], &[&str]); 14] = [
        (&["--listen", &held], &["cannot listen", &held]),
        (&["--guest", &format!("replay:{missing}")], &[&missing]),
        (&["--guest", &format!("replay:{nonsense}")], &["nonsense.rec"]),
        (&["--guest", "dream"], &["dream", "demo", "replay:FILE", "bench:SCENE"]),
        (&["--guest", "bench:chess"], &["chess", "mixed"]),
        (&["--guest", "bench:mixed?fps=0"], &["fps", "`0`"]),
        (&["--guest", "bench:mixed?size=9x9"], &["9x9"]),
        (&["--guest", "bench:mixed?colour=red"], &["colour"]),
        (&["--listen", "0.0.0.0:0"], &["0.0.0.0", "--ticket-file"]),
        (&["--listen", "[::]:0"], &["--ticket-file"]),
        (&["--ticket-file", &missing], &["ticket file", &missing]),
        (&["--ticket-file", &empty], &["empty"]),
        (&["--ticket-file", &long], &["61"]),
        (&["--ticket-file", &good, "--speed", "2"], &["--speed"]),
    ];
    for (arguments, words) in cases {
        let mut command = cli(&["server"]);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let ended = Process::run(command.args(arguments), PATIENCE)?;
        let said = ended.stderr.join("\n");
        if ended.status.code() != Some(2) || ended.stderr.len() != 1 || !ended.stdout.is_empty() {
            return Err(format!("{arguments:?}: {}, {:?}, `{said}`", ended.status, ended.stdout));
        }
        if let Some(word) = words.iter().find(|word| !said.contains(**word)) {
            return Err(format!("{arguments:?}: `{said}` does not say {word}"));
        }
    }
    Ok(())
}

fn help() -> Result<(), String> {
    let ended = Process::succeed(&mut cli(&["server", "--help"]), PATIENCE)?;
    let help = ended.stdout.join("\n");
    let words =
        ["demo", "replay:FILE", "bench:SCENE", "--listen", "--ticket-file", "--no-ticket", "--stop-after"];
    match words.iter().find(|word| !help.contains(**word)) {
        None => Ok(()),
        Some(word) => Err(format!("the help does not say {word}")),
    }
}

fn ends_with(signal: Signal) -> Result<(), String> {
    let server = Server::start(&["--guest", "bench:mixed"])?;
    let viewers = [Viewer::connect(server.addr(), "")?, Viewer::connect(server.addr(), "")?];
    let _displays = [viewers[0].display()?, viewers[1].display()?];
    let ended = server.end_with(signal)?;
    if ended.status.code() != Some(0) {
        return Err(format!("{}: {}", ended.status, ended.stderr.join("\n")));
    }
    viewers.iter().try_for_each(|viewer| viewer.main.wait_closed())
}

fn ends_with_its_recording() -> Result<(), String> {
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/../spice-display/tests/data/xspice-move.rec.zst");
    let guest = format!("replay:{recording}");
    let server = Server::start(&["--guest", &guest, "--speed", "1e9"])?;
    let ended = server.wait(PATIENCE)?;
    if ended.status.code() != Some(0) {
        return Err(format!("{}: {}", ended.status, ended.stderr.join("\n")));
    }
    let mut held = Server::start(&["--guest", &guest, "--speed", "1e9", "--hold"])?;
    std::thread::sleep(Duration::from_secs(3));
    if held.is_running()? { Ok(()) } else { Err("a server that is to hold its picture has ended".into()) }
}
