//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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

    /// Print a line of JSON every second: viewers, commands, bytes, cpu.
    #[arg(long)]
    pub(crate) stats: bool,

    /// replay: this many times the recorded pace; a large number is as fast as possible.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub(crate) speed: f64,

    /// replay: begin again at the end.
    #[arg(long = "loop")]
    pub(crate) looped: bool,

    /// replay: stop after this many QXL commands.
    #[arg(long, value_name = "N")]
    pub(crate) stop_after: Option<u64>,

    /// replay: begin with the first display viewer.
    #[arg(long)]
    pub(crate) wait: bool,

    /// replay: no faster than the viewers keep up, so that each is sent every command; for measuring.
    #[arg(long)]
    pub(crate) in_step: bool,

    /// replay: keep serving the last picture.
    #[arg(long)]
    pub(crate) hold: bool,
}

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
