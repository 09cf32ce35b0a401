//! Other programs: started in a group of their own, read line by line, and gone when they are dropped.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::wait;

/// A program that runs. Dropping it ends it and all that it has started.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    ended: Option<ExitStatus>,
    stdout: Lines,
    stderr: Lines,
}

/// How long a program that is not wanted any more may take to tidy up.
const GRACE: Duration = Duration::from_secs(2);

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: Vec<String>,
}

impl Process {
    /// Starts a program that reads nothing.
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        Self::start_reading(command, Stdio::null())
    }

    /// Starts a program with this as its standard input.
    pub(crate) fn start_reading(command: &mut Command, stdin: Stdio) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|error| format!("cannot start {name}: {error}"))?;
        let stdout = child.stdout.take().map(Lines::read).unwrap_or_default();
        let stderr = child.stderr.take().map(Lines::read).unwrap_or_default();
        Ok(Self { name, child, ended: None, stdout, stderr })
    }

    /// Runs a program to its end.
    ///
    /// # Errors
    /// One that cannot be started, or that has not ended when `limit` is over.
    pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<Ended, String> {
        Self::start(command)?.wait(limit)
    }

    /// Runs a program that has to succeed.
    pub(crate) fn succeed(command: &mut Command, limit: Duration) -> Result<Ended, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let ended = Self::run(command, limit)?;
        if ended.status.success() {
            return Ok(ended);
        }
        Err(format!("{name} ended with {}: {}", ended.status, ended.stderr.join("\n")))
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self, limit: Duration) -> Result<Ended, String> {
        let status = wait::until(&format!("the end of {}", self.name), limit, || self.poll())
            .map_err(|error| format!("{error}; {}", self.said()))?;
        Ok(Ended { status, stdout: self.stdout.to_end(), stderr: self.stderr.to_end() })
    }

    /// How it ended, if it has.
    pub(crate) fn poll(&mut self) -> Result<Option<ExitStatus>, String> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().map_err(|error| format!("{}: {error}", self.name))?;
        }
        Ok(self.ended)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), String> {
        kill_process(Pid::from_child(&self.child), signal).map_err(|error| format!("{}: {error}", self.name))
    }

    /// The first line of its output in which `find` finds something, waited for.
    pub(crate) fn stdout_line<T>(
        &self,
        limit: Duration,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T, String> {
        self.stdout.find(limit, find).ok_or_else(|| self.unsaid(limit))
    }

    /// The first line of its complaints in which `find` finds something, waited for.
    pub(crate) fn stderr_line<T>(
        &self,
        limit: Duration,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T, String> {
        self.stderr.find(limit, find).ok_or_else(|| self.unsaid(limit))
    }

    /// All lines of its output so far.
    pub(crate) fn stdout(&self) -> Vec<String> {
        self.stdout.lock().lines.clone()
    }

    fn unsaid(&self, limit: Duration) -> String {
        format!("{} does not say within {limit:?} what it has to; {}", self.name, self.said())
    }

    /// Its last words, for messages.
    fn said(&self) -> String {
        let last = |lines: &Lines| {
            let state = lines.lock();
            state.lines[state.lines.len().saturating_sub(5)..].join(" | ")
        };
        format!("its output ends with `{}`, its complaints with `{}`", last(&self.stdout), last(&self.stderr))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After the end its number may be somebody else's.
        if matches!(self.poll(), Ok(None)) {
            let group = Pid::from_child(&self.child);
            let _ = kill_process_group(group, Signal::TERM);
            if wait::until("its end", GRACE, || self.poll()).is_err() {
                let _ = kill_process_group(group, Signal::KILL);
                let _ = self.child.wait();
            }
        }
    }
}

/// The lines of a pipe, read by a thread that ends with it.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<(Mutex<Said>, Condvar)>);

#[derive(Debug, Default)]
struct Said {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    fn read(pipe: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let theirs = lines.clone();
        thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                theirs.lock().lines.push(String::from_utf8_lossy(&line).into_owned());
                theirs.0.1.notify_all();
            }
            theirs.lock().ended = true;
            theirs.0.1.notify_all();
        });
        lines
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find<T>(&self, limit: Duration, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let end = Instant::now() + limit;
        let mut seen = 0;
        let mut said = self.lock();
        loop {
            if let Some(found) = said.lines[seen..].iter().find_map(|line| find(line)) {
                return Some(found);
            }
            seen = said.lines.len();
            let left = end.saturating_duration_since(Instant::now());
            if said.ended || left.is_zero() {
                return None;
            }
            said = self.0.1.wait_timeout(said, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// All lines, once the pipe is closed. A grandchild may hold it open; it is not waited for long.
    fn to_end(&self) -> Vec<String> {
        let said = self.lock();
        let waited = self.0.1.wait_timeout_while(said, Duration::from_secs(2), |said| !said.ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.lines.clone()
    }
}
