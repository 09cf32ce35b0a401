//! The programs on the C library's API: compiled when they are needed first.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::needs::Need;
use crate::process::Process;
use crate::scratch::Scratch;

/// What [`Programs::replay`] needs to be built and to read recordings.
pub(crate) const REPLAY_NEEDS: [Need; 4] =
    [Need::Program("cc"), Need::Program("zstd"), Need::Library("spice-server"), Need::Library("glib-2.0")];

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/versus-c");
const PATIENCE: Duration = Duration::from_secs(60);

/// The programs in `benches/versus-c`.
#[derive(Debug)]
pub(crate) struct Programs {
    folder: Scratch,
    replay: OnceLock<Result<PathBuf, String>>,
}

impl Programs {
    pub(crate) fn new() -> Result<Self, String> {
        Ok(Self { folder: Scratch::new()?, replay: OnceLock::new() })
    }

    /// The C server with a recording as its guest.
    pub(crate) fn replay(&self) -> Result<&Path, String> {
        let built = self.replay.get_or_init(|| self.build("replay", &["spice-server", "glib-2.0"]));
        built.as_deref().map_err(String::clone)
    }

    fn build(&self, name: &str, libraries: &[&str]) -> Result<PathBuf, String> {
        let mut command = Command::new("pkg-config");
        let flags = Process::succeed(command.args(["--cflags", "--libs"]).args(libraries), PATIENCE)?;
        let flags = flags.stdout.join(" ");
        let program = self.folder.file(name);
        let mut command = Command::new("cc");
        command.args(["-O2", "-w", "-o"]).arg(&program).arg(format!("{SOURCES}/{name}.c"));
        Process::succeed(command.args(flags.split_whitespace()).arg("-lpthread"), PATIENCE)?;
        Ok(program)
    }
}

/// A port of this machine that was free a moment ago.
pub(crate) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|addr| addr.port()).map_err(|error| error.to_string())
}
