//! Recordings of real desktops: after any number of commands the server's picture is that of the C server on the same
//! recording, in every pixel.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use libtest_mimic::Trial;
use spice_display::qxl::recording::{Event, Recording};
use spice_display::qxl::{Command as Qxl, DeviceEvent, GuestEvent};
use spice_proto::SurfaceId;
use spice_server::guest::replay;

use crate::c::{self, Programs};
use crate::json;
use crate::needs::{Need, lacking, trial};
use crate::process::Process;
use crate::scratch::Scratch;
use crate::server::Server;
use crate::shot::Shot;
use crate::viewer::{Display, Viewer};
use crate::wait;

/// The short recordings of this repository.
pub(crate) const SHORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../spice-display/tests/data");
/// Where pictures that differ are kept.
const KEPT: &str = env!("CARGO_TARGET_TMPDIR");
/// Moments of a recording that are compared.
const PLACES: usize = 10;
/// How long a recording may take to play.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long the replay takes that a viewer follows from the start.
const LIVE: Duration = Duration::from_secs(4);

pub(crate) fn trials(programs: &Arc<Programs>) -> Vec<Trial> {
    let mut trials = vec![trial("replay_ends_with_the_last_picture", &[], ends_with_the_last_picture)];
    trials.extend(comparisons(programs));
    trials
}

fn comparisons(programs: &Arc<Programs>) -> Vec<Trial> {
    let folder = folder();
    let paths = match recordings(&folder) {
        Ok(paths) if paths.is_empty() => {
            return vec![lacking("recordings", &format!("needs a recording in {}", folder.display()))];
        }
        Ok(paths) => paths,
        Err(error) => return vec![lacking("recordings", &format!("needs {}: {error}", folder.display()))],
    };
    let needs = [&[Need::Program("spicy-screenshot")][..], &c::REPLAY_NEEDS].concat();
    let trials = paths.into_iter().map(|path| {
        let programs = Arc::clone(programs);
        trial(&format!("recording_{}", name(&path)), &needs, move || compare(&path, &programs))
    });
    trials.collect()
}

/// Where the recordings are.
pub(crate) fn folder() -> PathBuf {
    env::var_os("SPICE_RECORDINGS").map_or_else(|| SHORT.into(), PathBuf::from)
}

/// The recordings in a folder, the largest first, so that none of them is alone at the end.
pub(crate) fn recordings(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if !name(&path).is_empty() {
            files.push((u64::MAX - entry.metadata()?.len(), path));
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// The name of a recording; nothing for another file.
pub(crate) fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()?.strip_suffix(".rec.zst")).unwrap_or_default()
}

/// A moment of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Commands so far.
    pub(crate) commands: u64,
    /// What the server counts by then: commands that can be expressed, and device events.
    pub(crate) taken: u64,
    /// Since the recording's first event.
    pub(crate) at: Duration,
}

/// What is known of a recording before it is played.
#[derive(Debug, Default)]
struct Contents {
    /// After each command, whether there is a picture to be seen: a primary surface, and something drawn on it.
    moments: Vec<(Moment, bool)>,
}

impl Contents {
    fn read(path: &Path) -> Result<Self, String> {
        let source = replay::open(path).map_err(|error| error.to_string())?;
        let mut recording = Recording::new(source).map_err(|error| error.to_string())?;
        let mut contents = Self::default();
        let (mut taken, mut seen, mut first) = (0, false, None);
        while let Some(event) = recording.next_event().map_err(|error| error.to_string())? {
            if let Event::Guest(event) = &event.event {
                taken += 1;
                match event {
                    GuestEvent::Device(_) => seen = false,
                    GuestEvent::Command(Qxl::Draw(draw)) if draw.surface == SurfaceId::PRIMARY => seen = true,
                    GuestEvent::Command(_) => {}
                }
                if let GuestEvent::Device(DeviceEvent::CreatePrimary(primary)) = event {
                    seen = primary.content.is_some();
                }
            }
            if !matches!(event.event, Event::Ignored) {
                first.get_or_insert(event.at);
            }
            if event.is_command {
                let at = event.at.saturating_sub(first.unwrap_or_default());
                let moment = Moment { commands: contents.moments.len() as u64 + 1, taken, at };
                contents.moments.push((moment, seen));
            }
        }
        Ok(contents)
    }

    /// Moments with a picture: after each tenth of the recording, the last one just before its end. Where there is none to
    /// be seen, the next one is taken that has one, or else the last.
    fn moments(&self) -> Result<Vec<(Moment, u64)>, String> {
        let total = self.moments.len();
        let mut chosen: Vec<(Moment, u64)> = Vec::new();
        for place in 1..=PLACES {
            let wanted = (total * place / PLACES).min(total.saturating_sub(3)).max(1);
            let visible = |moment: &&(Moment, bool)| moment.1;
            let after = self.moments.get(wanted - 1..).unwrap_or_default().iter().find(visible);
            let (moment, _) = after
                .or_else(|| self.moments.iter().rev().find(visible))
                .ok_or("no command of the recording leaves a picture")?;
            if chosen.iter().all(|(other, _)| other != moment) {
                chosen.push((*moment, wanted as u64));
            }
        }
        Ok(chosen)
    }
}

/// The last moment of a recording with a picture.
pub(crate) fn last_moment(path: &Path) -> Result<Moment, String> {
    let moments = Contents::read(path)?.moments()?;
    moments.last().map(|(moment, _)| *moment).ok_or_else(|| "no moment".into())
}

fn compare(path: &Path, programs: &Programs) -> Result<(), String> {
    let scratch = Scratch::new()?;
    let contents = Contents::read(path)?;
    let moments = contents.moments()?;
    let name = name(path);
    let mut failures = String::new();
    let mut last = None;
    for (moment, wanted) in &moments {
        let n = moment.commands;
        if n != *wanted {
            eprintln!("{name}: nothing to be seen after {wanted} commands, {n} are played instead");
        }
        let (theirs, ours) = thread::scope(|scope| {
            let theirs = scope.spawn(|| c_server(programs, path, n, &scratch));
            let ours = our_server(path, *moment, &scratch);
            (theirs.join().unwrap_or_else(|_| Err("panicked".into())), ours)
        });
        let theirs = theirs.map_err(|error| format!("{n} commands, the C server: {error}"))?;
        let ours = ours.map_err(|error| format!("{n} commands: {error}"))?;
        if let Some(difference) = ours.difference(&theirs) {
            let kept = keep(name, n, "late", &ours, &theirs)?;
            let _ = writeln!(failures, "{n} commands, a viewer that comes late: {difference}; see {kept}");
        }
        last = Some((*moment, theirs));
    }
    let (moment, theirs) = last.ok_or("no moment")?;
    let n = moment.commands;
    let ours =
        follow(path, moment).map_err(|error| format!("{n} commands, followed from the start: {error}"))?;
    if let Some(difference) = ours.difference(&theirs) {
        let kept = keep(name, n, "live", &ours, &theirs)?;
        let _ = writeln!(failures, "{n} commands, a viewer from the start: {difference}; see {kept}");
    }
    if failures.is_empty() { Ok(()) } else { Err(failures) }
}

/// Writes both pictures to a folder that stays.
pub(crate) fn keep(
    name: &str,
    commands: u64,
    viewer: &str,
    ours: &Shot,
    theirs: &Shot,
) -> Result<String, String> {
    let folder = Path::new(KEPT).join(format!("e2e-{name}-{commands}-{viewer}"));
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    ours.write(&folder.join("ours.ppm"))?;
    theirs.write(&folder.join("c.ppm"))?;
    Ok(folder.display().to_string())
}

/// The picture that the C server has after so many commands.
pub(crate) fn c_server(
    programs: &Programs,
    path: &Path,
    commands: u64,
    scratch: &Scratch,
) -> Result<Shot, String> {
    /// A free port may be taken by somebody else before the server takes it.
    const ATTEMPTS: u32 = 5;
    let program = programs.replay()?;
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        let port = c::free_port()?;
        let (port_text, commands) = (port.to_string(), commands.to_string());
        let mut command = Command::new(program);
        command.arg("--file").arg(path).args(["--port", &port_text, "--stop", &commands]);
        let server = Process::start(command.args(["--hold", "1", "--compress", "off"]))?;
        match server.stdout_line(PATIENCE, |line| (json::number(line, "done")? == 1.0).then_some(())) {
            Ok(()) => return Shot::take(([127, 0, 0, 1], port).into(), &scratch.file("c.ppm")),
            Err(error) if error.contains("init failed") => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// The picture that a viewer gets which comes after so many commands.
pub(crate) fn our_server(path: &Path, moment: Moment, scratch: &Scratch) -> Result<Shot, String> {
    let (guest, stop) = (format!("replay:{}", path.display()), moment.commands.to_string());
    let server = Server::start(&["--guest", &guest, "--stop-after", &stop, "--speed", "1e9", "--hold"])?;
    server.wait_for_commands(moment.taken, PATIENCE)?;
    Shot::take(server.addr(), &scratch.file("ours.ppm"))
}

/// The picture that a viewer has at the end which was there from the start. The server ends by itself, once the viewer
/// has everything.
fn follow(path: &Path, moment: Moment) -> Result<Shot, String> {
    let server = Server::start_command(live(&["--listen", "127.0.0.1:0"], path, moment, LIVE))?;
    let viewer = Viewer::connect(server.addr(), "")?;
    let display = viewer.display()?;
    last_picture(server, display)
}

/// A server of a replay that begins with its first viewer and takes `lasts` at most.
pub(crate) fn live(arguments: &[&str], path: &Path, moment: Moment, lasts: Duration) -> Command {
    let (guest, stop) = (format!("replay:{}", path.display()), moment.commands.to_string());
    let speed = (moment.at.as_secs_f64() / lasts.as_secs_f64()).max(1.0).to_string();
    let mut command = Server::command(arguments);
    command.args(["--guest", &guest, "--stop-after", &stop, "--speed", &speed, "--wait"]);
    command
}

/// What a viewer has when the server has ended.
fn last_picture(server: Server, mut display: Display) -> Result<Shot, String> {
    display.paint_to_end(PATIENCE)?;
    let ended = server.wait(PATIENCE)?;
    if !ended.status.success() {
        return Err(format!("the server ended with {}: {}", ended.status, ended.stderr.join("\n")));
    }
    display.shot()
}

/// Without `--hold` the server ends with its recording, but not before the last picture is with a viewer that paused
/// for a moment; with it, the server stays and shows that picture to whoever comes.
fn ends_with_the_last_picture() -> Result<(), String> {
    /// What these commands draw is more than the sockets hold, and not so much more that the viewer is squashed.
    const COMMANDS: u64 = 65;
    let path = Path::new(SHORT).join("qemu-kms-term.rec.zst");
    let contents = Contents::read(&path)?;
    let last = contents.moments.iter().find(|(moment, _)| moment.commands == COMMANDS);
    let (last, _) = *last.ok_or("a recording that is too short")?;
    let (guest, stop) = (format!("replay:{}", path.display()), COMMANDS.to_string());
    let play = ["--guest", &guest, "--speed", "1e9", "--stop-after", &stop];

    let mut server = Server::start(&[&play[..], &["--hold"]].concat())?;
    server.wait_for_commands(last.taken, PATIENCE)?;
    let lines = server.stats().len();
    wait::until("more lines of stats", PATIENCE, || Ok((server.stats().len() > lines + 1).then_some(())))?;
    let viewer = Viewer::connect(server.addr(), "")?;
    let mut display = viewer.display()?;
    display.paint_first()?;
    let held = display.shot()?;
    if !server.is_running()? {
        return Err("a server that is to hold its picture has ended".into());
    }

    let server = Server::start(&[&play[..], &["--wait"]].concat())?;
    let viewer = Viewer::connect(server.addr(), "")?;
    let mut display = viewer.display()?;
    display.paint_until("a message", PATIENCE, |_, _, _| true)?;
    let pause = display.pause();
    // The server need not say so: it may end at once where its sockets hold more.
    let _ = server.wait_for_commands(last.taken, PATIENCE);
    drop(pause);
    match last_picture(server, display)?.difference(&held) {
        None => Ok(()),
        Some(difference) => Err(format!("the last picture did not arrive: {difference}")),
    }
}
