//! Hosts in C against the public headers, each compiled once and run on the C library and on this one.
//!
//! They ask what a correct drop-in must do: what is documented, or what a host, a guest or a viewer can see. Each is a
//! program of cases that run in processes of their own, so that one that fails hides none of the others. What the C
//! library 0.15.1 is known to do wrong is not asked of it (`with_c_faults` in `host.h`).
//!
//! | host | what it shows |
//! | --- | --- |
//! | `new_destroy` | servers come and go, initialised or not, on several kinds of loop; descriptors, threads, watches and timers do not pile up |
//! | `tickets` | which passwords are taken, who is let in, lifetimes, `fail_if_connected`, `disconnect_if_connected`, what is no ticket |
//! | `listen` | TCP, TLS (certificates of version 1, too), both, Unix and inherited sockets, nowhere, busy ports, channel security, what is not SPICE |
//! | `qxl` | pixels of every kind of draw in the guest's memory, both strides, what was drawn since, asynchronous calls, surfaces, slots, stops, resets; commands come back once; the ring's rules |
//! | `inputs` | keys, buttons, motion, tablet, wheel, modes, lights and locks; keys are let go of when a viewer goes |
//! | `clients` | channel events, addresses, sockets of the host with and without a ticket, names, lists of channels, one viewer or several, those that break off, nonsense |
//! | `options` | every `set_*` before and after the beginning, and with a viewer that looks on |
//! | `two_servers` | two servers, two displays: every viewer's picture, put together from its messages |
//! | `char_device` | ports, USB, shared folder: both ways, much data, partial writes, events, states, several at a time |
//! | `agent` | connected, tokens both ways, chunks, filters of clipboard and files, the agent's pointer, one agent only |
//! | `audio` | playback and record, frame by frame, volume, mute, rates |
//! | `migration` | what calls answer, MIGRATE_BEGIN, END, CANCEL, SWITCH_HOST, and when the host may go on |
//! | `replay` | recordings, alone and through a server; what is none |
//! | `gl` | a viewer that is given the buffer; draws are done without one; descriptors go back |
//! | `versions` | all functions of `exports.txt` under their versions, no others, the SONAME |
//! | `layout` | offsets and sizes of the public structs: `layout-x86_64.txt` is what it has to print there |
//!
//! One by hand: `cargo test -p spice-capi --test hosts -- tickets`. Where this machine lacks what they need, all are
//! ignored, with the reason; with `SPICE_E2E=required` they fail.

mod build;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use build::{Build, Hosts};
use libtest_mimic::{Arguments, Failed, Trial};

/// The hosts, and whether one is run under valgrind, too.
const HOSTS: [(&str, bool); 16] = [
    ("new_destroy", true),
    ("tickets", false),
    ("listen", false),
    ("qxl", true),
    ("inputs", false),
    ("clients", true),
    ("options", false),
    ("two_servers", false),
    ("char_device", false),
    ("agent", false),
    ("audio", false),
    ("migration", false),
    ("replay", true),
    ("gl", false),
    ("versions", false),
    ("layout", false),
];

/// Commands of the recording that is replayed.
const COMMANDS: &str = "100";

/// Seconds that no host takes, but under valgrind.
const PATIENCE: &str = "120";
const PATIENCE_UNDER_VALGRIND: &str = "600";

/// Which library a host runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    C,
    Ours,
    /// With one viewer at a time, as the C library has them.
    OneAtATime,
}

/// How a host is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Plain,
    Valgrind,
    AddressSanitizer,
}

/// One run of a host: all of its cases, or one.
#[derive(Clone, Copy, Debug)]
struct Run {
    host: &'static str,
    case: Option<&'static str>,
    library: Library,
    how: How,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = std::env::var_os("SPICE_E2E").is_some_and(|value| value == "required");
    let (hosts, lacks) = match Hosts::new() {
        Ok(hosts) => (Some(Arc::new(hosts)), None),
        Err(lacks) => (None, Some(lacks)),
    };
    let mut runs = Vec::new();
    for (host, valgrind) in HOSTS {
        let mut add = |library, how| runs.push(Run { host, case: None, library, how });
        add(Library::C, How::Plain);
        add(Library::Ours, How::Plain);
        add(Library::Ours, How::AddressSanitizer);
        if valgrind {
            add(Library::Ours, How::Valgrind);
        }
    }
    let case = Some("a_second_viewer");
    runs.push(Run { host: "clients", case, library: Library::OneAtATime, how: How::Plain });
    let trials = runs.into_iter().map(|run| {
        let (hosts, lacks) = (hosts.clone(), lacks.clone());
        let ignored = hosts.is_none() && !required;
        let go = move || match hosts {
            Some(hosts) => run.go(&hosts),
            None => Err(lacks.unwrap_or_default().into()),
        };
        Trial::test(run.title(), go).with_ignored_flag(ignored)
    });
    let told = Trial::test("every_function_is_in_the_table", every_function_is_told);
    libtest_mimic::run(&arguments, trials.chain([told]).collect()).exit_code()
}

impl Run {
    fn title(&self) -> String {
        let how = match (self.library, self.how) {
            (Library::C, _) => "on_the_c_library",
            (Library::OneAtATime, _) => "on_this_library_with_one_viewer_at_a_time",
            (Library::Ours, How::Plain) => "on_this_library",
            (Library::Ours, How::Valgrind) => "under_valgrind",
            (Library::Ours, How::AddressSanitizer) => "with_address_sanitizer",
        };
        format!("{}::{how}", self.host)
    }

    /// Runs it to its end.
    fn go(&self, hosts: &Hosts) -> Result<(), Failed> {
        let build = if self.how == How::AddressSanitizer { Build::AddressSanitizer } else { Build::Plain };
        let program = hosts.program(self.host, build)?;
        let mut command = Command::new("timeout");
        if self.how == How::Valgrind {
            command.arg(PATIENCE_UNDER_VALGRIND).args(["valgrind", "--quiet", "--error-exitcode=9"]);
            command.args(["--leak-check=full", "--errors-for-leak-kinds=definite"]);
            command.args(["--show-leak-kinds=definite", "--num-callers=30"]);
            command.env("TEST_PATIENCE", "6");
        } else {
            command.arg(PATIENCE);
        }
        command.arg(&program).args(self.case).stdin(Stdio::null());
        match self.library {
            Library::C => command.env("TEST_C_FAULTS", "1"),
            Library::Ours => command.env("TEST_SEVERAL", "1"),
            Library::OneAtATime => command.env("SPICE_MAX_CLIENTS", "1"),
        };
        if self.library != Library::C {
            let library = hosts.library();
            command.env("LD_LIBRARY_PATH", library.parent().unwrap_or(&library)).env("TEST_LIBRARY", library);
        }
        let exports = Path::new(env!("CARGO_MANIFEST_DIR")).join("exports.txt");
        let scratch = hosts.scratch(&format!("{}-{:?}-{:?}", self.host, self.library, self.how))?;
        command.env("TEST_EXPORTS", exports).env("TEST_SCRATCH", scratch);
        command.env("TEST_CERTIFICATES", hosts.certificates());
        command.env("TEST_RECORDING", hosts.recording()).env("TEST_COMMANDS", COMMANDS);
        command.env("ASAN_OPTIONS", "abort_on_error=0:fast_unwind_on_malloc=0");
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}: {}\n{said}{errors}", self.title(), output.status).into());
        }
        if self.host == "layout" && cfg!(target_arch = "x86_64") {
            let should = std::fs::read_to_string(build::source("layout-x86_64.txt"))?;
            let other = said.lines().zip(should.lines()).find(|(is, should)| is != should);
            if let Some((is, should)) = other {
                return Err(format!("`{is}`, not `{should}`").into());
            }
            if said.lines().count() != should.lines().count() {
                return Err("more lines than there should be, or fewer".into());
            }
        }
        Ok(())
    }
}

/// The README says of every function how much of it there is.
fn every_function_is_told() -> Result<(), Failed> {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(crate_folder.join("README.md"))?;
    let exports = std::fs::read_to_string(crate_folder.join("exports.txt"))?;
    for (_, name) in exports.lines().filter_map(|line| line.split_once(' ')) {
        if !readme.contains(&format!("`{name}`")) {
            return Err(format!("the README says nothing of {name}").into());
        }
    }
    Ok(())
}
