//! The options of `spice-cli user`.

use clap::Args;
use spice_server::{Permissions, Role};

use super::values::{Number, Text};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct UserArgs {
    /// Who it is.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// What the user is: control or view [default: control].
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<Text<Role>>,

    /// What the user may do, with commas between: inputs, clipboard, audio, usb; or none [default: all of them].
    #[arg(long, value_name = "WHAT,..")]
    pub(crate) may: Option<Text<Permissions>>,

    /// How often the password is hashed: what one who has stolen the file pays for each guess, and each viewer for
    /// each of its channels [default: 16384].
    #[arg(long, value_name = "N")]
    pub(crate) iterations: Option<Number<4096, 1_000_000>>,
}

const AFTER_HELP: &str = "\
The line has no password in it, but the means to check one (SCRAM-SHA-256): keep the file to yourself.

Examples:
  (umask 077; spice-cli user alice < password.txt > users)
  spice-cli user bob --role view --may audio < password.txt >> users

Exit codes: 0, or 2 when there is no password or the name is none.";
