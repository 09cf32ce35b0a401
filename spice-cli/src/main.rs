//! `spice-cli`: one desktop, many viewers, from the command line.

mod admin;
mod args;
mod audit;
mod check_config;
mod connection_file;
mod guest;
mod load;
mod places;
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
mod user;
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
        args::Command::User(args) => user::user(&args, std::io::stdin().lock()),
        args::Command::Load(args) => load::load(&args),
        args::Command::Top(top) => top::top(&top),
    }
}
