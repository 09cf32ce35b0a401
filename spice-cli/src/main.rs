//! `spice-cli`: one desktop, many viewers, from the command line.

mod args;
mod load;
mod report;
mod serve;
mod stats;
mod stats_socket;
mod table;
mod top;

use std::process::ExitCode;

use clap::Parser;

/// Pictures are packed on one thread and let go on another, minute after minute, in all sizes: glibc's allocator holds on
/// to ever more memory then.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args::Cli { command, verbose } = args::Cli::parse();
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| level.into()),
        )
        .init();
    let result = match command {
        args::Command::Server(server) => serve::serve(&server),
        args::Command::Load(args) => load::load(&args),
        args::Command::Top(top) => top::top(&top),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("spice-cli: {message}");
            ExitCode::from(2)
        }
    }
}
