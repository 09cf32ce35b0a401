//! `spice-cli load`.

mod ages;
mod channel;
mod marker;
mod report;
mod run;
mod screen;
mod tally;
mod target;
mod throttle;
mod tls;
mod viewer;

use std::time::Instant;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime;
use tokio::task::LocalSet;

use crate::args::LoadArgs;
use crate::{serve, stats};
use channel::Server;
use run::{Measured, Plan};
use tally::Kind;
use tls::Trust;

pub(crate) use target::Target;

/// Loads a server, and prints what its viewers have seen; what cannot start is one sentence.
pub(crate) fn load(args: &LoadArgs) -> Result<(), String> {
    let ticket = match &args.ticket_file {
        Some(path) => serve::ticket_line(path)?,
        None => Vec::new(),
    };
    let addr = args.uri.resolve()?;
    let tls = args.tls_ca.as_deref().map(|path| Trust::read(path, addr)).transpose()?;
    let server = Server { addr, tls, ticket };
    // Those that are slow join first, so that all meet the same scene.
    let wanted = [
        (Kind::Stalled, args.stalled),
        (Kind::Throttled, args.throttled),
        (Kind::Flapping, args.flapping),
        (Kind::Fast, args.viewers),
    ];
    let kinds: Vec<Kind> = wanted.into_iter().flat_map(|(kind, count)| vec![kind; count.into()]).collect();
    if kinds.is_empty() {
        return Err("there is no viewer to load the server with".into());
    }
    let plan = Plan {
        server,
        kinds,
        rate: args.rate,
        paint: args.paint,
        join_within: args.join_within,
        warm: args.warm,
        measure: args.seconds,
        rest: args.rest,
    };
    allow_descriptors();
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start the runtime: {error}"))?;
    let start = Instant::now();
    let viewers = LocalSet::new();
    let measured = runtime.block_on(viewers.run_until(run::run(plan)));
    let measured = measured.map_err(|why| format!("{}: {why}", args.uri))?;
    print(&measured, args);
    eprintln!(
        "viewers took {:.2} s of processor time in {:.1} s",
        stats::cpu(),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn print(measured: &Measured, args: &LoadArgs) {
    let reports = report::reports(measured, args.paint);
    if args.json {
        reports.iter().for_each(|report| println!("{}", report.json()));
    } else {
        print!("{}", report::table(&reports));
    }
}

/// Each viewer has two connections.
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // Where that fails, so will viewers, and say so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
