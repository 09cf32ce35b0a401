//! The configuration file, and what looks at one without serving.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::needs::trial;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::server::{Server, cli};
use crate::viewer::Viewer;

/// How long a command may take that has only to read.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("config_serves_what_it_says", &[], serves_what_it_says),
        trial("config_check", &[], check),
        trial("config_errors", &[], errors),
    ]
}

fn check_config(file: &Path, more: &[&str]) -> Command {
    let mut command = cli(&["check-config"]);
    command.arg(file).args(more);
    command
}

/// A server with a file is as one with the same options, and options win over it.
fn serves_what_it_says() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let ticket = scratch.write("ticket", "sesame\n")?;
    let file = format!(
        "listen = ['0.0.0.0:1']\nguest = 'bench:mixed'\nticket-file = '{}'\nstats = true\nmax-viewers = 5\n",
        ticket.display()
    );
    let file = scratch.write("server.toml", file)?.display().to_string();
    // Its address would be refused, and is not asked for.
    let server = Server::start(&["--config", &file])?;
    if Viewer::connect(server.addr(), "wrong").is_ok() {
        return Err("the file's ticket is not asked for".into());
    }
    let viewer = Viewer::connect(server.addr(), "sesame")?;
    viewer.display()?.paint_first()?;
    let ended = server.end_with(Signal::TERM)?;
    if ended.status.success() { Ok(()) } else { Err(format!("it ended with {}", ended.status)) }
}

/// What would be served is told, and nothing is: neither port nor socket.
fn check() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let tickets =
        scratch.write("tickets.toml", "[[ticket]]\nsecret = 'hunter2'\n[[ticket]]\nsecret = 'hunter3'\n")?;
    let admin = scratch.file("admin");
    let text = format!(
        "listen = ['0.0.0.0:5900']\ninsecure = true\nguest = 'bench:text'\ntickets = '{}'\nadmin = 'unix:{}'\n",
        tickets.display(),
        admin.display()
    );
    let file = scratch.write("server.toml", text)?;
    let said = Process::succeed(&mut check_config(&file, &[]), PATIENCE)?.stdout;
    let first = format!("{}: ok", file.display());
    let all = said.join("\n");
    if said.first() != Some(&first) {
        return Err(format!("it does not begin with `{first}`: {all}"));
    }
    let lacks: Vec<_> = ["0.0.0.0:5900", "2 tickets", "bench:text", "no TLS"]
        .iter()
        .filter(|it| !all.contains(**it))
        .collect();
    if !lacks.is_empty() || all.contains("hunter") || admin.exists() {
        return Err(format!("lacks {lacks:?}, or says or does too much: {all}"));
    }
    // Options after the file are as they are for a server.
    let more = Process::succeed(&mut check_config(&file, &["--guest", "demo"]), PATIENCE)?.stdout.join("\n");
    if more.contains("shows demo") { Ok(()) } else { Err(format!("the option does not win: {more}")) }
}

/// Each of these is one sentence and exit code 2, from who checks and from who would serve.
fn errors() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let open = scratch.write("open.toml", "[[ticket]]\nsecret = 'hunter2'\n")?;
    fs::set_permissions(&open, Permissions::from_mode(0o644)).map_err(|error| error.to_string())?;
    let wrong = scratch.write("wrong.toml", "[[ticket]]\nsecret = 'hunter2'\nrole = 'contrl'\n")?;
    let open = format!("tickets = '{}'", open.display());
    let wrong = format!("tickets = '{}'", wrong.display());
    let cases: [(&str, &[&str]); 9] = [
        (
            "guest = 'demo'\n\nlistn = ['127.0.0.1:0']",
            &["`listn`", "line 3 of ", "server.toml", "did you mean `listen`?"],
        ),
        ("max-viewers = 'many'", &["line 1 of ", "server.toml", "expected"]),
        ("listen = ['127.0.0.1']", &["line 1 of ", "unix:PATH"]),
        ("listen", &["line 1 of "]),
        ("listen = ['0.0.0.0:5900']", &["--ticket-file", "--no-ticket"]),
        (
            "tls-cert = '/nowhere/cert.pem'\ntls-key = '/nowhere/key.pem'",
            &["/nowhere/cert.pem", "No such file"],
        ),
        (&open, &["open.toml", "chmod 600"]),
        (&wrong, &["wrong.toml", "line 3", "did you mean `control`?"]),
        ("guest = 'teapot'", &["teapot", "demo"]),
    ];
    for (text, words) in cases {
        let file = scratch.write("server.toml", text)?;
        let mut server = cli(&["server", "--config"]);
        server.arg(&file);
        for mut command in [check_config(&file, &[]), server] {
            let ended = Process::run(&mut command, PATIENCE)?;
            let said = ended.stderr.join("\n");
            let lacks: Vec<_> = words.iter().filter(|word| !said.contains(**word)).collect();
            let one_sentence = ended.stderr.len() == 1 && ended.stdout.is_empty();
            if ended.status.code() != Some(2)
                || !one_sentence
                || !lacks.is_empty()
                || said.contains("hunter2")
            {
                return Err(format!("{text}: {}, lacks {lacks:?}: {said}", ended.status));
            }
        }
    }
    let missing = Process::run(&mut check_config(&scratch.file("missing.toml"), &[]), PATIENCE)?;
    let said = missing.stderr.join("\n");
    if missing.status.code() == Some(2) && said.contains("missing.toml") { Ok(()) } else { Err(said) }
}
