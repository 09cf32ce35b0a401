//! Users with passwords, by the SASL library that spice-gtk uses.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use spice_proto::Point;
use spice_proto::vv::{ConnectionFile, Secret};

use crate::desktop::{Desktop, VIEWER_NEEDS};
use crate::needs::{Need, trial};
use crate::process::Process;
use crate::scratch::Scratch;
use crate::server::cli;
use crate::still::{STILL_NEEDS, Still};
use crate::tls_viewers::{RECORDING, Secure};
use crate::viewer::PATIENCE;
use crate::wait;

/// Where the library keeps its mechanisms.
const MECHANISMS: &str = if cfg!(target_arch = "aarch64") {
    "/usr/lib/aarch64-linux-gnu/sasl2"
} else {
    "/usr/lib/x86_64-linux-gnu/sasl2"
};
const SCRAM: Need = Need::File(if cfg!(target_arch = "aarch64") {
    "/usr/lib/aarch64-linux-gnu/sasl2/libscram.so"
} else {
    "/usr/lib/x86_64-linux-gnu/sasl2/libscram.so"
});

pub(crate) fn trials() -> Vec<Trial> {
    let needs = [&STILL_NEEDS[..], &VIEWER_NEEDS, &[SCRAM]].concat();
    vec![
        trial("sasl_remote_viewer_scram", &needs, || let_in("libscram", "SCRAM-SHA-256")),
        trial("sasl_remote_viewer_plain", &needs, || let_in("libplain", "PLAIN")),
        trial("sasl_remote_viewer_wrong_password", &needs, wrong),
    ]
}

/// The line of a user, as `spice-cli user` prints it.
fn line(name: &str, password: &str, scratch: &Scratch) -> Result<String, String> {
    let input = scratch.write("password", format!("{password}\n"))?;
    let input = fs::File::open(&input).map_err(|error| error.to_string())?;
    let mut command = cli(&["user", name, "--iterations", "4096"]);
    let ended = Process::start_reading(&mut command, input.into())?.wait(PATIENCE)?;
    if ended.status.success() && ended.stdout.len() == 1 {
        return Ok(ended.stdout.join(""));
    }
    Err(format!("spice-cli user: {}: {}", ended.status, ended.stderr.join("\n")))
}

fn users(scratch: &Scratch) -> Result<PathBuf, String> {
    let lines = [line("alice", "open sesame", scratch)?, line("bob", "other", scratch)?].join("\n");
    scratch.write("users", lines)
}

/// A folder with this mechanism alone.
fn only(mechanism: &str, scratch: &Scratch) -> Result<PathBuf, String> {
    let name = format!("{mechanism}.so");
    symlink(Path::new(MECHANISMS).join(&name), scratch.file(&name)).map_err(|error| error.to_string())?;
    Ok(scratch.path().to_owned())
}

fn with_user(file: &ConnectionFile, user: &str, password: &str) -> ConnectionFile {
    let mut file = file.clone();
    file.username = Some(user.into());
    file.password = Some(Secret(password.into()));
    file
}

/// remote-viewer with the right password shows the screen, by the mechanism that it was left.
fn let_in(library: &str, mechanism: &str) -> Result<(), String> {
    let scratch = Scratch::new()?;
    let still = Still::new(RECORDING, &scratch)?;
    let users = users(&scratch)?.display().to_string();
    let secure = Secure::start(&still, &["--sasl-users", &users])?;
    let vv = secure.write_vv("alice.vv", &with_user(&secure.file, "alice", "open sesame"))?;
    let plugins = Scratch::new()?;
    let folder = only(library, &plugins)?;
    let mut desktop = Desktop::open(&vv, |command| debugging(command, &folder))?;
    desktop.says(&["negotiation with mech", mechanism])?;
    desktop.find("the screen", &still.picture, Point::default())?;
    secure.audit.wait("connect", |line| line["user"] == "alice" && line["transport"] == "tls").map(drop)
}

/// With every mechanism that the library has, one with the wrong password is refused, and so is one whom nobody knows;
/// the next one with the right password is let in.
fn wrong() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let still = Still::new(RECORDING, &scratch)?;
    let users = users(&scratch)?.display().to_string();
    let secure = Secure::start(&still, &["--sasl-users", &users])?;
    for (name, user, password) in
        [("wrong.vv", "alice", "open simsim"), ("nobody.vv", "mallory", "open sesame")]
    {
        let before = secure.audit.lines()?.len();
        let vv = secure.write_vv(name, &with_user(&secure.file, user, password))?;
        let desktop = Desktop::open(&vv, |command| debugging(command, Path::new(MECHANISMS)))?;
        wait::until(&format!("a refusal of {user}"), PATIENCE, || {
            Ok((secure.audit.lines()?.len() > before).then_some(()))
        })?;
        drop(desktop);
    }
    if let Some(line) = secure.audit.lines()?.iter().find(|line| line["event"] == "connect") {
        return Err(format!("somebody got in: {line}"));
    }
    let vv = secure.write_vv("alice.vv", &with_user(&secure.file, "alice", "open sesame"))?;
    let mut desktop = Desktop::open(&vv, |command| debugging(command, Path::new(MECHANISMS)))?;
    desktop.find("the screen", &still.picture, Point::default()).map(drop)
}

/// The viewer with the mechanisms of a folder, telling which one it takes.
fn debugging(mut command: Command, mechanisms: &Path) -> Command {
    command.arg("--spice-debug").env("SASL_PATH", mechanisms).env("G_MESSAGES_DEBUG", "all");
    command
}
