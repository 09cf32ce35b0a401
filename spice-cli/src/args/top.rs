//! `spice-cli top`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = TOP)]
pub(crate) struct TopArgs {
    /// The server's --stats-socket.
    #[arg(long = "stats-socket", value_name = "PATH", required_unless_present = "socket")]
    pub(crate) stats_socket: Option<PathBuf>,

    /// The same, in fewer words.
    #[arg(value_name = "PATH", conflicts_with = "stats_socket")]
    pub(crate) socket: Option<PathBuf>,

    /// One table, and end.
    #[arg(long)]
    pub(crate) once: bool,

    /// Lines of JSON as the server writes them, and no tables.
    #[arg(long)]
    pub(crate) json: bool,
}

const TOP: &str = "\
Columns:
  viewer      the server's name for it, and which display it is if that is not the first
  peer        where it comes from
  up          how long it has been here
  fps         how often a second it was handed something to draw; what comes within 10 ms is one
  kB/s        what its display has taken in the last second
  round trip  the least that a ping has shown; pings go out every 15 s
  link kB/s   what its link carries while it is kept busy; - for one that never was
  in flight   what is on its way to it
  pipe        what waits for it
  squashes    how often all that waited gave way to the newest picture
  state       no display, waiting (for its first word), following, damaged (parts are sent anew) or
              behind (takes nothing now), with the pixels that wait to be sent anew, and whether its
              link counts as slow

Examples:
  spice-cli server --stats-socket /run/user/1000/spice.stats
  spice-cli top /run/user/1000/spice.stats
  spice-cli top --json /run/user/1000/spice.stats | jq '.viewers[] | select(.state == \"behind\")'

Exit codes: 0 when it ended as it should, 2 when there is no server behind the socket.";
