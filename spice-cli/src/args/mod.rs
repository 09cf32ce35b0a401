//! The command line, and the file that may stand in for it.

mod listen;
mod load;
mod server;
pub(crate) mod toml_file;
mod top;
mod user;
mod values;

use std::path::PathBuf;

use clap::error::{ContextKind, ErrorKind};
use clap::{Args, Parser, Subcommand};

pub(crate) use listen::{AdminAddress, Listen, Network};
pub(crate) use load::LoadArgs;
pub(crate) use server::ServerOptions;
pub(crate) use top::TopArgs;
pub(crate) use user::UserArgs;
pub(crate) use values::{Number, Period, Text, one_line};

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
    Server(Box<ServerArgs>),
    /// Tell whether a server would start with a configuration file, and what it would serve.
    CheckConfig(Box<CheckConfigArgs>),
    /// Write the line of a user for --sasl-users; its password is the first line of standard input.
    User(UserArgs),
    /// Load a server with many viewers, and measure what they see.
    Load(LoadArgs),
    /// Show how the viewers of a running server fare, every second.
    Top(TopArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// Take the options that are not said here from this file (TOML; see below).
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) options: ServerOptions,
}

#[derive(Debug, Args)]
pub(crate) struct CheckConfigArgs {
    /// The file, as for `spice-cli server --config`.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) options: ServerOptions,
}

/// What a command line means. One that means nothing ends the process, with what clap says; a value that is none is one
/// sentence.
pub(crate) fn parse() -> Result<Cli, String> {
    Cli::try_parse().map_err(|error| match value_error(&error) {
        Some(sentence) => sentence,
        None => error.exit(),
    })
}

fn value_error(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::ValueValidation {
        return None;
    }
    let option = error.get(ContextKind::InvalidArg)?.to_string();
    let why = std::error::Error::source(error)?;
    Some(format!("{}: {}", option.split([' ', '[']).next()?, one_line(&why)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_value_that_is_none_is_one_sentence() {
        let error = |arguments: &[&str]| {
            let arguments = ["spice-cli", "server"].iter().chain(arguments);
            value_error(&Cli::try_parse_from(arguments).unwrap_err())
        };
        let said = error(&["--listen", "nowhere"]).unwrap();
        assert_eq!(said, "--listen: neither ADDR:PORT, unix:PATH, unix:@NAME nor fd:N");
        let said = error(&["--max-viewers", "0"]).unwrap();
        assert_eq!(said, "--max-viewers: not a number from 1 to 100000");
        assert_eq!(error(&["--lsiten", "x"]), None);
    }
}
