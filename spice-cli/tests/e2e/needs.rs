//! What a test needs of the machine, and what becomes of it where that is missing.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::pace;
use crate::process::Process;

/// Something that a machine may lack.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// A program in `PATH`.
    Program(&'static str),
    /// What a C compiler needs to build against a library, by its name for pkg-config.
    Library(&'static str),
    /// A file that a package brings.
    File(&'static str),
}

impl Need {
    /// What is missing, in words, if it is.
    fn missing(self) -> Option<String> {
        match self {
            Self::Program(name) => {
                let path = env::var_os("PATH").unwrap_or_default();
                let found = env::split_paths(&path).any(|folder| is_program(&folder.join(name)));
                (!found).then(|| name.to_owned())
            }
            Self::Library(name) => {
                let mut command = Command::new("pkg-config");
                let found = Process::succeed(command.args(["--exists", name]), Duration::from_secs(10));
                found.is_err().then(|| format!("lib {name}"))
            }
            Self::File(path) => (!Path::new(path).is_file()).then(|| path.to_owned()),
        }
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// A test that runs where all that it needs is there. Elsewhere it is shown as ignored, with the reason; with
/// `SPICE_E2E=required` in the environment it fails.
pub(crate) fn trial(
    name: &str,
    needs: &[Need],
    test: impl FnOnce() -> Result<(), String> + Send + 'static,
) -> Trial {
    needing(name, needs, move || {
        let _machine = pace::together();
        test()
    })
}

/// The same for a test that measures a pace: nothing else runs meanwhile.
pub(crate) fn trial_alone(
    name: &str,
    needs: &[Need],
    test: impl FnOnce() -> Result<(), String> + Send + 'static,
) -> Trial {
    needing(name, needs, move || {
        let _machine = pace::alone();
        test()
    })
}

fn needing(name: &str, needs: &[Need], test: impl FnOnce() -> Result<(), String> + Send + 'static) -> Trial {
    let missing: Vec<String> = needs.iter().filter_map(|need| need.missing()).collect();
    if missing.is_empty() {
        return Trial::test(name, move || Ok(test()?));
    }
    lacking(name, &format!("needs {}", missing.join(", ")))
}

/// A trial of what only a machine can permit, as `permitted` tells; where it does not, there is nothing to install, and
/// the test is ignored whatever the environment says.
pub(crate) fn if_permitted(
    name: &str,
    needs: &[Need],
    permitted: impl FnOnce() -> Result<(), String>,
    trial: impl FnOnce(&str, &[Need]) -> Trial,
) -> Trial {
    if needs.iter().all(|need| need.missing().is_none())
        && let Err(error) = permitted()
    {
        return ignored(name, &error);
    }
    trial(name, needs)
}

/// A test that cannot run here.
pub(crate) fn lacking(name: &str, reason: &str) -> Trial {
    if env::var_os("SPICE_E2E").is_some_and(|wish| wish == "required") {
        let message = format!("{reason}, and SPICE_E2E=required");
        return Trial::test(name, move || Err(message.into()));
    }
    ignored(name, reason)
}

/// A test that cannot run here, and need not.
fn ignored(name: &str, reason: &str) -> Trial {
    eprintln!("skipped: {name} {reason}");
    // Ignored for good: `--include-ignored` cannot bring what is missing.
    let message = reason.to_owned();
    Trial::ignorable_test(name, move || Ok(libtest_mimic::Completion::ignored_with(message)))
        .with_kind(reason)
        .with_ignored_flag(true)
}
