//! The guest that a server shows.

use spice_server::guest::Guest;
use spice_server::guest::bench::{BenchGuest, BenchSpec};
use spice_server::guest::demo::DemoGuest;
use spice_server::guest::replay::{ReplayGuest, ReplayOptions};
use spice_server::wall_clock_offset;

use crate::args::ServerOptions;

/// What it is called that nobody has chosen.
const DEFAULT: &str = "demo";

/// The name of the guest that the options ask for.
pub(crate) fn name(options: &ServerOptions) -> &str {
    options.guest.as_deref().unwrap_or(DEFAULT)
}

/// The guest that the options ask for.
pub(crate) fn guest(options: &ServerOptions) -> Result<Box<dyn Guest>, String> {
    let set = |flag: Option<bool>| flag.unwrap_or(false);
    let speed = options.speed.unwrap_or(1.0);
    let (looped, in_step, hold) = (set(options.looped), set(options.in_step), set(options.hold));
    let replay_only =
        looped || in_step || hold || options.wait.is_some() || options.stop_after.is_some() || speed != 1.0;
    let name = name(options);
    match name.split_once(':') {
        Some(("replay", path)) => {
            let mut replay = ReplayOptions::new(path);
            replay.speed = speed;
            replay.looped = looped;
            replay.stop_after = options.stop_after;
            replay.wait = options.wait.unwrap_or(0);
            replay.in_step = in_step;
            Ok(Box::new(ReplayGuest::new(replay).map_err(|error| error.to_string())?))
        }
        _ if replay_only => {
            let options = "--speed, --loop, --stop-after, --wait, --in-step and --hold";
            Err(format!("{options} are for --guest replay:FILE"))
        }
        Some(("bench", scene)) => {
            let spec: BenchSpec = scene.parse().map_err(|error| format!("--guest {name}: {error}"))?;
            Ok(Box::new(BenchGuest::new(spec)))
        }
        None if name == DEFAULT => Ok(Box::new(DemoGuest::default().with_wall_clock(wall_clock_offset()))),
        _ => Err(format!("no guest is named `{name}`; there are demo, replay:FILE and bench:SCENE")),
    }
}
