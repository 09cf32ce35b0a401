//! `spice-cli`: one desktop, many viewers, from the command line.

#[cfg_attr(not(test), expect(dead_code, reason = "it waits for the server that it is for"))]
mod admin;
mod args;
#[cfg_attr(not(test), expect(dead_code, reason = "it waits for the server that it is for"))]
mod audit;
mod check_config;
#[cfg_attr(not(test), expect(dead_code, reason = "it waits for the server that it is for"))]
mod connection_file;
mod guest;
mod load;
mod own_socket;
mod plan;
mod report;
mod secret_file;
mod serve;
mod sockets;
mod stats;
mod stats_socket;
mod table;
mod tickets;
mod top;
mod wiring;

use std::process::ExitCode;

/// Pictures are packed on one thread and let go on another, minute after minute, in all sizes: glibc's allocator holds on
/// to ever more memory then.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match args::parse().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("spice-cli: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(args::Cli { command, verbose }: args::Cli) -> Result<(), String> {
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
    match command {
        args::Command::Server(server) => serve::serve(&server),
        args::Command::CheckConfig(check) => check_config::check(&check),
        args::Command::Load(args) => load::load(&args),
        args::Command::Top(top) => top::top(&top),
    }
}
