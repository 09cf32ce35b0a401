//! The command line.

mod load;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use load::LoadArgs;

/// Serve one desktop to many SPICE viewers.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Say more on standard error: viewers that come and go (-v), every detail (-vv).
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Listen for viewers and show them a guest.
    Server(ServerArgs),
    /// Load a server with many viewers, and measure what they see.
    Load(LoadArgs),
    /// Show how the viewers of a running server fare, every second.
    Top(TopArgs),
}

#[derive(Debug, Args)]
#[command(after_help = GUESTS)]
pub(crate) struct ServerArgs {
    /// Where to listen.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:5900")]
    pub(crate) listen: SocketAddr,

    /// What to show: demo, replay:FILE or bench:SCENE.
    #[arg(long, value_name = "GUEST", default_value = "demo")]
    pub(crate) guest: String,

    /// Let in who knows the ticket in this file: its first line, at most 60 bytes.
    #[arg(long, value_name = "FILE", conflicts_with = "no_ticket")]
    pub(crate) ticket_file: Option<PathBuf>,

    /// Let in anybody who can connect. The default on loopback, refused elsewhere.
    #[arg(long)]
    pub(crate) no_ticket: bool,

    /// How viewers get images: off, auto_glz, auto_lz, quic, glz, lz or lz4. Viewers may ask for another way.
    #[arg(long, value_name = "METHOD", default_value = "auto_glz")]
    pub(crate) image_compression: String,

    /// Which viewers get images without hard edges as JPEG, and without loss later: auto (those behind links below
    /// 10 Mbit/s), always or never.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) jpeg_wan_compression: String,

    /// Which viewers get GLZ images packed once more with zlib: auto, always or never.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) zlib_glz_wan_compression: String,

    /// End viewers that take nothing of what waits for them, or do not answer, for so many seconds; each alone.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) viewer_timeout: u64,

    /// Print a line of JSON every second: viewers, commands, bytes, cpu.
    #[arg(long)]
    pub(crate) stats: bool,

    /// Tell who connects to this socket how the viewers fare, in a line of JSON every second; for `spice-cli top`. It is
    /// made for this user alone, and gone when the server ends.
    #[arg(long, value_name = "PATH")]
    pub(crate) stats_socket: Option<PathBuf>,

    /// replay: this many times the recorded pace; a large number is as fast as possible.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub(crate) speed: f64,

    /// replay: begin again at the end.
    #[arg(long = "loop")]
    pub(crate) looped: bool,

    /// replay: stop after this many QXL commands.
    #[arg(long, value_name = "N")]
    pub(crate) stop_after: Option<u64>,

    /// replay: begin with the first display viewer, or with so many.
    #[arg(long, value_name = "VIEWERS", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    pub(crate) wait: Option<usize>,

    /// replay: no faster than the viewers keep up, so that each is sent every command; for measuring.
    #[arg(long)]
    pub(crate) in_step: bool,

    /// replay: keep serving the last picture.
    #[arg(long)]
    pub(crate) hold: bool,
}

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

const GUESTS: &str = "\
Guests:
  demo           a small live desktop: a terminal, windows to drag, a clock, a moving picture
  replay:FILE    a recording of QXL commands (SPICE_REPLAY 1; plain, .xz or .zst)
  bench:SCENE    a scene with a clock in its corner, for measuring: mixed, text, photo or
                 fullscreen-text, as in bench:mixed?fps=30&size=1280x720

Examples:
  spice-cli server
  spice-cli server --guest replay:desktop.rec.zst --wait --hold
  spice-cli server --listen 0.0.0.0:5900 --ticket-file ticket.txt

Exit codes: 0 when it ended as it should, 2 when it could not start.";
