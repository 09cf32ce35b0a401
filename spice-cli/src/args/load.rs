//! `spice-cli load`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::load::Target;

#[derive(Debug, Args)]
#[command(after_help = LOAD)]
pub(crate) struct LoadArgs {
    /// The server: spice://HOST:PORT or HOST:PORT; port 5900 unless told otherwise.
    pub(crate) uri: Target,

    /// Fast viewers: they read as soon as there is something.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) viewers: u16,

    /// Stalled viewers: they shake hands, and never read their display again.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) stalled: u16,

    /// Throttled viewers: they read --rate bytes a second.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) throttled: u16,

    /// Flapping viewers: they connect, are gone after 0 to 500 ms, whatever they were about, and connect again.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) flapping: u16,

    /// Bytes that a throttled viewer reads in a second: every 10 ms its share, after a pause a tenth of this at once.
    #[arg(long, value_name = "BYTES", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: u32,

    /// Seconds from the first viewer to the last. Without this, four join every 10 ms, the slow kinds first.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) join_within: Option<Duration>,

    /// Seconds after the last viewer has begun to connect, before anything is measured.
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    pub(crate) warm: Duration,

    /// Seconds that are measured.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = some_seconds)]
    pub(crate) seconds: Duration,

    /// Know the ticket in this file: its first line.
    #[arg(long, value_name = "FILE")]
    pub(crate) ticket_file: Option<PathBuf>,

    /// Encrypt, and trust the certificates in this file (PEM) and no others; they have to name the server's address.
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,

    /// Paint everything that is sent, as a viewer does. It costs a processor's time and each viewer's whole screen.
    #[arg(long)]
    pub(crate) paint: bool,

    /// With --paint: seconds after the measurement until pictures are compared.
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds, requires = "paint")]
    pub(crate) rest: Duration,

    /// Print a line of JSON for each kind of viewers.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A time that may be none.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err("not within a day".into());
    }
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// A time that can be measured.
fn some_seconds(text: &str) -> Result<Duration, String> {
    let seconds = seconds(text)?;
    if seconds < Duration::from_millis(100) { Err("at least 0.1".into()) } else { Ok(seconds) }
}

const LOAD: &str = "\
A guest for measuring (spice-cli server --guest bench:SCENE) shows a marker: the 16x16 pixels in the top
left corner of its screen have the monotonic clock of its machine, in milliseconds, as their colour. So
ages are right for a server on the same machine.

Figures, for each kind of viewers; those of a second are means over the measurement:
  viewers          how many
  dead             connections that failed or that the server has ended (with -v: why)
  fps_min, _median frames a second of the slowest viewer, and of the one in the middle; a frame is a
                   marker that differs from the one before
  kB_per_s_each    1000 bytes a second of each viewer's display, on the mean
  images           images that were drawn, from the beginning
  first_ms_...     from connecting to the first image or marker
  stale_...        age of each frame when it arrives
  gap_max_ms       longest time that a viewer was without another frame, from its first one on
  shown_...        age of the marker on each screen, looked at every 10 ms
  unread           messages that covered the marker and left nothing to be read; until another message
                   does, that screen is not looked at
  visits           flapping: how often they have connected
  pictures         --paint: how many different pictures are on their screens at the end; one, where
                   the guest has come to rest and all have been shown what it drew

A marker comes as a fill, or within an image that a viewer was sent in place of what it has missed. Without
--paint a viewer paints the marker alone. It reads images packed as bitmap, QUIC, LZ, LZ4 or JPEG. It does
not read those for which it had to keep others: GLZ, and what is to be in its cache; with --paint it does.
Of an image, what makes no time of the last minute is not read. A JPEG's colours are not exact: it may
show an age that is wrong by a quarter of a second, or none.

A figure that there is none of is null in JSON, and - in the table.

Standard error says how much processor time the viewers took. They share one thread: where that comes near
the time that has passed, it is they that are slow.

Examples:
  spice-cli load 127.0.0.1:5900 --viewers 50
  spice-cli load 127.0.0.1:5900 --viewers 50 --tls-ca server.pem
  spice-cli load spice://127.0.0.1:5900 --stalled 1 --throttled 5 --rate 100000 --seconds 30 --json

Exit codes: 0 when it has measured, 2 when no viewer got in or the command makes no sense.";
