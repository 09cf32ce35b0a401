//! Hosts in C, each compiled once and run on the C library and on this one.
//!
//! A host fails by its exit code and says where. Three run under valgrind too, all with AddressSanitizer in the host.
//! Hosts that need what this machine lacks are ignored, with the reason; with `SPICE_E2E=required` they fail.

mod build;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use build::{Build, Hosts};
use libtest_mimic::{Arguments, Failed, Trial};

/// The hosts, and whether one is run under valgrind, too.
const HOSTS: [(&str, bool); 14] = [
    ("new_destroy", true),
    ("options", false),
    ("tickets", false),
    ("listen", false),
    ("clients", true),
    ("two_servers", false),
    ("one_at_a_time", false),
    ("qxl", true),
    ("inputs", false),
    ("char_device", false),
    ("agent", false),
    ("gl", false),
    ("sound", false),
    ("migration", false),
];

/// Commands of the recording that is replayed.
const COMMANDS: usize = 4000;

/// No host takes longer, but under valgrind.
const PATIENCE: &str = "60";
const PATIENCE_UNDER_VALGRIND: &str = "300";

/// Which library a host runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    C,
    Ours,
}

/// How a host is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Plain,
    Valgrind,
    AddressSanitizer,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = std::env::var_os("SPICE_E2E").is_some_and(|value| value == "required");
    let (hosts, lacks) = match Hosts::new() {
        Ok(hosts) => (Some(Arc::new(hosts)), None),
        Err(lacks) => (None, Some(lacks)),
    };
    let mut trials = Vec::new();
    let names = HOSTS.iter().copied().chain([("replay", true)]);
    for (name, valgrind) in names {
        for library in [Library::C, Library::Ours] {
            trials.push((name, library, How::Plain));
        }
        trials.push((name, Library::Ours, How::AddressSanitizer));
        if valgrind {
            trials.push((name, Library::Ours, How::Valgrind));
        }
    }
    let trials = trials.into_iter().map(|(name, library, how)| {
        let title = match (library, how) {
            (Library::C, _) => format!("{name}::on_the_c_library"),
            (Library::Ours, How::Plain) => format!("{name}::on_this_library"),
            (Library::Ours, How::Valgrind) => format!("{name}::under_valgrind"),
            (Library::Ours, How::AddressSanitizer) => format!("{name}::with_address_sanitizer"),
        };
        let (hosts, lacks) = (hosts.clone(), lacks.clone());
        let ignored = hosts.is_none() && !required;
        let run = move || match hosts {
            Some(hosts) => run(&hosts, name, library, how),
            None => Err(lacks.unwrap_or_default().into()),
        };
        Trial::test(title, run).with_ignored_flag(ignored)
    });
    let exports = Trial::test("every_function_of_the_c_library_is_there_under_its_version", every_function);
    let told = Trial::test("every_function_is_in_the_table", every_function_is_told);
    libtest_mimic::run(&arguments, trials.chain([exports, told]).collect()).exit_code()
}

/// Runs a host to its end.
fn run(hosts: &Hosts, name: &str, library: Library, how: How) -> Result<(), Failed> {
    let build = if how == How::AddressSanitizer { Build::AddressSanitizer } else { Build::Plain };
    let program = hosts.program(name, build)?;
    let arguments: Vec<PathBuf> = match name {
        "listen" => vec![hosts.certificate(), hosts.key()],
        "replay" => vec![hosts.recording(), COMMANDS.to_string().into()],
        _ => Vec::new(),
    };
    let mut command = Command::new("timeout");
    match how {
        How::Valgrind => {
            command.arg(PATIENCE_UNDER_VALGRIND).args(["valgrind", "--quiet", "--error-exitcode=9"]);
            command.args([
                "--leak-check=full",
                "--errors-for-leak-kinds=definite",
                "--show-leak-kinds=definite",
            ]);
        }
        _ => {
            command.arg(PATIENCE);
        }
    }
    command.arg(&program).args(arguments).stdin(Stdio::null());
    match library {
        Library::C => command.env("SPICE_HOST_LIBRARY", "c"),
        Library::Ours => command.env("SPICE_HOST_LIBRARY", "ours").env("LD_LIBRARY_PATH", hosts.library()),
    };
    if how == How::AddressSanitizer {
        // Threads of the library still run when a host that has failed ends.
        command.env("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0");
    }
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<_> = said.lines().rev().take(40).collect();
    let last: Vec<_> = last.into_iter().rev().collect();
    Err(format!("{name} {library:?} {how:?}: {}\n{}", output.status, last.join("\n")).into())
}

/// The functions of the C library, with their nodes.
fn exports() -> Result<Vec<(String, String)>, Failed> {
    let list = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("exports.txt"))?;
    Ok(list
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(node, name)| (node.into(), name.into()))
        .collect())
}

/// `exports.txt` is what Debian's library exports; `objdump` tells what this one does.
fn every_function() -> Result<(), Failed> {
    let output = Command::new("objdump").arg("-T").arg(build::our_library()?).output()?;
    let table = String::from_utf8_lossy(&output.stdout);
    let exports = exports()?;
    for (node, name) in &exports {
        let found = table.lines().any(|line| {
            let mut words = line.split_whitespace().rev();
            words.next() == Some(name)
                && words.next().is_some_and(|word| word.trim_matches(['(', ')']) == node)
        });
        if !found {
            return Err(format!("{name} of {node} is not exported").into());
        }
    }
    let ours =
        table.lines().filter(|line| line.contains(" SPICE_SERVER_") && line.contains("spice_")).count();
    if (exports.len(), ours) != (97, 97) {
        return Err(format!("{} functions are listed and {ours} exported, not 97", exports.len()).into());
    }
    Ok(())
}

/// The README says of every function how much of it there is.
fn every_function_is_told() -> Result<(), Failed> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"))?;
    for (_, name) in exports()? {
        if !readme.contains(&format!("`{name}`")) {
            return Err(format!("the README says nothing of {name}").into());
        }
    }
    Ok(())
}
