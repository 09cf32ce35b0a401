//! Hosts in C against the public headers, each compiled once and run on the C library and on this one.
//!
//! They ask what a correct drop-in must do: what is documented, or what a host, a guest or a viewer can see. Each is a
//! program of cases that run in processes of their own, so that one that fails hides none of the others. What the C
//! library 0.15.1 is known to do wrong, or does not survive, is not asked of it (`with_c_faults` in the programs).
//!
//! | host | what it shows |
//! | --- | --- |
//! | `new_destroy` | servers come and go, initialised or not, on several kinds and versions of loop; descriptors, threads, watches and timers do not pile up |
//! | `tickets` | which passwords are taken, who is let in, lifetimes, `fail_if_connected`, `disconnect_if_connected`, what is no ticket and no mechanism |
//! | `listen` | TCP by either family, TLS (certificates of version 1, too), both, Unix, abstract and inherited sockets, nowhere, busy ports, files that are wrong, channel security, what is not SPICE |
//! | `qxl` | pixels of every kind of draw in the guest's memory, both strides, what was drawn since, asynchronous calls, surfaces, slots, stops, resets |
//! | `commands` | every command comes back, once, from one thread; the ring's rules; a guest out of memory; what lies outside, addresses that are nowhere, surfaces that cannot be |
//! | `display` | what the guest is told of its viewers and they of its monitors, two viewers of a guest, older devices, ends in the middle, viewers that break off |
//! | `inputs` | keys, buttons, motion, tablet, wheel, modes, lights and locks; keys are let go of when a viewer goes, and those of others are not |
//! | `clients` | channel events, addresses, sockets of the host with and without a ticket, names, lists of channels, one viewer or several, nonsense |
//! | `options` | every `set_*` before and after the beginning, with what it refuses, and with a viewer that looks on |
//! | `two_servers` | two servers, two displays: every viewer's picture, put together from its messages; devices, words and names of their own |
//! | `char_device` | ports, USB, shared folder: both ways, much data, partial writes, events, states, several at a time |
//! | `agent` | connected, tokens both ways, chunks, filters of clipboard and files, the agent's pointer, one agent only |
//! | `audio` | playback and record, frame by frame, volume, mute, rates |
//! | `migration` | what calls answer, MIGRATE_BEGIN, END, CANCEL, SWITCH_HOST, and when the host may go on |
//! | `replay` | recordings, alone and through a server; what is none |
//! | `gl` | a viewer that is given the buffer; draws are done without one; descriptors go back |
//! | `versions` | all functions of `exports.txt` under their versions, no others, the SONAME |
//! | `layout` | offsets and sizes of the public structs: `layout-x86_64.txt` is what it has to print there |
//!
//! One by hand: `cargo test -p spice-capi --test hosts -- tickets`; one of its cases: the same with `SPICE_HOST_CASE=the_longest`.
//! Where this machine lacks what they need, all are ignored, with the reason; with `SPICE_E2E=required` they fail.

mod build;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use build::{Build, Hosts};
use libtest_mimic::{Arguments, Failed, Trial};

/// The hosts, and whether one is run under valgrind, too.
const HOSTS: [(&str, bool); 17] = [
    ("replay", true),
    ("qxl", true),
    ("commands", true),
    ("display", true),
    ("clients", true),
    ("new_destroy", true),
    ("tickets", false),
    ("listen", false),
    ("inputs", false),
    ("options", false),
    ("two_servers", false),
    ("char_device", false),
    ("agent", false),
    ("audio", false),
    ("migration", false),
    ("gl", false),
    ("versions", false),
];

/// Commands of the recording that is replayed.
const COMMANDS: &str = "4000";

/// Lines of a case that failed.
const LINES: usize = 60;

/// Which library a program runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    C,
    Ours,
}

/// How a program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Plain,
    Valgrind,
    AddressSanitizer,
}

impl How {
    /// How many times ten seconds a program waits for something, and how many seconds it has in all.
    const fn patience(self) -> (&'static str, &'static str) {
        match self {
            Self::Plain => ("2", "120"),
            Self::AddressSanitizer => ("3", "180"),
            Self::Valgrind => ("6", "600"),
        }
    }
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They wait more than they work.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(2 * cores);
    let hosts = Hosts::new().map(Arc::new);
    if let Err(lacks) = &hosts {
        eprintln!("hosts in C cannot be run: {lacks}");
    }
    // The longest first.
    let mut runs: Vec<_> = HOSTS
        .into_iter()
        .filter(|(_, valgrind)| *valgrind)
        .map(|(name, _)| (name, Library::Ours, How::Valgrind))
        .collect();
    for (name, _) in HOSTS {
        runs.push((name, Library::C, How::Plain));
        runs.push((name, Library::Ours, How::Plain));
        runs.push((name, Library::Ours, How::AddressSanitizer));
    }
    let runs = runs.into_iter().map(|(name, library, how)| {
        let how_named = match (library, how) {
            (Library::C, _) => "on_the_c_library",
            (Library::Ours, How::Plain) => "on_this_library",
            (Library::Ours, How::Valgrind) => "under_valgrind",
            (Library::Ours, How::AddressSanitizer) => "with_address_sanitizer",
        };
        trial(format!("{name}::{how_named}"), &hosts, move |hosts| run(hosts, name, library, how))
    });
    let structures = trial("layout::of_the_public_structures".into(), &hosts, layout);
    let told = Trial::test("every_function_is_in_the_table", every_function_is_told);
    libtest_mimic::run(&arguments, runs.chain([structures, told]).collect()).exit_code()
}

/// A trial that needs the programs.
fn trial(
    title: String,
    hosts: &Result<Arc<Hosts>, String>,
    run: impl FnOnce(&Hosts) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let required = std::env::var_os("SPICE_E2E").is_some_and(|value| value == "required");
    let hosts = hosts.clone();
    let ignored = hosts.is_err() && !required;
    Trial::test(title, move || run(&*hosts?)).with_ignored_flag(ignored)
}

/// Runs a program to its end.
fn run(hosts: &Hosts, name: &str, library: Library, how: How) -> Result<(), Failed> {
    let build = if how == How::AddressSanitizer { Build::AddressSanitizer } else { Build::Plain };
    let program = hosts.program(name, build)?;
    let (patience, seconds) = how.patience();
    let mut command = Command::new("timeout");
    command.args(["-k", "5", seconds]);
    if how == How::Valgrind {
        command.args(["valgrind", "--quiet", "--error-exitcode=9", "--num-callers=30", "--leak-check=full"]);
        command.args(["--errors-for-leak-kinds=definite", "--show-leak-kinds=definite"]);
    }
    command.arg(program).args(std::env::var_os("SPICE_HOST_CASE")).stdin(Stdio::null());
    command.env("TEST_CERTIFICATES", hosts.certificates()).env("TEST_RECORDING", hosts.recording());
    command.env("TEST_SCRATCH", hosts.scratch(&format!("{name}-{library:?}-{how:?}-scratch"))?);
    command
        .env("TEST_EXPORTS", Path::new(env!("CARGO_MANIFEST_DIR")).join("exports.txt"))
        .env("TEST_COMMANDS", COMMANDS)
        .env("TEST_PATIENCE", patience);
    match library {
        Library::C => command.env("TEST_C_FAULTS", "1"),
        Library::Ours => command
            .env("LD_LIBRARY_PATH", hosts.library())
            .env("TEST_LIBRARY", hosts.library().join("libspice-server.so.1")),
    };
    if how == How::AddressSanitizer {
        command.env("ASAN_OPTIONS", "abort_on_error=0:fast_unwind_on_malloc=0");
        command.env("UBSAN_OPTIONS", "print_stacktrace=1");
    }
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name} {library:?} {how:?}: {}\n{}", output.status, what_failed(&said)).into())
}

/// Of what a program has said, that of cases that passed left out: each ends with a line that says what has become of it.
fn what_failed(said: &str) -> String {
    let (mut failed, mut case) = (Vec::new(), Vec::new());
    let mut keep = |case: &mut Vec<&'_ str>| {
        failed.extend(case.split_off(case.len().saturating_sub(LINES)).into_iter().map(str::to_owned));
        case.clear();
    };
    for line in said.lines() {
        case.push(line);
        if line.starts_with("  ok   ") {
            case.clear();
        } else if line.starts_with("  FAIL ") {
            keep(&mut case);
        }
    }
    keep(&mut case);
    failed.join("\n")
}

/// What programs that were compiled for x86-64 rely on: where the fields of the public structures are.
fn layout(hosts: &Hosts) -> Result<(), Failed> {
    let output = Command::new(hosts.program("layout", Build::Plain)?).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let listed = std::fs::read_to_string(build::source("layout-x86_64.txt"))?;
    if !output.status.success() || printed.lines().count() < 100 {
        return Err(format!("{}\n{printed}", output.status).into());
    }
    let mut differences = printed.lines().zip(listed.lines()).filter(|(is, should)| is != should);
    match differences.next() {
        Some((is, should)) if cfg!(target_arch = "x86_64") => Err(format!("{is}, not {should}").into()),
        _ if printed.lines().count() != listed.lines().count() => Err("not as many lines as listed".into()),
        _ => Ok(()),
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
