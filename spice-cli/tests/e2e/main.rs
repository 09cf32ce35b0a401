//! The server as a whole, from outside: the binary, real viewers and the C server beside it.
//!
//! Tests that need what this machine lacks are ignored, each with its reason; with `SPICE_E2E=required` in the
//! environment they fail. `SPICE_RECORDINGS` names a folder of recordings to use instead of the short ones here.

mod admin;
mod attack;
mod audit;
mod audit_log;
mod browser;
mod c;
mod cdp;
mod cli;
mod config;
mod demo;
mod desktop;
mod hostile;
mod http;
mod isolation;
mod json;
mod link;
mod load;
mod load_command;
mod methods;
mod needs;
mod pace;
mod pages;
mod process;
mod recordings;
mod sasl;
mod scratch;
mod secrets;
mod server;
mod shot;
mod slow_link;
mod sockets;
mod still;
mod tls;
mod tls_viewers;
mod top;
mod torture;
mod viewer;
mod wait;
mod websocket;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::Arguments;

/// Tests that run at the same time, unless the command line says otherwise: each has several busy processes.
const THREADS: usize = 2;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let programs = match c::Programs::new() {
        Ok(programs) => Arc::new(programs),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let trials = [
        admin::trials(),
        attack::trials(),
        audit::trials(),
        browser::trials(),
        cli::trials(),
        config::trials(),
        demo::trials(),
        hostile::trials(),
        isolation::trials(&programs),
        load::trials(),
        load_command::trials(),
        methods::trials(&programs),
        recordings::trials(&programs),
        sasl::trials(),
        secrets::trials(),
        slow_link::trials(&programs),
        sockets::trials(),
        tls::trials(),
        tls_viewers::trials(),
        top::trials(),
        torture::trials(&programs),
        websocket::trials(),
    ];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}
