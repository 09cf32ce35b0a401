//! A screen without a monitor, with remote-viewer on it and a hand at its mouse and keyboard.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use spice_proto::Point;

use crate::needs::Need;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::shot::Shot;
use crate::wait;

pub(crate) const VIEWER_NEEDS: [Need; 3] =
    [Need::Program("Xvfb"), Need::Program("remote-viewer"), Need::Program("xdotool")];

/// How long programs of the X world may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// An X server and a viewer on it.
#[derive(Debug)]
pub(crate) struct Desktop {
    viewer: Process,
    _x: Process,
    display: String,
    scratch: Scratch,
}

impl Desktop {
    /// Starts a viewer of this server.
    pub(crate) fn start(server: SocketAddr) -> Result<Self, String> {
        Self::start_where(server, |command| command)
    }

    /// The same, with the viewer's command as `place` makes it.
    pub(crate) fn start_where(
        server: SocketAddr,
        place: impl FnOnce(Command) -> Command,
    ) -> Result<Self, String> {
        Self::open(&format!("spice://{server}"), place)
    }

    /// Starts a viewer of what an address or a connection file names.
    pub(crate) fn open(target: &str, place: impl FnOnce(Command) -> Command) -> Result<Self, String> {
        let scratch = Scratch::new()?;
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1280x960x24", "-nolisten", "tcp", "-noreset"]);
        command.arg("-fbdir");
        // Xvfb itself takes a number that is free, and says which.
        let x = Process::start(command.arg(scratch.path()))?;
        let number = x.stdout_line(PATIENCE, |line| line.trim().parse::<u32>().ok())?;
        let display = format!(":{number}");
        // The pointer begins in the middle, and would cover what the guest shows there.
        xdotool(&display, &["mousemove", "1279", "959"])?;
        let mut command = Command::new("remote-viewer");
        command.arg(target).env("DISPLAY", &display).env_remove("WAYLAND_DISPLAY");
        // Nothing of the user's settings, and no service of a session.
        for home in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"] {
            command.env(home, scratch.path());
        }
        command.env("GSETTINGS_BACKEND", "memory").env("NO_AT_BRIDGE", "1").env("GDK_BACKEND", "x11");
        command.env("DBUS_SESSION_BUS_ADDRESS", "disabled:");
        let viewer = Process::start(&mut place(command))?;
        Ok(Self { viewer, _x: x, display, scratch })
    }

    /// What is on the screen.
    pub(crate) fn shot(&self) -> Result<Shot, String> {
        let path = self.scratch.file("Xvfb_screen0");
        let file = fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Shot::from_xwd(&file).ok_or_else(|| format!("{} is no screen of 32 bits", path.display()))
    }

    /// Waits until a part of the guest's screen is on this one, and answers where the guest's screen begins. `at` is
    /// where the part is on the guest's.
    pub(crate) fn find(&mut self, what: &str, part: &Shot, at: Point) -> Result<(u32, u32), String> {
        wait::until(&format!("{what} in remote-viewer"), PATIENCE, || {
            if let Some(status) = self.viewer.poll()? {
                return Err(format!("remote-viewer ended with {status}"));
            }
            let Some(found) = self.shot()?.find(part) else { return Ok(None) };
            let offset = |here: i32, there: i32| u32::try_from(here - there).ok();
            Ok(offset(found.x, at.x).zip(offset(found.y, at.y)))
        })
    }

    /// Waits until the viewer prints a line with these words.
    pub(crate) fn says(&self, words: &[&str]) -> Result<(), String> {
        let has = |line: &str| words.iter().all(|word| line.contains(word));
        self.viewer.stdout_line(PATIENCE, |line| has(line).then_some(()))
    }

    /// Types a line, and ends it, with the pointer at `at`.
    pub(crate) fn type_line(&self, (x, y): (u32, u32), line: &str) -> Result<(), String> {
        let (x, y) = (x.to_string(), y.to_string());
        self.xdotool(&["mousemove", "--sync", &x, &y, "click", "1", "type", "--delay", "20", line])?;
        self.xdotool(&["key", "Return"])
    }

    /// Presses the left button at one place and releases it at another, by way of a third, and leaves.
    pub(crate) fn drag(&self, from: (u32, u32), to: (u32, u32)) -> Result<(), String> {
        let between = (from.0.midpoint(to.0), from.1.midpoint(to.1));
        let [from, between, to] = [from, between, to].map(|(x, y)| (x.to_string(), y.to_string()));
        self.xdotool(&["mousemove", "--sync", &from.0, &from.1, "mousedown", "1"])?;
        self.xdotool(&["mousemove", "--sync", &between.0, &between.1])?;
        self.xdotool(&["mousemove", "--sync", &to.0, &to.1, "mouseup", "1"])?;
        self.xdotool(&["mousemove", "--sync", "1279", "959"])
    }

    fn xdotool(&self, arguments: &[&str]) -> Result<(), String> {
        xdotool(&self.display, arguments)
    }
}

fn xdotool(display: &str, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("xdotool");
    Process::succeed(command.args(arguments).env("DISPLAY", display), PATIENCE).map(drop)
}
