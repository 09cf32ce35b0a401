//! `spice-cli load` as a command: what it says of servers that it cannot load, and of a guest that is at rest.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::json;
use crate::needs::trial;
use crate::process::Process;
use crate::recordings;
use crate::scratch::Scratch;
use crate::server::{Server, cli};

/// How long a command may take that has little to do.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("load_errors", &[], errors),
        trial("load_help", &[], help),
        trial("load_paint", &[], paint),
        trial("load_flapping", &[], flapping),
    ]
}

/// Each of these ends at once with exit code 2 and one line that says what is wrong.
fn errors() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let right = scratch.write("right.txt", "secret\n")?.display().to_string();
    let wrong = scratch.write("wrong.txt", "guess\n")?.display().to_string();
    let nowhere = scratch.file("nowhere.txt").display().to_string();
    let server = Server::start(&["--ticket-file", &right])?;
    let locked = format!("spice://{}", server.addr());
    let closed = closed()?.to_string();
    let web = web()?.to_string();
    let cases: [(&[&str], &[&str]); 6] = [
        (&[&closed], &[&closed, "refused"]),
        (&[&web], &[&web, "not SPICE"]),
        (&[&locked], &["PERMISSION_DENIED"]),
        (&[&locked, "--ticket-file", &wrong], &["PERMISSION_DENIED"]),
        (&[&locked, "--ticket-file", &nowhere], &["nowhere.txt", "No such file"]),
        (&[&locked, "--viewers", "0"], &["no viewer"]),
    ];
    for (arguments, words) in cases {
        let ended = Process::run(cli(&["load"]).args(arguments), PATIENCE)?;
        let said = ended.stderr.join("\n");
        if ended.status.code() != Some(2) || ended.stderr.len() != 1 || !ended.stdout.is_empty() {
            return Err(format!("{arguments:?}: {}, and says `{said}`", ended.status));
        }
        if let Some(word) = words.iter().find(|word| !said.contains(**word)) {
            return Err(format!("{arguments:?}: no `{word}` in `{said}`"));
        }
    }
    for arguments in
        [["vnc://localhost", "--json"], ["localhost:port", "--json"], ["localhost", "--seconds=0"]]
    {
        let ended = Process::run(cli(&["load"]).args(arguments), PATIENCE)?;
        if ended.status.code() != Some(2) || !ended.stdout.is_empty() {
            return Err(format!("{arguments:?}: {}", ended.status));
        }
    }
    let mut command = cli(&["load", &locked, "--ticket-file", &right, "--seconds", "0.2", "--warm", "0"]);
    Process::succeed(&mut command, PATIENCE).map(drop)
}

/// An address where nobody listens.
fn closed() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map_err(|error| error.to_string())
}

/// A server of something else, for one connection.
fn web() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let addr = listener.local_addr().map_err(|error| error.to_string())?;
    thread::spawn(move || {
        if let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            let _ = stream.read(&mut [0; 256]);
        }
    });
    Ok(addr)
}

/// The help explains every figure that there is.
fn help() -> Result<(), String> {
    let server = Server::start(&["--guest", "bench:text?size=320x200"])?;
    let addr = server.addr().to_string();
    let help = Process::succeed(&mut cli(&["load", "--help"]), PATIENCE)?.stdout.join("\n");
    let options = ["--flapping", "1", "--paint", "--seconds", "0.5", "--warm", "0.5"];
    let table = Process::succeed(cli(&["load", &addr]).args(options), PATIENCE)?.stdout;
    let figures: Vec<_> = table.iter().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    if figures.len() < 16 {
        return Err(format!("a table of {figures:?}"));
    }
    // Figures of one kind share a line.
    let explained = |figure: &str| {
        let family = figure.split('_').next().unwrap_or_default();
        help.lines().any(|line| line.strip_prefix("  ").is_some_and(|line| line.starts_with(family)))
    };
    match figures.iter().find(|figure| !explained(figure)) {
        Some(figure) => Err(format!("the help does not explain {figure}")),
        None => Ok(()),
    }
}

/// A guest that has come to rest looks the same to all, slow or not.
fn paint() -> Result<(), String> {
    let folder = recordings::folder();
    let paths = recordings::recordings(&folder).map_err(|error| error.to_string())?;
    let path = paths.last().ok_or_else(|| format!("there is no recording in {}", folder.display()))?;
    let guest = format!("replay:{}", path.display());
    let replay = ["--guest", &guest, "--wait", "--hold", "--speed", "20", "--stop-after", "2000"];
    let server = Server::start(&replay)?;
    let addr = server.addr().to_string();
    let options = ["--viewers", "3", "--throttled", "3", "--rate", "1000000", "--seconds", "1", "--json"];
    let paint = ["--paint", "--rest", "5"];
    let ended = Process::succeed(cli(&["load", &addr]).args(options).args(paint), PATIENCE)?;
    if let Some(said) = ended.stderr.iter().find(|line| line.contains("cannot paint")) {
        return Err(said.clone());
    }
    for kind in ["fast", "throttled"] {
        let line = ended.stdout.iter().find(|line| line.contains(kind));
        let line = line.ok_or_else(|| format!("nothing of {kind} viewers"))?;
        for (key, expected) in [("viewers", 3.0), ("dead", 0.0), ("pictures", 1.0)] {
            if json::number(line, key) != Some(expected) {
                return Err(format!("{key} is not {expected} in {line}"));
            }
        }
    }
    Ok(())
}

/// Viewers that come and go do not hold up the one that stays, and the server lets each in.
fn flapping() -> Result<(), String> {
    let mut server = Server::start(&["--guest", "bench:mixed?size=640x480"])?;
    let addr = server.addr().to_string();
    let options = ["--flapping", "10", "--seconds", "3", "--warm", "0.5", "--json"];
    let ended = Process::succeed(cli(&["load", &addr]).args(options), PATIENCE)?;
    let line = ended.stdout.iter().find(|line| line.contains("flapping")).ok_or("nothing is reported")?;
    let number = |key| json::number(line, key).ok_or_else(|| format!("no {key} in {line}"));
    if number("dead")? != 0.0 || number("visits")? < 50.0 {
        return Err(line.clone());
    }
    if server.is_running()? { Ok(()) } else { Err("the server has ended".into()) }
}
