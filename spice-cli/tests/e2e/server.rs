//! The server under test: the binary, as a user starts it.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::json;
use crate::process::{Ended, Process};

/// How long a server may take to start, or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a free port of this machine.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    addr: SocketAddr,
}

/// The binary with these arguments.
pub(crate) fn cli(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spice-cli"));
    command.args(arguments).env_remove("RUST_LOG");
    command
}

impl Server {
    /// Starts `spice-cli server` with these arguments, and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self, String> {
        Self::start_command(Self::command(&[&["--listen", "127.0.0.1:0"], arguments].concat()))
    }

    /// The command for a server with these arguments, for who wants to start it elsewhere.
    pub(crate) fn command(arguments: &[&str]) -> Command {
        cli(&[&["server", "--stats"], arguments].concat())
    }

    /// Starts a server, and waits until it listens.
    pub(crate) fn start_command(command: Command) -> Result<Self, String> {
        Self::start_reading(command, Stdio::null())
    }

    /// The same for one with this as its standard input.
    pub(crate) fn start_reading(mut command: Command, stdin: Stdio) -> Result<Self, String> {
        let process = Process::start_reading(&mut command, stdin)?;
        let addr = process.stderr_line(PATIENCE, |line| {
            let (_, places) = line.strip_prefix("serving ")?.rsplit_once(" on ")?;
            places.split([',', ';']).find_map(|place| place.trim().parse().ok())
        })?;
        Ok(Self { process, addr })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its memory that is in use, in bytes.
    pub(crate) fn memory(&self) -> Result<u64, String> {
        let path = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        let kib = line.and_then(|kib| kib.parse::<u64>().ok());
        kib.map(|kib| kib << 10).ok_or_else(|| format!("no VmRSS in {path}"))
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> Result<bool, String> {
        Ok(self.process.poll()?.is_none())
    }

    /// Waits until it has taken so many commands and device events from its guest.
    pub(crate) fn wait_for_commands(&self, commands: u64, limit: Duration) -> Result<(), String> {
        self.process
            .stdout_line(limit, |line| (json::number(line, "commands")? >= commands as f64).then_some(()))
    }

    /// The lines that it has printed about itself.
    pub(crate) fn stats(&self) -> Vec<String> {
        self.process.stdout()
    }

    /// The first line of its complaints that `find` finds something in, waited for.
    pub(crate) fn says<T>(&self, find: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        self.process.stderr_line(PATIENCE, find)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), String> {
        self.process.signal(signal)
    }

    /// Waits for its end.
    pub(crate) fn wait(self, limit: Duration) -> Result<Ended, String> {
        self.process.wait(limit)
    }

    /// Sends it a signal, and waits for its end.
    pub(crate) fn end_with(self, signal: Signal) -> Result<Ended, String> {
        self.process.signal(signal)?;
        self.process.wait(PATIENCE)
    }
}
