//! A guest that stands still, so that pictures of it can be compared whoever took them, and whenever.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::needs::Need;
use crate::recordings::{self, Moment};
use crate::scratch::Scratch;
use crate::server::Server;
use crate::shot::Shot;

/// What takes the picture that others are compared with.
pub(crate) const STILL_NEEDS: [Need; 1] = [Need::Program("spicy-screenshot")];

/// How long the recording may take to play, as fast as can be.
const PATIENCE: Duration = Duration::from_secs(60);

/// A recording that was played to its end.
#[derive(Debug)]
pub(crate) struct Still {
    path: PathBuf,
    moment: Moment,
    /// What it shows, as spicy-screenshot gets it, from another server, over a plain connection without ticket.
    pub(crate) picture: Shot,
}

impl Still {
    /// One of the short recordings, by its name.
    pub(crate) fn new(name: &str, scratch: &Scratch) -> Result<Self, String> {
        let path = Path::new(recordings::SHORT).join(format!("{name}.rec.zst"));
        let moment = recordings::last_moment(&path)?;
        let picture = recordings::our_server(&path, moment, scratch)?;
        // One that shows next to nothing would show next to nothing in a comparison, either.
        if picture.colours() < 10 {
            return Err(format!("{name} ends with a picture of {} colours", picture.colours()));
        }
        Ok(Self { path, moment, picture })
    }

    /// Starts a server of it with these arguments, and waits until it stands still.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Result<Server, String> {
        let server = Server::start_command(self.command(arguments))?;
        server.wait_for_commands(self.moment.taken, PATIENCE)?;
        Ok(server)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let (guest, stop) = (format!("replay:{}", self.path.display()), self.moment.commands.to_string());
        let mut command = Server::command(&["--listen", "127.0.0.1:0"]);
        command.args(["--guest", &guest, "--stop-after", &stop, "--speed", "1e9", "--hold"]).args(arguments);
        command
    }
}
